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
    MessageKind,
    Person,
    Silence,
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
    assert "🔇 Muted until 2026-11-24 05:05:05 UTC by dana &lt;!here&gt;: cabling." in rendered.text
    assert "<!" not in rendered.text
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


@pytest.mark.parametrize("kind", [MessageKind.REMINDER, MessageKind.ESCALATED])
def test_what_somebody_has_or_silences_before_it_is_sent_calls_nobody(story: Story, kind: MessageKind) -> None:
    for fields in ({"ack_by": DANA, "ack_at": story.three}, {"silence": by_dana(story)}):
        thread = story.thread(mentions=("here",), escalate_to=("here",), **fields)

        assert "<!here>" not in story.reply(thread, story.episode(), kind=kind).text


@pytest.mark.parametrize(
    ("kind", "whole_site", "about"),
    [
        (ThreadKind.OUTAGE, False, "Web Services"),
        (ThreadKind.OUTAGE, True, "all of plant"),
        (ThreadKind.ERROR, False, "Web Services"),
        (ThreadKind.SITE, True, "all of plant"),
        (ThreadKind.GROUP, False, "connections of this thread"),
        (ThreadKind.GROUP, True, "all of plant"),
        (ThreadKind.BASELINE, False, "connections of this thread"),
    ],
)
def test_a_mute_and_its_end_are_said_in_the_thread(
    story: Story, shown: Shown, kind: ThreadKind, whole_site: bool, about: str
) -> None:
    thread, episode = story.thread(kind, mentions=("here",)), episode_for(story, kind)
    muted = story.reply(
        thread,
        episode,
        kind=MessageKind.MUTED,
        by=BY_DANA,
        until=story.later.isoformat(),
        reason="cabling",
        site=whole_site,
    )
    unmuted = story.reply(thread, episode, kind=MessageKind.UNMUTED, by=BY_DANA, site=whole_site)

    assert shown(muted) == [
        f"🔇 dana <!here> has muted {about}",
        "No new alert and no reminder until {2026-11-24 05:05:05}. What is told already is kept up to date.",
        "Reason: cabling",
    ]
    assert shown(unmuted) == [f"🔔 dana <!here> has unmuted {about}", "What is new is told again."]
    assert "<!here>" not in muted.text + unmuted.text


def test_a_mute_without_a_reason_gives_none(story: Story, shown: Shown) -> None:
    rendered = story.reply(
        story.thread(),
        story.episode(),
        kind=MessageKind.MUTED,
        by=None,
        until=story.later.isoformat(),
        reason=" ",
        site=False,
    )

    assert shown(rendered)[0] == "🔇 (blank) has muted Web Services"
    assert len(shown(rendered)) == 2


def test_of_several_sites_of_a_thread_it_is_not_said_which(story: Story, shown: Shown) -> None:
    blind = episode_for(story, ThreadKind.SITE)
    rendered = story.reply(
        story.thread(ThreadKind.SITE),
        blind,
        replace(blind, id="quay#1", site="quay"),
        kind=MessageKind.UNMUTED,
        by=BY_DANA,
        site=True,
    )

    assert shown(rendered)[0] == "🔔 dana <!here> has unmuted a site of this thread"


def test_what_stays_silent_though_it_was_unmuted_says_why(story: Story, shown: Shown) -> None:
    thread = story.thread(silence=Silence(until=story.later, reason="monthly update"))
    rendered = story.reply(thread, story.episode(), kind=MessageKind.UNMUTED, by=BY_DANA, site=False)

    assert shown(rendered)[1] == "🔇 Maintenance until {2026-11-24 05:05:05}: monthly update."
