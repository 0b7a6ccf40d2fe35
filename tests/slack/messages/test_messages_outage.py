"""The root and the replies of one connection's outage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Log
from bot.core.incidents import Closing, MessageKind, Person, Phase, Why
from bot.slack.messages import Rendered

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]
FACTS = [
    "*Type* `REST`",
    "*Address* `https://api.example.com`",
    "*Last connection (ItemPath)* <!date^1795402805^{date_short_pretty} at {time_secs}|2026-11-23 03:00:05 UTC>",
    "*Last check (ItemPath)* <!date^1795489205^{date_short_pretty} at {time_secs}|2026-11-24 03:00:05 UTC>",
]


def test_a_fall_tells_in_two_lines_what_where_since_when_how_bad_and_who_has_it(story: Story, shown: Shown) -> None:
    episode = story.episode(families=(story.family("HTTP 503\n  upstream"),))
    rendered = story.root(story.thread(mentions=("here",)), episode)

    assert shown(rendered) == [
        "# 🔴 Web Services is down",
        "plant/2: down since {2026-11-24 03:00:05}.",
        "3 integrations stop. Nobody has acknowledged it yet. @here",
        "Error:",
        "| HTTP 503",
        "|   upstream",
        *FACTS,
        *BUTTONS,
    ]
    assert story.read(rendered) == (
        "🔴 Web Services is down. plant/2: down since 2026-11-24 03:00:05 UTC. 3 integrations stop. "
        "Nobody has acknowledged it yet. Error: HTTP 503 upstream <!here>"
    )


def test_the_simple_form_is_one_section_and_the_plain_form_none(story: Story, shown: Shown) -> None:
    """Both say the same as the full form's sentences, as mrkdwn; the notification is the same in each."""
    episode = story.episode(families=(story.family("a `b` <!channel>"),))
    thread = story.thread(mentions=("S0ONCALL",))
    simple, plain = (story.root(thread, episode, form=form) for form in ("simple", "plain"))

    lines = [
        "🔴 `Web Services` is down.",
        "`plant/2`: down since <!date^1795489205^{date_short_pretty} at {time_secs}|2026-11-24 03:00:05 UTC>.",
        "3 integrations stop. Nobody has acknowledged it yet.",
        "Error: `a 'b' &lt;!channel&gt;` <!subteam^S0ONCALL>",
    ]
    assert [block["type"] for block in simple.blocks] == ["section"]
    assert shown(simple) == lines
    assert simple.text == story.root(thread, episode).text
    assert plain == Rendered(text="\n".join(lines))
    assert plain.arguments() == {"text": plain.text, "blocks": []}


def test_an_acknowledged_root_says_by_whom_and_calls_nobody_any_more(story: Story, shown: Shown) -> None:
    thread = story.thread(mentions=("here",), ack_by=Person(id="U1", name="<@U1>"), ack_at=story.later)
    rendered = story.root(thread, story.episode())

    assert "3 integrations stop. Acknowledged by <@U1>, {2026-11-24 05:05:05}." in shown(rendered)
    assert {"type": "text", "text": "<@U1>", "style": {"bold": True}} in rendered.blocks[1]["elements"][0]["elements"]
    assert shown(rendered)[-2:] == BUTTONS[1:]
    assert "Acknowledged by &lt;@U1&gt;, 2026-11-24 05:05:05 UTC." in story.read(rendered)
    assert "<!here>" not in rendered.text


@pytest.mark.parametrize(
    ("why", "known_before", "words"),
    [
        (Why.BASELINE, None, "already down when watching began, {2026-11-24 03:00:05}"),
        (Why.ADDED, None, "already down when it was added, {2026-11-24 03:00:05}"),
        (Why.FIRST_KNOWN, None, "down when ItemPath first reported its state, {2026-11-24 03:00:05}"),
        (
            Why.WHILE_BLIND,
            timedelta(hours=1),
            "went down between {2026-11-24 02:00:05} and {2026-11-24 03:00:05}, while the site could not be read",
        ),
        (Why.WHILE_AWAY, None, "went down before {2026-11-24 03:00:05}, while this bot was away"),
        (
            Why.WHILE_UNRECORDED,
            timedelta(hours=1),
            "went down between {2026-11-24 02:00:05} and {2026-11-24 03:00:05}, while this bot could record nothing",
        ),
    ],
)
def test_how_the_bot_came_to_know_of_a_fall_is_said(
    story: Story, shown: Shown, why: Why, known_before: timedelta | None, words: str
) -> None:
    not_before = None if known_before is None else story.three - known_before
    episode = story.episode(why=why, not_before=not_before)

    assert shown(story.root(story.thread(), episode))[1] == f"plant/2: {words}."


