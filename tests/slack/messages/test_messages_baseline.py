"""The first message about a site: what is watched, and what of it was down already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.core.connection import Log
from bot.core.incidents import Closing, Episode, MessageKind, Phase, ThreadKind, Why
from bot.slack.messages import Rendered, render

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story


Shown = Callable[[Rendered], list[str]]


CLOSED = Phase.CLOSED


BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]


FIRST = (
    "From now on a message says when one goes down, is up again or logs a new error.",
    "Type /connection help to see what you can ask.",
)


def members(story: Story, number: int) -> list[Episode]:
    """So many connections that were down when watching began."""
    return [
        story.episode(
            id=f"plant#{n}", connection=str(n), why=Why.BASELINE, row=replace(story.row, id=str(n), name=f"C{n}")
        )
        for n in range(1, number + 1)
    ]


def over(story: Story, episode: Episode, closing: Closing = Closing.RECOVERED) -> Episode:
    return replace(episode, end=story.later, end_why=Why.SEEN, closing=closing)


def test_a_baseline_without_outages_is_one_calm_message(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.BASELINE, phase=CLOSED)

    assert shown(story.root(thread, watched=1, unreadable=0)) == [
        "# 🔵 Watching 1 connection of ItemPath plant, none known to be down",
        *FIRST,
    ]


def test_a_baseline_names_what_is_down_already_and_calls_nobody(story: Story, shown: Shown) -> None:
    first, second = members(story, 2)
    first = replace(first, row=replace(story.row, name="C1", latest_log=Log(id="1", error="no route")))
    rendered = story.root(
        story.thread(ThreadKind.BASELINE, mentions=("here",)), first, second, watched=12, unreadable=1
    )

    assert shown(rendered) == [
        "# 🔴 Watching 12 connections of ItemPath plant, 2 already down",
        "1 row could not be understood: its state is unknown.",
        "Nobody has acknowledged it yet.",
        "* 🔴 down: C1 plant/1: no route",
        "* 🔴 down: C2 plant/2",
        " ".join(FIRST),
        *BUTTONS,
    ]
    assert rendered.text.startswith(
        "🔴 Watching 12 connections of ItemPath plant, 2 already down. 🔴 down: C1 plant/1: no route; 🔴 down: C2 plant/2. "
    )


def test_a_baseline_shows_which_are_still_down_and_which_are_over(story: Story, shown: Shown) -> None:
    first, second, third = members(story, 3)
    rendered = story.root(
        story.thread(ThreadKind.BASELINE),
        over(story, first),
        second,
        over(story, third, Closing.NOT_WATCHED),
        watched=3,
        unreadable=0,
    )

    assert shown(rendered)[0] == "# 🔴 Watching 3 connections of ItemPath plant, 1 of the 3 down at first still is"
    assert [line for line in shown(rendered) if line.startswith("*")] == [
        "* 🔴 down: C2 plant/2",
        "* 🟢 up again: C1 plant/1 after at least 2 h 5 min, {2026-11-24 05:05:05}",
        "* ⚪ no longer watched: C3 plant/3",
    ]


def test_a_baseline_that_is_over_is_green(story: Story, shown: Shown) -> None:
    (only,) = members(story, 1)
    thread = story.thread(ThreadKind.BASELINE, phase=CLOSED)

    assert shown(story.root(thread, over(story, only), watched=3, unreadable=0))[0] == (
        "# 🟢 Watching 3 connections of ItemPath plant, what was down at first is up again"
    )
    first, second = members(story, 2)
    assert shown(story.root(thread, over(story, first), over(story, second), watched=3, unreadable=0))[0] == (
        "# 🟢 Watching 3 connections of ItemPath plant, all that were down at first are up again"
    )
    gone = over(story, second, Closing.NOT_WATCHED)
    assert shown(story.root(thread, over(story, first), gone, watched=3, unreadable=0))[0] == (
        "# 🟢 Watching 3 connections of ItemPath plant, nothing of what was down at first still is"
    )


@pytest.mark.parametrize(
    ("counts", "lines"),
    [
        ({"watched": 17, "unclear": 0, "unreadable": 0}, ["# 🔵 Watching 17 connections of ItemPath plant, all up"]),
        ({"watched": 1, "unclear": 0, "unreadable": 0}, ["# 🔵 Watching 1 connection of ItemPath plant, up"]),
        (
            {"watched": 17, "unclear": 2, "unreadable": 3},
            [
                "# 🔵 Watching 17 connections of ItemPath plant, none known to be down",
                "2 of them are unknown: ItemPath tells no clear state of them.",
                "3 rows could not be understood: their state is unknown.",
            ],
        ),
        (
            {"watched": 9, "unclear": 1, "unreadable": 0},
            [
                "# 🔵 Watching 9 connections of ItemPath plant, none known to be down",
                "1 of them is unknown: ItemPath tells no clear state of it.",
            ],
        ),
        (
            {"watched": 1, "unclear": 1, "unreadable": 0},
            [
                "# 🔵 Watching 1 connection of ItemPath plant, none known to be down",
                "It is unknown: ItemPath tells no clear state of it.",
            ],
        ),
        (
            {"watched": 0, "unclear": 0, "unreadable": 2},
            [
                "# 🔵 Watching 0 connections of ItemPath plant: none of its rows could be understood",
                "2 rows could not be understood: their state is unknown.",
            ],
        ),
    ],
)
def test_a_baseline_says_of_how_many_the_state_is_known(
    story: Story, shown: Shown, counts: dict[str, Any], lines: list[str]
) -> None:
    thread = story.thread(ThreadKind.BASELINE, phase=CLOSED)
    assert shown(story.root(thread, form="full", **counts)) == [*lines, *FIRST]


def test_a_baseline_without_a_connection_says_what_may_be_wrong(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.BASELINE, phase=CLOSED)
    assert shown(story.root(thread, watched=0, unreadable=0, unclear=0)) == [
        "# 🔵 Watching 0 connections of ItemPath plant: it lists none",
        "Perhaps the user with which this bot reads ItemPath may not see them. A message says when one is added.",
    ]


def test_a_bot_that_cannot_be_asked_offers_no_command(story: Story, shown: Shown) -> None:
    view = story.view(story.thread(ThreadKind.BASELINE, phase=CLOSED), watched=1, unreadable=0, unclear=0)
    rendered = render(view, view.root, form="full", now=story.later, interactive=False)
    assert shown(rendered)[1:] == [FIRST[0]]


def test_many_of_a_baseline_are_named_in_a_line_and_the_rest_counted(story: Story, shown: Shown) -> None:
    many = members(story, 70)
    thread = story.thread(ThreadKind.BASELINE, mentions=("here",))
    lines = shown(story.root(thread, over(story, many[0]), *many[1:], watched=500, unreadable=0))

    assert lines[1] == "Down: " + ", ".join(f"C{n}" for n in range(2, 62)) + " and 9 more."
    assert lines[2] == "Over: C1."
    reminder = shown(story.reply(thread, *many, kind=MessageKind.REMINDER, number=1))
    assert reminder[:2] == [
        "🔴 70 connections of plant are still down, for at least 2 h 5 min now",
        "Down: " + ", ".join(f"C{n}" for n in range(1, 61)) + " and 10 more. @here",
    ]


def test_a_baseline_s_reminder_lists_what_is_still_down(story: Story, shown: Shown) -> None:
    first, second = members(story, 2)
    rendered = story.reply(
        story.thread(ThreadKind.BASELINE, mentions=("here",)), over(story, first), second, kind=MessageKind.REMINDER
    )

    assert shown(rendered) == [
        "🔴 C2 is still down, for at least 2 h 5 min now",
        "Nobody has acknowledged it yet. @here",
        "* 🔴 down: C2 plant/2",
    ]
