"""Roots of errors, sites, changes and gaps, and the replies that only they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Failure
from bot.core.diff import Change, ChangeKind, FieldChange
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind, MessageKind, Phase, ThreadKind, Why
from bot.slack.messages import Rendered, render

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

CLOSED = Phase.CLOSED
BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]
REFUSED = Failure(kind="credentials", message="ItemPath refused the token.", advice="Make a new one.")


def error_episode(story: Story, **fields: object) -> Episode:
    episode = story.episode(kind=EpisodeKind.ERROR, families=(story.family("boom", count=2, last_at=story.later),))
    return replace(episode, **fields)  # type: ignore[arg-type]


def test_an_error_root_says_what_how_often_and_that_the_connection_is_up(story: Story, shown: Shown) -> None:
    families = (story.family("boom"), story.family("bang", message=1))
    rendered = story.root(
        story.thread(ThreadKind.ERROR, mentions=("here",)), error_episode(story, row=None, families=families)
    )

    assert shown(rendered) == [
        "# 🟠 2 reports an error",
        "plant/2: Seen once, {2026-11-24 03:00:05}.",
        "The connection itself was last seen up. Nobody has acknowledged it yet. @here",
        "1 other error in the thread.",
        "Error:",
        "| boom",
        *BUTTONS,
    ]


@pytest.mark.parametrize(
    ("closing", "headline", "how"),
    [
        (
            Closing.RECOVERED,
            "# 🟢 Web Services no longer reports an error",
            "Its newest log has no error, since {2026-11-24 05:05:05}.",
        ),
        (
            Closing.NOW_DOWN,
            "# ⚪ Web Services reported an error and is now down",
            "It went down {2026-11-24 05:05:05}; that has a message of its own.",
        ),
        (
            Closing.NOT_WATCHED,
            "# ⚪ Web Services is no longer watched",
            "Nothing of it is read any more, since {2026-11-24 05:05:05}.",
        ),
    ],
)
def test_an_error_root_closes_in_its_own_words_and_is_never_red(
    story: Story, shown: Shown, closing: Closing, headline: str, how: str
) -> None:
    thread = story.thread(ThreadKind.ERROR, phase=CLOSED, mentions=("here",))
    lines = shown(story.root(thread, error_episode(story, end=story.later, end_why=Why.SEEN, closing=closing)))

    assert lines[:3] == [
        headline,
        "plant/2: Seen 2 times, first {2026-11-24 03:00:05} and last {2026-11-24 05:05:05}.",
        how,
    ]


def test_another_error_of_a_connection_that_is_up_is_a_reply(story: Story, shown: Shown) -> None:
    episode = error_episode(story, families=(story.family("boom"), story.family("bang", message=1)))
    rendered = story.reply(
        story.thread(ThreadKind.ERROR), episode, kind=MessageKind.ERROR, episode="plant#1", fingerprint="bang"
    )

    assert shown(rendered)[0] == "🟠 Web Services reports another error"

    # Edited, for its count, after all is over: it does not speak as if it were not.
    past = story.reply(
        story.thread(ThreadKind.ERROR, phase=CLOSED),
        replace(episode, end=story.later),
        kind=MessageKind.ERROR,
        episode="plant#1",
        fingerprint="bang",
    )
    assert shown(past)[0] == "🟠 Web Services reported another error"


def blindness(story: Story, **fields: object) -> Episode:
    episode = story.episode(connection=SITE, kind=EpisodeKind.BLIND, row=None, failure=REFUSED)
    return replace(episode, **fields)  # type: ignore[arg-type]


def test_a_site_out_of_reach_says_why_and_what_to_do_and_is_not_red(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.SITE, mentions=("channel",))

    assert shown(story.root(thread, blindness(story))) == [
        "# 🟣 ItemPath plant cannot be read",
        "Blind since {2026-11-24 03:00:05}: the state of its connections is unknown.",
        "ItemPath refused the token. Make a new one. Nobody has acknowledged it yet. @channel",
        *BUTTONS,
    ]
    assert shown(story.reply(thread, blindness(story), kind=MessageKind.REMINDER, number=2)) == [
        "🟣 ItemPath plant still cannot be read, for 2 h 5 min now",
        "Blind since {2026-11-24 03:00:05}. @channel",
        "ItemPath refused the token. Nobody has acknowledged it yet.",
    ]


def test_sight_regained_says_for_how_long_the_bot_was_blind(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.SITE, phase=CLOSED, mentions=("channel",))
    episode = blindness(story, end=story.later, end_why=Why.SEEN, closing=Closing.RECOVERED)

    assert shown(story.root(thread, episode)) == [
        "# 🟢 ItemPath plant can be read again after 2 h 5 min",
        "Blind for 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
        "The reason was: ItemPath refused the token.",
    ]
    reply = story.reply(thread, episode, kind=MessageKind.RECOVERED, episode="plant#1", error=None)
    assert shown(reply) == [
        "🟢 ItemPath plant can be read again; this bot was blind for 2 h 5 min",
        "Blind for 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
    ]


def test_a_blindness_without_a_known_reason_can_be_told_too(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.SITE)
    ended = blindness(story, failure=None, end=story.later)

    assert shown(story.root(thread, blindness(story, failure=None)))[2].startswith("Nobody")
    assert len(shown(story.reply(thread, blindness(story, failure=None), kind=MessageKind.REMINDER))) == 3
    assert len(shown(story.root(story.thread(ThreadKind.SITE, phase=CLOSED), ended))) == 2


UNKNOWN = "The state of those marked 🟣 is unknown meanwhile."
TOLD = {"Changes of their state are told again.", "Changes of its state are told again."}


def changes(story: Story, *listed: Change) -> Rendered:
    thread = story.thread(ThreadKind.CHANGES, phase=CLOSED, mentions=("here",))
    return story.root(thread, changes=[change.as_json() for change in listed])


def test_changes_are_told_each_in_a_line_without_a_mention(story: Story, shown: Shown) -> None:
    fields = (
        FieldChange(field="url", before="https://u:hunter2x@old", after=None),
        FieldChange(field="token_exists", before=False, after=True),
    )
    rendered = changes(
        story,
        Change(kind=ChangeKind.ADDED, connection="1", name="New"),
        Change(kind=ChangeKind.REMOVED, connection="2", name="Gone", detail="down"),
        Change(kind=ChangeKind.CHANGED, connection="3", name="Moved", fields=fields),
        Change(kind=ChangeKind.UNREADABLE, connection=None, name="2", detail="id is missing"),
        Change(kind=ChangeKind.STALE, connection="4", name="Old", detail=story.three.isoformat()),
        Change(kind=ChangeKind.READABLE, connection="5", name="Back"),
    )

    assert shown(rendered) == [
        "# 🔵 plant: 6 changes in what ItemPath tells",
        (
            "1 added, 1 removed, 1 changed, 1 not understood, 1 understood again, 1 not checked by ItemPath. "
            "The state of those marked 🟣 is unknown meanwhile."
        ),
        "* \N{HEAVY PLUS SIGN} added: New plant/1",
        "* \N{HEAVY MINUS SIGN} removed: Gone plant/2, it was down",
        "* 📝 changed: Moved plant/3: address from https://u:[masked]@old to none, token from none to stored",
        "* 🟣 not understood: 2 rows without an id: id is missing (nothing counts as removed meanwhile)",
        "* 🟣 not checked by ItemPath: Old plant/4, last {2026-11-24 03:00:05}",
        "* 🔵 understood again: Back plant/5",
    ]
    assert "here" not in rendered.text


@pytest.mark.parametrize(("number", "rows", "were"), [("1", "1 row", "was 1"), ("2", "2 rows", "were 2")])
def test_rows_without_an_id_are_counted_in_words(story: Story, shown: Shown, number: str, rows: str, were: str) -> None:
    came = changes(story, Change(kind=ChangeKind.UNREADABLE, connection=None, name=number, detail="no id"))
    assert shown(came) == [
        f"# 🔵 plant: {rows} cannot be understood",
        "The state of those marked 🟣 is unknown meanwhile.",
        f"* 🟣 not understood: {rows} without an id: no id (nothing counts as removed meanwhile)",
    ]
    went = changes(story, Change(kind=ChangeKind.READABLE, connection=None, name=number))
    assert shown(went) == [
        "# 🔵 plant: every row has an id again",
        "What ItemPath does not list any more counts as removed again.",
        f"* 🔵 no more rows without an id: there {were}",
    ]


@pytest.mark.parametrize(
    ("kind", "headline", "meaning"),
    [
        (ChangeKind.UNREADABLE, "2 connections cannot be understood", {UNKNOWN}),
        (ChangeKind.READABLE, "2 connections can be understood again", TOLD),
        (ChangeKind.STALE, "2 connections not checked by ItemPath for a long time", {UNKNOWN}),
        (ChangeKind.FRESH, "2 connections checked by ItemPath again", TOLD),
        (ChangeKind.ADDED, "2 changes in ItemPath", {"1 added.", "2 added."}),
    ],
)
def test_the_headline_of_one_kind_of_news_says_what_happened(
    story: Story, shown: Shown, kind: ChangeKind, headline: str, meaning: set[str]
) -> None:
    rendered = changes(story, *(Change(kind=kind, connection=str(n), name=f"C{n}") for n in (1, 2)))
    assert shown(rendered)[0] == f"# 🔵 plant: {headline}"
    one = shown(changes(story, Change(kind=kind, connection="1", name="C1")))[1]
    assert {shown(rendered)[1], one} == meaning


def test_rows_with_and_without_an_id_are_rows(story: Story, shown: Shown) -> None:
    kind = ChangeKind.UNREADABLE
    rendered = changes(
        story, Change(kind=kind, connection=None, name="2"), Change(kind=kind, connection="7", name="Dock")
    )
    assert shown(rendered)[0] == "# 🔵 plant: 3 rows cannot be understood"


def test_more_changes_than_fit_are_counted(story: Story, shown: Shown) -> None:
    many = [Change(kind=ChangeKind.ADDED, connection=str(n), name="A" * 80) for n in range(40)]
    long = tuple(FieldChange(field="url", before="b" * 900, after="a" * 900) for _ in range(7))
    wordy = [Change(kind=ChangeKind.CHANGED, connection=str(n), name="W", fields=long) for n in range(10)]

    assert shown(changes(story, *many))[-1] == "* and 25 more"
    assert shown(changes(story, *wordy))[-1] == "* and 8 more"


@pytest.mark.parametrize("broken", ["text", 7, ["text"]])
def test_a_list_of_changes_that_is_none_tells_none(story: Story, shown: Shown, broken: object) -> None:
    rendered = story.root(story.thread(ThreadKind.CHANGES), changes=broken)  # type: ignore[arg-type]

    assert shown(rendered)[0] == "# 🔵 plant: 0 changes in ItemPath"


def test_a_gap_in_watching_is_told_with_its_bounds(story: Story, shown: Shown) -> None:
    thread = story.thread(ThreadKind.AWAY, phase=CLOSED)
    bounds = {"from": (story.later - timedelta(minutes=35)).isoformat(), "to": story.later.isoformat()}

    assert shown(story.root(thread, **bounds)) == [
        "# 🔵 Nothing was watched for 35 min",
        "This bot was away from {2026-11-24 04:30:05} to {2026-11-24 05:05:05}.",
        "Changes that still hold are announced; whatever came and went in between was missed.",
    ]
    assert shown(story.root(thread, **bounds, reason="not_recorded")) == [
        "# 🔵 Nothing was recorded for 35 min",
        "This bot's database took no changes from {2026-11-24 04:30:05} to {2026-11-24 05:05:05}.",
        "Changes that still hold are announced; whatever came and went in between was missed.",
    ]


def test_without_anybody_to_hear_a_click_there_is_no_button(story: Story) -> None:
    view = story.view(story.thread(), story.episode())
    rendered = render(view, view.root, form="full", now=story.later, interactive=False)

    assert not any(block["type"] == "actions" for block in rendered.blocks)


@pytest.mark.parametrize("form", ["full", "simple", "plain"])
@pytest.mark.parametrize("kind", [ThreadKind.GROUP, ThreadKind.OUTAGE, ThreadKind.ERROR])
def test_what_a_message_replaces_stands_below_all_that_it_tells(
    story: Story, shown: Shown, kind: ThreadKind, form: str
) -> None:
    """Not between a list and its title, or an error and its title."""
    episode = error_episode(story) if kind is ThreadKind.ERROR else story.member(1, families=(story.family("boom"),))
    members = (story.member(2), episode) if kind is ThreadKind.GROUP else (episode,)
    view = story.view(story.thread(kind), *members)

    def lines(replaces: str | None) -> list[str]:
        rendered = render(view, view.root, form=form, now=story.later, interactive=False, replaces=replaces)
        assert rendered.text.endswith(", which can no longer be edited.") is (replaces is not None)
        return shown(rendered) if rendered.blocks else rendered.text.split("\n")

    before, after = lines(None), lines("")
    footnote = "This takes the place of an earlier message, which can no longer be edited."
    assert footnote in after[-1] if form == "simple" else footnote in after
    assert [line for line in after if line != footnote] == before or form == "simple"
    if form == "full":
        last = next(n for n, line in enumerate(after) if line == footnote)
        assert "boom" in after[last - 1]
