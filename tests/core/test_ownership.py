"""Acknowledging: by button or by name, once, and only as long as the thread is open."""

from __future__ import annotations

from bot.core.events import EventKind
from bot.core.incidents import SITE, EpisodeKind, MessageKind, Person, Phase, Role, Thread
from bot.core.state import AckOutcome, AckReply
from tests.core.story import DANA, Story, down, failing, rows, up

EVE = Person(id="U2", name="eve")


def test_it_shows_on_the_root_and_is_said_in_the_thread() -> None:
    story = Story(up())
    story.poll(down())
    thread = story.roots[0]
    reply = story.ack(thread=thread.id)

    assert reply == AckReply(outcome=AckOutcome.DONE, by=DANA, at=story.now, thread=thread.id)
    thread = story.state.threads[thread.id]
    assert (thread.ack_by, thread.ack_at) == (DANA, story.now)
    assert len(story.edited_roots) == 1
    [said] = story.told(MessageKind.ACKNOWLEDGED)
    assert said.role is Role.REPLY
    assert said.params == {"by": {"id": "U1", "name": "dana"}, "at": story.now.isoformat()}
    assert story.happened(EventKind.ACKNOWLEDGED)[0].connection == "1"


def test_a_second_click_changes_nothing_and_names_the_first() -> None:
    story = Story(up())
    story.poll(down())
    first = story.ack(connection="1")
    second = story.ack(connection="1", by=EVE)

    assert (second.outcome, second.by, second.at) == (AckOutcome.ALREADY, DANA, first.at)
    assert not story.last.messages
    assert not story.last.revisions


def test_a_click_on_what_is_over_says_so() -> None:
    story = Story(up())
    story.poll(down())
    thread = story.roots[0]
    story.poll(up())

    assert story.ack(thread=thread.id).outcome is AckOutcome.ENDED
    assert story.ack(thread="default/999").outcome is AckOutcome.ENDED


def test_by_name_it_takes_the_outage_or_else_the_error() -> None:
    story = Story(up("1"), up("2"))
    story.poll(down("1"), up("2", latest_log=failing("bad payload")))

    assert story.ack(connection="1").thread == story.episode(EpisodeKind.OUTAGE).thread
    assert story.ack(connection="2").thread == story.episode(EpisodeKind.ERROR).thread


def test_without_anything_open_there_is_nothing_to_acknowledge() -> None:
    story = Story(up())

    assert story.ack(connection="1").outcome is AckOutcome.NOTHING_OPEN
    assert story.ack(connection=SITE).outcome is AckOutcome.NOTHING_OPEN


def test_what_nobody_was_told_cannot_be_acknowledged_yet() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())

    assert story.ack(connection="1").outcome is AckOutcome.NOT_TOLD


def test_the_site_itself_can_be_acknowledged() -> None:
    story = Story(up())
    story.fail()
    story.fail()

    assert story.ack(connection=SITE).outcome is AckOutcome.DONE


def test_it_ends_with_its_thread_and_the_next_fall_is_nobodys() -> None:
    story = Story(up())
    story.poll(down())
    story.ack(connection="1")
    story.poll(up())
    story.poll(down())

    assert story.roots[-1].ack_by is None


def flapping(story: Story) -> Thread:
    """Up at the moment, and not said to be over."""
    for row in (down(), up(), down(), up()):
        story.poll(row)
    thread = story.roots[-1]
    assert (thread.phase, any(e.open for e in story.state.episodes.values())) == (Phase.FLAPPING, False)
    return thread


def test_what_flaps_is_not_over_while_it_is_up_for_the_moment() -> None:
    story = Story(up())
    thread = flapping(story)
    reply = story.ack(connection="1")

    assert (reply.outcome, reply.thread) == (AckOutcome.DONE, thread.id)
    assert story.happened(EventKind.ACKNOWLEDGED)[0].connection == "1"


def test_a_member_of_a_group_that_flaps_belongs_to_it_whether_it_is_up_or_down() -> None:
    everybody = rows(6)
    story = Story(*everybody, group_over=2, flap_threshold=2)
    for fallen in (range(1, 7), (), (1, 2)):
        story.poll(*rows(6, fallen))
    [group] = story.roots

    assert group.phase is Phase.FLAPPING
    assert story.ack(connection="5").thread == group.id


def test_what_flaps_comes_before_an_error_and_what_somebody_has_comes_last() -> None:
    story = Story(up())
    thread = flapping(story)
    story.poll(up(latest_log=failing("bad payload")))
    error = story.episode(EpisodeKind.ERROR).thread

    replies = [story.ack(connection="1") for _ in range(3)]
    assert [reply.outcome for reply in replies] == [AckOutcome.DONE, AckOutcome.DONE, AckOutcome.ALREADY]
    assert [reply.thread for reply in replies[:2]] == [thread.id, error]


def test_what_is_no_longer_watched_has_nothing_to_acknowledge() -> None:
    story = Story(up("1"), up("2"))
    for row in (down("1"), up("1"), down("1"), up("1")):
        story.poll(row, up("2"))
    story.poll(down("1"), up("2"))
    for _ in range(3):
        story.poll(up("2"))

    assert story.ack(connection="1").outcome is AckOutcome.NOTHING_OPEN