def test_the_error_shown_is_the_one_that_came_with_the_fall(story: Story, shown: Shown) -> None:
    """Others that came with it are listed; those told in the thread are not; repeats are counted."""
    episode = story.episode(
        families=(
            story.family("first"),
            story.family("second", last_at=story.later, count=4),
            story.family("in the thread", message=1),
        ),
        row=replace(story.row, latest_log=Log(id="11", error="in the thread")),
    )

    assert shown(story.root(story.thread(), episode))[3:7] == [
        "1 other error came with it.",
        "Error, seen 4 times:",
        "| second",
        "* 1 time: first",
    ]


def test_without_a_new_error_the_latest_log_s_error_is_shown(story: Story, shown: Shown) -> None:
    row = replace(story.row, latest_log=Log(id="9", at=story.three, error="seen before"))

    assert "| seen before" in shown(story.root(story.thread(), story.episode(row=row)))
    clean = replace(row, latest_log=Log(id="9", error=" "))
    assert "Error:" not in shown(story.root(story.thread(), story.episode(row=clean)))


def test_a_connection_of_which_only_the_id_is_known_is_called_by_it(story: Story, shown: Shown) -> None:
    assert shown(story.root(story.thread(), story.episode(row=None))) == [
        "# 🔴 2 is down",
        "plant/2: down since {2026-11-24 03:00:05}.",
        "Nobody has acknowledged it yet.",
        *BUTTONS,
    ]


@pytest.mark.parametrize(
    ("integrations", "words"),
    [(0, "No integration uses it."), (1, "1 integration stops."), (1200, "1,200 integrations stop.")],
)
def test_the_impact_is_said_in_words(story: Story, shown: Shown, integrations: int, words: str) -> None:
    row = replace(story.row, integration_count=integrations)

    assert shown(story.root(story.thread(), story.episode(row=row)))[2].startswith(words)


def test_the_recovered_root_tells_the_downtime_the_errors_and_who_had_it(story: Story, shown: Shown) -> None:
    thread = story.thread(
        phase=Phase.CLOSED,
        closed=story.later,
        mentions=("here",),
        ack_by=Person(id="U1", name="Ana"),
        ack_at=story.three,
    )
    families = [story.family(f"error {n}", count=n) for n in range(1, 8)]
    episode = story.episode(end=story.later, end_why=Why.SEEN, closing=Closing.RECOVERED, families=tuple(families))
    rendered = story.root(thread, episode)

    assert shown(rendered) == [
        "# 🟢 Web Services is up again after 2 h 5 min",
        "plant/2: Downtime 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
        "Acknowledged by Ana, {2026-11-24 03:00:05}.",
        "Errors meanwhile:",
        "* 1 time: error 1",
        *(f"* {n} times: error {n}" for n in range(2, 6)),
        "* and 2 other errors",
    ]
    assert "<!here>" not in rendered.text


@pytest.mark.parametrize(
    ("why", "end_why", "words"),
    [
        (Why.SEEN, Why.WHILE_BLIND, "at most 2 h 5 min"),
        (Why.BASELINE, Why.SEEN, "at least 2 h 5 min"),
        (Why.WHILE_AWAY, Why.WHILE_AWAY, "about 2 h 5 min"),
    ],
)
def test_a_downtime_that_is_not_known_exactly_says_which_way(
    story: Story, shown: Shown, why: Why, end_why: Why, words: str
) -> None:
    episode = story.episode(
        why=why, not_before=story.three, end=story.later, end_why=end_why, end_not_before=story.three
    )

    assert shown(story.root(story.thread(phase=Phase.CLOSED), episode))[0].endswith(f"is up again after {words}")


@pytest.mark.parametrize(
    ("why", "end_why", "words"),
    [
        (Why.BASELINE, Why.SEEN, "at least 0 s"),
        (Why.WHILE_AWAY, Why.WHILE_AWAY, "about 0 s"),
        (Why.SEEN, Why.WHILE_BLIND, "at most 1 s"),
        (Why.SEEN, Why.SEEN, "less than 1 s"),
    ],
)
def test_a_downtime_below_a_second_that_is_not_known_exactly_has_one_bound_only(
    story: Story, shown: Shown, why: Why, end_why: Why, words: str
) -> None:
    episode = story.episode(why=why, not_before=story.three, end_why=end_why, end_not_before=story.three)
    episode = replace(episode, end=episode.start + timedelta(milliseconds=500))

    assert shown(story.root(story.thread(phase=Phase.CLOSED), episode))[0].endswith(f"is up again after {words}")


def test_both_ends_that_nobody_saw_are_told_with_their_bounds(story: Story, shown: Shown) -> None:
    episode = story.episode(
        why=Why.WHILE_AWAY,
        not_before=story.three - timedelta(hours=1),
        end=story.later,
        end_why=Why.WHILE_BLIND,
        end_not_before=story.later - timedelta(minutes=5),
    )

    assert shown(story.root(story.thread(phase=Phase.CLOSED), episode))[1] == (
        "plant/2: Downtime about 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}. "
        "It went down between {2026-11-24 02:00:05} and {2026-11-24 03:00:05}, while this bot was away. "
        "It ended between {2026-11-24 05:00:05} and {2026-11-24 05:05:05}, while the site could not be read."
    )


