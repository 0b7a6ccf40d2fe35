"""A mass outage beside others: all that is down is counted, and which of it the message is about is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.incidents import Episode, Json, MessageKind, Person, Phase, Silence, SilentPart, Thread, ThreadKind
from bot.slack.messages import Rendered

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]


def group(story: Story, **fields: object) -> Thread:
    return story.thread(ThreadKind.GROUP, **{"watched": 60, "elsewhere": 5, "unsaid": 2, **fields})


def three(story: Story) -> list[Episode]:
    return [story.member(n) for n in (1, 2, 3)]


def test_the_root_counts_all_that_is_down_and_says_which_of_it_is_here(story: Story, shown: Shown) -> None:
    assert shown(story.root(group(story), *three(story)))[:7] == [
        "# 🔴 10 of 60 connections of plant are down: 3 here, 5 in other messages, 2 muted",
        "All here fell {2026-11-24 03:00:05}. Here 6 integrations stop.",
        "Nobody has acknowledged it yet.",
        "Down here, greatest impact first:",
        "* 🔴 C3 plant/3, 3 integrations",
        "* 🔴 C2 plant/2, 2 integrations",
        "* 🔴 C1 plant/1, 1 integration",
    ]


@pytest.mark.parametrize(
    ("elsewhere", "unsaid", "words"),
    [
        (1, 0, "4 of 60 connections of plant are down: 3 here, 1 in another message"),
        (0, 1, "4 of 60 connections of plant are down: 3 here, 1 muted"),
        (1200, 0, "1,203 of 1,203 connections of plant are down: 3 here, 1,200 in other messages"),
        (0, 0, "3 of 60 connections of plant are down"),
    ],
)
def test_only_what_there_is_is_said(story: Story, shown: Shown, elsewhere: int, unsaid: int, words: str) -> None:
    thread = group(story, elsewhere=elsewhere, unsaid=unsaid)

    assert shown(story.root(thread, *three(story)))[0] == f"# 🔴 {words}"


def test_since_when_is_said_of_what_is_here(story: Story, shown: Shown) -> None:
    one, later = story.member(1), story.member(2, start=story.three + timedelta(minutes=1))

    def second(*members: Episode) -> str:
        return shown(story.root(group(story), *members))[1]

    assert second(one) == "The one here fell {2026-11-24 03:00:05}. Here 1 integration stops."
    assert second(one, later).startswith("The first here fell {2026-11-24 03:00:05}, the latest {2026-11-24 03:01:05}.")
    unknown = [replace(e, row=replace(story.row, integration_count=n)) for e, n in ((one, None), (later, 4))]
    assert second(*unknown).endswith(" Here at least 4 integrations stop.")


def test_a_flapping_group_says_it_too(story: Story, shown: Shown) -> None:
    thread = group(story, phase=Phase.FLAPPING, changes=5)
    over = [story.over(episode) for episode in three(story)]

    assert shown(story.root(thread, *three(story)))[0] == (
        "# 🔴 Connections of plant are flapping together: 5 changes so far, 10 of 60 down now: 3 here, "
        "5 in other messages, 2 muted"
    )
    assert shown(story.root(thread, *over))[0].endswith("5 changes so far, all here up now")
    alone = replace(thread, elsewhere=0, unsaid=0)
    assert shown(story.root(alone, *over))[0].endswith("5 changes so far, all up now")
    assert shown(story.root(alone, *three(story)))[0].endswith("5 changes so far, 3 of 60 down now")


def test_news_tell_what_was_down_beside_it_when_they_were_decided(story: Story, shown: Shown) -> None:
    thread, members = group(story), three(story)

    def headline(kind: MessageKind, **params: Json) -> str:
        said: dict[str, Json] = {"down": 3, "elsewhere": 4, "unsaid": 0, **params}
        return shown(story.reply(thread, *members, kind=kind, form="full", **said))[0]

    counted = "7 of 60 connections of plant are down: 3 here"
    own = "4 in other messages"
    assert headline(MessageKind.GROWN, was=1) == f"🔴 Now {counted} (1 when last told), {own}"
    assert headline(MessageKind.REOPENED) == f"🔴 It begins again: {counted}, {own}"
    assert headline(MessageKind.SETTLED, changes=4) == f"🔴 Flapping ended 2 h 5 min ago: {counted}, {own}"
    assert shown(story.reply(thread, *members, kind=MessageKind.GROWN, down=3, was=1))[0] == (
        "🔴 Now 3 of 60 connections of plant are down, 1 when last told"
    )


def test_a_reminder_counts_what_is_down_now(story: Story, shown: Shown) -> None:
    lines = shown(story.reply(group(story), *three(story), kind=MessageKind.REMINDER, number=1))

    assert lines[0] == (
        "🔴 10 of 60 connections of plant are still down: 3 here (the first for 2 h 5 min now), "
        "5 in other messages, 2 muted"
    )
    assert lines[-1] == "Down here: C3, C2, C1."


@pytest.mark.parametrize("kind", [MessageKind.OVER, MessageKind.SETTLED])
def test_an_end_of_many_says_what_is_still_down(story: Story, shown: Shown, kind: MessageKind) -> None:
    thread = group(story, phase=Phase.CLOSED, closed=story.later)
    over = [story.over(episode) for episode in three(story)]
    beside: dict[str, Json] = {"members": 3, "down": 0, "changes": 0, "elsewhere": 1, "unsaid": 2}
    lines = shown(story.reply(thread, *over, kind=kind, form="full", **beside))

    assert "ll 3 connections of plant in this outage are up again" in lines[0]
    assert lines[1] == "Others are still down: 1 in another message, 2 muted."
    # The root is not edited for what becomes of the others, so it says nothing that could become untrue.
    root = shown(story.root(thread, *over))
    assert root[0] == "# 🟢 All 3 connections of plant in this outage are up again"
    assert not any("still down" in line for line in root)


CABLING = Person(id="U0DANA", name="dana")


def parts(story: Story, *sizes: int) -> tuple[SilentPart, ...]:
    """Connections 1, 2, …: the first part by Dana, the others maintenance, each an hour longer than the one before."""
    numbers = iter(range(1, sum(sizes) + 1))
    return tuple(
        SilentPart(
            silence=Silence(until=story.later + timedelta(hours=n), reason=f"reason {n}", by=None if n else CABLING),
            connections=tuple(str(next(numbers)) for _ in range(size)),
        )
        for n, size in enumerate(sizes)
    )


def test_each_part_says_until_when_by_whom_and_why_it_is_silent(story: Story, shown: Shown) -> None:
    thread = group(story, elsewhere=0, unsaid=0, silences=parts(story, 1, 1))
    lines = shown(story.root(thread, *three(story)))

    assert lines[3:5] == [
        "🔇 1 of them muted until {2026-11-24 05:05:05} by dana: reason 0.",
        "🔇 1 of them in maintenance until {2026-11-24 06:05:05}: reason 1.",
    ]
    assert [line for line in lines if line.startswith("* ")] == [
        "* 🔴 C3 plant/3, 3 integrations",
        "* 🔴 C2 plant/2, 2 integrations, 🔇 until {2026-11-24 06:05:05}",
        "* 🔴 C1 plant/1, 1 integration, 🔇 until {2026-11-24 05:05:05}",
    ]


def test_of_many_parts_the_last_end_is_told(story: Story, shown: Shown) -> None:
    members = [story.member(n) for n in range(1, 9)]
    silences = parts(story, 1, 1, 1, 2, 3)
    lines = shown(story.root(group(story, silence=silences[0].silence, silences=silences), *members))

    assert sum("🔇 1 of them" in line for line in lines) == 3
    assert "🔇 5 more of them muted, the last until {2026-11-24 09:05:05}." in lines


def test_the_first_message_about_a_site_shows_them_too(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.BASELINE, silences=parts(story, 1))
    lines = shown(story.root(thread, story.member(1), story.over(story.member(2)), watched=9, unreadable=0))

    assert "🔇 1 of them muted until {2026-11-24 05:05:05} by dana: reason 0." in lines
    assert "* 🔴 down: C1 plant/1, 🔇 until {2026-11-24 05:05:05}" in lines
