"""The stories that are swept. Each state lasts two reads at least, so that no death hides one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.incidents import EVERY
from bot.core.state import Acknowledge, Muting, Unmuting
from bot.store.store import Store
from tests.crash.story import ANN, EACH, POLICY, Deed, Scene, Story


def acknowledges(at: int, connection: str) -> Deed:
    async def done(store: Store, now: datetime) -> bool:
        episodes = await store.episodes(going_on=True)
        threads = await store.threads(e.thread for e in episodes if e.connection == connection and e.thread)
        return any(thread.ack_by for thread in threads.values())

    return Deed(at=at, cause=lambda now: Acknowledge(by=ANN, connection=connection), done=done)


def mutes(at: int, connection: str, seconds: int) -> Deed:
    async def done(store: Store, now: datetime) -> bool:
        return any(mute.connection == connection for mute in await store.mutes(now=now))

    def cause(now: datetime) -> Muting:
        return Muting(by=ANN, until=now + timedelta(seconds=seconds), reason="works", connection=connection)

    return Deed(at=at, cause=cause, done=done)


def unmutes(at: int, connection: str) -> Deed:
    async def done(store: Store, now: datetime) -> bool:
        return not await store.mutes(now=now)

    return Deed(at=at, cause=lambda now: Unmuting(by=ANN, connection=connection), done=done)


TIMEOUT, LATER, REFUSED = (1, "timeout after 30 s"), (2, "timeout after 31 s"), (3, "refused")

STORIES = {
    "baseline": Story(from_nothing=True, scenes=(Scene(at=0, down="2"), Scene(at=20)), until=50),
    "outage": Story(
        scenes=(Scene(at=0), Scene(at=5, down="1"), Scene(at=40)), deeds=(acknowledges(22, "1"),), until=70
    ),
    "errors": Story(
        scenes=(
            Scene(at=0),
            Scene(at=5, errors={"2": TIMEOUT}),
            Scene(at=35, errors={"2": LATER}),
            Scene(at=65, errors={"2": REFUSED}),
            Scene(at=95, errors={"2": (4, "")}),
        ),
        until=125,
    ),
    "an error before the fall": Story(
        scenes=(
            Scene(at=0),
            Scene(at=5, errors={"2": TIMEOUT}),
            Scene(at=35, errors={"2": TIMEOUT}, down="2"),
            Scene(at=65, errors={"2": REFUSED}, down="2"),
            Scene(at=95, errors={"2": REFUSED}),
        ),
        until=125,
    ),
    "mute": Story(scenes=(Scene(at=0), Scene(at=20, down="1"), Scene(at=85)), deeds=(mutes(12, "1", 50),), until=115),
    "mute of all": Story(
        scenes=(Scene(at=0), Scene(at=5, down="1"), Scene(at=35, down="12"), Scene(at=65, down="2")),
        deeds=(mutes(22, EVERY, 600), unmutes(82, EVERY)),
        until=112,
    ),
    "blindness": Story(
        scenes=(Scene(at=0), Scene(at=5, down="3"), Scene(at=20, answers=False), Scene(at=60, down="4")), until=90
    ),
    "sites lost together": Story(
        scenes=(Scene(at=0), Scene(at=5, answers=False), Scene(at=65, down="3")),
        beside={
            "graz": (Scene(at=0), Scene(at=20, answers=False), Scene(at=95)),
            "linz": (Scene(at=0), Scene(at=35, down="4")),
        },
        until=125,
    ),
    "mass outage": Story(
        scenes=(
            Scene(at=0),
            Scene(at=5, down="1234"),
            Scene(at=35, down=EACH),
            Scene(at=65, down="5678"),
            Scene(at=95),
        ),
        until=125,
    ),
    "flapping": Story(
        policy=replace(POLICY, flap_threshold=3),
        scenes=(Scene(at=0), Scene(at=5, down="1"), Scene(at=35), Scene(at=65, down="1"), Scene(at=140)),
        until=170,
    ),
    "reminder": Story(
        policy=replace(POLICY, remind_every=timedelta(seconds=45), escalate_after=timedelta(seconds=60)),
        scenes=(Scene(at=0), Scene(at=5, down="1"), Scene(at=125)),
        until=155,
    ),
    "changes": Story(
        scenes=(
            Scene(at=0),
            Scene(at=5, watched=EACH + "9", down="9", names={"3": "Renamed"}),
            Scene(at=35, watched=EACH[:-1], names={"3": "Renamed"}),
        ),
        until=80,
    ),
}
"""By what they are about."""
