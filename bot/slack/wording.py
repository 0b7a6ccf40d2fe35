"""Words and marks that every message, answer and page of the bot in Slack shares.

Foreign text (names, addresses, errors, people) is data. Two functions make it safe, by where it will stand:
`literal` for what Slack shows as it is (`plain_text`, `rich_text`), `code` for mrkdwn; `escape` alone is for `text`,
which only notifications and screen readers show.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.core.connection import State
from bot.core.masking import mask, may_go_on

ELLIPSIS = "…"
BLANK = "(blank)"
"""Stands where a foreign text has nothing to show: Slack refuses empty strings, and a reader would miss the value."""

NAME_LIMIT = 80
ADDRESS_LIMIT = 300
ERROR_LIMIT = 2000
"""Characters of an error shown in full messages; the whole message may have about 12,000."""

DATE_FORMAT = "{date_short_pretty} at {time_secs}"
"""Slack's own tokens: `today at 3:04:05 AM` in the reader's zone and habit."""

_SIGNS = {State.UP: "🟢", State.DOWN: "🔴", State.UNKNOWN: "🟣"}
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
"""Shown as nothing although Unicode counts them as letters, symbols or marks."""


def clean(text: str, *, lines: bool = False) -> str:
    """`text` without anything that hides, reorders or breaks out of its place; possibly empty.

    Bidirectional overrides, zero-width and other format characters go, control characters become spaces, lone surrogates
    (which no message can carry) the replacement character. Line breaks and indentation stay only with `lines`.
    """
    if lines:
        return "\n".join(_visible(line).rstrip() for line in text.splitlines()).strip("\n")
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    # Nearly every text is printable as it is; only the others are looked at character by character.
    plain = text.isprintable() and _INVISIBLE_LETTERS.isdisjoint(text)
    return text if plain else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in _INVISIBLE_LETTERS:
        return ""
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cs":
            return "\ufffd"
    return character


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis for the rest."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def literal(text: str, limit: int, *, lines: bool = False) -> str:
    """Foreign text for where Slack takes text as it is: clean, without credentials, 1 to `limit` characters."""
    # Searching a long text for credentials costs, and nearly always its beginning is all that can be seen…
    head = text[: max(limit * 4, 300)]
    shown = mask(clean(head, lines=lines))
    if len(text) > len(head) and may_go_on(head) and not any(map(str.isspace, shown[limit:])):
        # …but here what was cut in two might be seen, and half a credential is not known for one.
        shown = mask(clean(text, lines=lines))
    return shorten(shown, limit) or BLANK


def escape(text: str) -> str:
    """For mrkdwn and `text`: with these three escaped nothing can ping or link (Slack's formatting reference)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str, limit: int) -> str:
    """Foreign text for mrkdwn: within backticks nothing formats either, and bare addresses stay text."""
    return f"`{escape(literal(text, limit).replace('`', chr(39)))}`"


def utc(at: datetime) -> str:
    """A moment for where Slack dates are not shown, and for readers whose client does not know them."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def date(at: datetime) -> str:
    """A Slack date for mrkdwn: shown in the reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{DATE_FORMAT}|{utc(at)}>"


def natural(text: str) -> tuple[tuple[str, int], ...]:
    """What to sort by where people read: case tells nothing apart, and `Lift 2` comes before `Lift 10`."""
    parts = re.findall(r"(\D*)(\d{0,18})", text.casefold())
    return tuple((words, int(digits) if digits else -1) for words, digits in parts)


def duration(length: timedelta) -> str:
    """`3 d 4 h`, `2 h 5 min`, `1 min 5 s`, `12 s`: its two largest units, rounded down."""
    seconds = max(0, int(length.total_seconds()))
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    for (large, size), (small, part) in pairwise(units):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {large}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s" if seconds else "less than 1 s"


def sign(state: State) -> str:
    """A coloured mark; never alone: the state's word (`State` is one) stands beside it."""
    return _SIGNS[state]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 connection`, `2 connections`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def impact(integrations: int | None) -> str | None:
    """What an outage stops, as a sentence; `None` when ItemPath does not say."""
    if integrations is None:
        return None
    if integrations <= 0:
        return "No integration uses it."
    return f"{count(integrations, 'integration')} {'stops' if integrations == 1 else 'stop'}."
