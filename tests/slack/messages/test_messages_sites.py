"""Several sites of one channel that cannot be read at once: one root for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.connection import Failure
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind, MessageKind, Person, Phase, Thread, ThreadKind, Why
from bot.slack.messages import Rendered

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

Shown = Callable[[Rendered], list[str]]

BUTTONS = ["[Acknowledge acknowledge plant/2]", "[Mute 1 h mute plant/2]", "[Details details plant/2]"]
REASON = "No answer within 10 s. Look at the network."
SPAN = (
    "From {2026-11-24 03:00:05} to {2026-11-24 05:05:05} not all of them could be read, perhaps this bot's own network."
)


def blind(story: Story, site: str, **fields: object) -> Episode:
    failure = Failure(kind="timeout", message="No answer within 10 s.", advice="Look at the network.")
    return story.episode(
        **{
            "id": f"{site}#1",
            "site": site,
            "connection": SITE,
            "kind": EpisodeKind.BLIND,
            "row": None,
            "failure": failure,
            **fields,
        }
    )


def sites(story: Story, **fields: object) -> Thread:
    return story.thread(ThreadKind.SITE, **{"watched": 3, "mentions": ("here",), **fields})


def test_several_sites_suggest_the_bot_s_own_network_and_give_each_reason(story: Story, shown: Shown) -> None:
    unknown = blind(story, "quay", start=story.three + timedelta(seconds=30), failure=None)
    rendered = story.root(sites(story), blind(story, "plant"), unknown)

    assert shown(rendered) == [
        "# 🟣 2 of 3 sites cannot be read: perhaps this bot's own network",
        "No sight of plant and quay since {2026-11-24 03:00:05}: the state of their connections is unknown.",
        "Nobody has acknowledged it yet. @here",
        f"* 🟣 plant cannot be read since {{2026-11-24 03:00:05}}: {REASON}",
        "* 🟣 quay cannot be read since {2026-11-24 03:00:35}",
        *BUTTONS,
    ]
    one = story.root(sites(story), blind(story, "plant"), blind(story, "quay"))
    assert one.text.endswith(f"{REASON} <!here>")
    assert f"{REASON} 🟣 quay cannot be read" in one.text


def test_the_last_one_is_named_and_the_network_is_hardly_the_cause(story: Story, shown: Shown) -> None:
    back = story.over(blind(story, "plant"))

    assert shown(story.root(sites(story), back, blind(story, "quay")))[:5] == [
        "# 🟣 ItemPath quay cannot be read, 1 of 3 sites",
        "Blind since {2026-11-24 03:00:05}: the state of its connections is unknown.",
        "Nobody has acknowledged it yet. @here",
        f"* 🟣 quay cannot be read since {{2026-11-24 03:00:05}}: {REASON}",
        "* 🟢 plant can be read again after 2 h 5 min",
    ]


def test_when_all_are_back_it_is_said_for_how_long_the_bot_was_blind(story: Story, shown: Shown) -> None:
    first = story.over(blind(story, "plant"), end=story.three + timedelta(minutes=5))
    last = story.over(blind(story, "quay"), start=story.three + timedelta(minutes=1))
    thread = sites(story, phase=Phase.CLOSED, ack_by=Person(id="U1", name="Ana"))
    each = ["* 🟢 plant can be read again after 5 min", "* 🟢 quay can be read again after 2 h 4 min"]

    assert shown(story.root(thread, first, last)) == [
        "# 🟢 Both sites can be read again after 2 h 5 min",
        SPAN,
        "Acknowledged by Ana.",
        *each,
    ]
    reply = story.reply(thread, first, last, kind=MessageKind.RECOVERED, episode="quay#1", error=None)
    assert shown(reply) == ["🟢 Both sites can be read again; this bot was blind for 2 h 5 min", SPAN, *each]
    three = story.root(thread, first, last, story.over(blind(story, "dock"), end_why=Why.WHILE_AWAY))
    assert shown(three)[0] == "# 🟢 All 3 sites can be read again after 2 h 5 min"


def test_a_site_that_is_back_while_another_was_lost_again_speaks_for_itself(story: Story, shown: Shown) -> None:
    back = story.over(blind(story, "plant"))
    reply = story.reply(
        sites(story), back, blind(story, "quay"), kind=MessageKind.RECOVERED, episode="plant#1", error=None
    )

    assert shown(reply)[0] == "🟢 ItemPath plant can be read again; this bot was blind for 2 h 5 min"


def test_a_reminder_lists_those_that_still_cannot_be_read(story: Story, shown: Shown) -> None:
    many = [blind(story, f"s{n:02}") for n in range(14)]
    back = story.over(blind(story, "plant"))
    lines = shown(story.reply(sites(story), back, *many, kind=MessageKind.REMINDER, number=1))

    assert lines[:4] == [
        "🟣 14 of 15 sites still cannot be read, for 2 h 5 min now",
        "No sight of s00, s01, s02, s03, s04, s05, s06, s07 and 6 more: the state of their connections is unknown. @here",
        "Nobody has acknowledged it yet.",
        f"* 🟣 s00 cannot be read since {{2026-11-24 03:00:05}}: {REASON}",
    ]
    assert lines[-1] == "* and 2 other sites"


def test_a_reminder_that_came_too_late_calls_nobody(story: Story, shown: Shown) -> None:
    thread = sites(story, phase=Phase.CLOSED)
    rendered = story.reply(thread, story.over(blind(story, "plant")), kind=MessageKind.REMINDER, number=1)

    assert shown(rendered) == ["🟢 plant: what this thread was about is over"]


def test_a_setting_s_name_in_an_advice_is_code_and_no_backtick_is_shown(story: Story) -> None:
    """Rich text is literal: what stands between backticks there would be shown with them."""
    failure = Failure(kind="unreachable", message="The file `ca_file` is odd`.", advice="Check `url`.")
    rendered = story.root(sites(story), blind(story, "plant", failure=failure))
    elements = [
        element
        for block in rendered.blocks
        if block["type"] == "rich_text"
        for part in block["elements"]
        for element in part["elements"]
    ]
    code = [element["text"] for element in elements if element.get("style", {}).get("code")]
    literal = "".join(element["text"] for element in elements if element["type"] == "text")

    assert code == ["ca_file", "url"]
    assert "The file ca_file is odd`. Check url." in literal
    assert "Check url." in rendered.text


def test_a_site_that_is_in_the_settings_no_more_is_no_longer_watched(story: Story, shown: Shown) -> None:
    gone = story.over(blind(story, "plant"), Closing.NOT_WATCHED)
    rendered = story.root(sites(story, phase=Phase.CLOSED), gone)

    assert shown(rendered) == [
        "# ⚪ ItemPath plant is no longer watched",
        "Not in this bot's settings any more, since {2026-11-24 05:05:05}.",
    ]


def test_of_several_sites_those_that_are_watched_are_told(story: Story, shown: Shown) -> None:
    gone = story.over(blind(story, "plant"), Closing.NOT_WATCHED)
    quay = blind(story, "quay")
    headline, *_ = shown(story.root(sites(story), gone, quay))
    assert headline == "# 🟣 ItemPath quay cannot be read"
    reminded = story.reply(sites(story), gone, quay, kind=MessageKind.REMINDER, number=1)
    assert "ItemPath quay still cannot be read" in reminded.text
    thread, back = sites(story, phase=Phase.CLOSED), story.over(quay)
    told = story.reply(thread, gone, back, kind=MessageKind.RECOVERED, episode=back.id, error=None)
    assert told.text.startswith("🟢 ItemPath quay can be read again; this bot was blind for")
