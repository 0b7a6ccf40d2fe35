"""What changes too often: its form, what it came to, and how the past is told afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.incidents import Closing, Episode, Message, MessageKind, Phase, Role, Thread, ThreadKind
from bot.slack.messages import Rendered, render

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]
EXPECT = (
    "First told {2026-11-24 03:00:05}. The outcome is announced once it stays put, not before {2026-11-24 05:10:05}."
)


def flapping(story: Story, kind: ThreadKind = ThreadKind.OUTAGE, **fields: object) -> Thread:
    settle_at = story.later + timedelta(minutes=5)
    return story.thread(
        kind, **{"phase": Phase.FLAPPING, "changes": 6, "settle_at": settle_at, "mentions": ("here",), **fields}
    )


def over(story: Story, closing: Closing = Closing.RECOVERED) -> Episode:
    return story.over(story.episode(), closing, start=story.later - timedelta(seconds=40))


def test_a_flapping_root_says_how_it_is_now_and_what_to_expect(story: Story, shown: Shown) -> None:
    episode = story.episode(start=story.later, families=(story.family(),))
    lines = shown(story.root(flapping(story), episode))

    assert lines[:6] == [
        "# 🔴 Web Services is flapping: 6 changes so far, now down",
        "plant/2: down since {2026-11-24 05:05:05}.",
        "3 integrations stop. Nobody has acknowledged it yet. @here",
        EXPECT,
        "Error:",
        "| HTTP 503",
    ]
    assert lines[-3:] == BUTTONS


def test_a_flapping_root_that_is_up_is_neither_red_nor_green(story: Story, shown: Shown) -> None:
    lines = shown(story.root(flapping(story), over(story)))

    assert lines[:4] == [
        "# 🟡 Web Services is flapping: 6 changes so far, now up",
        "plant/2: up since {2026-11-24 05:05:05}, after 40 s down.",
        "Nobody has acknowledged it yet. @here",
        EXPECT,
    ]
    assert lines[-3:] == BUTTONS


def test_a_flapping_root_of_what_is_gone_says_so(story: Story, shown: Shown) -> None:
    lines = shown(story.root(flapping(story, settle_at=None), story.over(story.episode(row=None), Closing.NOT_WATCHED)))

    assert lines[:4] == [
        "# 🟡 2 is flapping: 6 changes so far, now no longer watched",
        "plant/2: no longer watched since {2026-11-24 05:05:05}.",
        "Nobody has acknowledged it yet. @here",
        "First told {2026-11-24 03:00:05}.",
    ]


def test_what_it_came_to_is_said_with_how_long_it_has_held(story: Story, shown: Shown) -> None:
    down = story.episode(start=story.later - timedelta(minutes=5))
    still = story.reply(story.thread(mentions=("here",)), down, kind=MessageKind.SETTLED, down=1, changes=6)
    up = story.over(story.episode(), end=story.later - timedelta(minutes=5))
    back = story.reply(story.thread(phase=Phase.CLOSED), up, kind=MessageKind.SETTLED, down=0, changes=7)

    assert shown(still) == [
        "🔴 Flapping ended 5 min ago: Web Services is down",
        "plant/2: down since {2026-11-24 05:00:05}.",
        "3 integrations stop. Nobody has acknowledged it yet.",
        "It was flapping before: 6 changes.",
    ]
    assert "here" not in still.text
    assert shown(back) == [
        "🟢 Flapping ended 5 min ago: Web Services is up",
        "plant/2: up since {2026-11-24 05:00:05}, after 2 h down.",
        "It was flapping before: 7 changes.",
    ]


def test_what_flapped_and_is_gone_is_no_recovery(story: Story, shown: Shown) -> None:
    thread = story.thread(phase=Phase.CLOSED)
    gone = story.over(story.episode(), Closing.NOT_WATCHED, end=story.later - timedelta(minutes=5))

    assert shown(story.reply(thread, gone, kind=MessageKind.SETTLED, down=0, changes=6))[0] == (
        "⚪ Flapping ended 5 min ago: Web Services is no longer watched"
    )


@pytest.mark.parametrize(
    ("down", "lines"),
    [
        (0, ["⚪ Flapping had ended: Web Services was up", "plant/2: by now down since {2026-11-24 03:00:05}."]),
        (
            1,
            [
                "⚪ Flapping had ended: Web Services was down",
                "plant/2: by now up since {2026-11-24 05:05:05}, after 2 h 5 min down.",
            ],
        ),
    ],
)
def test_what_did_not_last_until_it_was_sent_is_told_in_the_past_tense(
    story: Story, shown: Shown, down: int, lines: list[str]
) -> None:
    episode = story.over(story.episode()) if down else story.episode()

    assert shown(story.reply(story.thread(), episode, kind=MessageKind.SETTLED, down=down, changes=0)) == lines


def test_roots_tell_later_that_it_was_flapping(story: Story, shown: Shown) -> None:
    down = shown(story.root(story.thread(changes=6), story.episode()))
    back = shown(story.root(story.thread(changes=1, phase=Phase.CLOSED), over(story)))

    assert down[3] == "It was flapping before: 6 changes."
    assert back == [
        "# 🟢 Web Services is up again after 40 s",
        "plant/2: Downtime 40 s, from {2026-11-24 05:04:25} to {2026-11-24 05:05:05}.",
        "It was flapping before: 1 change.",
    ]


def test_a_group_that_flaps_says_how_many_are_down_now(story: Story, shown: Shown) -> None:
    thread = flapping(story, ThreadKind.GROUP, watched=60)
    lines = shown(story.root(thread, story.member(1), story.over(story.member(2))))

    assert lines == [
        "# 🔴 Connections of plant are flapping together: 6 changes so far, 1 of 60 down now",
        "It fell {2026-11-24 03:00:05}. 1 integration stops.",
        "Nobody has acknowledged it yet. @here",
        EXPECT,
        "Down, greatest impact first:",
        "* 🔴 C1 plant/1, 1 integration",
        "* 🟢 1 up again: C2",
        *BUTTONS,
    ]
    up = shown(story.root(thread, *(story.over(story.member(n)) for n in (1, 2))))
    assert up[0] == "# 🟡 Connections of plant are flapping together: 6 changes so far, all up now"
    assert up[4] == "* 🟢 2 up again: C2, C1"


def test_what_a_group_came_to_is_said(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.GROUP, watched=60)
    members = [story.member(n, start=story.later - timedelta(minutes=5)) for n in (1, 2)]
    back = [story.over(member, end=story.later - timedelta(minutes=n)) for n, member in enumerate(members, start=5)]

    assert shown(story.reply(thread, *members, kind=MessageKind.SETTLED, down=2, changes=4)) == [
        "🔴 Flapping ended 5 min ago: 2 of 60 connections of plant are down",
        "All fell {2026-11-24 05:00:05}. 3 integrations stop.",
        "It was flapping before: 4 changes. Nobody has acknowledged it yet.",
        "Down: C2, C1.",
    ]
    assert shown(story.reply(thread, *back, kind=MessageKind.SETTLED, down=0, changes=4)) == [
        "🟢 Flapping ended 5 min ago: all 2 connections of plant that were down are up again",
        "It was flapping before: 4 changes.",
    ]
    closed = story.thread(ThreadKind.GROUP, watched=60, phase=Phase.CLOSED, changes=4)
    assert "It was flapping before: 4 changes." in shown(story.root(closed, *back))


def test_what_a_group_came_to_may_have_changed_again(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.GROUP, watched=60)
    member = story.member(1)

    assert shown(story.reply(thread, member, kind=MessageKind.SETTLED, down=0, changes=4)) == [
        "⚪ Flapping had ended: none of the connections of plant in this outage were down",
        "By now that has changed again.",
        "It was flapping before: 4 changes.",
    ]
    assert shown(story.reply(thread, story.over(member), kind=MessageKind.SETTLED, down=9, changes=0)) == [
        "⚪ Flapping had ended: 9 of the connections of plant in this outage were down",
        "By now that has changed again.",
    ]


def test_a_recovery_that_is_told_when_it_has_fallen_again_is_told_in_the_past_tense(story: Story, shown: Shown) -> None:
    earlier = over(story)
    view = replace(story.view(flapping(story), story.episode(id="plant#9", start=story.later)), earlier=earlier)
    params = {"episode": earlier.id, "error": None}
    message = Message(thread=view.thread.id, n=1, role=Role.BROADCAST, kind=MessageKind.RECOVERED, params=params)
    lines = shown(render(view, message, form="full", now=story.later, interactive=True))

    assert lines[0].startswith("⚪ Web Services was up again after ")
    assert lines[0].endswith(", and fell again")
    assert lines[1].startswith("plant/2: Downtime ")
