"""What goes wrong, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core import decide as rules
from bot.core.connection import Failure
from bot.core.events import EventKind
from bot.core.incidents import Person, Why
from bot.core.state import Acknowledge, Due, Polled
from bot.itempath.errors import NotItemPath, TimedOut
from bot.store.errors import StoreError
from tests.poller.conftest import START, Build, snapshot

MINUTE = timedelta(minutes=1)


async def test_what_is_found_at_the_first_good_read_happened_while_away_and_only_that(build: Build) -> None:
    await build(snapshot(1, 1)).poller.poll()
    again = build(TimedOut("x"), snapshot(0, 1), snapshot(0, 0), unreachable_after=5)
    for _ in range(3):
        again.clock.at += MINUTE / 2
        await again.poller.poll()

    first, second = sorted(await again.store.episodes(going_on=True), key=lambda e: e.connection)
    assert (first.why, second.why) == (Why.WHILE_AWAY, Why.SEEN)


async def test_a_blindness_that_began_since_the_start_is_over_when_it_is_seen_to_be(build: Build) -> None:
    """While away is only what ended before the first poll, failed ones included."""
    await build(snapshot(1)).poller.poll()
    again = build(TimedOut("x"), TimedOut("x"), snapshot(1))
    for _ in range(3):
        again.clock.at += MINUTE / 2
        await again.poller.poll()
    third = build(TimedOut("x"), TimedOut("x"))
    third.clock.at = again.clock.at
    for _ in range(2):
        third.clock.at += MINUTE / 2
        await third.poller.poll()
    fourth = build(snapshot(1))
    fourth.clock.at = third.clock.at + MINUTE / 2
    await fourth.poller.poll()

    met, missed = sorted(await again.store.episodes(), key=lambda e: e.start)
    assert (met.end_why, missed.end_why) == (Why.SEEN, Why.WHILE_AWAY)


async def test_a_good_read_that_was_not_recorded_does_not_count_as_the_first(build: Build) -> None:
    await build(snapshot(1)).poller.poll()
    again = build(snapshot(0))
    again.lose_database()
    await again.poller.poll()
    again.find_database()
    again.clock.at += MINUTE / 2
    await again.poller.poll()

    (episode,) = await again.store.episodes(going_on=True)
    assert episode.why is Why.WHILE_AWAY


async def test_without_the_database_nothing_is_half_and_the_commit_is_tried_again_without_asking_itempath(
    build: Build,
) -> None:
    bench = build(snapshot(1), snapshot(0))
    waits: list[float] = []
    wait = bench.clock.wait

    async def watching(event: Any, *, until: Any) -> bool:
        waits.append((until - START).total_seconds())
        if until == START + timedelta(seconds=33):
            assert not await bench.store.episodes()
            bench.find_database()
        return await wait(event, until=until)

    bench.clock.wait = watching  # type: ignore[method-assign]
    await bench.run(reads=3, before=lambda number: bench.lose_database() if number == 2 else None)

    assert waits[:5] == [30, 31, 32, 33, 60]
    assert bench.source.asked_at == [0, 30, 60]
    (episode,) = await bench.store.episodes()
    assert episode.start == START + timedelta(seconds=30)


async def test_a_read_that_could_not_be_recorded_is_superseded_by_the_next(build: Build) -> None:
    bench = build(snapshot(1), snapshot(0), snapshot(1))

    def play(number: int) -> None:
        if number == 2:
            bench.lose_database()
        if number == 3:
            bench.find_database()

    await bench.run(reads=3, before=play)

    assert not await bench.store.episodes()


async def test_a_poll_that_was_not_recorded_is_no_success_for_any_monitor(build: Build) -> None:
    bench = build(snapshot(1))
    bench.lose_database()
    await bench.poller.poll()

    assert bench.sample("itempath_bot_polls_total", outcome="database") == 1
    assert bench.sample("itempath_bot_polls_total", outcome="ok") is None
    assert not bench.sample("itempath_bot_last_successful_poll_timestamp_seconds")
    assert bench.poller.trouble is not None
    assert bench.poller.trouble.kind == "database"

    bench.find_database()
    await bench.poller.poll()
    assert bench.poller.trouble is None


async def test_a_timer_that_cannot_be_recorded_is_tried_again_each_second_and_not_at_once(build: Build) -> None:
    bench = build(snapshot(0), interval=10 * MINUTE, remind_every=MINUTE)
    waits: list[Any] = []
    wait = bench.clock.wait

    async def losing(event: Any, *, until: Any) -> bool:
        waits.append(until)
        if len(waits) == 1:
            bench.lose_database()
        if len(waits) == 4:
            bench.find_database()
        return await wait(event, until=until)

    bench.clock.wait = losing  # type: ignore[method-assign]
    await bench.run(reads=2)

    due = START + MINUTE
    assert waits[:4] == [due, *(due + timedelta(seconds=n) for n in (1, 2, 3))]
    assert await bench.happened(EventKind.REMINDED) == [due + timedelta(seconds=3)]


async def test_an_acknowledgement_that_cannot_be_recorded_says_so(build: Build) -> None:
    bench = build(snapshot(0))
    await bench.poller.poll()
    bench.lose_database()
    with pytest.raises(StoreError):
        await bench.poller.act(Acknowledge(by=Person(id="U1", name="dana"), connection="1"))

    (thread,) = (await bench.store.threads(["default/1"])).values()
    assert thread.ack_by is None


async def test_a_fault_of_the_bot_costs_one_poll_of_one_site_and_is_told_once(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = rules.decide

    def broken(state: Any, cause: Any, **more: Any) -> Any:
        if state.site.name == "default" and isinstance(cause, Polled) and more["now"] < START + 2 * MINUTE:
            raise ZeroDivisionError
        return decide(state, cause, **more)

    monkeypatch.setattr("bot.poller.decide", broken)
    bench, other = build(snapshot(1)), build(snapshot(1), site="other")
    with capture_logs() as logs:
        await bench.run(reads=6)
        await other.poller.poll()

    names = {site.name for site in await bench.store.sites() if site.good_at is not None}
    assert names == {"default", "other"}
    assert bench.sample("itempath_bot_polls_total", outcome="bot") == 4
    assert bench.sample("itempath_bot_polls_total", outcome="ok") == 2
    assert [entry["event"] for entry in logs if entry["log_level"] in ("error", "warning")] == [
        "a poll ended in a fault of the bot",
        "deciding on what was read fails",
    ]
    assert "deciding on what was read recovered" in [entry["event"] for entry in logs]


async def test_a_fault_is_a_trouble_that_status_can_tell(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.poller.decide", broken)
    bench = build(snapshot(1))
    await bench.poller.poll()

    assert bench.poller.trouble == Failure(
        kind="bot",
        message="A fault of the bot (ZeroDivisionError) kept what was read from being recorded.",
        advice="Report it with the traceback that the bot has logged.",
    )


async def test_a_fault_in_a_timer_does_not_end_the_loop(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = rules.decide

    def broken(state: Any, cause: Any, **more: Any) -> Any:
        if isinstance(cause, Due):
            raise ZeroDivisionError
        return decide(state, cause, **more)

    monkeypatch.setattr("bot.poller.decide", broken)
    bench = build(snapshot(0), remind_every=timedelta(seconds=10))
    await bench.run(reads=3)

    assert bench.source.asked_at == [0, 30, 60]


async def test_logs_tell_changes_and_not_repetitions(build: Build) -> None:
    bench = build(snapshot(1), NotItemPath("a"), NotItemPath("a"), NotItemPath("b"), snapshot(0))
    with capture_logs() as logs:
        await bench.run(reads=6)

    told = [(entry["event"], entry.get("name"), entry.get("reason")) for entry in logs]
    assert told == [
        ("baseline", None, "first_snapshot"),
        ("reading the connections fails", None, "a"),
        ("sight lost", None, "not_itempath"),
        ("reading the connections fails otherwise", None, "b"),
        ("reading the connections recovered", None, None),
        ("sight regained", None, "read_again"),
        ("went down", "C1", "while_blind"),
    ]
    assert {entry["site"] for entry in logs} == {"default"}


async def test_lost_database_and_its_return_are_one_line_each(build: Build) -> None:
    bench = build(snapshot(1))

    def play(number: int) -> None:
        if number == 2:
            bench.lose_database()
        if number == 4:
            bench.find_database()

    with capture_logs() as logs:
        await bench.run(reads=4, before=play)

    told = [entry["event"] for entry in logs if entry["event"].startswith("recording")]
    assert told == ["recording what was read fails", "recording what was read recovered"]
