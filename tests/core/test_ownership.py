"""Acknowledging: by button or by name, once, and only as long as the thread is open."""

from __future__ import annotations

from bot.core.events import EventKind
from bot.core.incidents import SITE, EpisodeKind, MessageKind, Person, Role
from bot.core.state import AckOutcome, AckReply
from tests.core.story import DANA, Story, down, failing, up

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


def test_what_nobody_was_told_cannot_be_acknowledged() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())

    assert story.ack(connection="1").outcome is AckOutcome.NOTHING_OPEN


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
