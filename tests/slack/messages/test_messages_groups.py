"""A mass outage: its root, and the lists in its thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Log
from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.core.incidents import Closing, MessageKind, Person, Why
from bot.slack.messages import Rendered
from tests.slack.messages.mass_outage import closed, group, some

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]


def test_the_root_says_how_many_of_how_many_since_when_how_bad_and_who_has_it(story: Story, shown: Shown) -> None:
    """Greatest impact first; what most of them report is said once, and only what differs beside the others."""
    rendered = story.root(group(story), *some(story))

    assert shown(rendered) == [
        "# 🔴 3 of 60 connections of plant are down",
        "The first fell {2026-11-24 03:00:05}, the latest {2026-11-24 03:02:05}. 9 integrations stop.",
        "Nobody has acknowledged it yet. @here",
        "2 of the 3 report: HTTP 503 after 12 s.",
        "Down, greatest impact first:",
        "* 🔴 C5 plant/5, 5 integrations, since {2026-11-24 03:00:05}",
        "* 🔴 C3 plant/3, 3 integrations, since {2026-11-24 03:02:05}: no route",
        "* 🔴 C1 plant/1, 1 integration, since {2026-11-24 03:00:05}",
        "* 🟢 1 up again: C2",
        "* ⚪ 1 no longer watched: C4",
        *BUTTONS,
    ]
    assert story.read(rendered) == (
        "🔴 3 of 60 connections of plant are down. The first fell 2026-11-24 03:00:05 UTC, the latest "
        "2026-11-24 03:02:05 UTC. 9 integrations stop. Nobody has acknowledged it yet. 2 of the 3 report: "
        "HTTP 503 after 12 s. Down, greatest impact first: 🔴 C5 plant/5, 5 integrations, since 2026-11-24 03:00:05 UTC; "
        "🔴 C3 plant/3, 3 integrations, since 2026-11-24 03:02:05 UTC: no route; "
        "🔴 C1 plant/1, 1 integration, since 2026-11-24 03:00:05 UTC; "
        "🟢 1 up again: C2; ⚪ 1 no longer watched: C4. <!here>"
    )


def test_since_when_is_said_of_what_is_down_and_of_each_unless_they_fell_together(story: Story, shown: Shown) -> None:
    """What is up again had its time; that is not since when the others are down."""
    recovered = [story.over(story.member(n)) for n in (1, 2)]
    later = [story.member(n, start=story.three + timedelta(minutes=9)) for n in (3, 4)]
    lines = shown(story.root(group(story), *recovered, *later))

    assert lines[1] == "All fell {2026-11-24 03:09:05}. 7 integrations stop."
    assert lines[4:6] == ["* 🔴 C4 plant/4, 4 integrations", "* 🔴 C3 plant/3, 3 integrations"]


def test_somebody_who_has_it_is_named_and_nobody_is_called(story: Story, shown: Shown) -> None:
    thread = group(story, ack_by=Person(id="U1", name="Ana"), ack_at=story.later)
    lines = shown(story.root(thread, *some(story)))

    assert lines[2] == "Acknowledged by Ana, {2026-11-24 05:05:05}."
    assert lines[-2:] == BUTTONS[1:]


def test_what_the_root_cannot_hold_is_listed_in_the_thread_in_the_same_order(story: Story, shown: Shown) -> None:
    number = ROOT_HOLDS + LIST_HOLDS + 2
    members = [story.member(n) for n in range(1, number + 1)]
    members[-1] = story.over(members[-1])
    thread = group(story, watched=100)
    root = shown(story.root(thread, *members))

    assert root[0] == f"# 🔴 {number - 1} of 100 connections of plant are down"
    assert [line for line in root if line.startswith("*")] == [
        *(f"* 🔴 C{n} plant/{n}, {n} integrations" for n in range(number - 1, number - 1 - ROOT_HOLDS, -1)),
        f"* 🔴 and {LIST_HOLDS + 1} more in the thread",
        "* 🟢 1 up again, listed in the thread",
    ]
    first = shown(story.reply(thread, *members, kind=MessageKind.LIST, page=0))
    assert first[:2] == [f"🔴 21 to 70 of {number} connections of plant in this outage: 50 down", root[3]]
    assert first[2:] == [f"* 🔴 C{n} plant/{n}, {n} integrations" for n in range(number - 1 - ROOT_HOLDS, 1, -1)]
    assert shown(story.reply(thread, *members, kind=MessageKind.LIST, page=1)) == [
        f"🔴 71 to 72 of {number} connections of plant in this outage: 1 down, 1 over",
        "Down, greatest impact first:",
        "* 🔴 C1 plant/1, 1 integration",
        f"* 🟢 C{number} plant/{number} up again after 2 h 5 min",
    ]


def test_a_list_says_what_most_of_all_report_too(story: Story, shown: Shown) -> None:
    families = (story.family("no route"),)
    members = [story.member(n, families=families if n > 1 else ()) for n in range(1, ROOT_HOLDS + 3)]
    lines = shown(story.reply(group(story), *members, kind=MessageKind.LIST, page=0))

    assert lines[1:] == [
        "21 of the 22 report: no route.",
        "Down, greatest impact first:",
        "* 🔴 C2 plant/2, 2 integrations",
        "* 🔴 C1 plant/1, 1 integration",
    ]


def test_a_list_follows_what_becomes_of_its_members(story: Story, shown: Shown) -> None:
    members = [story.over(story.member(n)) for n in range(1, ROOT_HOLDS + 2)]
    members[0] = story.over(members[0], Closing.NOT_WATCHED)
    root = shown(story.root(group(story), *members, story.member(99)))

    assert root[5].startswith("* 🟢 20 up again: C21, C20, C19, ")
    assert root[5].endswith(", C3 and 1 more in the thread")
    assert root[6] == "* ⚪ 1 no longer watched, listed in the thread"
    listed = story.reply(closed(story), *members, kind=MessageKind.LIST, page=0)
    assert shown(listed) == [
        "🟢 The last of 21 connections of plant in this outage: none down, 1 over",
        "* ⚪ C1 plant/1 no longer watched",
    ]
    beyond = story.reply(closed(story), *members, kind=MessageKind.LIST, page=1)
    assert shown(beyond) == ["⚪ Every connection of plant in this outage is listed above"]


@pytest.mark.parametrize(
    ("impacts", "words"),
    [
        ([None, None], ""),
        ([0, 0], " No integration uses them."),
        ([0, None], ""),
        ([2, None], " At least 2 integrations stop."),
        ([1, 0], " 1 integration stops."),
    ],
)
def test_what_stops_is_said_as_far_as_itempath_tells(
    story: Story, shown: Shown, impacts: list[int | None], words: str
) -> None:
    members = [
        story.member(n, row=replace(story.row, integration_count=impact)) for n, impact in enumerate(impacts, start=1)
    ]

    assert shown(story.root(group(story), *members))[1] == "All fell {2026-11-24 03:00:05}." + words


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            Why.WHILE_BLIND,
            ("It went down between {2026-11-24 02:00:05} and {2026-11-24 03:00:05}, while the site could not be read."),
        ),
        (Why.ADDED, "It was first seen down {2026-11-24 03:00:05}."),
        (Why.SEEN, "It fell {2026-11-24 03:00:05}."),
    ],
)
def test_how_the_first_fall_came_to_be_known_is_said(story: Story, shown: Shown, why: Why, words: str) -> None:
    member = story.member(1, why=why, not_before=story.three - timedelta(hours=1))
    lines = shown(story.root(group(story), member))

    assert lines[:2] == ["# 🔴 1 of 60 connections of plant is down", f"{words} 1 integration stops."]


def bulleted(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.startswith("* ")]


def test_of_members_that_nobody_saw_falling_it_is_said_between_when(story: Story, shown: Shown) -> None:
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    away = [story.member(n, why=Why.WHILE_AWAY, not_before=story.three - hour) for n in (1, 2)]
    between = "between {2026-11-24 02:00:05} and {2026-11-24 03:00:05}, while this bot was away"
    alike = shown(story.root(group(story), *away))
    assert alike[1] == f"All went down {between}. 3 integrations stop."
    assert bulleted(alike) == ["* 🔴 C2 plant/2, 2 integrations", "* 🔴 C1 plant/1, 1 integration"]

    seen = story.member(3, start=story.three + minute)
    mixed = shown(story.root(group(story), *away, seen))
    assert mixed[1].startswith(
        f"The first went down {between}; the latest was first seen down {{2026-11-24 03:01:05}}."
    )
    assert bulleted(mixed) == [
        "* 🔴 C3 plant/3, 3 integrations, since {2026-11-24 03:01:05}",
        f"* 🔴 C2 plant/2, 2 integrations, went down {between}",
        f"* 🔴 C1 plant/1, 1 integration, went down {between}",
    ]

    # Seen by the same poll, but not known alike.
    added = story.member(3, why=Why.ADDED)
    mixed = shown(story.root(group(story), added, *away))
    assert mixed[1].startswith(f"The first went down {between}. ")
    assert bulleted(mixed)[0] == "* 🔴 C3 plant/3, 3 integrations, since {2026-11-24 03:00:05}"
    both = shown(story.root(group(story), added, story.member(4, why=Why.ADDED)))
    assert both[1].startswith("All were first seen down {2026-11-24 03:00:05}.")


def test_members_that_stop_as_much_stand_as_people_count(story: Story, shown: Shown) -> None:
    members = [story.member(n, row=replace(story.row, name=f"Lift {n}", integration_count=2)) for n in (10, 2, 1, 12)]
    lines = shown(story.root(group(story), *members, story.member(99)))
    assert [line.split(" plant/")[0] for line in bulleted(lines)] == [
        "* 🔴 C99",
        "* 🔴 Lift 1",
        "* 🔴 Lift 2",
        "* 🔴 Lift 10",
        "* 🔴 Lift 12",
    ]


def test_an_error_is_said_once_when_at_least_half_report_it(story: Story, shown: Shown) -> None:
    same = [
        story.member(n, row=replace(story.row, latest_log=Log(id="1", error=f"Gone at 0{n}:00."))) for n in range(1, 4)
    ]
    others = [story.member(n, row=None) for n in range(4, 7)]

    assert "All 3 report: Gone at 01:00." in shown(story.root(group(story), *same))
    assert "3 of the 6 report: Gone at 01:00." in shown(story.root(group(story), *same, *others))
    few = shown(story.root(group(story), *same, *others, story.member(9, row=None)))
    assert not any("report" in line for line in few)
    assert "* 🔴 Web Services plant/1, 3 integrations: Gone at 01:00." in few


def test_more_members_than_are_watched_are_no_nonsense(story: Story, shown: Shown) -> None:
    members = [story.member(n) for n in (1, 2)]

    assert shown(story.root(group(story, watched=1), *members))[0] == "# 🔴 2 of 2 connections of plant are down"


def test_the_closed_root_tells_the_span_the_peak_and_who_had_it(story: Story, shown: Shown) -> None:
    first = story.over(story.member(1), end=story.three + timedelta(minutes=1))
    second = story.over(story.member(2), start=story.three + timedelta(minutes=1))
    third = story.over(story.member(3), start=story.three + timedelta(minutes=2))
    thread = closed(story, ack_by=Person(id="U1", name="Ana"))

    assert shown(story.root(thread, first, second, third)) == [
        "# 🟢 All 3 connections of plant that were down are up again",
        "Something was down for 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
        "At the worst, 2 of them were down at once.",
        "Acknowledged by Ana.",
        "* 🟢 3 up again: C3, C2, C1",
    ]
    # Of what fell more than once only the latest downtime is known, and what was told then is no less true.
    assert "At the worst, all of them were down at once." in shown(
        story.root(replace(thread, told_down=3), first, second, third)
    )


@pytest.mark.parametrize(
    ("closings", "headline"),
    [
        ([Closing.RECOVERED], "# 🟢 1 connection of plant is up again"),
        ([Closing.RECOVERED, Closing.NOT_WATCHED], "# 🟢 1 connection of plant is up again, 1 no longer watched"),
        ([Closing.NOT_WATCHED, Closing.NOT_WATCHED], "# ⚪ 2 connections of plant are no longer watched"),
    ],
)
def test_what_is_no_longer_watched_is_no_recovery(
    story: Story, shown: Shown, closings: list[Closing], headline: str
) -> None:
    members = [story.over(story.member(n), closing) for n, closing in enumerate(closings, start=1)]

    assert shown(story.root(closed(story), *members))[0] == headline
