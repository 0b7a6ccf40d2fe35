"""Rule 12 in every kind of thread: what is muted ends with a plain reply, and what grows meanwhile is no broadcast."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.events import EventKind
from bot.core.incidents import EVERY, MessageKind, Phase, Role
from bot.core.state import MuteOutcome
from tests.core.story import DANA, Story, down, rows, up


def named(story: Story, kind: EventKind) -> tuple[str, object]:
    """Why its one event says that the channel was not told, and who kept it silent."""
    [event] = story.happened(kind)
    by = event.data["by"]
    return event.reason, by["name"] if isinstance(by, dict) else by


def test_a_muted_mass_outage_grows_and_ends_in_plain_replies() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 6)))
    story.mute("*")
    story.poll(*rows(20, range(1, 6)))
    story.poll(*rows(20))

    [over] = story.told(MessageKind.OVER)
    assert over.role is Role.REPLY
    assert not story.broadcasts
    assert named(story, EventKind.GROUP_OVER) == ("muted", DANA.name)


def test_what_falls_beside_a_muted_mass_outage_is_counted_and_not_told() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 6)))
    story.mute("*")
    story.poll(*rows(20, range(1, 19)))

    [group] = story.roots
    assert (group.told_down, group.unsaid) == (5, 13)
    assert not story.told(MessageKind.GROWN)


def test_a_mass_outage_of_which_one_can_be_heard_ends_aloud() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 6)))
    for n in range(1, 5):
        story.mute(str(n))
    story.poll(*rows(20))

    [over] = story.told(MessageKind.OVER)
    assert over.role is Role.BROADCAST
    assert story.happened(EventKind.GROUP_OVER)[0].reason == "all_over"


def test_what_flapped_and_is_muted_settles_in_a_plain_reply() -> None:
    story = Story(up())
    for row in (down(), up(), down(), up()):
        story.poll(row)
    assert story.roots[-1].phase is Phase.FLAPPING
    story.mute("1")
    story.wait(minutes=5)
    story.poll(up())

    [settled] = story.told(MessageKind.SETTLED)
    assert settled.role is Role.REPLY
    assert named(story, EventKind.SETTLED) == ("muted", DANA.name)


def test_a_site_that_is_muted_meanwhile_is_back_in_a_plain_reply() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    story.mute("*")
    story.poll(up())

    [back] = story.told(MessageKind.RECOVERED)
    assert back.role is Role.REPLY
    assert named(story, EventKind.SIGHT_REGAINED) == ("muted", DANA.name)


def test_what_flaps_can_be_muted_while_it_is_up_for_the_moment_and_says_so() -> None:
    story = Story(up())
    for row in (down(), up(), down(), up()):
        story.poll(row)
    thread = story.roots[-1].id
    assert story.mute("1").outcome is MuteOutcome.MUTED
    assert [said.thread for said in story.told(MessageKind.MUTED)] == [thread]
    assert story.state.threads[thread].silence is not None
    story.unmute("1")

    assert [said.thread for said in story.told(MessageKind.UNMUTED)] == [thread]
    assert story.state.threads[thread].silence is None
    assert not story.told(MessageKind.REMINDER)


def test_a_group_that_flaps_can_be_muted_by_its_button_while_all_of_it_is_up() -> None:
    story = Story(*rows(6), group_over=2, flap_threshold=2)
    for fallen in (range(1, 7), (), (1, 2), ()):
        story.poll(*rows(6, fallen))
    [group] = story.roots

    assert set(story.mute(thread=group.id).connections) == set("123456")
    assert story.state.threads[group.id].silence is not None


def test_what_is_still_down_when_its_mute_ends_is_told_in_its_thread() -> None:
    story = Story(up(), remind_every=timedelta(hours=4))
    story.poll(down())
    story.mute("1")
    story.wait(hours=1)
    story.due()

    [told] = story.told(MessageKind.REMINDER)
    assert (told.role, told.thread) == (Role.BROADCAST, story.roots[0].id)
    assert story.happened(EventKind.REMINDED)[0].reason == "mute_ended"
    story.due()
    assert len(story.told(MessageKind.REMINDER)) == 1


@pytest.mark.parametrize("every", [None, timedelta(hours=4)])
def test_it_is_told_once_it_can_be_seen(every: timedelta | None) -> None:
    """With reminders or without: the end of a mute is none of them."""
    story = Story(up(), unreachable_after=1, remind_every=every)
    story.poll(down())
    story.mute(EVERY)
    story.fail()
    story.wait(hours=1)
    story.due()
    assert not [told for told in story.told(MessageKind.REMINDER) if told.thread == story.roots[0].id]
    for _ in range(2):
        story.poll(down())

    assert len([told for told in story.told(MessageKind.REMINDER) if told.thread == story.roots[0].id]) == 1


def test_it_is_not_told_to_whoever_ends_it_by_hand() -> None:
    """Who does so looks at it, and the thread says it; a mute that is ended at once must not ping everybody."""
    story = Story(up(), remind_every=timedelta(hours=4))
    story.poll(down())
    story.mute("1")
    story.unmute("1")

    assert [said.role for said in story.told(MessageKind.UNMUTED)] == [Role.REPLY]
    assert not story.told(MessageKind.REMINDER)


def test_it_is_not_told_of_what_somebody_has_taken_up() -> None:
    story = Story(up())
    story.poll(down())
    story.ack(connection="1")
    story.mute("1")
    story.wait(hours=1)
    story.due()

    assert not story.told(MessageKind.REMINDER)


def test_what_has_flapped_and_is_heard_again_in_the_same_moment_is_told_once() -> None:
    story = Story(up(), flap_threshold=2)
    for row in (down(), up(), down()):
        story.poll(row)
    story.mute("1")
    story.wait(hours=1)
    story.due()

    assert [said.kind for said in story.broadcasts] == [MessageKind.SETTLED]
    assert not story.state.threads[story.roots[0].id].owed


def test_whoever_joins_what_is_silent_ends_no_silence() -> None:
    """Joining is an edit."""
    story = Story(*rows(9), group_over=2)
    story.poll(*rows(9, range(1, 7)))
    story.mute(thread=story.roots[0].id)
    story.poll(*rows(9, range(1, 8)))

    assert story.state.threads[story.roots[0].id].silence is None
    assert not story.told(MessageKind.REMINDER)
