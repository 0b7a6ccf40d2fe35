"""What the channel is told of a mass outage: that it grows, begins again, goes on and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.incidents import Episode, MessageKind
from bot.slack.messages import Rendered
from tests.slack.messages.mass_outage import closed, group, some

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

OVER_BY_NOW = ["🟢 plant: what this thread was about is over"]


def test_growing_is_told_with_the_greatest_and_calls_nobody(story: Story, shown: Shown) -> None:
    members = [story.member(n) for n in range(1, 11)]
    rendered = story.reply(group(story), *members, kind=MessageKind.GROWN, down=10, was=5)

    assert shown(rendered) == [
        "🔴 Now 10 of 60 connections of plant are down, 5 when last told",
        "All fell {2026-11-24 03:00:05}. 55 integrations stop.",
        "Nobody has acknowledged it yet.",
        "Greatest impact: C10, C9, C8, C7, C6, C5, C4, C3 and 2 more.",
    ]
    assert "here" not in rendered.text


def test_growing_from_nothing_told_is_said_in_words(story: Story, shown: Shown) -> None:
    """A number that is big enough is grouped; nought is a word."""
    one = story.member(1)
    thread = group(story, watched=5000)

    def headline(down: int, was: int) -> str:
        return shown(story.reply(thread, one, kind=MessageKind.GROWN, down=down, was=was))[0]

    assert headline(1, 0) == "🔴 Now 1 of 5,000 connections of plant is down, none when last told"
    assert headline(2400, 1200) == "🔴 Now 2,400 of 5,000 connections of plant are down, 1,200 when last told"


def test_a_group_that_falls_again_is_told(story: Story, shown: Shown) -> None:
    lines = shown(story.reply(group(story), *some(story), kind=MessageKind.REOPENED, down=3))

    assert lines == [
        "🔴 It begins again: 3 of 60 connections of plant are down",
        "The first fell {2026-11-24 03:00:05}, the latest {2026-11-24 03:02:05}. 9 integrations stop.",
        "Nobody has acknowledged it yet.",
        "2 of the 3 report: HTTP 503 after 12 s.",
        "Down: C5, C3, C1.",
    ]


def test_the_end_is_told_with_span_and_peak(story: Story, shown: Shown) -> None:
    members = [story.over(story.member(n)) for n in (1, 2)]
    rendered = story.reply(closed(story), *members, kind=MessageKind.OVER, members=2)

    assert shown(rendered) == [
        "🟢 All 2 connections of plant that were down are up again",
        "Something was down for 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
        "At the worst, all of them were down at once.",
    ]


def test_what_was_all_up_in_between_is_told_as_far_as_it_is_known(story: Story, shown: Shown) -> None:
    """Three fell; a minute after they were up two fell again: of these the first downtime is not known any more."""
    minute = timedelta(minutes=1)
    once = story.over(story.member(1), end=story.three + minute)
    again = [story.over(story.member(n), start=story.three + 2 * minute) for n in (2, 3)]
    most_recently = (
        "Most recently something was down for 2 h 3 min, from {2026-11-24 03:02:05} to {2026-11-24 05:05:05}."
    )
    thread = closed(story, told_down=2)

    def told(*members: Episode) -> list[str]:
        lines = shown(story.reply(thread, *members, kind=MessageKind.OVER, members=3))
        assert lines[1:] == shown(story.root(thread, *members))[1:3]
        return lines[1:]

    assert told(once, *again) == [
        most_recently,
        "First told {2026-11-24 03:00:05}. At the worst, at least 2 of them were down at once.",
    ]
    assert told(*again) == [
        most_recently,
        "First told {2026-11-24 03:00:05}. At the worst, all of them were down at once.",
    ]


def test_what_fell_in_turns_was_down_all_the_time(story: Story, shown: Shown) -> None:
    minute = timedelta(minutes=1)
    first = story.over(story.member(1), end=story.three + minute)
    second = story.over(story.member(2), start=story.three + minute, end=story.three + 2 * minute)

    lines = shown(story.root(closed(story), second, first))
    assert lines[1] == "Something was down for 2 min, from {2026-11-24 03:00:05} to {2026-11-24 03:02:05}."


def test_one_that_was_alone_is_told_in_the_singular(story: Story, shown: Shown) -> None:
    rendered = story.reply(closed(story), story.over(story.member(1)), kind=MessageKind.OVER, members=1)

    assert shown(rendered)[0] == "🟢 1 connection of plant is up again"
    assert not any("At the worst" in line for line in shown(rendered))


def test_an_end_that_did_not_last_is_told_in_the_past_tense(story: Story, shown: Shown) -> None:
    rendered = story.reply(group(story), *some(story), kind=MessageKind.OVER, members=5)

    assert shown(rendered) == ["⚪ 5 connections of plant had come up again", "By now some are down again."]


def test_reminder_and_escalation_say_what_is_down_still_and_call_their_own(story: Story, shown: Shown) -> None:
    thread = group(story, escalate_to=("S0BOSS", "U0ANA"))
    one = story.member(1)

    assert shown(story.reply(thread, *some(story), kind=MessageKind.REMINDER, number=1))[:3] == [
        "🔴 3 of 60 connections of plant are still down, the first for 2 h 5 min now",
        "The first fell {2026-11-24 03:00:05}, the latest {2026-11-24 03:02:05}. 9 integrations stop. @here",
        "Nobody has acknowledged it yet.",
    ]
    escalated = story.reply(thread, one, story.over(story.member(2)), kind=MessageKind.ESCALATED)
    assert shown(escalated) == [
        "🔴 Escalated: 1 of 60 connections of plant is still down, for 2 h 5 min now",
        "It fell {2026-11-24 03:00:05}. 1 integration stops. @S0BOSS @U0ANA",
        "Nobody has acknowledged it yet.",
        "Down: C1.",
    ]
    assert escalated.text.endswith(" <!subteam^S0BOSS> <@U0ANA>")


@pytest.mark.parametrize("kind", ["grown", "reopened", "reminder", "escalated"])
def test_news_that_came_too_late_call_nobody(story: Story, shown: Shown, kind: str) -> None:
    members = [story.over(story.member(n)) for n in (1, 2)]
    thread = closed(story, escalate_to=("U0ANA",))

    assert shown(story.reply(thread, *members, kind=MessageKind(kind), down=2, was=1)) == OVER_BY_NOW
