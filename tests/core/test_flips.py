"""Rules 2, 3 and 5: flips, their confirmation, and the error logs that come with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.connection import Connection, State
from bot.core.events import EventKind
from bot.core.incidents import Closing, EpisodeKind, MessageKind, Phase, Role, ThreadKind, Why
from bot.core.policy import RouteRule
from bot.core.state import Overtaken
from tests.core.story import INTERVAL, Story, clean, down, failing, is_quiet, unknown, up


def test_a_fall_has_one_root_with_its_episode_in_the_poll_that_shows_it() -> None:
    story = Story(up(type="MSSQL"), routes=(RouteRule(type="mssql", channel="#db", mention="S1"),))
    story.poll(down(type="MSSQL"))

    [root] = story.sent
    assert root.role is Role.ROOT
    [thread] = story.roots
    assert (thread.kind, thread.channel, thread.mentions, thread.opened) == (
        ThreadKind.OUTAGE,
        "#db",
        ("S1",),
        story.now,
    )
    outage = story.episode(EpisodeKind.OUTAGE)
    assert (outage.start, outage.not_before, outage.why) == (story.now, story.now - INTERVAL, Why.SEEN)
    assert outage.thread == thread.id


def test_a_connection_that_stays_down_says_nothing_more() -> None:
    story = Story(up())
    story.poll(down())

    assert is_quiet(story.poll(down()))


def test_a_recovery_edits_the_root_and_is_broadcast_once() -> None:
    story = Story(up())
    story.poll(down())
    fell = story.now
    story.poll(down())
    story.poll(up())

    outage = story.episode(EpisodeKind.OUTAGE)
    assert (outage.start, outage.end, outage.closing) == (fell, story.now, Closing.RECOVERED)
    assert outage.duration == 2 * INTERVAL
    [broadcast] = story.broadcasts
    assert (broadcast.kind, broadcast.params) == (MessageKind.RECOVERED, {"episode": outage.id, "error": None})
    [edit] = story.edited_roots
    assert edit.closing
    assert story.state.threads[edit.thread].phase is Phase.CLOSED


def test_what_was_over_before_its_root_was_sent_is_told_by_the_root_alone() -> None:
    """The broadcast, and every reply that waits, is moot if the root is first shown in its recovered form."""
    story = Story(up())
    story.poll(down())
    story.poll(up())

    [edit] = story.edited_roots
    assert story.broadcasts[0].moot_from == edit.revision
    assert story.last.overtaken == (Overtaken(thread=edit.thread, revision=edit.revision),)


def test_unknown_opens_closes_and_flips_nothing() -> None:
    story = Story(up("1"), down("2"))

    assert not story.poll(unknown("1"), unknown("2")).messages
    assert not story.poll(up("1", status=7), down("2", status=-1)).messages
    assert not story.poll(up("1"), down("2")).messages


def test_what_flips_behind_an_unknown_is_compared_with_the_last_known_state() -> None:
    story = Story(up())
    seen_up = story.now
    story.poll(unknown())
    story.poll(down())

    assert story.episode(EpisodeKind.OUTAGE).not_before == seen_up


def test_the_first_known_state_is_told_only_if_it_is_down() -> None:
    story = Story(unknown("1"), unknown("2"))
    story.poll(up("1"), down("2"))

    outage = story.episode(EpisodeKind.OUTAGE)
    assert (outage.connection, outage.why, outage.not_before) == ("2", Why.FIRST_KNOWN, None)
    assert len(story.sent) == 1
    assert story.state.connections["1"].known is State.UP


@pytest.mark.parametrize("polls", [2, 3])
def test_both_directions_are_confirmed(polls: int) -> None:
    story = Story(up(), confirm_polls=polls)
    for _ in range(polls - 1):
        story.poll(down())
        assert not story.sent
    first_sighting = story.now - (polls - 2) * INTERVAL
    story.poll(down())
    assert story.episode(EpisodeKind.OUTAGE).start == first_sighting

    for _ in range(polls - 1):
        story.poll(up())
        assert not story.broadcasts
    story.poll(up())
    assert len(story.broadcasts) == 1
    assert story.episode(EpisodeKind.OUTAGE).end == story.now - (polls - 1) * INTERVAL


def test_failed_and_unknown_polls_neither_count_nor_reset_a_confirmation() -> None:
    story = Story(up(), confirm_polls=2)
    story.poll(down())
    first_sighting = story.now
    story.poll(unknown())
    story.fail()
    assert not story.sent

    story.poll(down())

    assert story.episode(EpisodeKind.OUTAGE).start == first_sighting


def test_a_flip_that_is_not_confirmed_never_was() -> None:
    story = Story(up(), confirm_polls=2)
    story.poll(down())
    story.poll(up())
    story.poll(down())

    assert not story.sent
    assert not story.events


def test_a_flip_and_an_error_log_of_one_snapshot_are_one_message() -> None:
    story = Story(up())
    story.poll(down(latest_log=failing("no route to host")))

    [root] = story.sent
    assert root.role is Role.ROOT
    [family] = story.episode(EpisodeKind.OUTAGE).families
    assert (family.log.error, family.count, family.message) == ("no route to host", 1, 0)
    assert not story.episodes(EpisodeKind.ERROR)


def test_a_recovery_with_an_error_log_is_one_message_that_names_the_error() -> None:
    story = Story(down())
    story.poll(up(latest_log=failing("slow answer")))

    [broadcast] = story.sent
    assert broadcast.params["error"] == "slow answer"
    assert not story.episodes(EpisodeKind.ERROR)


def test_an_error_that_comes_while_a_fall_awaits_confirmation_joins_it() -> None:
    story = Story(up(), confirm_polls=3)
    story.poll(down(latest_log=failing("timeout after 30 s", "1")))
    story.poll(down(latest_log=failing("timeout after 31 s", "2")))
    assert not story.sent
    story.poll(down(latest_log=failing("refused", "3")))

    assert len(story.sent) == 1
    families = story.episode(EpisodeKind.OUTAGE).families
    assert [(f.log.error, f.count) for f in families] == [("timeout after 31 s", 2), ("refused", 1)]


def test_an_error_that_waited_for_a_fall_stands_alone_if_the_fall_is_not_confirmed() -> None:
    story = Story(up(), confirm_polls=2)
    story.poll(down(latest_log=failing("timeout")))
    story.poll(up(latest_log=failing("timeout")))

    [root] = story.sent
    assert story.roots[0].kind is ThreadKind.ERROR
    assert root.role is Role.ROOT


def test_several_errors_that_waited_are_told_by_one_root() -> None:
    story = Story(up(), confirm_polls=3)
    story.poll(down(latest_log=failing("timeout 1", "1")))
    story.poll(down(latest_log=failing("timeout 2", "2")))
    story.poll(up(latest_log=failing("timeout 2", "2")))

    [root] = story.sent
    assert root.revision == story.roots[0].revision == 2
    assert story.episode(EpisodeKind.ERROR).families[0].count == 2


def test_a_clean_log_while_a_fall_awaits_confirmation_still_closes_an_open_error() -> None:
    story = Story(up(), confirm_polls=2)
    story.poll(up(latest_log=failing("bad payload")))
    story.poll(down(latest_log=clean()))

    assert story.episode(EpisodeKind.ERROR).closing is Closing.RECOVERED


def test_an_error_while_a_recovery_awaits_confirmation_belongs_to_the_outage() -> None:
    story = Story(up(), confirm_polls=2)
    story.poll(down())
    story.poll(down())
    story.poll(up(latest_log=failing("still warming up")))

    [reply] = story.told(MessageKind.ERROR)
    assert reply.role is Role.REPLY


def test_a_fall_with_an_error_root_open_gets_its_own_root_and_closes_the_errors_as_now_down() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload")))
    story.poll(down(latest_log=failing("bad payload")))

    assert [thread.kind for thread in story.roots] == [ThreadKind.ERROR, ThreadKind.OUTAGE]
    assert story.episode(EpisodeKind.ERROR).closing is Closing.NOW_DOWN
    assert story.happened(EventKind.ERROR_OVER)[0].reason == "now_down"


def test_a_flip_found_by_the_first_read_after_a_restart_is_marked_as_such() -> None:
    story = Story(up("1"), down("2"))
    story.sleep(seconds=45)
    story.poll(down("1"), up("2"), resumed=True)

    fell = next(e for e in story.episodes(EpisodeKind.OUTAGE) if e.connection == "1")
    rose = next(e for e in story.episodes(EpisodeKind.OUTAGE) if e.connection == "2")
    assert fell.why is Why.WHILE_AWAY
    assert rose.end_why is Why.WHILE_AWAY
    assert fell.not_before == rose.end_not_before == story.now - INTERVAL - timedelta(seconds=45)


def test_nothing_is_announced_twice_after_a_restart() -> None:
    story = Story(up("1"), down("2"))
    story.poll(down("1"), down("2"))

    assert is_quiet(story.poll(down("1"), down("2"), resumed=True))


def test_the_order_of_rows_decides_nothing() -> None:
    rows = [down("10"), down("9"), up("2"), down("b")]
    one, other = Story(*map(_risen, rows)), Story(*map(_risen, rows))

    assert one.poll(*rows) == other.poll(*reversed(rows))


def _risen(row: Connection) -> Connection:
    return up(row.id)