def test_a_baseline_s_member_says_that_it_was_down_already(story: Story, shown: Shown) -> None:
    episode = story.episode(why=Why.BASELINE, end=story.later, end_why=Why.SEEN, closing=Closing.RECOVERED)
    rendered = story.reply(story.thread(), episode, kind=MessageKind.RECOVERED, episode="plant#1", error=None)

    assert shown(rendered)[1].endswith("It was already down when watching began, {2026-11-24 03:00:05}.")


def test_a_connection_taken_out_while_down_closes_as_no_longer_watched(story: Story, shown: Shown) -> None:
    """It is no recovery: not green, and no word of being up."""
    thread = story.thread(phase=Phase.CLOSED)
    episode = story.episode(end=story.later, end_why=Why.SEEN, closing=Closing.NOT_WATCHED)
    reply = story.reply(thread, episode, kind=MessageKind.RECOVERED, episode="plant#1", error=None)

    assert shown(story.root(thread, episode))[0] == "# ⚪ Web Services is no longer watched"
    assert shown(reply)[0] == "⚪ Web Services is no longer watched"


def test_the_recovery_is_one_simple_block_without_a_mention(story: Story, shown: Shown) -> None:
    thread = story.thread(phase=Phase.CLOSED, mentions=("channel",))
    episode = story.episode(end=story.later, end_why=Why.SEEN, closing=Closing.RECOVERED)
    rendered = story.reply(thread, episode, kind=MessageKind.RECOVERED, episode="plant#1", error="slow start")

    assert [block["type"] for block in rendered.blocks] == ["rich_text"]
    assert shown(rendered) == [
        "🟢 Web Services is up again after 2 h 5 min",
        "plant/2: Downtime 2 h 5 min, from {2026-11-24 03:00:05} to {2026-11-24 05:05:05}.",
        "Its log says:",
        "| slow start",
    ]
    assert "channel" not in rendered.text


def test_another_error_of_a_connection_that_is_down_is_a_reply_with_a_count(story: Story, shown: Shown) -> None:
    family = story.family("disk full", count=3, last_at=story.later, message=1)
    episode = story.episode(families=(story.family(), family))
    rendered = story.reply(
        story.thread(mentions=("here",)), episode, kind=MessageKind.ERROR, episode="plant#1", fingerprint="disk full"
    )

    assert shown(rendered) == [
        "🟠 Web Services reports an error while down",
        "plant/2: Seen 3 times, first {2026-11-24 03:00:05} and last {2026-11-24 05:05:05}.",
        "Error:",
        "| disk full",
    ]
    assert "here" not in rendered.text


def test_a_reminder_says_since_when_and_calls(story: Story, shown: Shown) -> None:
    episode = story.episode(families=(story.family(),))
    rendered = story.reply(story.thread(mentions=("U0ANA",)), episode, kind=MessageKind.REMINDER, number=1)

    assert shown(rendered) == [
        "🔴 Web Services is still down, for 2 h 5 min now",
        "plant/2: down since {2026-11-24 03:00:05}. @U0ANA",
        "3 integrations stop. Nobody has acknowledged it yet.",
        "Error:",
        "| HTTP 503",
    ]
    assert rendered.text.endswith("Error: HTTP 503 <@U0ANA>")


def test_a_reminder_sent_too_late_calls_nobody(story: Story, shown: Shown) -> None:
    episode = story.episode(end=story.later, end_why=Why.SEEN, closing=Closing.RECOVERED)
    thread = story.thread(phase=Phase.CLOSED, mentions=("here",))
    rendered = story.reply(thread, episode, kind=MessageKind.REMINDER, number=1)

    assert shown(rendered) == ["🟢 plant: what this thread was about is over"]


def test_an_acknowledgement_is_said_in_the_thread(story: Story, shown: Shown) -> None:
    rendered = story.reply(
        story.thread(mentions=("here",)),
        story.episode(),
        kind=MessageKind.ACKNOWLEDGED,
        by={"id": "U1", "name": "Ana <!here>"},
        at=story.later.isoformat(),
    )

    assert shown(rendered) == [
        "👀 Ana <!here> has acknowledged Web Services",
        "Since {2026-11-24 05:05:05}. No more reminders until it is over.",
    ]
    assert rendered.text.startswith("👀 Ana &lt;!here&gt; has acknowledged Web Services.")


def test_a_reply_about_what_the_view_does_not_have_is_an_error(story: Story) -> None:
    with pytest.raises(LookupError, match="plant/2 has no episode 'plant#9'"):
        story.reply(story.thread(), story.episode(), kind=MessageKind.RECOVERED, episode="plant#9", error=None)
    with pytest.raises(LookupError, match="plant#1 has no such error family"):
        story.reply(
            story.thread(), story.episode(), kind=MessageKind.ERROR, episode="plant#1", fingerprint="unheard of"
        )
