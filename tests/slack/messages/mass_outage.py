"""A mass outage to tell stories about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.incidents import Closing, Episode, Phase, Thread, ThreadKind

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story


def group(story: Story, **fields: object) -> Thread:
    return story.thread(ThreadKind.GROUP, **{"watched": 60, "mentions": ("here",), **fields})


def closed(story: Story, **fields: object) -> Thread:
    return group(story, phase=Phase.CLOSED, closed=story.later, **fields)


def some(story: Story) -> list[Episode]:
    """Three that are down, one that is up again, one that is gone: C5 matters most."""
    failing = {"families": (story.family("HTTP 503 after 12 s"),)}
    return [
        story.member(1, families=(story.family("HTTP 503 after 99 s"),)),
        story.over(story.member(2), end=story.three + timedelta(minutes=5)),
        story.member(3, start=story.three + timedelta(minutes=2), families=(story.family("no route"),)),
        story.over(story.member(4), Closing.NOT_WATCHED),
        story.member(5, **failing),
    ]
