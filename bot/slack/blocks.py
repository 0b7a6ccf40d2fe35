"""Lines of text, and the blocks they become.

A line is written once, as a tuple of spans: the bot's own words, foreign text, moments. Three renderings make of it what
each place needs: `plain` for `text`, `mrkdwn` for sections, `rich_text` for the full form, where everything is literal.
Limits are those of Slack's Block Kit reference; foreign text is cut far below them, as escaping can lengthen it fivefold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from bot.slack.wording import (
    DATE_FORMAT,
    ELLIPSIS,
    ERROR_LIMIT,
    NAME_LIMIT,
    code,
    date,
    escape,
    literal,
    shorten,
    utc,
)

Block: TypeAlias = dict[str, Any]

SECTION_LIMIT = 3000
FIELDS_LIMIT = 10
HEADER_LIMIT = 150


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody else's text. `style` is how the full form shows it; mrkdwn always shows it as code."""

    text: str
    limit: int = NAME_LIMIT
    style: Literal["code", "bold"] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The bot's own words, leading to an address of Slack's."""

    text: str
    url: str


Span: TypeAlias = str | Foreign | Link | datetime
"""A plain `str` is the bot's own words."""
Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label of the bot's own, and a value."""

    label: str
    value: Line


def plain(span: Span) -> str:
    """For `text` beside blocks. Slack shows its dates in the reader's zone, and UTC where it cannot: each has a fallback."""
    match span:
        case Foreign():
            return escape(literal(span.text, span.limit))
        case Link():
            return escape(span.text)
        case datetime():
            return date(span)
    return escape(span)


def mrkdwn(span: Span) -> str:
    """For sections, and for `text` that is shown."""
    match span:
        case Foreign():
            return code(span.text, span.limit)
        case Link():
            return f"<{escape(span.url)}|{escape(span.text)}>"
        case datetime():
            return date(span)
    return escape(span)


def rich(span: Span) -> Block:
    """An element of a rich text section. Literal: neither mrkdwn nor bare addresses are read in it."""
    match span:
        case Foreign():
            text: Block = {"type": "text", "text": literal(span.text, span.limit)}
            return text if span.style is None else text | {"style": {span.style: True}}
        case Link():
            return {"type": "link", "url": span.url, "text": span.text}
        case datetime():
            at = int(span.timestamp())
            return {"type": "date", "timestamp": at, "format": DATE_FORMAT, "fallback": utc(span)}
    return {"type": "text", "text": span}


def fit(lines: Iterable[Line], render: Callable[[Span], str], *, limit: int, between: str) -> str:
    """The lines as one text of 1 to `limit` characters. It ends between two spans, never inside a token or an entity."""
    text = ""
    for line in filter(None, lines):
        part = between if text else ""
        for span in line:
            shown = render(span)
            if len(text) + len(part) + len(shown) > limit - len(between) - len(ELLIPSIS):
                return text + part + ELLIPSIS
            part += shown
        text += part
    return text or ELLIPSIS


def mention_token(mention: str) -> str:
    """`here`, `channel`, `U…` or `S…` as it pings in mrkdwn and `text`; empty for anything else."""
    if mention in ("here", "channel"):
        return f"<!{mention}>"
    if not re.fullmatch(r"[USW][A-Z0-9]{1,20}", mention):
        return ""
    return f"<!subteam^{mention}>" if mention[0] == "S" else f"<@{mention}>"


def mention_elements(mention: str) -> list[Block]:
    """The same for rich text: one element, or none."""
    token = mention_token(mention)
    if not token:
        return []
    if token.startswith("<!subteam"):
        return [{"type": "usergroup", "usergroup_id": mention}]
    if token.startswith("<!"):
        return [{"type": "broadcast", "range": mention}]
    return [{"type": "user", "user_id": mention}]


def header(line: Line) -> Block:
    """A headline; `emoji` off, so that `:smile:` in a name stays what it is."""
    text = "".join(_header(span) for span in line)
    return {"type": "header", "text": {"type": "plain_text", "text": shorten(text, HEADER_LIMIT), "emoji": False}}


def _header(span: Span) -> str:
    """Plain text is shown as it is, tokens too."""
    match span:
        case Foreign():
            return literal(span.text, span.limit)
        case Link():
            return span.text
        case datetime():
            return utc(span)
    return span


def rich_section(lines: Sequence[Line], *, mentions: Sequence[str] = (), bold_first: bool = False) -> Block:
    """Lines one below the other, in one section: the space between two sections differs from client to client.

    Mentions end the second line, or the only one: what they call for stands before them.
    """
    elements: list[Block] = []
    for number, line in enumerate(lines):
        for span in ("\n", *line) if number else line:
            element = rich(span)
            if bold_first and number == 0 and element["type"] == "text":
                element["style"] = element.get("style", {}) | {"bold": True}
            _append(elements, element)
        if number == min(1, len(lines) - 1):
            for ping in (element for mention in mentions for element in mention_elements(mention)):
                _append(elements, rich(" "))
                elements.append(ping)
    return {"type": "rich_text_section", "elements": elements}


def _append(elements: list[Block], element: Block) -> None:
    """Neighbouring texts of one style are one element."""
    last = elements[-1] if elements else {}
    if last.get("type") == element["type"] == "text" and last.get("style") == element.get("style"):
        last["text"] += element["text"]
    else:
        elements.append(element)


def preformatted(text: str) -> Block:
    """A foreign text with its lines as they are."""
    shown = literal(text, ERROR_LIMIT, lines=True)
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}


def bullets(items: Sequence[Line]) -> Block:
    return {"type": "rich_text_list", "style": "bullet", "elements": [rich_section([item]) for item in items]}


def rich_text(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def section(text: str) -> Block:
    """`text` is mrkdwn, 1 to 3,000 characters."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def fact_blocks(facts: Sequence[Fact]) -> list[Block]:
    """Facts in two columns, ten to a section."""
    fields = [
        {"type": "mrkdwn", "text": f"*{escape(fact.label)}*\n{''.join(map(mrkdwn, fact.value))}", "verbatim": True}
        for fact in facts
    ]
    return [
        {"type": "section", "fields": fields[start : start + FIELDS_LIMIT]}
        for start in range(0, len(fields), FIELDS_LIMIT)
    ]


def button(label: str, *, action: str, value: str) -> Block:
    """`label` up to 75, `value` up to 2,000 characters."""
    text = {"type": "plain_text", "text": label, "emoji": False}
    return {"type": "button", "action_id": action, "text": text, "value": value}


def actions(block_id: str, *elements: Block) -> Block:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}
