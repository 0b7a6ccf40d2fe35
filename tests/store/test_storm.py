"""The part of the memory that a tick is handed decides as all of it would."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import update

from bot.core.connection import Connection, Failure, Log, Snapshot
from bot.core.decide import decide
from bot.core.events import EventKind
from bot.core.incidents import EVERY, Person
from bot.core.policy import Policy
from bot.core.state import Acknowledge, Cause, Decision, Failed, Muting, Polled, SiteRecord, SiteState, Unmuting, after
from bot.store.outbox import DeliveryState
from bot.store.store import Store
from bot.store.tables import message
from tests.store.samples import MINUTE, NOW

SITES = ("a", "b")
ANN = Person(id="U1", name="Ann")
CONNECTIONS = 8


class Weather:
    """What the sites do, and what people do: two sites of one channel, calm and storms, from a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._up = {site: [True] * CONNECTIONS for site in SITES}
        self._away = dict.fromkeys(SITES, 0)

    def causes(self, site: str, minute: int, threads: list[str]) -> Iterator[Cause]:
        yield self._poll(site, minute)
        chance, connection = self._dice.random(), self._dice.choice(["0", "5", EVERY])
        if chance < 0.1 and threads:
            yield Acknowledge(by=ANN, thread=self._dice.choice(threads))
        elif chance < 0.13:
            until = NOW + (minute + self._dice.randint(2, 15)) * MINUTE
            yield Muting(by=ANN, until=until, connection=connection)
        elif chance < 0.15:
            yield Unmuting(by=ANN, connection=connection)

    def _poll(self, site: str, minute: int) -> Cause:
        if self._dice.random() < 0.02:
            self._away[site] = self._dice.randint(1, 6)
        if minute % 60 == 50:
            # All are lost at once.
            self._away[site] = 5
        if self._away[site]:
            self._away[site] -= 1
            return Failed(failure=Failure(kind="timeout", message="No answer.", advice="Look."))
        return Polled(snapshot=Snapshot(connections=tuple(self._row(site, n, minute) for n in range(CONNECTIONS))))

    def _row(self, site: str, n: int, minute: int) -> Connection:
        up = self._up[site]
        if n >= 3 and (phase := minute % 30) < 10:
            # A mass outage, and one that comes again and again.
            up[n] = phase % 5 > 2 if minute > 30 else phase > 5
        elif self._dice.random() < (0.45 if n == 0 and minute % 50 < 25 else 0.03):
            up[n] = not up[n]
        error = self._dice.choice(["", "", "", "timeout", "refused"]) if n in (1, 5) else ""
        return Connection(id=str(n), name=f"No {n}", status=int(up[n]), latest_log=Log(id=str(minute), error=error))


def told(decision: Decision) -> dict[str, Any]:
    """In an order that is of no account."""
    return {
        field.name: sorted(value, key=repr) if isinstance(value := getattr(decision, field.name), tuple) else value
        for field in fields(decision)
    }


DELIVERED = update(message).values(
    state=DeliveryState.SENT.value,
    channel_id="C1",
    ts="1",
    first_revision=message.c.revision,
    shown_revision=message.c.revision,
)
"""Slack takes everything at once."""


async def test_what_is_handed_to_a_tick_decides_as_all_that_ever_was(store: Store) -> None:
    policies = {
        site: Policy(
            site=site,
            home="C1",
            interval=MINUTE,
            remind_every=7 * MINUTE,
            escalate_after=4 * MINUTE,
            group_over=3,
            sites_in_channel=len(SITES),
        )
        for site in SITES
    }
    weather = Weather(1)
    memory = {site: SiteState(site=SiteRecord(name=site)) for site in SITES}
    happened: Counter[EventKind] = Counter()
    for minute in range(75):
        now = NOW + minute * MINUTE
        for site in SITES:
            peers = tuple(other for other in SITES if other != site)
            open_now = sorted(t.id for t in memory[site].threads.values() if t.open and t.site == site)
            for cause in weather.causes(site, minute, open_now):
                polls = [state.site.tried_at for state in memory.values() if state.site.tried_at is not None]
                everything = replace(memory[site], alive_at=max(polls, default=None))
                expected = decide(everything, cause, now=now, policy=policies[site])
                async with store.tick(site, peers=peers, now=now, lately=policies[site].lately) as tick:
                    decision = decide(tick.state, cause, now=now, policy=policies[site])
                    await tick.apply(decision, now)
                    await tick._transaction.execute(DELIVERED)
                assert decision == expected or told(decision) == told(expected), (minute, site)
                happened.update(event.kind for event in decision.events)
                changed = after(memory[site], decision)
                # Episodes and threads of both: some of them are shared.
                for name, state in memory.items():
                    memory[name] = replace(state, episodes=changed.episodes, threads=changed.threads)
                memory[site] = changed
    rare = {
        EventKind.FLAPPING,
        EventKind.SETTLED,
        EventKind.GROUP_OVER,
        EventKind.GROUP_REOPENED,
        EventKind.SIGHT_REGAINED,
        EventKind.MUTED,
        EventKind.ESCALATED,
        EventKind.REMINDED,
        EventKind.ERROR_OVER,
    }
    assert rare <= set(happened)
