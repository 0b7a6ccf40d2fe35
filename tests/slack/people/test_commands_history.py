"""`history`: uptime, downtimes, errors and the timeline, as a person reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.connection import State
from bot.core.incidents import Person
from bot.core.state import ConnectionRecord
from bot.sandbox.itempath_faults import Fault
from bot.slack.commands import history
from bot.slack.commands.past import Seen, past
from bot.slack.commands.survey import LookedBack
from bot.slack.commands.vocabulary import SPANS
from tests.slack.people.household import House, read
from tests.slack.people.test_commands_laws import NOW, episodes, records, threads

Build = Callable[..., Any]


@pytest.fixture
async def line(build: Build) -> House:
    """One connection, watched for two days. Hours between two polls do not count as an absence of the bot."""
    rows = [{"id": 1, "name": "Line", "status": 1}]
    house: House = await build(sites={"plant": rows}, interval=timedelta(hours=6))
    for _ in range(4):
        await house.later(hours=12)
    return house


async def outage(house: House, *, hours: float, error: str | None = None, ack: float | None = None) -> None:
    house.sites["plant"].set_status(1, 0)
    if error is not None:
        house.sites["plant"].write_error(1, error)
    await house.poll()
    if ack is not None:
        house.clock.ahead += timedelta(hours=ack)
        await house.ask("ack 1")
    house.clock.ahead += timedelta(hours=hours - (ack or 0))
    house.sites["plant"].set_status(1, 1)
    await house.poll()


async def test_what_was_always_up_says_so(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": 1, "name": "Line", "status": 1}]})
    shown = await house.ask("history line")
    assert "Line was up 100 % of the time seen: < 1 s of the last 24 h" in shown
    assert "Not seen for 23 h 59 min in all, 99 % of the span; first seen 2" in shown
    assert "Not watched (or no longer on record) for 23 h 59 min." in shown
    assert "Downtimes" not in shown


async def test_what_was_watched_for_minutes_is_not_said_to_have_been_up_for_weeks(build: Build) -> None:
    """The percentage is of what was seen, and says of how much."""
    house: House = await build(sites={"plant": [{"id": 1, "name": "Line", "status": 1}]})
    house.clock.ahead += timedelta(minutes=10)
    headline, *body = (await house.ask("history line 30d")).splitlines()
    assert headline == "🔵 Line was up 100 % of the time seen: 10 min of the last 30 d"
    assert body[1].startswith("Not seen for 29 d 23 h in all, 99 % of the span; first seen 2")


async def test_a_downtime_counts_with_who_had_it_and_why(line: House) -> None:
    await outage(line, hours=0.2, error="HTTP 503: token=abc123def456", ack=0.1)
    shown = await line.ask("history plant/1 24h")
    assert "down for 12 min in 1 downtime." in shown
    assert "1 of 1 acknowledged, after 6 min on average." in shown
    assert ", for 12 min. Acknowledged by alice after 6 min: HTTP 503: token=[masked]" in shown
    assert "once, last 2" in shown
    assert "Timeline, 30 min a character" in shown
    (cells,) = [row for row in shown.splitlines() if set(row) <= set("▁▄█░·") and row]
    assert len(cells) == 48
    assert set(cells) == set("▁▄")
    assert "▁ up  ▄ partly down  █ down  ░ not seen  · not watched" in shown


async def test_what_goes_on_is_said_to_go_on_and_nobody_to_have_it(line: House) -> None:
    line.sites["plant"].set_status(1, 0)
    await line.poll()
    shown = await line.ask("history line")
    assert "🔴 2" in shown
    assert " so far. Nobody acknowledged it" in shown
    assert "Nobody acknowledged any downtime." in shown


async def test_time_in_which_nothing_was_seen_is_told_apart(line: House) -> None:
    """The bot was away for two days, and then ItemPath could not be read."""
    await line.later(hours=48)
    await line.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await line.poll()
    await line.poll()
    line.clock.ahead += timedelta(hours=1)
    shown = await line.ask("history line 7d")
    assert "Not seen for 2 d: this bot was away." in shown
    assert "Not seen for 1 h: plant could not be read." in shown
    assert "Not watched (or no longer on record) for 2 d 22 h." in shown
    assert "Line was up 100 % of the time seen: 2 d of the last 7 d" in shown


async def test_time_in_which_nothing_could_be_recorded_is_not_called_an_absence(
    line: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot ran and read, and its database took nothing."""
    monkeypatch.setattr(line.pollers["plant"], "_missed", True)
    await line.later(hours=48)
    shown = await line.ask("history line 7d")
    assert "Not seen for 2 d: this bot's database took no changes." in shown
    assert "this bot was away" not in shown


