"""The arithmetic of a history: every moment counts once, as what was really known of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import Connection, Log, State
from bot.core.events import Event, EventKind
from bot.core.incidents import Episode, EpisodeKind, Family, Person, Thread, ThreadKind, Why
from bot.core.state import ConnectionRecord, SiteRecord
from bot.slack.commands.past import CELLS, Known, Past, Seen, errors, past, stretches, taken_up_after

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
END = START + timedelta(hours=24)
LONG_AGO = START - timedelta(days=100)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def row(status: int | None = 1) -> Connection:
    return Connection(id="1", name="One", status=status)


def episode(start: float, end: float | None, *, kind: EpisodeKind = EpisodeKind.OUTAGE, **more: Any) -> Episode:
    given_: dict[str, Any] = {"id": f"p#{start}", "site": "p", "connection": "1", "why": Why.SEEN}
    return Episode(kind=kind, start=at(start), end=None if end is None else at(end), **(given_ | more))


def event(kind: EventKind, hours: float) -> Event:
    return Event(site="p", connection="1", at=at(hours), kind=kind, reason="test")


def known(**more: Any) -> Known:
    usual: dict[str, Any] = {
        "site": SiteRecord(name="p", baseline_at=LONG_AGO),
        "record": ConnectionRecord(site="p", id="1", row=row(), known=State.UP, since=LONG_AGO),
        "episodes": (),
        "blind": (),
        "events": (),
        "absent": (),
        "kept_since": LONG_AGO,
    }
    return Known(**(usual | more))


def looked_back(**more: Any) -> Past:
    return past(START, END, stretches(known(**more), start=START, end=END))


def hours(found: Past) -> dict[str, float]:
    """What it was spent with, apart from nothing."""
    spent = {seen.name.lower(): found.spent(seen) / timedelta(hours=1) for seen in Seen}
    return {name: round(value, 6) for name, value in spent.items() if value}


moments = st.integers(-600, 2000).map(lambda minutes: START + timedelta(minutes=minutes))
stretch_lists = st.lists(st.tuples(st.sampled_from(Seen), st.tuples(moments, moments)), max_size=25)


@given(stretch_lists)
def test_the_parts_sum_to_the_whole_and_uptime_is_a_percentage(found: list[Any]) -> None:
    """Whatever overlaps, or ends before it begins."""
    result = past(START, END, found)
    assert sum((result.spent(seen) for seen in Seen), timedelta(0)) == END - START
    assert result.uptime is None or 0 <= result.uptime <= 100
    edges = [START, *(end for _, end, _ in result.pieces)]
    assert [start for start, _, _ in result.pieces] == edges[:-1]
    assert edges[-1] == END
    assert all(a[2] is not b[2] for a, b in zip(result.pieces, result.pieces[1:], strict=False))


@given(stretch_lists, st.randoms(use_true_random=False))
def test_the_order_in_which_it_is_told_changes_nothing(found: list[Any], chance: random.Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert past(START, END, shuffled) == past(START, END, found)
    assert past(START, END, [*found, *found]) == past(START, END, found)


@given(stretch_lists)
def test_every_moment_counts_as_the_greatest_that_is_true_of_it(found: list[Any]) -> None:
    result = past(START, END, found)
    for minute in range(0, 24 * 60, 97):
        now = START + timedelta(minutes=minute, seconds=30)
        true = [what for what, (first, last) in found if first <= now < last]
        (told,) = [what for first, last, what in result.pieces if first <= now < last]
        assert told is max(true, default=Seen.UP)


@given(stretch_lists)
def test_no_downtime_disappears_from_the_timeline_and_none_is_added(found: list[Any]) -> None:
    result = past(START, END, found)
    cells = result.cells()
    assert len(cells) == CELLS
    assert set(cells) <= set("▁▄█░·")
    step = (END - START) / CELLS
    for number, cell in enumerate(cells):
        first, last = START + number * step, START + (number + 1) * step
        down = any(what is Seen.DOWN and a < last and b > first for a, b, what in result.pieces)
        assert (cell in "▄█") == down


def test_a_span_without_a_length_is_empty() -> None:
    result = past(END, START, [(Seen.DOWN, (START, END))])
    assert result.pieces == ()
    assert result.uptime is None
    assert result.cells(2) == ("▁", "▁")


def test_cells_say_what_the_most_of_them_was() -> None:
    found = [
        (Seen.DOWN, (at(0), at(1))),
        (Seen.DOWN, (at(1), at(1.1))),
        (Seen.BLIND, (at(2), at(2.8))),
        (Seen.UNWATCHED, (at(3), at(4))),
        (Seen.AWAY, (at(4), at(4.2))),
    ]
    assert "".join(past(START, at(6), found).cells(6)) == "█▄░·▁▁"


# What is remembered, as what it counts as


def test_what_nothing_is_told_of_was_up() -> None:
    found = looked_back()
    assert hours(found) == {"up": 24}
    assert found.uptime == 100


def test_downtime_counts_within_the_span_alone() -> None:
    found = looked_back(episodes=(episode(-5, 1), episode(10, 11), episode(23, None)))
    assert hours(found) == {"up": 21, "down": 3}
    assert found.uptime == pytest.approx(87.5)


def test_an_error_is_no_downtime() -> None:
    assert hours(looked_back(episodes=(episode(3, 9, kind=EpisodeKind.ERROR),))) == {"up": 24}


def test_what_was_not_seen_counts_neither_as_up_nor_as_down() -> None:
    """An outage goes on while nobody sees it, but nobody knows it."""
    blind = episode(2, 5, kind=EpisodeKind.BLIND, connection="")
    found = looked_back(episodes=(episode(1, 6),), blind=(blind,), absent=((Seen.AWAY, (at(4), at(7))),))
    assert hours(found) == {"up": 18, "down": 1, "blind": 2, "away": 3}
    assert found.uptime == pytest.approx(100 * 18 / 19)


def test_failures_that_are_no_blindness_yet_saw_nothing_all_the_same() -> None:
    site = SiteRecord(name="p", baseline_at=LONG_AGO, fails=1, failing_since=at(23))
    assert hours(looked_back(site=site)) == {"up": 23, "blind": 1}


@pytest.mark.parametrize(
    ("events", "unclear"),
    [
        ([(EventKind.UNREADABLE, 2), (EventKind.READABLE, 5)], 3),
        ([(EventKind.READABLE, 5)], 5),
        ([(EventKind.UNREADABLE, 20)], 4),
        ([(EventKind.UNREADABLE, 2), (EventKind.UNREADABLE, 3), (EventKind.READABLE, 5), (EventKind.READABLE, 9)], 3),
        ([(EventKind.STALE, 1), (EventKind.FRESH, 2), (EventKind.UNREADABLE, 1.5), (EventKind.READABLE, 3)], 2),
    ],
)
def test_a_row_that_could_not_be_understood_is_unknown(events: list[tuple[EventKind, float]], unclear: float) -> None:
    found = looked_back(events=tuple(event(kind, when) for kind, when in events))
    assert hours(found) == {"up": 24 - unclear, "unclear": unclear}


def test_before_the_baseline_or_beyond_what_is_kept_nothing_is_known() -> None:
    assert hours(looked_back(site=SiteRecord(name="p", baseline_at=at(6)))) == {"up": 18, "unwatched": 6}
    assert hours(looked_back(kept_since=at(6))) == {"up": 18, "unwatched": 6}
    assert hours(looked_back(site=None)) == {"up": 24}


def test_between_its_removal_and_its_return_it_was_not_watched() -> None:
    gone = (event(EventKind.REMOVED, 4), event(EventKind.ADDED, 10))
    assert hours(looked_back(events=gone)) == {"up": 18, "unwatched": 6}
    assert hours(looked_back(events=gone[1:])) == {"up": 14, "unwatched": 10}


@pytest.mark.parametrize("why", [Why.BASELINE, Why.ADDED, Why.FIRST_KNOWN])
def test_before_the_first_that_was_ever_known_of_it_its_state_is_unknown(why: Why) -> None:
    found = looked_back(episodes=(episode(2, 3, why=why), episode(5, 6)))
    assert hours(found) == {"unclear": 2, "down": 2, "up": 20}


def test_a_state_that_was_never_known_is_unknown_throughout() -> None:
    record = ConnectionRecord(site="p", id="1", row=row(None))
    assert hours(looked_back(record=record)) == {"unclear": 24}


def test_a_state_that_became_known_late_is_unknown_until_then() -> None:
    record = ConnectionRecord(site="p", id="1", row=row(), known=State.UP, since=at(9))
    assert hours(looked_back(record=record)) == {"unclear": 9, "up": 15}


def test_a_status_without_a_meaning_is_unknown_since_the_last_one_with_a_meaning() -> None:
    record = ConnectionRecord(site="p", id="1", row=row(7), known=State.UP, since=LONG_AGO, seen_at=at(20))
    assert hours(looked_back(record=record)) == {"up": 20, "unclear": 4}


# Errors, and who had it


def family(fingerprint: str, count: int, last: float, text: str = "x") -> Family:
    return Family(
        fingerprint=fingerprint, log=Log(id="1", error=text), count=count, first_at=at(0), last_at=at(last), message=0
    )


def test_errors_are_counted_over_all_incidents_with_their_latest_words() -> None:
    found = errors(
        [
            episode(1, 2, families=(family("a", 2, 1, "old"), family("b", 4, 2))),
            episode(3, 4, kind=EpisodeKind.ERROR, families=(family("a", 3, 4, "new"), family("c", 9, -1))),
        ],
        since=START,
    )
    assert [(kind.error, kind.count, kind.last_at) for kind in found] == [("new", 5, at(4)), ("x", 4, at(2))]


def test_an_error_without_words_is_counted_too() -> None:
    one = family("a", 1, 1)
    (found,) = errors([episode(1, 2, families=(replace(one, log=Log(id="1")),))], since=START)
    assert found.error == ""


@pytest.mark.parametrize(
    ("acknowledged", "end", "after"), [(2, 5, 1), (2, None, 1), (6, 5, None), (None, 5, None), (0.5, 5, 0)]
)
def test_it_is_taken_up_by_whoever_acknowledges_it_while_it_goes_on(
    acknowledged: float | None, end: float | None, after: float | None
) -> None:
    thread = Thread(
        id="p/1",
        site="p",
        kind=ThreadKind.OUTAGE,
        channel="C1",
        opened=at(1),
        ack_by=Person(id="U1", name="ana"),
        ack_at=None if acknowledged is None else at(acknowledged),
    )
    expected = None if after is None else timedelta(hours=after)
    assert taken_up_after(episode(1, end), thread) == expected
    assert taken_up_after(episode(1, end), None) is None
