"""Rule 11: what is still down, and in nobody's hands, is said again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.events import EventKind
from bot.core.incidents import MessageKind, Role, Thread
from bot.core.policy import RouteRule
from tests.core.story import INTERVAL, Story, down, failing, is_quiet, rows, unknown, up

EVERY = timedelta(hours=4)
HOUR = timedelta(hours=1)


def reminders(story: Story) -> int:
    return len(story.told(MessageKind.REMINDER))


def fallen(**policy: Any) -> tuple[Story, Thread]:
    story = Story(up(), **policy)
    story.poll(down())
    return story, story.roots[0]


def test_a_timer_runs_from_the_announcement() -> None:
    story, thread = fallen()

    assert thread.remind_at == story.now + EVERY
    assert story.last.next_due == story.now + EVERY


def test_a_reminder_is_a_broadcast_every_so_often() -> None:
    story, thread = fallen()
    for number in (1, 2):
        story.wait(hours=4)
        story.due()
        assert reminders(story) == number
        assert story.sent[-1].role is Role.BROADCAST
        assert story.sent[-1].params == {"number": number}
        assert story.last.next_due == story.now + EVERY
    assert story.state.threads[thread.id].reminders == 2


def test_nothing_is_due_early() -> None:
    story, _ = fallen()

    assert is_quiet(story.due())


def test_a_poll_reminds_as_well() -> None:
    """A timer that came while the bot was away is heard after the first good read, not before."""
    story, _ = fallen()
    story.wait(hours=4)
    story.poll(down())

    assert reminders(story) == 1


def test_what_came_back_is_not_reminded_of() -> None:
    story, thread = fallen()
    story.wait(hours=4)
    story.poll(up())

    assert reminders(story) == 0
    assert story.state.threads[thread.id].remind_at is None
    assert story.last.next_due is None


def test_acknowledged_is_not_reminded_of() -> None:
    story, _ = fallen()
    story.ack(connection="1")
    assert story.last.next_due is None
    story.wait(hours=5)

    assert is_quiet(story.due())


def test_never_two_unsent() -> None:
    story, thread = fallen()
    story.wait(hours=4)
    story.state = replace(story.state, unsent_reminders=frozenset({thread.id}))
    story.due()

    assert reminders(story) == 0
    assert story.last.next_due == story.now + EVERY


def test_off_means_off() -> None:
    story, thread = fallen(remind_every=None)
    assert thread.remind_at is None
    story.wait(days=3)

    assert is_quiet(story.due())


def test_switched_off_later_is_off_too() -> None:
    story, _ = fallen()
    story.policy = replace(story.policy, remind_every=None)
    story.wait(hours=5)

    assert is_quiet(story.due())
    assert story.last.next_due is None


@pytest.mark.parametrize("before", [None, timedelta(days=7)])
def test_switched_on_or_shortened_it_holds_for_what_is_open_already(before: timedelta | None) -> None:
    story, _ = fallen(remind_every=before, escalate_after=before)
    story.wait(hours=1)
    story.policy = replace(story.policy, remind_every=HOUR, escalate_after=2 * HOUR)
    story.poll(down())
    assert reminders(story) == 0
    assert story.last.next_due == story.now + HOUR
    for _ in range(3):
        story.wait(hours=1)
        story.due()

    assert [m.kind for m in story.broadcasts] == [
        MessageKind.REMINDER,
        MessageKind.REMINDER,
        MessageKind.ESCALATED,
        MessageKind.REMINDER,
    ]


def test_errors_and_what_flaps_are_not_reminded_of_when_it_is_switched_on_either() -> None:
    story = Story(up("1"), up("2"), remind_every=None)
    story.poll(up("1"), up("2", latest_log=failing("bad payload")))
    for row in (down, up, down, up, down):
        story.poll(row("1"), up("2"))
    story.policy = replace(story.policy, remind_every=HOUR, escalate_after=HOUR)
    story.poll(down("1"), up("2"))

    assert [t.remind_at for t in story.state.threads.values() if t.open] == [None, None]


def test_a_clock_that_was_ahead_puts_nothing_off() -> None:
    story = Story(up(), escalate_after=HOUR)
    story.sleep(days=10)
    story.poll(down())
    story.sleep(days=-10)
    story.poll(down())

    assert story.last.next_due == story.now + HOUR
    story.wait(hours=4)
    story.due()
    assert {m.kind for m in story.broadcasts} == {MessageKind.REMINDER, MessageKind.ESCALATED}


def test_none_while_blind_but_of_the_blindness_itself() -> None:
    story, thread = fallen()
    story.fail()
    story.fail()
    site = story.roots[-1]
    story.wait(hours=5)
    story.due()

    assert [m.thread for m in story.told(MessageKind.REMINDER)] == [site.id]
    story.poll(down())
    assert [m.thread for m in story.told(MessageKind.REMINDER)] == [site.id, thread.id]


def test_none_of_what_cannot_be_seen() -> None:
    story, _ = fallen()
    story.poll(unknown())
    story.wait(hours=5)

    assert is_quiet(story.due())
    assert story.last.next_due is None


def test_errors_are_not_reminded_of() -> None:
    story = Story(up())
    story.poll(up(latest_log=failing("bad payload")))
    story.wait(hours=5)

    assert is_quiet(story.due())


def test_the_baseline_is_reminded_of_while_any_of_it_is_down() -> None:
    story = Story(down("1"), down("2"))
    story.poll(up("1"), down("2"))
    story.wait(hours=4)
    story.due()

    assert reminders(story) == 1


def test_what_is_no_longer_watched_is_not_reminded_of() -> None:
    story = Story(down("1"), down("2"))
    story.poll(down("2"))
    story.poll(down("2"))
    story.poll(up("2"))
    story.wait(hours=4)
    story.due()

    assert reminders(story) == 0


def test_due_is_asked_for_at_the_earliest_of_all() -> None:
    story = Story(up("1"), up("2"))
    story.poll(down("1"), up("2"))
    first = story.now
    story.poll(down("1"), down("2"))

    assert story.last.next_due == first + EVERY
    assert story.now == first + INTERVAL


def test_nobody_has_acknowledged_it_for_too_long_and_that_is_said_once_to_somebody_else() -> None:
    rule = RouteRule(name="*", mention="S1", escalate_to="U9")
    story, thread = fallen(escalate_after=timedelta(minutes=15), routes=(rule,))
    assert thread.escalate_to == ("U9",)
    assert story.last.next_due == story.now + timedelta(minutes=15)
    story.wait(minutes=15)
    story.due()
    story.wait(minutes=15)
    story.due()

    [escalated] = story.told(MessageKind.ESCALATED)
    assert escalated.role is Role.BROADCAST
    assert len(story.happened(EventKind.ESCALATED)) == 1


def test_without_somebody_else_it_is_said_to_the_same() -> None:
    _, thread = fallen(escalate_after=timedelta(minutes=15), routes=(RouteRule(name="*", mention="S1"),))

    assert thread.escalate_to == ("S1",)


def test_once_is_once_whatever_the_settings_become() -> None:
    story, _ = fallen(escalate_after=HOUR)
    story.wait(hours=1)
    story.due()
    story.policy = replace(story.policy, escalate_after=HOUR / 2)
    story.wait(hours=1)
    story.due()

    assert len(story.told(MessageKind.ESCALATED)) == 1


def test_what_falls_again_is_escalated_again() -> None:
    story = Story(*rows(5), escalate_after=HOUR, group_over=2)
    for _ in range(2):
        story.poll(*rows(5, {1, 2}))
        story.wait(hours=1)
        story.poll(*rows(5, {1, 2}))
        story.poll(*rows(5))

    assert len({m.thread for m in story.told(MessageKind.ESCALATED)}) == 1
    assert len(story.told(MessageKind.ESCALATED)) == 2


def test_an_escalation_that_is_switched_off_later_is_off_too() -> None:
    story, _ = fallen(remind_every=None, escalate_after=HOUR)
    story.policy = replace(story.policy, escalate_after=None)
    story.wait(hours=1)

    assert is_quiet(story.due())
    assert story.last.next_due is None


def test_acknowledged_is_not_escalated() -> None:
    story, _ = fallen(escalate_after=timedelta(minutes=15))
    story.ack(connection="1")
    story.wait(minutes=15)

    assert is_quiet(story.due())
