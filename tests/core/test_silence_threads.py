"""Rule 12 in every kind of thread: what is muted ends with a plain reply, and what grows meanwhile is no broadcast."""

from __future__ import annotations

from bot.core.incidents import MessageKind, Phase, Role
from tests.core.story import Story, down, rows, up


def test_a_muted_mass_outage_grows_and_ends_in_plain_replies() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 6)))
    story.mute("*")
    story.poll(*rows(20, range(1, 6)))
    story.poll(*rows(20))

    [over] = story.told(MessageKind.OVER)
    assert over.role is Role.REPLY
    assert not story.broadcasts


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


def test_a_site_that_is_muted_meanwhile_is_back_in_a_plain_reply() -> None:
    story = Story(up())
    story.fail()
    story.fail()
    story.mute("*")
    story.poll(up())

    [back] = story.told(MessageKind.RECOVERED)
    assert back.role is Role.REPLY