async def test_many_downtimes_and_errors_are_counted_beyond_what_is_listed(line: House) -> None:
    for number in range(12):
        await outage(line, hours=0.05, error=f"cause {'abcdefghijkl'[number]}")
        shown = await line.ask("history line")
    assert "12 downtimes." in shown
    assert "and 2 more" in shown
    assert "and 7 more" in shown


async def test_a_row_that_could_not_be_read_is_unknown_in_its_history(line: House) -> None:
    line.sites["plant"].change(1, name={"not": "a name"})
    await line.poll()
    await line.later(hours=1)
    assert "State unknown for 1 h: ItemPath gave none that could be relied on." in await line.ask("history plant/1")


async def test_a_history_is_shared_for_everybody(line: House) -> None:
    private = await line.handlers.command(line.command_payload("history line 7d"))
    (value,) = [e["value"] for b in private["blocks"] if b["type"] == "actions" for e in b["elements"]]
    shared, _ = await line.click("share", value)
    assert shared["response_type"] == "in_channel"
    assert "Shared by alice." in read(shared)
    assert "of the last 7 d" in read(shared)
    assert "Share to channel" not in read(shared)


@pytest.mark.parametrize("value", ["?history nothing 7d", "?history", "?mute 1 2h", "?help", "?"])
async def test_what_is_gone_is_not_shared(line: House, value: str) -> None:
    (said,) = await line.click("share", value)
    assert "There is nothing to share" in read(said)
    assert await line.store.mutes(now=line.clock.now()) == ()


async def test_a_history_needs_to_know_of_what(build: Build) -> None:
    house: House = await build()
    assert "/connection history berlin/7 7d SAP Stock" in await house.ask("history sap 7d")
    shown = await house.ask("history servces")
    assert "Did you mean /connection history plant/2 24h Web Services?" in shown
    assert "looks back 24h, 7d or 30d" in await house.ask("history 2 6h")
    assert "needs the connection" in await house.ask("history")


moments = st.integers(-3000, 50000).map(lambda minutes: NOW - timedelta(minutes=minutes))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(
    record=records,
    span=st.sampled_from(list(SPANS)),
    told=st.lists(episodes, max_size=12),
    thread=threads,
    found=st.lists(st.tuples(st.sampled_from(Seen), st.tuples(moments, moments)), max_size=6),
)
def test_every_history_can_be_shown(record: ConnectionRecord, span: str, told: Any, thread: Any, found: Any) -> None:
    back = LookedBack(
        site="plant",
        id=record.id,
        record=record,
        span=span,
        past=past(NOW - SPANS[span], NOW, found),
        episodes=tuple(told),
        threads={"plant/1": thread},
    )
    for answer in (history.history(back), history.history(back, shared_by=Person(id="U0ALICE", name="alice"))):
        shown = read(answer)
        json.dumps(answer).encode()
        assert not re.search(r"<(?!!date\^)", answer["text"])
        assert "Timeline" in shown
        assert ("was not seen" in shown) == (back.past.uptime is None)


def test_uptime_is_never_rounded_up() -> None:
    end = NOW
    start = NOW - SPANS["30d"]
    blink = past(start, end, [(Seen.DOWN, (start, start + timedelta(seconds=1)))])
    record = ConnectionRecord(site="plant", id="1", row=None, known=State.UP)
    back = LookedBack(site="plant", id="1", record=record, span="30d", past=blink, episodes=(), threads={})
    assert "was up 99.99 % of the last 30 d" in read(history.history(back))
