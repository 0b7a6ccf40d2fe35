"""A mass outage tells what is down beside it, and which of its parts are silent."""

from __future__ import annotations

from datetime import timedelta

from bot.core.events import EventKind
from bot.core.incidents import MessageKind, SilentPart, Thread, ThreadKind
from bot.core.maintenance import Window
from bot.core.policy import RouteRule
from bot.core.state import Decision
from tests.core.story import DANA, START, Story, down, rows, unknown


def group_of(story: Story) -> Thread:
    [group] = [thread for thread in story.roots if thread.kind is ThreadKind.GROUP]
    return group


def edited(decision: Decision, thread: Thread) -> list[int]:
    return [r.n for r in decision.revisions if r.thread == thread.id]


def test_it_counts_those_with_a_message_of_their_own_and_those_that_nobody_is_told_of() -> None:
    """Four fell before it, one is muted, one goes to another channel: sixteen are down, and ten stand in the list."""
    story = Story(*rows(20), routes=(RouteRule(name="connection 16", channel="#one"),))
    story.mute("15")
    story.poll(*rows(20, range(1, 5)))
    story.poll(*rows(20, range(1, 17)))

    group = group_of(story)
    assert len([e for e in story.state.episodes.values() if e.thread == group.id]) == 10
    assert (group.elsewhere, group.unsaid, group.watched) == (4 + 1, 1, 20)


def test_what_was_down_when_watching_began_is_down_beside_it() -> None:
    story = Story(*rows(9, [9]))
    story.poll(*rows(9, [1, 2, 3, 4, 5, 9]))

    assert group_of(story).elsewhere == 1


def test_the_root_follows_what_comes_and_goes_beside_it_by_one_edit_and_its_lists_do_not() -> None:
    story = Story(*rows(40))
    story.poll(*rows(40, range(1, 26)))
    story.wait(minutes=3)
    group = group_of(story)
    assert group.lists

    story.poll(*rows(40, range(1, 27)))
    assert (group_of(story).elsewhere, edited(story.last, group)) == (1, [0])
    story.poll(*rows(40, range(1, 27)))
    assert edited(story.last, group) == []
    story.poll(*rows(40, range(1, 26)))
    assert (group_of(story).elsewhere, edited(story.last, group)) == (0, [0])


def test_what_is_down_beside_it_is_no_news_by_itself() -> None:
    story = Story(*rows(40))
    story.poll(*rows(40, range(1, 6)))
    for n in range(6, 20):
        story.wait(minutes=3)
        story.poll(*rows(40, range(1, n + 1)))

    assert group_of(story).elsewhere > group_of(story).told_down
    assert not story.told(MessageKind.GROWN)


def test_its_news_say_what_was_down_beside_it_then() -> None:
    """Each reply tells the moment at which it was decided."""
    story = Story(*rows(40))
    story.poll(*rows(40, range(1, 5)))
    story.poll(*rows(40, range(1, 7)))
    story.poll(*rows(40, range(1, 9)))
    story.poll(*rows(40, range(1, 5)))
    story.poll(*rows(40, range(1, 9)))

    beside = [(m.kind, m.params["elsewhere"], m.params["unsaid"]) for m in story.broadcasts]
    assert beside == [(MessageKind.GROWN, 4, 0), (MessageKind.OVER, 4, 0), (MessageKind.REOPENED, 4, 0)]


def test_what_the_same_decision_tells_elsewhere_counts_already() -> None:
    story = Story(*rows(20), routes=(RouteRule(name="connection 16", channel="#one"),))
    story.poll(*rows(20, range(1, 6)))
    story.poll(*rows(20, range(1, 17)))

    [grown] = story.told(MessageKind.GROWN)
    assert (grown.params["down"], grown.params["elsewhere"]) == (15, 1)


