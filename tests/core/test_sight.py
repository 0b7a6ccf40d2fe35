"""Rules 8 and 10: a site that cannot be read, and a bot that was away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.connection import State
from bot.core.events import EventKind
from bot.core.incidents import Closing, EpisodeKind, MessageKind, Phase, ThreadKind, Why
from bot.core.policy import RouteRule
from bot.core.state import Failed
from tests.core.story import NO_LOGIN, REFUSED, Story, down, is_quiet, up


def test_a_site_is_unreachable_after_so_many_failed_polls_in_a_row() -> None:
    story = Story(up(), unreachable_after=3)
    seen = story.now
    story.fail()
    first_failure = story.now
    story.fail()
    assert not story.sent
    story.fail()

    [thread] = story.roots
    assert (thread.kind, thread.channel) == (ThreadKind.SITE, "#ops")
    blind = story.episode(EpisodeKind.BLIND)
    assert (blind.start, blind.not_before, blind.failure) == (first_failure, seen, REFUSED)
    assert is_quiet(story.fail())


def test_a_good_poll_between_starts_the_count_anew() -> None:
    story = Story(up())
    story.fail()
    story.poll(up())
    story.fail()

    assert not story.sent


def test_it_is_told_before_the_baseline_too() -> None:
    story = Story(baseline=False)
    story.fail()
    story.fail()
    story.poll(up())

    assert [thread.kind for thread in story.roots] == [ThreadKind.SITE, ThreadKind.BASELINE]


def test_while_blind_connections_are_unknown_and_nothing_resolves() -> None:
    story = Story(up("1"), down("2"))
    outage = story.episode(EpisodeKind.OUTAGE)
    story.fail()
    story.fail()

    assert story.state.connections["1"].state(blind=True) is State.UNKNOWN
    assert story.state.episodes[outage.id].open


def test_back_again_is_an_edit_and_one_broadcast() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    lost = story.now
    story.poll(up())

    blind = story.episode(EpisodeKind.BLIND)
    assert (blind.closing, blind.end, blind.end_not_before) == (Closing.RECOVERED, story.now, lost)
    [broadcast] = story.broadcasts
    assert (broadcast.kind, broadcast.params["episode"]) == (MessageKind.RECOVERED, blind.id)
    [edit] = story.edited_roots
    assert edit.closing
    assert broadcast.moot_from == edit.revision
    assert story.state.threads[edit.thread].phase is Phase.CLOSED


def test_what_flipped_while_the_site_was_out_of_sight_says_between_when_and_when() -> None:
    story = Story(up("1"), down("2"))
    seen = story.now
    story.fail()
    story.fail()
    story.poll(down("1"), up("2"))

    fell = next(e for e in story.episodes(EpisodeKind.OUTAGE) if e.connection == "1")
    rose = next(e for e in story.episodes(EpisodeKind.OUTAGE) if e.connection == "2")
    assert (fell.why, fell.not_before, fell.start) == (Why.WHILE_BLIND, seen, story.now)
    assert (rose.end_why, rose.end_not_before, rose.end) == (Why.WHILE_BLIND, seen, story.now)
    assert fell.why.vague


def test_a_flip_after_a_single_failed_poll_is_an_ordinary_one() -> None:
    story = Story(up())
    story.fail()
    story.poll(down())

    assert story.episode(EpisodeKind.OUTAGE).why is Why.SEEN


def test_another_kind_of_trouble_edits_the_root_and_other_words_for_the_same_do_not() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    story.fail(replace(REFUSED, message="connection refused on port 81"))
    assert not story.last.revisions
    assert story.episode(EpisodeKind.BLIND).failure != REFUSED

    story.fail(NO_LOGIN)
    assert len(story.last.revisions) == 1
    assert len(story.sent) == 1


def test_a_route_for_the_whole_site_names_whom_to_ping_but_not_where() -> None:
    rules = (RouteRule(name="*", mention="here"), RouteRule(site="def*", channel="#net", mention="S1"))
    story = Story(up(), routes=rules)
    story.fail()
    story.fail()

    [thread] = story.roots
    assert (thread.channel, thread.mentions) == ("#ops", ("S1",))


def test_a_blindness_that_outlives_the_process_ends_as_one() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    story.poll(down(), resumed=True, first=True)

    assert story.episode(EpisodeKind.BLIND).end_why is Why.WHILE_AWAY
    assert story.episode(EpisodeKind.OUTAGE).why is Why.WHILE_BLIND


def test_a_blindness_that_a_started_bot_has_met_itself_ends_when_it_sees_that() -> None:
    """Its first good read is the first look at the connections, but not at the site."""
    story = Story(up())
    story.fail()
    story.fail()
    story.poll(up(), resumed=True)

    assert story.episode(EpisodeKind.BLIND).end_why is Why.SEEN


def test_away_for_more_than_three_intervals_and_five_minutes_is_told_once() -> None:
    story = Story(up())
    last = story.now
    story.sleep(minutes=5)
    story.poll(up(), resumed=True)

    [root] = story.sent
    assert root.params == {"from": last.isoformat(), "to": story.now.isoformat(), "reason": "silent_for_long"}
    [thread] = story.roots
    assert (thread.kind, thread.phase) == (ThreadKind.AWAY, Phase.CLOSED)
    assert len(story.happened(EventKind.AWAY)) == 1
    story.poll(up())
    assert len(story.sent) == 1


def test_a_wall_clock_that_is_set_forward_is_no_absence() -> None:
    """The process itself knows for how long it did not poll."""
    story = Story(up())
    story.sleep(hours=2)
    story.poll(up(), unwatched=story.policy.interval)
    assert story.sent == []
    story.sleep(hours=2)
    story.poll(up(), unwatched=timedelta(hours=2))
    assert [thread.kind for thread in story.roots] == [ThreadKind.AWAY]


def test_a_short_absence_is_not_worth_a_message() -> None:
    story = Story(up())
    story.sleep(minutes=4)
    story.poll(up(), resumed=True)

    assert not story.sent


def test_with_a_long_interval_three_of_them_are_what_counts() -> None:
    story = Story(up(), interval=timedelta(minutes=10))
    story.sleep(minutes=29)
    story.poll(up(), resumed=True)
    assert not story.sent

    story.sleep(minutes=31)
    story.poll(up(), resumed=True)
    assert len(story.sent) == 1


@pytest.mark.parametrize(
    ("cause", "reason"),
    [(Failed(failure=REFUSED), "silent_for_long"), (Failed(failure=REFUSED, unrecorded=True), "not_recorded")],
)
def test_a_gap_that_ends_in_failure_is_told_all_the_same(cause: Failed, reason: str) -> None:
    story = Story(up())
    story.sleep(hours=1)
    story.step(cause)

    assert story.roots[0].kind is ThreadKind.AWAY
    assert story.sent[0].params["reason"] == reason


def test_reads_that_were_not_recorded_for_long_are_told_like_an_absence_and_say_why() -> None:
    story = Story(up(), down("2"))
    last = story.now
    story.sleep(minutes=5)
    story.poll(down(), up("2"), unrecorded=True)

    root = story.sent[0]
    assert root.params == {"from": last.isoformat(), "to": story.now.isoformat(), "reason": "not_recorded"}
    assert [event.reason for event in story.happened(EventKind.AWAY)] == ["not_recorded"]
    fell, rose = sorted(story.episodes(EpisodeKind.OUTAGE), key=lambda each: each.connection)
    assert (fell.why, fell.not_before) == (Why.WHILE_UNRECORDED, last)
    assert (rose.end_why, rose.end_not_before) == (Why.WHILE_UNRECORDED, last)


def test_a_blindness_that_ended_in_reads_that_were_not_recorded_ended_somewhere_among_them() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    story.poll(up(), unrecorded=True)

    assert story.episode(EpisodeKind.BLIND).end_why is Why.WHILE_UNRECORDED


def test_a_fresh_bot_was_not_away() -> None:
    story = Story(baseline=False)
    story.poll(up())

    assert story.roots[0].kind is ThreadKind.BASELINE
