"""Rich text: the blocks whose content is literal (source: Slack's reference of the rich text block and its elements)."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.report import Report

STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
# Fields of each inline element: (required strings, optional strings).
_INLINE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ()),
    "link": (("url",), ("text",)),
    "emoji": (("name",), ("unicode", "url")),
    "user": (("user_id",), ()),
    "usergroup": (("usergroup_id",), ()),
    "channel": (("channel_id",), ()),
    "broadcast": (("range",), ()),
    "date": (("format",), ("fallback", "url", "timezone")),
}
_SHOWN = ("text", "format")


def _inline(report: Report, value: Any, pointer: str, *, allowed: tuple[str, ...]) -> None:
    if not report.object(value, pointer):
        return
    kind = report.kind(value, pointer, allowed)
    if kind is None:
        return
    required, optional = _INLINE[kind]
    extra = {"date": ("timestamp",)}.get(kind, ())
    flags = {"link": ("unsafe",)}.get(kind, ())
    report.keys(value, pointer, required=("type", *required, *extra), optional=("style", *optional, *flags))
    for key in (*required, *optional):
        if key in value:
            report.string(value[key], f"{pointer}/{key}", shown=key in _SHOWN)
    timestamp = value.get("timestamp")
    if kind == "date" and (not isinstance(timestamp, int) or isinstance(timestamp, bool)):
        report.add("must be an integer", f"{pointer}/timestamp")
    if kind == "broadcast":
        report.one_of(value.get("range"), f"{pointer}/range", ("here", "channel", "everyone"))
    if "style" in value and report.object(value["style"], f"{pointer}/style"):
        for name, on in value["style"].items():
            report.one_of(name, f"{pointer}/style", STYLES)
            report.boolean(on, f"{pointer}/style/{name}")


def _container(report: Report, value: Any, pointer: str, *, kinds: tuple[str, ...]) -> None:
    if not report.object(value, pointer):
        return
    kind = report.kind(value, pointer, kinds)
    if kind is None:
        return
    optional = {
        "rich_text_section": (),
        "rich_text_quote": ("border",),
        "rich_text_preformatted": ("border", "language"),
        "rich_text_list": ("border", "indent", "offset"),
    }[kind]
    required = ("type", "elements", "style") if kind == "rich_text_list" else ("type", "elements")
    report.keys(value, pointer, required=required, optional=optional)
    for key in ("border", "indent", "offset"):
        if key in value and not isinstance(value[key], int):
            report.add("must be an integer", f"{pointer}/{key}")
    if "language" in value:
        report.string(value["language"], f"{pointer}/language", shown=False)
    if kind == "rich_text_list":
        report.one_of(value.get("style"), f"{pointer}/style", ("bullet", "ordered"))
    # Preformatted text holds text and links alone: dates, mentions and emoji are refused there.
    allowed = ("text", "link") if kind == "rich_text_preformatted" else tuple(_INLINE)
    for index, element in enumerate(report.array(value.get("elements"), f"{pointer}/elements", least=0)):
        at = f"{pointer}/elements/{index}"
        if kind == "rich_text_list":
            _container(report, element, at, kinds=("rich_text_section",))
        else:
            _inline(report, element, at, allowed=allowed)


def rich_text(report: Report, value: dict[str, Any], pointer: str) -> None:
    """`{"type": "rich_text", "elements": [section | list | quote | preformatted, …]}`."""
    report.keys(value, pointer, required=("type", "elements"), optional=("block_id",))
    kinds = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")
    for index, element in enumerate(report.array(value.get("elements"), f"{pointer}/elements")):
        _container(report, element, f"{pointer}/elements/{index}", kinds=kinds)
