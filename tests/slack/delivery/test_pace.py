"""The laws of pace, for any story of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import pace as pace_module
from bot.slack.pace import BACK_OFF_FIRST, BACK_OFF_MOST, EDIT, LOOK, POST, POST_EVERY, WORKSPACE, Budget, Pace

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPANS = st.integers(0, 30_000).map(lambda ms: timedelta(milliseconds=ms))


@given(st.lists(SPANS, max_size=200))
def test_no_minute_sees_more_than_slack_takes(idle: list[timedelta]) -> None:
    budget, now, spent = Budget(), NOW, []
    for span in idle:
        now = budget.ready_at(now + span)
        budget.spend(now)
        spent.append(now)
    for start in spent:
        assert len([at for at in spent if start <= at <= start + timedelta(minutes=1)]) <= 50


def test_the_time_that_is_told_is_enough() -> None:
    """Else the loop would wake again and again."""
    budget, now = Budget(), NOW
    for _ in range(200):
        now = budget.ready_at(now)
        assert budget.ready_at(now) == now
        budget.spend(now)


def test_a_single_call_goes_at_once_after_any_rest() -> None:
    budget = Budget()
    for _ in range(8):
        budget.spend(NOW)
    assert budget.ready_at(NOW) > NOW
    assert budget.ready_at(NOW + 2 * SECOND) == NOW + 2 * SECOND


def test_a_budget_survives_a_clock_that_is_set_back() -> None:
    budget = Budget()
    for _ in range(8):
        budget.spend(NOW)
    earlier = NOW - timedelta(hours=1)
    assert budget.ready_at(earlier) - earlier <= 2 * SECOND


def test_posts_wait_a_second_in_their_channel_alone() -> None:
    pace = Pace()
    pace.posted("C1", NOW)
    assert pace.post_at("C1", NOW) == NOW + POST_EVERY
    assert pace.post_at("C2", NOW) == pace.edit_at("C1", NOW) == pace.look_at("C1", NOW) == NOW


def test_a_name_and_its_id_are_one_channel() -> None:
    pace = Pace()
    pace.known_as("#ops", "C1")
    pace.posted("#ops", NOW)
    assert pace.post_at("C1", NOW) == NOW + POST_EVERY
    assert pace.place(POST, "#ops") == pace.place(POST, "C1")


@pytest.mark.parametrize("way", ["obey", "back_off"])
def test_a_wait_holds_up_what_it_is_about_and_no_more(way: str) -> None:
    def free(what: str) -> set[tuple[str, str]]:
        pace = Pace()
        if way == "obey":
            pace.obey(what, NOW + SECOND)
        else:
            pace.back_off(what, NOW)
        asked = {POST: pace.post_at, EDIT: pace.edit_at, LOOK: pace.look_at}
        return {(method, channel) for method in asked for channel in "AB" if asked[method](channel, NOW) == NOW}

    everything = {(method, channel) for method in (POST, EDIT, LOOK) for channel in "AB"}
    assert free(WORKSPACE) == set()
    assert free("default/1#0") == everything
    for method in (POST, EDIT, LOOK):
        assert free(method) == {pair for pair in everything if pair[0] != method}
        assert free(Pace().place(method, "A")) == everything - {(method, "A")}


def test_refusals_back_off_twice_as_long_each_time_up_to_five_minutes() -> None:
    pace, now, waits = Pace(), NOW, []
    for _ in range(15):
        until = pace.back_off("x", now)
        waits.append(until - now)
        now = until
    assert waits[:4] == [BACK_OFF_FIRST * 2**n for n in range(4)]
    assert waits[-1] == BACK_OFF_MOST
    pace.release("x")
    assert pace.back_off("x", now) - now == BACK_OFF_FIRST


def test_refusals_of_calls_that_were_under_way_together_are_one() -> None:
    pace = Pace()
    first = pace.back_off(WORKSPACE, NOW)
    assert pace.back_off(WORKSPACE, NOW + SECOND) == first
    assert pace.back_off(WORKSPACE, first) == first + 2 * BACK_OFF_FIRST


def test_what_slack_asked_for_is_not_released_by_what_works() -> None:
    pace = Pace()
    pace.obey(EDIT, NOW + 30 * SECOND)
    pace.obey(EDIT, NOW + 5 * SECOND)
    pace.release(EDIT, "never heard of")
    assert pace.edit_at("C1", NOW) == NOW + 30 * SECOND


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_a_clock_that_is_set_back_lengthens_no_wait(back: timedelta) -> None:
    pace = Pace()
    pace.saw(NOW)
    pace.posted("C1", NOW)
    pace.obey(EDIT, NOW + 9 * SECOND)
    pace.back_off(LOOK, NOW)
    earlier = NOW - back
    pace.saw(earlier)
    assert pace.post_at("C1", earlier) - earlier == POST_EVERY
    assert pace.edit_at("C1", earlier) - earlier == 9 * SECOND
    assert pace.look_at("C1", earlier) - earlier == BACK_OFF_FIRST


def test_what_is_long_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "REMEMBERED", 10)
    pace = Pace()
    for n in range(10):
        pace.posted(f"C{n}", NOW)
        pace.obey(f"C{n}", NOW)
        pace.back_off(f"C{n}", NOW)
    later = NOW + timedelta(hours=2)
    pace.posted("new", later)
    pace.saw(later)
    assert (list(pace._next_post), pace._limits, pace._refusals) == (["new"], {}, {})
