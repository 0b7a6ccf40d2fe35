"""Rule 7: a mass outage is one thread."""

from __future__ import annotations

from datetime import timedelta

from bot.core.events import EventKind
from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.core.incidents import EpisodeKind, MessageKind, Phase, Role, Thread, ThreadKind
from bot.core.policy import RouteRule
from tests.core.story import Story, down, failing, rows, up


def of_kind(story: Story, kind: ThreadKind) -> list[Thread]:
    return [thread for thread in story.roots if thread.kind is kind]


def test_five_hundred_at_once_are_one_root() -> None:
    story = Story(*rows(500))
    story.poll(*rows(500, range(1, 501)))

    [group] = story.roots
    assert (group.kind, group.told_down, group.watched) == (ThreadKind.GROUP, 500, 500)
    lists = story.told(MessageKind.LIST)
    assert [m.params for m in lists] == [{"page": n} for n in range(-(-(500 - ROOT_HOLDS) // LIST_HOLDS))]
    assert {m.role for m in lists} == {Role.REPLY}
    assert not story.broadcasts
    assert {e.reason for e in story.happened(EventKind.WENT_DOWN)} == {"grouped"}


def test_fewer_are_told_one_by_one_and_the_rest_joins_a_group() -> None:
    """Those that already have a root keep it."""
    story = Story(*rows(60))
    for n in range(1, 31):
        story.poll(*rows(60, range(1, 2 * n + 1)))

    assert len(of_kind(story, ThreadKind.OUTAGE)) == 4
    [group] = of_kind(story, ThreadKind.GROUP)
    assert len([e for e in story.state.episodes.values() if e.thread == group.id]) == 56
    assert [(m.params["was"], m.params["down"]) for m in story.told(MessageKind.GROWN)] == [
        (2, 4),
        (4, 8),
        (8, 16),
        (16, 32),
    ]


def test_members_join_until_the_window_has_passed_without_one() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    story.wait(minutes=1)
    story.poll(*rows(9, range(1, 7)))
    assert len(story.roots) == 1

    story.wait(minutes=2)
    story.poll(*rows(9, range(1, 8)))
    assert [t.kind for t in story.roots] == [ThreadKind.GROUP, ThreadKind.OUTAGE]


def test_joining_and_recovering_members_are_edits() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    sent = len(story.sent)
    story.poll(*rows(9, range(1, 7)))
    assert [r.n for r in story.last.revisions] == [0]
    story.poll(*rows(9, range(2, 7)))
    assert [r.n for r in story.last.revisions] == [0]

    assert len(story.sent) == sent
    assert story.happened(EventKind.WENT_UP)[0].reason == "grouped"


def test_one_broadcast_closes_it() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    story.poll(*rows(9))

    [over] = story.broadcasts
    assert (over.kind, over.params) == (MessageKind.OVER, {"members": 5, "elsewhere": 0, "unsaid": 0})
    [group] = story.roots
    assert group.phase is Phase.CLOSED
    assert over.moot_from == group.revision
    assert story.happened(EventKind.GROUP_OVER)


def test_the_root_calls_everybody_whom_a_member_would_have_called_once() -> None:
    rules = (
        RouteRule(name="connection 1", mention="S1", escalate_to="U9"),
        RouteRule(name="connection 2", mention="here"),
        RouteRule(name="*", mention="S1"),
    )
    story = Story(*rows(5), routes=rules)
    story.poll(*rows(5, range(1, 6)))

    [group] = story.roots
    assert group.mentions == ("S1", "here")
    assert group.escalate_to == ("U9", "here", "S1")


def test_reminders_call_whom_those_that_joined_would_have_called_too() -> None:
    rules = (
        RouteRule(name="connection 6", mention="U6", escalate_to="U9"),
        RouteRule(name="connection 7", mention="U7"),
        RouteRule(name="*", mention="S1"),
    )
    story = Story(*rows(7), routes=rules)
    story.poll(*rows(7, range(1, 6)))
    story.poll(*rows(7, range(1, 7)))
    [group] = story.roots
    assert (group.mentions, group.escalate_to) == (("S1", "U6"), ("S1", "U9"))

    story.poll(*rows(7))
    story.poll(*rows(7, range(1, 8)))
    [reopened] = story.roots
    assert (reopened.mentions, reopened.escalate_to) == (("S1", "U6", "U7"), ("S1", "U9", "U7"))


def test_each_channel_has_its_own() -> None:
    rules = (RouteRule(name="connection 1", channel="#one"),)
    story = Story(*rows(6), routes=rules)
    story.poll(*rows(6, range(1, 7)))

    assert {(t.kind, t.channel) for t in story.roots} == {
        (ThreadKind.OUTAGE, "#one"),
        (ThreadKind.GROUP, "#ops"),
    }


def test_whatever_the_cause_they_are_counted_alike() -> None:
    """The end of a mute, sight regained: many at once are one message."""
    story = Story(*rows(10))
    story.mute("*")
    story.poll(*rows(10, range(1, 6)))
    assert not story.roots
    story.unmute("*")
    assert [t.kind for t in story.roots] == [ThreadKind.GROUP]
    assert {e.reason for e in story.happened(EventKind.ANNOUNCED)} == {"grouped"}

    story = Story(*rows(10))
    story.fail()
    story.fail()
    story.poll(*rows(10, range(1, 6)))
    assert [t.kind for t in story.roots] == [ThreadKind.SITE, ThreadKind.GROUP]


def test_a_group_that_falls_again_is_reopened_by_one_broadcast() -> None:
    story = Story(*rows(6))
    for fallen in (range(1, 7), (), range(1, 7), ()):
        story.poll(*rows(6, fallen))

    assert len(story.roots) == 1
    assert [m.kind for m in story.broadcasts] == [MessageKind.OVER, MessageKind.REOPENED, MessageKind.OVER]
    assert story.broadcasts[1].params == {"down": 6, "elsewhere": 0, "unsaid": 0}


def test_it_is_no_group_again_when_most_of_those_that_fall_were_in_none() -> None:
    """A mass outage of others has a root of its own, which calls somebody."""
    story = Story(*rows(12), routes=(RouteRule(mention="here"),))
    for fallen in (range(1, 7), (), range(5, 11)):
        story.poll(*rows(12, fallen))

    assert [m.kind for m in story.broadcasts] == [MessageKind.OVER]
    first, second = story.roots
    assert (first.open, second.open) == (False, True)
    assert (second.kind, second.mentions, second.told_down) == (ThreadKind.GROUP, ("here",), 6)


def test_it_is_the_group_again_when_at_least_half_of_those_that_fall_were_in_it() -> None:
    story = Story(*rows(12))
    for fallen in (range(1, 7), (), range(4, 10)):
        story.poll(*rows(12, fallen))

    assert len(story.roots) == 1
    assert story.broadcasts[-1].kind is MessageKind.REOPENED


def test_of_several_groups_that_with_the_most_of_those_that_fall_is_reopened() -> None:
    """A storm that takes others each time comes to an end of new roots all the same."""
    story = Story(*rows(18))
    for fallen in (range(1, 7), (), range(7, 13), (), range(13, 19), (), [1, 7, 8, 9, 13, 14]):
        story.poll(*rows(18, fallen))

    assert [t.open for t in story.roots] == [False, True, False]
    assert story.broadcasts[-1].kind is MessageKind.REOPENED


def test_past_the_threshold_only_edits_follow_until_it_holds() -> None:
    story = Story(*rows(6))
    for fallen in (range(1, 7), (), range(1, 7), (), range(1, 7), (), range(1, 7)):
        story.poll(*rows(6, fallen))
    [group] = story.roots
    assert group.phase is Phase.FLAPPING
    # The fourth change within the window is a close, the fifth a fall: from then on it is silent.
    assert [m.kind for m in story.broadcasts] == [MessageKind.OVER, MessageKind.REOPENED, MessageKind.OVER]
    assert story.happened(EventKind.FLAPPING)[0].reason == "group_flips"

    story.wait(minutes=5)
    story.poll(*rows(6, range(1, 7)))
    assert story.broadcasts[-1].params["down"] == 6
    story.poll(*rows(6))
    assert [m.kind for m in story.broadcasts[-2:]] == [MessageKind.SETTLED, MessageKind.OVER]
    assert not story.roots[0].open


def test_a_flapping_group_settles_as_over() -> None:
    story = Story(*rows(6), flap_threshold=2)
    for fallen in (range(1, 7), (), range(1, 7), ()):
        story.poll(*rows(6, fallen))
    story.wait(minutes=5)
    story.poll(*rows(6))

    assert story.broadcasts[-1].params == {"down": 0, "changes": 3, "elsewhere": 0, "unsaid": 0}
    assert not story.roots[0].open


def test_of_how_many_follows_what_is_watched() -> None:
    story = Story(*rows(9))
    story.poll(*rows(9, range(1, 6)))
    story.poll(*rows(10, range(1, 6)))

    assert story.roots[0].watched == 10


def test_later_than_the_flap_window_a_new_fall_is_a_new_group() -> None:
    story = Story(*rows(6))
    story.poll(*rows(6, range(1, 7)))
    story.poll(*rows(6))
    story.wait(minutes=10)
    story.poll(*rows(6, range(1, 7)))

    assert len(of_kind(story, ThreadKind.GROUP)) == 2


def test_a_group_that_loses_and_wins_members_in_one_poll_stays_open() -> None:
    story = Story(*rows(12))
    story.poll(*rows(12, range(1, 7)))
    story.poll(*rows(12, range(7, 13)))

    [group] = story.roots
    assert group.phase is Phase.OPEN
    assert not story.broadcasts


def test_errors_of_members_are_recorded_and_not_told() -> None:
    story = Story(*rows(5))
    story.poll(*rows(5, range(1, 6)))
    sent = len(story.sent)
    story.poll(*[down(str(n), latest_log=failing("timeout")) for n in range(1, 6)])

    assert len(story.sent) == sent
    assert all(e.families for e in story.episodes(EpisodeKind.OUTAGE))
    assert {e.reason for e in story.happened(EventKind.ERROR)} == {"grouped"}


def test_one_series_of_reminders() -> None:
    story = Story(*rows(5))
    story.poll(*rows(5, range(1, 6)))
    story.wait(hours=4)
    story.due()

    assert len(story.told(MessageKind.REMINDER)) == 1


def test_members_of_a_group_do_not_flap_one_by_one() -> None:
    story = Story(*rows(5))
    for fallen in (range(1, 6), (), range(1, 6), (), range(1, 6)):
        story.poll(*rows(5, fallen))

    assert {t.kind for t in story.roots} == {ThreadKind.GROUP}


def test_lists_follow_the_group() -> None:
    count = ROOT_HOLDS + 1
    story = Story(*rows(count + LIST_HOLDS))
    story.poll(*rows(count + LIST_HOLDS, range(1, count + 1)))
    [group] = story.roots
    assert len(group.lists) == 1
    story.poll(*rows(count + LIST_HOLDS, range(1, count + 3)))
    assert {r.n for r in story.last.revisions} == {0, *group.lists}

    story.poll(*rows(count + LIST_HOLDS, range(1, count + LIST_HOLDS + 1)))
    assert len(story.roots[0].lists) == 2


def test_the_greatest_impact_joins_first() -> None:
    story = Story(*[up(str(n), integration_count=n) for n in range(1, 6)])
    story.poll(*[down(str(n), integration_count=n) for n in range(1, 6)])

    assert [e.connection for e in story.happened(EventKind.WENT_DOWN)] == ["5", "4", "3", "2", "1"]


def test_the_window_ends_to_the_second() -> None:
    story = Story(*rows(9), group_window=timedelta(minutes=2), group_over=2)
    story.poll(*rows(9, [1]))
    story.wait(seconds=90)
    story.poll(*rows(9, [1, 2]))

    assert [t.kind for t in story.roots] == [ThreadKind.OUTAGE, ThreadKind.OUTAGE]
