"""What Slack takes as blocks and attachments, and the errors it gives for the rest (source: its Block Kit reference).

Only the classic blocks are known here: the newer ones are described with different limits in different places, and a bot
that uses them must get along with `invalid_blocks`.
"""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.elements import ID_LIMIT, URL_LIMIT, image, interactive, plain_text, text_object
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.report import Report
from bot.sandbox.slack.rich_text import rich_text

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 12_000
"""Around 13,000 characters were measured at the real one (bolt-js#2509); 12,000 is what can be relied on."""
ATTACHMENTS = 100
_COLOR = re.compile(r"#?[0-9a-fA-F]{6}|good|warning|danger")


def _section(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type",), optional=("block_id", "text", "fields", "accessory", "expand"))
    if "text" not in value and "fields" not in value:
        report.add("missing required field: text or fields", pointer)
    if "text" in value:
        text_object(report, value["text"], f"{pointer}/text", limit=3000)
    if "fields" in value:
        for index, field in enumerate(report.array(value["fields"], f"{pointer}/fields", most=10)):
            text_object(report, field, f"{pointer}/fields/{index}", limit=2000)
    if "accessory" in value:
        interactive(report, value["accessory"], f"{pointer}/accessory", seen=set(), pictures=True)
    if "expand" in value:
        report.boolean(value["expand"], f"{pointer}/expand")


def _header(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type", "text"), optional=("block_id",))
    plain_text(report, value.get("text"), f"{pointer}/text", limit=150)


def _divider(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type",), optional=("block_id",))


def _image(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type", "image_url", "alt_text"), optional=("block_id", "title"))
    report.string(value.get("image_url"), f"{pointer}/image_url", limit=URL_LIMIT, shown=False)
    report.string(value.get("alt_text"), f"{pointer}/alt_text", limit=2000, shown=False)
    if "title" in value:
        plain_text(report, value["title"], f"{pointer}/title", limit=2000)


def _context(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type", "elements"), optional=("block_id",))
    for index, element in enumerate(report.array(value.get("elements"), f"{pointer}/elements", most=10)):
        at = f"{pointer}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            image(report, element, at)
        else:
            text_object(report, element, at, limit=2000)


def _actions(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type", "elements"), optional=("block_id",))
    seen: set[str] = set()
    for index, element in enumerate(report.array(value.get("elements"), f"{pointer}/elements", most=25)):
        interactive(report, element, f"{pointer}/elements/{index}", seen=seen)


_BLOCKS = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "rich_text": rich_text,
}


def check_blocks(report: Report, value: Any, pointer: str, *, most: int, block_ids: set[str]) -> None:
    """Every block, and that no `block_id` stands twice in the message."""
    for index, block in enumerate(report.array(value, pointer, most=most, least=0)):
        at = f"{pointer}/{index}"
        if not report.object(block, at):
            continue
        kind = report.kind(block, at, _BLOCKS)
        if kind is None:
            continue
        _BLOCKS[kind](report, block, at)
        if "block_id" in block:
            name = block["block_id"]
            report.string(name, f"{at}/block_id", limit=ID_LIMIT, shown=False)
            if str(name) in block_ids:
                report.add(f"`block_id` {name} already exists", f"{at}/block_id")
            block_ids.add(str(name))


def _check_attachments(report: Report, value: Any, *, block_ids: set[str]) -> None:
    for index, attachment in enumerate(report.array(value, "/attachments", least=0)):
        at = f"/attachments/{index}"
        if not report.object(attachment, at):
            continue
        if "blocks" in attachment:
            # Beside blocks Slack takes no legacy field and says `invalid_keys`.
            report.keys(attachment, at, required=("blocks",), optional=("color", "fallback"))
            check_blocks(report, attachment["blocks"], f"{at}/blocks", most=MESSAGE_BLOCKS, block_ids=block_ids)
        else:
            for key in ("pretext", "title", "text", "fallback"):
                if key in attachment:
                    report.string(attachment[key], f"{at}/{key}", empty=True, shown=key != "fallback")
        color = attachment.get("color")
        if color is not None and not (isinstance(color, str) and _COLOR.fullmatch(color)):
            report.add("must be a hex color, good, warning or danger", f"{at}/color")


def _refuse(code: str, report: Report) -> None:
    if report.problems:
        raise SlackError(code, response_metadata={"messages": report.problems})


def check_message(blocks: Any, attachments: Any) -> None:
    """Raises `SlackError`: `invalid_blocks`, `invalid_attachments`, `too_many_attachments`, `msg_blocks_too_long`."""
    report, block_ids = Report(), set[str]()
    if blocks is not None:
        check_blocks(report, blocks, "/blocks", most=MESSAGE_BLOCKS, block_ids=block_ids)
        _refuse("invalid_blocks", report)
    if attachments is not None:
        if isinstance(attachments, list) and len(attachments) > ATTACHMENTS:
            raise SlackError("too_many_attachments")
        _check_attachments(report, attachments, block_ids=block_ids)
        _refuse("invalid_attachments", report)
    if report.characters > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")


def check_view(view: Any, *, kinds: tuple[str, ...]) -> None:
    """A Home tab or modal; raises `SlackError("invalid_arguments")` with what is wrong."""
    report = Report()
    if report.object(view, "/view") and report.one_of(view.get("type"), "/view/type", kinds):
        modal = ("title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")
        report.keys(
            view,
            "/view",
            required=("type", "blocks", "title") if view["type"] == "modal" else ("type", "blocks"),
            optional=("callback_id", "private_metadata", "external_id", *(modal if view["type"] == "modal" else ())),
        )
        check_blocks(report, view.get("blocks"), "/view/blocks", most=VIEW_BLOCKS, block_ids=set())
        for key in ("title", "submit", "close"):
            if key in view:
                plain_text(report, view[key], f"/view/{key}", limit=24)
        for key, limit in (("callback_id", 255), ("external_id", 255), ("private_metadata", 3000)):
            if key in view:
                report.string(view[key], f"/view/{key}", limit=limit, shown=False, empty=True)
    _refuse("invalid_arguments", report)


def interactive_elements(blocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """`(block, element)` of everything in `blocks` that can be clicked."""
    for block in blocks:
        elements = block.get("elements", []) if block["type"] == "actions" else [block.get("accessory", {})]
        for element in elements:
            if element.get("type") in ("button", "static_select", "overflow"):
                yield block, element


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A copy in which every block has a `block_id` and every element an `action_id`, as Slack gives those without."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", secrets.token_urlsafe(4))
    for _, element in interactive_elements(filled):
        element.setdefault("action_id", secrets.token_urlsafe(4))
    return filled
