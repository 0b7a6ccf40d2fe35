"""When the poller asks, and what it does in between."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.core.connection import State
from bot.core.events import EventKind
from bot.core.incidents import Person
from bot.core.state import Acknowledge, AckOutcome, AckReply, Reply
from bot.itempath.errors import NotItemPath
from tests.poller.conftest import START, Build, snapshot

MINUTE = timedelta(minutes=1)
DANA = Person(id="U1", name="dana")


async def test_polls_keep_a_fixed_beat_whatever_each_of_them_takes(build: Build) -> None:
    bench = build(snapshot(1))
    bench.source.takes = timedelta(seconds=7)
    await bench.run(reads=4)

    assert bench.source.asked_at == [0, 30, 60, 90]


async def test_a_poll_longer_than_the_interval_skips_beats_instead_of_piling_up(build: Build) -> None:
    bench = build(snapshot(1))
    bench.source.takes = timedelta(seconds=31)
    await bench.run(reads=3)

    assert bench.source.asked_at == [0, 60, 120]


async def test_a_read_has_no_more_time_than_the_interval(build: Build) -> None:
    bench = build(snapshot(1))
    await bench.run(reads=2)

    assert bench.source.budgets == [30.0, 30.0]


async def test_a_clock_that_is_set_back_costs_at_most_one_interval(build: Build) -> None:
    bench = build(snapshot(1))

    def set_back(number: int) -> None:
        if number == 2:
            bench.clock.set(hours=-1)

    await bench.run(reads=3, before=set_back)

    assert bench.source.asked_at == [0, 30, 30 - 3600 + 30]


async def test_timers_come_between_polls(build: Build) -> None:
    """With an interval of ten minutes, reminders come each minute all the same, as long as Slack has had the last."""
    bench = build(snapshot(0), interval=10 * MINUTE, remind_every=9 * MINUTE)
    await bench.run(reads=2)

    assert await bench.happened(EventKind.REMINDED) == [START + 9 * MINUTE]


async def test_no_timer_is_heeded_before_the_site_has_been_read(build: Build) -> None:
    """What was down before the start may be long over; while that is unknown nobody is reminded of it."""
    bench = build(snapshot(0), remind_every=MINUTE)
    await bench.poller.poll()
    again = build(NotItemPath("x"), remind_every=MINUTE, unreachable_after=1000)
    again.clock.at += 30 * MINUTE
    await again.run(reads=5)

    assert not await bench.happened(EventKind.REMINDED)


async def test_a_site_that_is_still_out_of_sight_after_a_start_is_reminded_of(build: Build) -> None:
    bench = build(NotItemPath("x"), remind_every=MINUTE)
    await bench.run(reads=2)
    again = build(NotItemPath("x"), remind_every=MINUTE)
    again.clock.at += 2 * MINUTE
    await again.run(reads=2)

    assert await bench.happened(EventKind.REMINDED) == [START + 2 * MINUTE]


async def test_what_a_person_does_is_decided_at_once_and_moves_no_beat(build: Build) -> None:
    bench = build(snapshot(0), remind_every=MINUTE)
    replies: list[Reply | None] = []
    wait = bench.clock.wait

    async def acknowledging(event: asyncio.Event, *, until: datetime | None) -> bool:
        if not replies:
            bench.clock.at += timedelta(seconds=5)
            replies.append(await bench.poller.act(Acknowledge(by=DANA, connection="1")))
        return await wait(event, until=until)

    bench.clock.wait = acknowledging  # type: ignore[method-assign]
    await bench.run(reads=3)

    (reply,) = replies
    assert isinstance(reply, AckReply)
    assert reply.outcome is AckOutcome.DONE
    assert bench.commits == [START, START + timedelta(seconds=5)]
    assert bench.source.asked_at == [0, 30, 60]
    assert not await bench.happened(EventKind.REMINDED)


@pytest.mark.parametrize("statuses", [(1, 0, None), (1, 1, 1)])
async def test_the_metrics_tell_states_and_incidents(build: Build, statuses: tuple[int | None, ...]) -> None:
    bench = build(snapshot(*statuses))
    bench.source.takes = timedelta(seconds=3)
    await bench.poller.poll()

    for state, status in ((State.UP, 1), (State.DOWN, 0), (State.UNKNOWN, None)):
        assert bench.sample("itempath_bot_connections", state=state) == statuses.count(status)
    assert bench.sample("itempath_bot_incidents_open") == statuses.count(0)
    assert bench.sample("itempath_bot_polls_total", outcome="ok") == 1
    assert bench.sample("itempath_bot_poll_duration_seconds_sum") == 3
    assert (
        bench.sample("itempath_bot_last_successful_poll_timestamp_seconds")
        == (START + timedelta(seconds=3)).timestamp()
    )


async def test_while_blind_every_connection_is_unknown(build: Build) -> None:
    bench = build(snapshot(1, 0), NotItemPath("x"))
    for _ in range(3):
        await bench.poller.poll()

    assert bench.sample("itempath_bot_connections", state="unknown") == 2
    assert bench.sample("itempath_bot_connections", state="down") == 0
    assert bench.sample("itempath_bot_polls_total", outcome="not_itempath") == 2


async def test_a_peer_that_cannot_be_read_is_no_incident_of_this_site(build: Build) -> None:
    """They share one root in Slack; what each sees is its own."""
    peer = build(NotItemPath("x"), site="berlin", peers=("default",), unreachable_after=1)
    await peer.poller.poll()
    bench = build(NotItemPath("x"), snapshot(1), peers=("berlin",), unreachable_after=1)
    await bench.poller.poll()
    await bench.poller.poll()

    assert bench.sample("itempath_bot_incidents_open") == 0
    assert bench.sample("itempath_bot_connections", state="up") == 1
    assert peer.sample("itempath_bot_incidents_open") == 1
