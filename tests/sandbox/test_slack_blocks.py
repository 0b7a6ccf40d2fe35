"""Block Kit is checked as Slack checks it: its limits, its words, its JSON pointers."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.models import blocks as kit

from bot.sandbox.slack.blocks import check_message, check_view, with_ids
from bot.sandbox.slack.errors import SlackError


def plain(text: str = "x") -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(**fields: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn()} | fields


def button(**fields: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(), "action_id": "a"} | fields


def actions(*elements: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)} | fields


def rich(*elements: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def line(*elements: Any) -> dict[str, Any]:
    return rich({"type": "rich_text_section", "elements": list(elements)})


def option(value: str = "v", **fields: Any) -> dict[str, Any]:
    return {"text": plain(), "value": value} | fields


DIALOG = {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), "style": "danger"}
IMAGE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}

GOOD: list[Any] = [
    section(fields=[plain(), mrkdwn()], block_id="b", expand=True),
    {"type": "section", "fields": [mrkdwn("y" * 2000)] * 4},
    section(text=mrkdwn("y" * 3000) | {"verbatim": True}),
    section(accessory=button(value="", url="https://example.com", style="primary", confirm=DIALOG)),
    section(accessory=IMAGE),
    {"type": "header", "text": plain("h" * 150) | {"emoji": True}},
    {"type": "divider"},
    IMAGE,
    IMAGE | {"title": plain()},
    actions(button(confirm={key: value for key, value in DIALOG.items() if key != "style"})),
    {"type": "context", "elements": [mrkdwn(), plain(), IMAGE]},
    actions(button(), button(action_id="b", accessibility_label="label")),
    actions(
        {
            "type": "static_select",
            "options": [option(description=plain())],
            "placeholder": plain(),
            "initial_option": option(description=plain()),
            "focus_on_load": False,
        },
        {"type": "overflow", "options": [option(url="https://example.com")]},
    ),
    line(
        {"type": "text", "text": "a", "style": {"bold": True, "code": False}},
        {"type": "link", "url": "https://example.com", "text": "b", "unsafe": True},
        {"type": "emoji", "name": "wave"},
        {"type": "user", "user_id": "U1"},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "broadcast", "range": "here"},
        {"type": "date", "timestamp": 1, "format": "{date_num}", "fallback": "f"},
    ),
    rich(
        {
            "type": "rich_text_preformatted",
            "elements": [{"type": "text", "text": "e"}],
            "border": 0,
            "language": "json",
        },
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 1,
            "elements": [{"type": "rich_text_section", "elements": []}],
        },
    ),
]


@pytest.mark.parametrize("block", GOOD)
def test_what_slack_documents_is_taken(block: dict[str, Any]) -> None:
    check_message([block], None)
    check_message(None, [{"color": "#a1b2c3", "fallback": "f", "blocks": [block]}])


def test_what_the_sdk_builds_is_taken() -> None:
    check_message(
        [
            kit.HeaderBlock(text="h").to_dict(),
            kit.SectionBlock(text="t", accessory=kit.ButtonElement(text="b", action_id="a", value="v")).to_dict(),
            kit.ActionsBlock(elements=[kit.ButtonElement(text="b", action_id="a", style="danger")]).to_dict(),
            kit.ContextBlock(elements=[kit.MarkdownTextObject(text="c")]).to_dict(),
        ],
        None,
    )


BAD: list[tuple[Any, str]] = [
    ("no list", "must provide an array [json-pointer:/blocks]"),
    (["x"], "must provide an object [json-pointer:/blocks/0]"),
    ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ([{"type": "table", "rows": []}], "unsupported type: table [json-pointer:/blocks/0/type]"),
    ([{"type": ["list"]}], "unsupported type: ['list'] [json-pointer:/blocks/0/type]"),
    ([{"type": "divider", "text": 1}], "invalid additional property: text [json-pointer:/blocks/0]"),
    ([{"type": "divider", "block_id": "b"}] * 2, "`block_id` b already exists [json-pointer:/blocks/1/block_id]"),
    (
        [{"type": "divider", "block_id": "b" * 256}],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    (
        [{"type": "header", "text": plain("h" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    ([{"type": "header", "text": mrkdwn()}], "must be one of: plain_text [json-pointer:/blocks/0/text/type]"),
    ([{"type": "header"}], "missing required field: text [json-pointer:/blocks/0]"),
    ([{"type": "section"}], "missing required field: text or fields [json-pointer:/blocks/0]"),
    ([section(text=mrkdwn("y" * 3001))], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section(text=mrkdwn(""))], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ([section(text={"type": "mrkdwn"})], "missing required field: text [json-pointer:/blocks/0/text]"),
    ([section(text={"type": "mrkdwn", "text": 7})], "must be a string [json-pointer:/blocks/0/text/text]"),
    ([section(text=mrkdwn() | {"emoji": True})], "invalid additional property: emoji [json-pointer:/blocks/0/text]"),
    ([section(text=plain() | {"emoji": 1})], "must be a boolean [json-pointer:/blocks/0/text/emoji]"),
    ([section(fields=[])], "no less than 1 items allowed [json-pointer:/blocks/0/fields]"),
    ([section(fields=[plain()] * 11)], "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
    ([section(fields=[plain("f" * 2001)])], "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"),
    ([section(accessory="x")], "must provide an object [json-pointer:/blocks/0/accessory]"),
    (
        [section(accessory={"type": "datepicker"})],
        "unsupported type: datepicker [json-pointer:/blocks/0/accessory/type]",
    ),
    ([{"type": "context", "elements": []}], "no less than 1 items allowed [json-pointer:/blocks/0/elements]"),
    (
        [{"type": "context", "elements": [plain()] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    ([{"type": "context", "elements": [3]}], "must provide an object [json-pointer:/blocks/0/elements/0]"),
    (
        [actions(*[button(action_id=str(n)) for n in range(26)])],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    ([actions(IMAGE)], "unsupported type: image [json-pointer:/blocks/0/elements/0/type]"),
    (
        [actions(button(), button())],
        "`action_id` a already exists for this block [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    (
        [actions(button(text=plain("b" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    ([actions(button(text=mrkdwn()))], "must be one of: plain_text [json-pointer:/blocks/0/elements/0/text/type]"),
    (
        [actions(button(value="v" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    ([actions(button(style="blue"))], "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]"),
    ([actions(button(confirm="?"))], "must provide an object [json-pointer:/blocks/0/elements/0/confirm]"),
    (
        [actions(button(confirm={**DIALOG, "title": plain("t" * 101)}))],
        "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
    ),
    (
        [actions({"type": "static_select", "options": [option()], "initial_option": option("w")})],
        "initial_option must be one of the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    (
        [actions({"type": "static_select", "options": ["x"]})],
        "must provide an object [json-pointer:/blocks/0/elements/0/options/0]",
    ),
    (
        [actions({"type": "overflow", "options": [option()] * 6})],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    (
        [line({"type": "date", "timestamp": "1", "format": "{date}"})],
        "must be an integer [json-pointer:/blocks/0/elements/0/elements/0/timestamp]",
    ),
    (
        [line({"type": "date", "timestamp": 1})],
        "missing required field: format [json-pointer:/blocks/0/elements/0/elements/0]",
    ),
    ([line({"type": "text", "text": ""})], "must be more than 0 characters"),
    ([line({"type": "team"})], "unsupported type: team [json-pointer:/blocks/0/elements/0/elements/0/type]"),
    ([line("x")], "must provide an object [json-pointer:/blocks/0/elements/0/elements/0]"),
    ([line({"type": "broadcast", "range": "all"})], "must be one of: here, channel, everyone"),
    ([line({"type": "text", "text": "a", "style": {"big": True}})], "/elements/0/style]"),
    ([line({"type": "text", "text": "a", "style": "bold"})], "must provide an object"),
    ([rich("x")], "must provide an object [json-pointer:/blocks/0/elements/0]"),
    ([rich({"type": "rich_text_table"})], "unsupported type: rich_text_table [json-pointer:/blocks/0/elements/0/type]"),
    (
        [rich({"type": "rich_text_preformatted", "elements": [{"type": "date", "timestamp": 1, "format": "{date}"}]})],
        "unsupported type: date",
    ),
    ([rich({"type": "rich_text_list", "elements": []})], "missing required field: style"),
    ([rich({"type": "rich_text_quote", "elements": [], "border": "1"})], "must be an integer"),
    (
        [rich({"type": "rich_text_list", "style": "bullet", "elements": [{"type": "text", "text": "a"}]})],
        "unsupported type: text",
    ),
]


@pytest.mark.parametrize(("blocks", "problem"), BAD)
def test_what_breaks_a_rule_is_refused_with_its_place(blocks: Any, problem: str) -> None:
    with pytest.raises(SlackError) as refusal:
        check_message(blocks, None)
    assert refusal.value.code == "invalid_blocks"
    assert any(problem in said for said in refusal.value.details["response_metadata"]["messages"])


@pytest.mark.parametrize(
    ("attachments", "code", "problem"),
    [
        ([{"text": "x", "blocks": []}], "invalid_attachments", "invalid additional property: text"),
        ([{"blocks": [{"type": "header"}]}], "invalid_attachments", "[json-pointer:/attachments/0/blocks/0]"),
        ([{"text": "x", "color": "pink"}], "invalid_attachments", "[json-pointer:/attachments/0/color]"),
        ([{"text": 3}], "invalid_attachments", "[json-pointer:/attachments/0/text]"),
        (["x"], "invalid_attachments", "must provide an object"),
        ("x", "invalid_attachments", "must provide an array"),
        ([{"text": "x"}] * 101, "too_many_attachments", ""),
    ],
)
def test_attachments_are_checked_too(attachments: Any, code: str, problem: str) -> None:
    with pytest.raises(SlackError) as refusal:
        check_message(None, attachments)
    assert refusal.value.code == code
    assert problem in str(refusal.value.details)


def test_legacy_attachments_without_blocks_are_taken() -> None:
    check_message(None, [{"color": "danger", "fallback": "f", "title": "", "text": "t"}])


def test_blocks_and_attachments_share_block_ids_and_the_size_of_the_message() -> None:
    """Text in attachments counts towards the twelve thousand characters, and ids are unique across the message."""
    big = [section(text=mrkdwn("y" * 3000)) for _ in range(4)]
    check_message(big, None)
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message(big, [{"blocks": [section()]}])
    with pytest.raises(SlackError, match="invalid_attachments"):
        check_message([section(block_id="b")], [{"blocks": [section(block_id="b")]}])


def test_views_have_their_own_limits() -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}] * 100, "private_metadata": ""}
    check_view(home, kinds=("home",))
    check_view({"type": "modal", "title": plain(), "close": plain(), "blocks": []}, kinds=("modal",))
    for broken in (
        "x",
        {"type": "modal"},
        home | {"blocks": [{"type": "divider"}] * 101},
        home | {"title": plain()},
        home | {"private_metadata": "p" * 3001},
    ):
        with pytest.raises(SlackError, match="invalid_arguments"):
            check_view(broken, kinds=("home",))
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view({"type": "modal", "title": plain("t" * 25), "blocks": []}, kinds=("modal",))


def test_missing_ids_are_filled_in_and_given_ones_kept() -> None:
    given = [section(accessory=button()), actions(button(action_id="mine"), block_id="b"), actions(IMAGE)]
    del given[0]["accessory"]["action_id"]
    filled = with_ids(given)
    assert filled[0]["block_id"]
    assert filled[0]["accessory"]["action_id"]
    assert filled[1]["block_id"] == "b"
    assert filled[1]["elements"][0]["action_id"] == "mine"
    assert "block_id" not in given[0]
