"""When the poller asks, and what it does in between."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core import decide as rules
from bot.core.connection import State
from bot.core.events import EventKind
from bot.core.incidents import Person, Why
from bot.core.state import Acknowledge, AckOutcome, AckReply, Reply
from bot.itempath.errors import NotItemPath
from bot.slack.messages import render
from bot.store.outbox import Form
from tests.poller.conftest import INTERVAL, START, Bench, Build, snapshot

MINUTE = timedelta(minutes=1)
DANA = Person(id="U1", name="dana")


async def sent_all(bench: Bench) -> None:
    """Slack has everything."""
    for outgoing in await bench.store.outbox.waiting():
        if await bench.store.outbox.claim(outgoing.key, now=bench.clock.at) is not None:
            await bench.store.outbox.sent(
                outgoing.key, generation=0, channel_id="C1", ts=f"{outgoing.message.n}.1", now=bench.clock.at
            )


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


async def test_a_clock_that_is_set_while_a_poll_is_under_way_makes_no_negative_duration(build: Build) -> None:
    bench = build(snapshot(1))
    bench.source.takes = timedelta(seconds=3)
    bench.source.on_read = lambda _: bench.clock.set(hours=-1)
    await bench.poller.poll()

    assert bench.sample("itempath_bot_poll_duration_seconds_sum") == 3


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_is_no_absence_and_flips_nothing(build: Build, hours: int) -> None:
    """Neither for good polls nor for failed ones; a bot that has run all the time knows that it has."""
    bench = build(snapshot(1, 0), NotItemPath("x"), snapshot(1, 0), unreachable_after=9)
    for step in (hours, -hours):
        for _ in range(3):
            await bench.poller.poll()
            bench.clock.at += INTERVAL
        bench.clock.set(hours=step)

    kinds = {stored.event.kind for stored in await bench.store.events()}
    assert kinds == {EventKind.BASELINE, EventKind.WENT_DOWN}
    assert len(await bench.happened(EventKind.WENT_DOWN)) == 1


async def test_an_absence_of_the_database_is_told_once_it_can_be(build: Build) -> None:
    """Of what nobody could record there is nothing to tell but that: the process runs, and yet the channel was told nothing."""
    bench = build(snapshot(1))
    await bench.poller.poll()
    bench.lose_database()
    for _ in range(12):
        bench.clock.at += INTERVAL
        await bench.poller.poll()
    bench.find_database()
    for _ in range(2):
        bench.clock.at += INTERVAL
        await bench.poller.poll()

    assert await bench.happened(EventKind.AWAY) == [START + 13 * INTERVAL]


async def test_what_flipped_while_the_machine_was_suspended_is_marked(build: Build) -> None:
    """The process does not end, and yet nobody watched: to say that it fell when it was seen would be false."""
    bench = build(snapshot(1, 0), snapshot(1, 0), snapshot(0, 1), snapshot(0, 0))
    for pause in (INTERVAL, timedelta(minutes=20), INTERVAL, INTERVAL):
        await bench.poller.poll()
        bench.clock.at += pause

    *_, fell, fell_later = sorted(await bench.store.episodes(), key=lambda e: e.start)
    assert (fell.why, fell_later.why) == (Why.WHILE_AWAY, Why.SEEN)
    assert len(await bench.happened(EventKind.AWAY)) == 1


async def test_a_clock_that_is_set_forward_is_no_storm_of_reminders(build: Build) -> None:
    """Each incident is reminded of once, as if the hour had passed, and not once for every time that it would have been."""
    bench = build(snapshot(0, 0), interval=10 * MINUTE, remind_every=30 * MINUTE, group_over=9)
    reminded = []
    for number in range(10):
        if number == 1:
            bench.clock.set(hours=1)
        before = len(await bench.happened(EventKind.REMINDED))
        await bench.poller.poll()
        await sent_all(bench)
        reminded.append(len(await bench.happened(EventKind.REMINDED)) - before)
        bench.clock.at += 10 * MINUTE

    assert reminded == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0]


async def test_an_outage_during_which_the_clock_is_set_back_has_no_negative_length(build: Build) -> None:
    bench = build(snapshot(1), snapshot(0), snapshot(1))
    for _ in range(3):
        await bench.poller.poll()
        bench.clock.at += INTERVAL
        bench.clock.set(hours=-1)

    (episode,) = await bench.store.episodes()
    assert episode.end is not None
    assert episode.end < episode.start
    assert episode.duration == timedelta(0)
    view = await bench.store.thread(str(episode.thread))
    assert view is not None
    said = render(view, view.root, form=Form.FULL, now=bench.clock.now(), interactive=False).text
    assert "is up again" in said
    assert "less than 1 s" in said


async def test_a_crowd_of_people_waits_its_turn_and_keeps_no_poll_waiting(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls and timers come after one of them at most; each of them is decided in the end."""
    decided: list[str] = []
    decide = rules.decide

    def noting(state: Any, cause: Any, **more: Any) -> Any:
        decided.append(type(cause).__name__)
        return decide(state, cause, **more)

    monkeypatch.setattr("bot.poller.decide", noting)
    bench = build(snapshot(0))
    await bench.poller.poll()
    crowd = [asyncio.create_task(bench.poller.act(Acknowledge(by=DANA, connection="1"))) for _ in range(25)]
    while len(decided) < 2:  # noqa: ASYNC110 - until the first of them is decided
        await asyncio.sleep(0)
    await bench.poller.poll()

    assert decided.index("Polled", 1) <= 3
    replies = await asyncio.gather(*crowd)
    assert [isinstance(reply, AckReply) for reply in replies] == [True] * 25


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


async def test_a_corrected_route_wakes_the_delivery_although_nothing_new_is_to_be_told(build: Build) -> None:
    await build(snapshot(1), snapshot(0)).run(reads=2)
    corrected = build(snapshot(0), home="#elsewhere")
    await corrected.run(reads=1)

    assert {outgoing.channel for outgoing in await corrected.store.outbox.waiting()} == {"#elsewhere"}
    assert corrected.commits == [START]
