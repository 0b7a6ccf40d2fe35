"""Rule 4: error logs on a connection that stays up, and on one that is down."""

from __future__ import annotations

from datetime import timedelta

from bot.core.events import EventKind
from bot.core.incidents import Closing, EpisodeKind, MessageKind, Phase, Role, ThreadKind
from bot.core.state import LOGS_REMEMBERED
from tests.core.story import Story, clean, down, failing, is_quiet, unknown, up


def test_a_new_error_log_on_a_connection_that_stays_up_has_one_root() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload")))

    [thread] = story.roots
    assert thread.kind is ThreadKind.ERROR
    assert thread.remind_at is None
    assert is_quiet(story.poll(up(latest_log=failing("bad payload"))))


def test_the_same_error_again_only_edits_the_count() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("order 1001 rejected at 10:00", "1")))
    story.poll(up(latest_log=failing("order 1002 rejected at 10:01", "2")))

    assert len(story.sent) == 1
    [family] = story.episode(EpisodeKind.ERROR).families
    assert (family.count, family.log.error) == (2, "order 1002 rejected at 10:01")
    assert len(story.edited_roots) == 1


def test_a_different_error_is_a_reply_that_is_edited_when_it_repeats() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=failing("disk full", "2")))
    [reply] = story.told(MessageKind.ERROR)
    assert (reply.role, reply.thread) == (Role.REPLY, story.roots[0].id)
    assert [edit.n for edit in story.last.revisions] == [0]  # the root says how many others there are

    story.poll(up(latest_log=failing("disk full", "3")))
    [edit] = story.last.revisions
    assert (edit.n, edit.revision) == (reply.n, 2)
    assert len(story.sent) == 2


def test_a_log_is_new_by_its_id_time_or_error() -> None:
    story = Story(up(latest_log=failing("x", "1")))
    story.poll(up(latest_log=failing("y", "1")))

    assert len(story.roots) == 1


def test_a_log_seen_before_is_not_new_when_it_comes_back() -> None:
    story = Story(up(latest_log=failing("x", "1")))
    story.poll(up(latest_log=clean("2")))
    story.poll(up(latest_log=failing("x", "1")))

    assert not story.sent


def test_a_blank_error_is_none() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("  \n", "1")))

    assert not story.sent


def test_only_the_latest_logs_are_remembered() -> None:
    story = Story(up())
    for n in range(2 * LOGS_REMEMBERED):
        story.poll(up(latest_log=clean(str(n))))

    assert len(story.state.connections["1"].logs_seen) == LOGS_REMEMBERED


def test_a_newer_log_without_an_error_closes_it_by_an_edit() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload")))
    story.poll(up(latest_log=clean()))

    assert len(story.sent) == 1
    assert story.edited_roots[0].closing
    assert story.episode(EpisodeKind.ERROR).closing is Closing.RECOVERED
    assert story.happened(EventKind.ERROR_OVER)[0].reason == "clean_log"


def test_a_missing_log_closes_nothing() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload")))

    assert is_quiet(story.poll(up(latest_log=None)))


def test_the_same_family_within_thirty_minutes_reopens_it_and_ends_the_acknowledgement() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.ack(connection="1")
    story.poll(up(latest_log=clean("2")))
    story.wait(minutes=29)
    story.sent.clear()
    story.poll(up(latest_log=failing("bad payload", "3")))

    assert not story.sent
    episode = story.episode(EpisodeKind.ERROR)
    assert (episode.open, episode.closing, episode.families[0].count) == (True, None, 2)
    thread = story.state.threads[episode.thread or ""]
    assert (thread.phase, thread.closed, thread.ack_by) == (Phase.OPEN, None, None)
    assert not story.edited_roots[0].closing


def test_another_family_has_its_own_root_after_the_close() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=clean("2")))
    story.poll(up(latest_log=failing("disk full", "3")))

    assert len(story.roots) == 2


def test_the_same_family_later_than_that_has_its_own_root() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=clean("2")))
    story.wait(minutes=30)
    story.poll(up(latest_log=failing("bad payload", "3")))

    assert len(story.roots) == 2


def test_a_root_that_is_a_day_old_is_not_reopened() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.wait(hours=24)
    story.poll(up(latest_log=clean("2")))
    story.poll(up(latest_log=failing("bad payload", "3")))

    assert len(story.roots) == 2


def test_what_closed_as_now_down_is_not_reopened() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(down(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=failing("bad payload", "2")))

    assert [thread.kind for thread in story.roots] == [ThreadKind.ERROR, ThreadKind.OUTAGE, ThreadKind.ERROR]


def test_on_a_connection_that_is_down_each_family_is_one_reply_edited_when_it_repeats() -> None:
    story = Story(up())
    story.poll(down())
    for n, text in enumerate(["timeout 1", "timeout 2", "refused"]):
        story.poll(down(latest_log=failing(text, str(n))))

    replies = story.told(MessageKind.ERROR)
    assert [(r.role, r.n) for r in replies] == [(Role.REPLY, 1), (Role.REPLY, 2)]
    assert [f.count for f in story.episode(EpisodeKind.OUTAGE).families] == [2, 1]


def test_the_family_that_came_with_the_fall_is_counted_where_it_is_told() -> None:
    story = Story(up())
    story.poll(down(latest_log=failing("timeout 1", "1")))
    story.poll(down(latest_log=failing("timeout 2", "2")))

    assert len(story.sent) == 1
    assert len(story.edited_roots) == 1
    assert story.episode(EpisodeKind.OUTAGE).families[0].count == 2


def test_a_clean_log_on_a_connection_that_is_down_says_nothing() -> None:
    story = Story(up())
    story.poll(down())

    assert is_quiet(story.poll(down(latest_log=clean())))


def test_an_error_log_on_a_connection_of_unknown_state_is_told() -> None:
    """Not every connection can be tested; its error logs are all there is to know."""
    story = Story(unknown())
    story.poll(unknown(latest_log=failing("push failed")))

    assert story.roots[0].kind is ThreadKind.ERROR


def test_errors_stay_apart_by_connection() -> None:
    story = Story(up("1"), up("2"))
    story.poll(up("1", latest_log=failing("bad payload")), up("2", latest_log=failing("bad payload")))

    assert len(story.roots) == 2


def test_of_several_roots_the_latest_that_knows_the_family_is_reopened() -> None:
    story = Story(up())
    for n in range(2):
        story.poll(up(latest_log=failing("bad payload", f"a{n}")))
        story.poll(up(latest_log=clean(f"b{n}")))
        story.wait(minutes=(31 if n == 0 else 0))
    latest = max(story.episodes(EpisodeKind.ERROR), key=lambda e: e.start)
    story.poll(up(latest_log=failing("bad payload", "c")))

    assert story.state.episodes[latest.id].open
    assert story.now - latest.start < timedelta(minutes=5)
