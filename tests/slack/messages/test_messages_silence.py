"""Mutes, maintenance and escalation: what roots show of them, what is said in the thread, and who is not called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Failure
from bot.core.incidents import (
    SITE,
    Episode,
    EpisodeKind,
    Json,
    MessageKind,
    Person,
    Phase,
    Silence,
    Thread,
    ThreadKind,
)
from bot.slack.messages import Rendered

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

DANA = Person(id="U0DANA", name="dana <!here>")
BY_DANA = {"id": "U0DANA", "name": "dana <!here>"}


def by_dana(story: Story, reason: str = "cabling") -> Silence:
    return Silence(until=story.later, reason=reason, by=DANA)


def episode_for(story: Story, kind: ThreadKind) -> Episode:
    if kind is ThreadKind.SITE:
        failure = Failure(kind="timeout", message="No answer.", advice="Look.")
        return story.episode(connection=SITE, kind=EpisodeKind.BLIND, row=None, failure=failure)
    if kind is ThreadKind.ERROR:
        return story.episode(kind=EpisodeKind.ERROR, families=(story.family(),))
    return story.episode()


@pytest.mark.parametrize("kind", [ThreadKind.OUTAGE, ThreadKind.ERROR, ThreadKind.SITE])
def test_a_silent_root_says_until_when_by_whom_and_why_and_calls_nobody(
    story: Story, shown: Shown, kind: ThreadKind
) -> None:
    thread = story.thread(kind, mentions=("here", "U0ANA"), silence=by_dana(story))
    rendered = story.root(thread, episode_for(story, kind))

    assert "🔇 Muted until {2026-11-24 05:05:05} by dana <!here>: cabling." in shown(rendered)
    assert shown(rendered)[-2:] == ["[Acknowledge acknowledge plant/2]", "[Details details plant/2]"]
    assert "🔇 Muted until 2026-11-24 05:05:05 UTC by dana &lt;!here&gt;: cabling." in story.read(rendered)
    assert "<!" not in story.read(rendered)
    assert "<@" not in rendered.text


def test_maintenance_is_told_as_such_and_a_reason_only_if_there_is_one(story: Story, shown: Shown) -> None:
    planned = Silence(until=story.later, reason="monthly update")
    for silence, words in (
        (planned, "🔇 Maintenance until {2026-11-24 05:05:05}: monthly update."),
        (replace(planned, reason=" "), "🔇 Maintenance until {2026-11-24 05:05:05}."),
        (by_dana(story, ""), "🔇 Muted until {2026-11-24 05:05:05} by dana <!here>."),
    ):
        assert words in shown(story.root(story.thread(silence=silence), story.episode()))


def test_what_is_acknowledged_and_silent_has_its_details_still(story: Story, shown: Shown) -> None:
    thread = story.thread(silence=by_dana(story), ack_by=DANA, ack_at=story.three)

    assert shown(story.root(thread, story.episode()))[-1] == "[Details details plant/2]"
    assert sum("[" in line for line in shown(story.root(thread, story.episode()))) == 1


def test_an_escalation_says_so_and_calls_whom_it_is_for(story: Story, shown: Shown) -> None:
    thread = story.thread(mentions=("here",), escalate_to=("S0BOSS",))
    rendered = story.reply(thread, story.episode(), kind=MessageKind.ESCALATED)

    assert shown(rendered) == [
        "🔴 Escalated: Web Services is still down, for 2 h 5 min now",
        "plant/2: down since {2026-11-24 03:00:05}. @S0BOSS",
        "3 integrations stop. Nobody has acknowledged it yet.",
    ]
    assert rendered.text.endswith(" <!subteam^S0BOSS>")
    assert "<!here>" not in rendered.text


def test_an_escalation_that_calls_nobody_by_name_says_that_nobody_has_it(story: Story, shown: Shown) -> None:
    rendered = story.reply(story.thread(mentions=("here",)), story.episode(), kind=MessageKind.ESCALATED)
    assert shown(rendered)[0] == "🔴 Not acknowledged by anybody: Web Services is still down, for 2 h 5 min now"
    assert "<!here>" not in rendered.text
    late = story.thread(ack_by=DANA, ack_at=story.three)
    assert shown(story.reply(late, story.episode(), kind=MessageKind.ESCALATED))[0].startswith("🔴 Escalated: ")


@pytest.mark.parametrize("kind", [MessageKind.REMINDER, MessageKind.ESCALATED])
def test_what_somebody_has_or_silences_before_it_is_sent_calls_nobody(story: Story, kind: MessageKind) -> None:
    for fields in ({"ack_by": DANA, "ack_at": story.three}, {"silence": by_dana(story)}):
        thread = story.thread(mentions=("here",), escalate_to=("here",), **fields)

        assert "<!here>" not in story.reply(thread, story.episode(), kind=kind).text


def test_a_silent_group_says_so_in_every_phase_calls_nobody_and_cannot_be_muted(story: Story, shown: Shown) -> None:
    members = [story.member(n) for n in (1, 2)]
    for phase in (Phase.OPEN, Phase.FLAPPING):
        thread = story.thread(
            ThreadKind.GROUP, watched=60, mentions=("here", "U0ANA"), phase=phase, silence=by_dana(story)
        )
        rendered = story.root(thread, *members)
        lines = shown(rendered)

        assert lines[2:4] == [
            "Nobody has acknowledged it yet.",
            "🔇 Muted until {2026-11-24 05:05:05} by dana <!here>: cabling.",
        ]
        assert lines[-2:] == ["[Acknowledge acknowledge plant/2]", "[Details details plant/2]"]
        assert not any("@here" in line or "@U0ANA" in line for line in lines)
        assert "<!" not in story.read(rendered)
        assert "<@" not in rendered.text
        heard = story.root(replace(thread, silence=None), *members)
        assert "[Mute 1 h mute plant/2]" in shown(heard)
        assert heard.text.endswith(" <!here> <@U0ANA>")


def test_a_silent_baseline_says_so_and_cannot_be_muted(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.BASELINE, mentions=("here",), silence=by_dana(story))
    rendered = story.root(thread, story.member(1), watched=12, unreadable=0)

    assert shown(rendered) == [
        "# 🔴 Watching 12 connections of ItemPath plant, 1 already down",
        "Nobody has acknowledged it yet.",
        "🔇 Muted until {2026-11-24 05:05:05} by dana <!here>: cabling.",
        "* 🔴 down: C1 plant/1",
        (
            "From now on a message says when one goes down, is up again or logs a new error. "
            "Type /connection help to see what you can ask."
        ),
        "[Acknowledge acknowledge plant/2]",
        "[Details details plant/2]",
    ]
    assert "<!here>" not in rendered.text


@pytest.mark.parametrize("kind", [MessageKind.REMINDER, MessageKind.ESCALATED])
@pytest.mark.parametrize("of", [ThreadKind.GROUP, ThreadKind.BASELINE])
def test_what_is_said_below_a_silent_root_of_many_calls_nobody(story: Story, kind: MessageKind, of: ThreadKind) -> None:
    thread = story.thread(of, mentions=("here",), escalate_to=("here",))
    members = [story.member(n) for n in (1, 2)]

    assert "<!here>" in story.reply(thread, *members, kind=kind).text
    assert "<!here>" not in story.reply(replace(thread, silence=by_dana(story)), *members, kind=kind).text


def muted(story: Story, thread: Thread, *episodes: Episode, **params: Json) -> Rendered:
    said: dict[str, Json] = {"by": BY_DANA, "until": story.later.isoformat(), "reason": "cabling", "site": None}
    return story.reply(thread, *episodes, kind=MessageKind.MUTED, form="full", **{**said, "connections": [], **params})


def unmuted(story: Story, thread: Thread, *episodes: Episode, **params: Json) -> Rendered:
    said: dict[str, Json] = {"by": BY_DANA, "site": None, "connections": []}
    return story.reply(thread, *episodes, kind=MessageKind.UNMUTED, form="full", **{**said, **params})


@pytest.mark.parametrize(
    ("meant", "about"),
    [
        ({"site": "berlin"}, "all of berlin"),
        ({"connections": ["PowerPick"]}, "PowerPick"),
        ({"connections": ["PowerPick", "SAP"]}, "PowerPick and SAP"),
        ({"connections": ["PowerPick", "SAP", "<!here>"]}, "PowerPick, SAP and <!here>"),
        ({"connections": [f"C{n}" for n in range(8)]}, "C0, C1, C2, C3, C4, C5, C6 and C7"),
        ({"connections": [f"C{n}" for n in range(9)]}, "C0, C1, C2, C3, C4, C5, C6, C7 and 1 more"),
        ({"connections": [f"C{n}" for n in range(2008)]}, "C0, C1, C2, C3, C4, C5, C6, C7 and 2,000 more"),
    ],
)
@pytest.mark.parametrize(
    "kind", [ThreadKind.OUTAGE, ThreadKind.ERROR, ThreadKind.GROUP, ThreadKind.BASELINE, ThreadKind.SITE]
)
def test_a_mute_and_its_end_name_what_is_meant_in_every_thread(
    story: Story, shown: Shown, kind: ThreadKind, meant: dict[str, Json], about: str
) -> None:
    thread, episode = story.thread(kind, mentions=("here",)), episode_for(story, kind)
    begun, lifted = muted(story, thread, episode, **meant), unmuted(story, thread, episode, **meant)

    assert shown(begun) == [
        f"🔇 dana <!here> has muted {about}",
        "No new alerts or reminders until {2026-11-24 05:05:05}. Existing messages are still updated.",
        "Reason: cabling",
    ]
    assert shown(lifted)[0] == f"🔔 dana <!here> has unmuted {about}"
    assert "<!here>" not in begun.text + lifted.text


def test_a_mute_without_a_reason_gives_none(story: Story, shown: Shown) -> None:
    rendered = muted(story, story.thread(), story.episode(), by=None, reason=" ", connections=["Web Services"])

    assert shown(rendered)[0] == "🔇 (blank) has muted Web Services"
    assert len(shown(rendered)) == 2


def test_a_lifted_mute_promises_no_more_than_is_known(story: Story, shown: Shown) -> None:
    """Of one connection the thread knows what else silences it; of one among many, or of a whole site, it does not."""
    alone, both = [story.member(1)], [story.member(1), story.member(2)]
    group = story.thread(ThreadKind.GROUP, watched=60)
    perhaps = "New problems are announced again, unless something else silences them."

    assert shown(unmuted(story, story.thread(), *alone, connections=["C1"]))[1] == "New problems are announced again."
    assert shown(unmuted(story, story.thread(), *alone, site="plant"))[1] == perhaps
    assert shown(unmuted(story, group, *both, connections=["C1"]))[1] == perhaps


@pytest.mark.parametrize("kind", [ThreadKind.OUTAGE, ThreadKind.GROUP])
def test_what_stays_silent_though_it_was_unmuted_says_why(story: Story, shown: Shown, kind: ThreadKind) -> None:
    thread = story.thread(kind, silence=Silence(until=story.later, reason="monthly update"))
    rendered = unmuted(story, thread, story.episode(), connections=["Web Services"])

    assert shown(rendered)[1] == "🔇 Maintenance until {2026-11-24 05:05:05}: monthly update."
