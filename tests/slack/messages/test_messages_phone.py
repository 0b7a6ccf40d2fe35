"""What a phone shows: the first hundred characters of `text` say what, where, since when and how bad."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Failure
from bot.core.diff import Change, ChangeKind
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind, Family, MessageKind, Phase, ThreadKind
from bot.slack.messages import Rendered

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

SHOWN = 100
BY_DANA = {"id": "U0DANA", "name": "dana"}
THREE = "today at 3:00:05 AM"


def seen(rendered: Rendered) -> str:
    """As a reader in UTC sees it on that day."""
    times = {"1795489205": THREE, "1795496705": "today at 5:05:05 AM"}
    return re.sub(r"<!date\^(\d+)\^[^>]*>", lambda token: times[token[1]], rendered.text)[:SHOWN]


def blind(story: Story, site: str = "plant") -> Episode:
    failure = Failure(kind="timeout", message="No answer within 10 s.", advice="Look at the network.")
    return story.episode(id=f"{site}#1", site=site, connection=SITE, kind=EpisodeKind.BLIND, row=None, failure=failure)


def failing(story: Story, **fields: object) -> Episode:
    return story.episode(kind=EpisodeKind.ERROR, families=(family(story),), **fields)


def family(story: Story) -> Family:
    return story.family("Order 4711 rejected")


def many(story: Story) -> list[Episode]:
    return [story.member(n) for n in range(1, 9)]


def test_a_root_says_what_where_since_when_and_how_bad(story: Story) -> None:
    group = story.thread(ThreadKind.GROUP, watched=60)
    flapping = story.thread(phase=Phase.FLAPPING, changes=5, settle_at=story.later)
    beginning = story.thread(ThreadKind.BASELINE)
    several = story.thread(ThreadKind.SITE, watched=3)
    shown = [
        seen(story.root(story.thread(), story.episode())),
        seen(story.root(flapping, story.episode())),
        seen(story.root(group, *many(story))),
        seen(story.root(beginning, story.member(1), story.member(2), watched=12, unreadable=0)),
        seen(story.root(story.thread(ThreadKind.ERROR), failing(story))),
        seen(story.root(story.thread(ThreadKind.SITE), blind(story))),
        seen(story.root(several, blind(story, "plant"), blind(story, "quay"))),
    ]

    assert shown == [
        f"🔴 Web Services is down. plant/2: down since {THREE}. 3 integrations stop. Nobody has ack",
        f"🔴 Web Services is flapping: 5 changes so far, now down. plant/2: down since {THREE}. 3 i",
        f"🔴 8 of 60 connections of plant are down. All fell {THREE}. 36 integrations stop. Nobody ",
        "🔴 Watching 12 connections of ItemPath plant, 2 already down. 🔴 down: C1 plant/1; 🔴 down: C2 plant/2.",
        f"🟠 Web Services reports an error. plant/2: Seen once, {THREE}. Error: Order 4711 rejected",
        f"🟣 ItemPath plant cannot be read. Blind since {THREE}: the state of its connections is un",
        "🟣 2 of 3 sites cannot be read: perhaps this bot's own network. No sight of plant and quay since toda",
    ]


def test_its_recovered_form_says_how_long_it_was(story: Story) -> None:
    over = story.over(story.episode())
    assert seen(story.root(story.thread(phase=Phase.CLOSED), over)).startswith(
        f"🟢 Web Services is up again after 2 h 5 min. plant/2: Downtime 2 h 5 min, from {THREE}"
    )
    gone = story.over(story.episode(), Closing.NOT_WATCHED)
    assert seen(story.root(story.thread(phase=Phase.CLOSED), gone)).startswith("⚪ Web Services is no longer watched. ")


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        (MessageKind.REMINDER, {"number": 1}, f"🔴 Web Services is still down, for 2 h 5 min now. plant/2: down since {THREE}"),
        (MessageKind.ESCALATED, {}, "🔴 Not acknowledged by anybody: Web Services is still down, for 2 h 5 min now. plant/2:"),
        (MessageKind.SETTLED, {"down": 1, "changes": 4}, "🔴 Flapping ended 2 h 5 min ago: Web Services is down. plant/2: down"),
        (MessageKind.ACKNOWLEDGED, {"by": BY_DANA, "at": "2026-11-24T05:05:05+00:00"}, "👀 dana has acknowledged Web Services."),
    ],
)  # fmt: skip
def test_a_reply_says_what_it_is_about(story: Story, kind: MessageKind, params: dict[str, object], words: str) -> None:
    assert seen(story.reply(story.thread(), story.episode(), kind=kind, **params)).startswith(words)  # type: ignore[arg-type]


def test_so_does_a_reply_in_a_thread_about_many(story: Story) -> None:
    group = story.thread(ThreadKind.GROUP, watched=60)
    up = [story.over(episode) for episode in many(story)]
    shown = [
        seen(story.reply(group, *many(story), kind=MessageKind.GROWN, down=8, was=4)),
        seen(story.reply(group, *many(story), kind=MessageKind.REOPENED, down=8)),
        seen(story.reply(group, *many(story), kind=MessageKind.REMINDER, number=1)),
        seen(story.reply(group, *up, kind=MessageKind.OVER, members=8)),
    ]

    assert shown == [
        f"🔴 Now 8 of 60 connections of plant are down, 4 when last told. All fell {THREE}. 36 inte",
        f"🔴 It begins again: 8 of 60 connections of plant are down. All fell {THREE}. 36 integrati",
        f"🔴 8 of 60 connections of plant are still down, the first for 2 h 5 min now. All fell {THREE[:-4]}",
        "🟢 All 8 connections of plant that were down are up again. Something was down for 2 h 5 min, from tod",
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ThreadKind.ERROR, "the error of Web Services"),
        (ThreadKind.GROUP, "the outage of 2 connections of plant"),
        (ThreadKind.BASELINE, "what was down in plant when watching began"),
        (ThreadKind.SITE, "that plant and quay could not be read"),
        (ThreadKind.AWAY, "this"),
    ],
)
def test_an_acknowledgement_says_of_what(story: Story, kind: ThreadKind, words: str) -> None:
    episodes = {
        ThreadKind.ERROR: [failing(story)],
        ThreadKind.SITE: [blind(story, "plant"), blind(story, "quay")],
        ThreadKind.AWAY: [],
    }.get(kind, [story.member(1), story.member(2)])
    at = story.later.isoformat()
    rendered = story.reply(story.thread(kind), *episodes, kind=MessageKind.ACKNOWLEDGED, by=BY_DANA, at=at)

    assert seen(rendered).startswith(f"👀 dana has acknowledged {words}. ")


def test_a_notice_says_of_which_site_and_what(story: Story) -> None:
    change = Change(kind=ChangeKind.ADDED, connection="7", name="Crane").as_json()
    away = {"from": story.three.isoformat(), "to": story.later.isoformat()}

    assert seen(story.root(story.thread(ThreadKind.CHANGES), changes=[change])) == (
        "🔵 plant: 1 change in ItemPath. 1 added. \N{HEAVY PLUS SIGN} added: Crane plant/7."
    )
    assert seen(story.root(story.thread(ThreadKind.AWAY), **away)).startswith(
        f"🔵 Nothing was watched for 2 h 5 min. This bot was away from {THREE}"
    )
