"""Why nobody was reminded: one event for each reminder or escalation that something holds back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.events import Event, EventKind
from bot.core.maintenance import Window
from tests.core.story import DANA, INTERVAL, START, Story, down, unknown, up

EVERY = 4 * INTERVAL
PERSON = {"id": DANA.id, "name": DANA.name}
FELL = START + 2 * INTERVAL


def fallen(**policy: Any) -> Story:
    story = Story(up(), remind_every=EVERY, escalate_after=2 * EVERY, **policy)
    story.poll(down())
    return story


def held(story: Story) -> list[Event]:
    return [e for e in story.events if e.kind in (EventKind.NOT_REMINDED, EventKind.NOT_ESCALATED)]


def is_down(story: Story) -> None:
    story.poll(down())


@pytest.mark.parametrize(
    ("hold", "poll", "reason", "by"),
    [
        (lambda story: story.ack(connection="1"), is_down, "acknowledged", PERSON),
        (lambda story: story.mute("1", hours=9, reason="we know"), is_down, "muted", PERSON),
        (lambda story: story.mute("*", hours=9), Story.fail, "not_seen", None),
        (Story.fail, Story.fail, "not_seen", None),
        (lambda story: story.poll(unknown()), lambda story: story.poll(unknown()), "not_seen", None),
    ],
)
def test_what_is_held_back_is_one_event_for_each_that_would_have_been_told(
    hold: Callable[[Story], object], poll: Callable[[Story], object], reason: str, by: object
) -> None:
    story = fallen(unreachable_after=99)
    [root] = story.roots
    hold(story)
    for _ in range(10):
        poll(story)

    assert [(e.kind, e.at) for e in held(story)] == [
        (EventKind.NOT_REMINDED, FELL + EVERY),
        (EventKind.NOT_REMINDED, FELL + 2 * EVERY),
        (EventKind.NOT_ESCALATED, FELL + 2 * EVERY),
    ]
    assert {(e.reason, e.thread) for e in held(story)} == {(reason, root.id)}
    assert all(e.data.get("by") == by for e in held(story))
    assert not story.broadcasts


def test_a_maintenance_says_so_as_a_mute_does() -> None:
    end = START + timedelta(hours=1)
    story = fallen(maintenance=(Window(reason="new firewall", start=FELL + INTERVAL, end=end),))
    for _ in range(4):
        story.poll(down())

    [event] = held(story)
    assert (event.kind, event.reason) == (EventKind.NOT_REMINDED, "muted")
    assert event.data == {"why": "new firewall", "by": None, "until": end.isoformat()}


def test_of_several_mutes_the_one_that_ends_first_is_named() -> None:
    story = Story(down("1"), down("2"), remind_every=EVERY)
    story.mute("1", hours=2, reason="long")
    story.mute("2", hours=1, reason="short")
    for _ in range(4):
        story.poll(down("1"), down("2"))

    assert [e.data["why"] for e in held(story)] == ["short"]


def test_what_is_held_back_is_said_as_soon_as_nothing_holds_it() -> None:
    story = fallen()
    story.mute("1", hours=9)
    for _ in range(4):
        story.poll(down())
    story.unmute("1")
    assert [m.kind for m in story.broadcasts] == ["reminder"]
    story.poll(down())

    assert [e.kind for e in held(story)] == [EventKind.NOT_REMINDED]


def test_a_timer_or_a_person_between_two_polls_adds_nothing() -> None:
    """The poll with which its time came has recorded it, or the next one will."""
    story = fallen()
    story.ack(connection="1")
    for _ in range(5):
        story.poll(down())
        story.due()

    assert [e.kind for e in held(story)] == [EventKind.NOT_REMINDED] * 2 + [EventKind.NOT_ESCALATED]


def test_a_poll_that_comes_late_records_the_latest_only() -> None:
    """While nobody watched, nobody would have been reminded either."""
    story = fallen()
    story.ack(connection="1")
    story.sleep(hours=9)
    story.poll(down())

    assert [e.kind for e in held(story)] == [EventKind.NOT_REMINDED, EventKind.NOT_ESCALATED]


def test_where_no_reminder_would_come_none_is_held_back() -> None:
    story = fallen()
    story.policy = replace(story.policy, remind_every=None)
    story.ack(connection="1")
    for _ in range(10):
        story.poll(down())

    assert [e.kind for e in held(story)] == [EventKind.NOT_ESCALATED]


def test_a_second_that_would_be_unsent_says_so() -> None:
    story = fallen()
    [root] = story.roots
    story.state = replace(story.state, unsent_reminders=frozenset({root.id}))
    for _ in range(8):
        story.poll(down())

    assert [(e.reason, e.at) for e in held(story)] == [("earlier_unsent", FELL + n * EVERY) for n in (1, 2)]


def test_a_bot_that_sees_for_the_first_time_held_nothing_back() -> None:
    """A site that could not be read before its baseline."""
    story = Story(baseline=False, remind_every=EVERY, unreachable_after=1)
    story.fail()
    story.ack(connection="")
    assert not held(story)


def test_what_a_mute_ends_for_and_something_else_holds_back_says_so_once() -> None:
    """The end of a mute is told, unless somebody has it meanwhile."""
    story = Story(up(), remind_every=timedelta(hours=4))
    story.poll(down())
    story.mute("1")
    story.ack(connection="1")
    story.wait(hours=1)
    for _ in range(3):
        story.poll(down())

    assert [(e.kind, e.reason) for e in held(story)] == [(EventKind.NOT_REMINDED, "acknowledged")]
