"""Ten minutes in which all goes wrong at once: five hundred connections flap, Slack refuses every second call, and
ItemPath is slow (contract, sections 4 to 6).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.connection import Connection, Snapshot
from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.itempath.client import ItemPathClient
from bot.sandbox.slack.faults import Fault
from bot.service import Service
from tests.crash.inline import quiet
from tests.e2e.held import held
from tests.e2e.stepped import Stepped
from tests.e2e.storm import Storm, connections

POLL = timedelta(seconds=100)
POLLS = 6
FLAPPING = range(1, 501)
REPORTING = range(501, 511)
"""These stay up, and report the same error at each poll."""
LISTS = -(-(len(FLAPPING) - ROOT_HOLDS) // LIST_HOLDS)
MESSAGES = 1 + len(REPORTING) + 1 + LISTS
"""All that the channel ever needs: the baseline, a root for each error, one for what flaps, and what that cannot hold.
As each has one row, no more rows can wait, however often what they show changes.
"""
WAIT = 15
"""Seconds that Slack asks for when it refuses."""


class Slow:
    """An ItemPath whose list takes most of a poll's interval, and that answers no question of a person's."""

    def __init__(self, client: ItemPathClient, clock: Stepped) -> None:
        self._client = client
        self._clock = clock

    async def connections(self, *, budget: float | None = None) -> Snapshot:
        await self._clock.sleep(0.8 * POLL.total_seconds())
        return await self._client.connections(budget=budget)

    async def connection(self, id: str, *, budget: float | None = None) -> Connection:  # noqa: A002 - as the client has it
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


def flap(storm: Storm, poll: int) -> None:
    """Each in its own time, so that some are always down."""
    for line in FLAPPING:
        storm.site.set_status(line, (poll + line) // (1 + line % 4) % 2)
    for line in REPORTING:
        storm.site.write_error(line, f"HTTP 503 after {poll} s")


async def people(storm: Storm) -> None:
    """What they ask is acknowledged within Slack's three seconds, by the clock on the wall, and answered."""
    assert "510 connections" in await storm.asks("/connection list")
    assert "ItemPath did not answer within 2 seconds. What follows was read" in await storm.asks("/connection 17")
    assert await storm.presses("acknowledge", on="connections of berlin are down", user="U0ALICE") is None


def memory(service: Service) -> int:
    """Of everything that remembers something, in bytes."""
    parts = (service.pollers, service.delivery, service.reach, service.home, service.reception, service.metrics)
    return held(*parts)


async def test_under_load_it_stays_small_answers_in_time_and_ends_true(tmp_path: Path) -> None:
    """What waits is bounded by what there is to show, what is remembered stops growing, people are answered meanwhile,
    and the queue drains although Slack goes on refusing every second call.
    """
    async with Storm(tmp_path, sites={"berlin": connections(510)}, every=POLL) as storm:
        storm.settings["alerts"] = {"flap_window": timedelta(minutes=4)}
        await storm.start()
        outbox = storm.service.store.outbox
        refused = itertools.cycle((False, True))
        storm.slack.fail("*", Fault.rate_limited(WAIT), times=None, when=lambda _: next(refused))
        slow = Slow(storm.service.clients["berlin"], storm.clock)
        (poller,) = storm.service.pollers
        poller._client = slow
        storm.service.clients["berlin"] = slow  # type: ignore[assignment]
        waited, remembered = [], []
        for poll in range(POLLS):
            flap(storm, poll)
            if poll == 4:
                await asyncio.gather(storm.polls(), people(storm))
            else:
                await storm.polls()
            waited.append(len(await outbox.waiting()))
            if poll in (POLLS // 2 - 1, POLLS - 1):
                remembered.append(memory(storm.service))
        assert 0 < max(waited) <= MESSAGES
        assert remembered[1] < 1.25 * remembered[0]

        storm.set_all(1, FLAPPING)
        storm.set_all(0, FLAPPING[::3])
        await storm.polls(3)
        assert (await outbox.pending()).count == 0
        storm.kept_to_slacks_limits(refused=("rate_limited",))
        posts = itertools.pairwise(storm.slack.made("chat.postMessage"))
        assert all(later.at - call.at >= WAIT for call, later in posts if call.outcome == "rate_limited")
        assert len(storm.told()) == MESSAGES + 1, "all of it once, and that Alice has it"
        down = {ref for ref, mark in storm.shown().items() if mark == "down"}
        assert down == {f"berlin/{line}" for line in FLAPPING[::3]}
        assert "Acknowledged by alice" in storm.message("167 of 510 connections of berlin are down")["text"]
