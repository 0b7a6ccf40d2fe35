"""Block Kit's composition objects and interactive elements, with Slack's limits (source: its Block Kit reference)."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.report import Report

ID_LIMIT = 255
BUTTON_TEXT_LIMIT = 75
BUTTON_VALUE_LIMIT = 2000
URL_LIMIT = 3000


def text_object(
    report: Report, value: Any, pointer: str, *, limit: int, types: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> None:
    """`{"type": "plain_text"|"mrkdwn", "text": …}`; `emoji` only on the former, `verbatim` only on the latter."""
    if not report.object(value, pointer):
        return
    if not report.one_of(value.get("type"), f"{pointer}/type", types):
        return
    flag = "emoji" if value["type"] == "plain_text" else "verbatim"
    report.keys(value, pointer, required=("type", "text"), optional=(flag,))
    if flag in value:
        report.boolean(value[flag], f"{pointer}/{flag}")
    if "text" in value:
        report.string(value["text"], f"{pointer}/text", limit=limit)


def plain_text(report: Report, value: Any, pointer: str, *, limit: int) -> None:
    text_object(report, value, pointer, limit=limit, types=("plain_text",))


def confirm(report: Report, value: Any, pointer: str) -> None:
    """A confirmation dialog."""
    if not report.object(value, pointer):
        return
    report.keys(value, pointer, required=("title", "text", "confirm", "deny"), optional=("style",))
    plain_text(report, value.get("title"), f"{pointer}/title", limit=100)
    text_object(report, value.get("text"), f"{pointer}/text", limit=300)
    plain_text(report, value.get("confirm"), f"{pointer}/confirm", limit=30)
    plain_text(report, value.get("deny"), f"{pointer}/deny", limit=30)
    if "style" in value:
        report.one_of(value["style"], f"{pointer}/style", ("primary", "danger"))


def _option(report: Report, value: Any, pointer: str, *, optional: tuple[str, ...] = ()) -> None:
    if not report.object(value, pointer):
        return
    report.keys(value, pointer, required=("text", "value"), optional=("description", *optional))
    plain_text(report, value.get("text"), f"{pointer}/text", limit=75)
    report.string(value.get("value"), f"{pointer}/value", limit=150, shown=False)
    if "description" in value:
        plain_text(report, value["description"], f"{pointer}/description", limit=75)
    if "url" in value:
        report.string(value["url"], f"{pointer}/url", limit=URL_LIMIT, shown=False)


def _button(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(
        value,
        pointer,
        required=("type", "text"),
        optional=("action_id", "value", "url", "style", "confirm", "accessibility_label"),
    )
    plain_text(report, value.get("text"), f"{pointer}/text", limit=BUTTON_TEXT_LIMIT)
    for key, limit in (("value", BUTTON_VALUE_LIMIT), ("url", URL_LIMIT), ("accessibility_label", 75)):
        if key in value:
            report.string(value[key], f"{pointer}/{key}", limit=limit, shown=False, empty=key == "value")
    if "style" in value:
        report.one_of(value["style"], f"{pointer}/style", ("primary", "danger"))


def _static_select(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(
        value,
        pointer,
        required=("type", "options"),
        optional=("action_id", "placeholder", "initial_option", "confirm", "focus_on_load"),
    )
    for index, option in enumerate(report.array(value.get("options"), f"{pointer}/options", most=100)):
        _option(report, option, f"{pointer}/options/{index}")
    if "placeholder" in value:
        plain_text(report, value["placeholder"], f"{pointer}/placeholder", limit=150)
    if "initial_option" in value and value["initial_option"] not in (value.get("options") or []):
        report.add("initial_option must be one of the options", f"{pointer}/initial_option")
    if "focus_on_load" in value:
        report.boolean(value["focus_on_load"], f"{pointer}/focus_on_load")


def _overflow(report: Report, value: dict[str, Any], pointer: str) -> None:
    report.keys(value, pointer, required=("type", "options"), optional=("action_id", "confirm"))
    for index, option in enumerate(report.array(value.get("options"), f"{pointer}/options", most=5)):
        _option(report, option, f"{pointer}/options/{index}", optional=("url",))


def image(report: Report, value: dict[str, Any], pointer: str) -> None:
    """The picture element of sections and contexts."""
    report.keys(value, pointer, required=("type", "image_url", "alt_text"), optional=())
    report.string(value.get("image_url"), f"{pointer}/image_url", limit=URL_LIMIT, shown=False)
    report.string(value.get("alt_text"), f"{pointer}/alt_text", limit=2000, shown=False)


INTERACTIVE = {"button": _button, "static_select": _static_select, "overflow": _overflow}


def interactive(report: Report, value: Any, pointer: str, *, seen: set[str], pictures: bool = False) -> None:
    """A button, select or overflow menu (and, where `pictures` may stand, an image); `seen` holds the block's action ids."""
    if not report.object(value, pointer):
        return
    if pictures and value.get("type") == "image":
        image(report, value, pointer)
        return
    kind = report.kind(value, pointer, INTERACTIVE)
    if kind is None:
        return
    INTERACTIVE[kind](report, value, pointer)
    if "confirm" in value:
        confirm(report, value["confirm"], f"{pointer}/confirm")
    if "action_id" in value:
        action = value["action_id"]
        report.string(action, f"{pointer}/action_id", limit=ID_LIMIT, shown=False)
        if str(action) in seen:
            report.add(f"`action_id` {action} already exists for this block", f"{pointer}/action_id")
        seen.add(str(action))