def test_a_closed_group_is_not_edited_for_what_becomes_of_others() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 5)))
    story.poll(*rows(20, range(1, 11)))
    story.poll(*rows(20, range(1, 5)))
    group = group_of(story)
    assert not group.open
    story.poll(*rows(20))

    assert edited(story.last, group) == []
    assert group_of(story) == group


def test_what_is_untold_and_cannot_be_seen_is_not_said_to_be_down() -> None:
    """Its mute has ended, and ItemPath tells no state of it: it is announced once it does."""
    story = Story(*rows(9))
    story.mute("9")
    story.poll(*rows(9, [9]))
    story.poll(*rows(9, [1, 2, 3, 4, 5, 9]))
    assert group_of(story).unsaid == 1
    rest = rows(9, [1, 2, 3, 4, 5])[:8]
    story.poll(*rest, unknown("9"))
    story.unmute("9")

    assert (group_of(story).elsewhere, group_of(story).unsaid) == (0, 0)
    story.poll(*rest, down("9"))
    assert group_of(story).elsewhere + group_of(story).unsaid == 0
    assert story.happened(EventKind.ANNOUNCED)[-1].reason == "grouped"


def test_while_the_site_cannot_be_read_it_stays_as_it_was_known() -> None:
    story = Story(*rows(20))
    story.poll(*rows(20, range(1, 5)))
    story.poll(*rows(20, range(1, 11)))
    before = group_of(story)
    story.fail()
    story.fail()

    assert group_of(story) == before


def test_each_part_of_it_is_shown_with_what_silences_it() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    story.mute("2", hours=3, reason="belt")
    story.mute("1", hours=2, reason="cabling")

    group = group_of(story)
    assert group.silence is None
    assert [(p.silence.reason, p.connections) for p in group.silences] == [("cabling", ("1",)), ("belt", ("2",))]
    assert group.silence_of("1") == group.silences[0].silence
    assert group.silence_of("3") is None
    for n in range(3, 6):
        story.mute(str(n), reason="at last")
    group = group_of(story)
    assert group.silence == group.silences[0].silence
    assert group.silence.by == DANA
    assert [p.connections for p in group.silences] == [("3",), ("4",), ("5",), ("1",), ("2",)]


def test_one_silence_for_all_of_it_has_no_parts() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    group = group_of(story)
    story.mute(thread=group.id)
    assert group_of(story).silence is not None
    assert group_of(story).silences == ()

    # One that recovers leaves no part behind, and neither does the end.
    story.unmute("1")
    assert [p.connections for p in group_of(story).silences] == [("2", "3", "4", "5")]
    story.poll(*rows(9, range(2, 6)))
    assert group_of(story).silences == ()
    story.poll(*rows(9))
    assert (group_of(story).silence, group_of(story).silences) == (None, ())


def test_the_lists_follow_what_is_silent() -> None:
    story = Story(*rows(30))
    story.poll(*rows(30, range(1, 26)))
    group = group_of(story)
    story.mute("25")

    assert edited(story.last, group) == [0, *group.lists]


def test_maintenance_of_a_part_is_a_part() -> None:
    window = Window(name="connection 1", reason="drives", start=START, end=START + timedelta(hours=1))
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    story.policy = Story(maintenance=(window,)).policy
    story.due()

    assert group_of(story).silences == (
        SilentPart(silence=window.silence(START + timedelta(hours=1)), connections=("1",)),
    )


def test_the_parts_of_the_first_message_about_a_site_are_shown_too() -> None:
    story = Story(*rows(3, [1, 2]), baseline=False)
    story.poll(*rows(3, [1, 2]))
    story.mute("1")

    [baseline] = story.roots
    assert baseline.kind is ThreadKind.BASELINE
    assert [p.connections for p in baseline.silences] == [("1",)]


def test_one_alone_has_no_parts() -> None:
    story = Story(*rows(3))
    story.poll(*rows(3, [1]))
    story.mute("1")

    [outage] = story.roots
    assert outage.silence is not None
    assert outage.silences == ()
