"""What may have been meant by words that no command takes. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from bot.core.connection import State
from bot.slack.commands.vocabulary import FILTERS, LIST, MARKS
from bot.slack.commands.words import Word

_NEAR = 0.7
"""How much of a bare word of `list` has to be one that it takes; what is less like one is part of a name."""
CALLED = {
    **dict.fromkeys(("offline", "failed", "failing", "broken", "red", "dead", "ko", "open", "flapping"), "down"),
    # What nobody takes care of yet stands there without a mark.
    **dict.fromkeys(("unacknowledged", "unacked"), "down"),
    **dict.fromkeys(("online", "ok", "okay", "green", "healthy", "fine"), "up"),
    **dict.fromkeys(("mutes", "silent", "silenced", "quiet", "maintenance", "planned"), "muted"),
    **dict.fromkeys(("acked", "ack", "taken", "owned"), "acknowledged"),
    **dict.fromkeys(("all", "everything", "*", "any", "unmuted"), ""),
}
"""What people call a state, a mark, or all connections."""
TAKEN_BACK = ("unack", "unacknowledge")
"""What people type to withdraw an acknowledgement, which cannot be done."""
_BARE_HOURS = (*range(1, 13), 24, 48, 72)
_BARE_MINUTES = 240
"""What a number without a unit is taken for: few are hours, more are minutes, as people count them. A year, an HTTP
status or a part of a name is neither."""
USUAL = "2h"
GAP = "…"
"""Stands in a guess for what only the person can know."""


def bare_length(number: str) -> str | None:
    """The length that a number without its unit may be."""
    if not (number.isascii() and number.isdecimal() and len(number) <= 4):
        return None
    size = int(number)
    if size in _BARE_HOURS:
        return f"{size}h"
    if size == 0:
        return USUAL
    return f"{size}m" if size <= _BARE_MINUTES else None


def listing_meant(typed: Sequence[Word], position: int, sites: Collection[str]) -> str | None:
    """What was perhaps meant by a word that `list` does not take: what comes nearest in its place, or part of a name."""
    word, end = typed[position], position + 1
    if word.key:
        near = difflib.get_close_matches(word.key[:20], FILTERS, n=1, cutoff=0.5)
        instead = f"{near[0]}={word.raw.partition('=')[2] or GAP}" if near else None
    else:
        instead = word_meant(word.value.casefold()[:80], sites)
    if instead is None:
        # Everything that follows and is no word of the grammar belongs to the name.
        while end < len(typed) and not typed[end].key and typed[end].value.casefold() not in (*State, *MARKS):
            end += 1
        name = " ".join(w.value for w in typed[position:end]).replace('"', "'").strip()
        if word.key or not name or "name" in {w.key for w in typed}:
            return None
        instead = f'name="{name}"' if " " in name else f"name={name}"
    before = [w.raw for w in typed[:position]]
    behind = [w.raw if w.key or w.quoted else _taken(w.raw, sites) for w in typed[end:]]
    return " ".join(filter(None, (LIST, *before, instead, *behind)))


def _taken(word: str, sites: Collection[str]) -> str:
    """As `list` takes it, if it is another word for that."""
    value = word.casefold()
    return f"site={value}" if value in sites else CALLED.get(value, word)


def lists(typed: Sequence[str], sites: Collection[str]) -> bool:
    """Whether these words, folded, can only be meant for `list`, although it was not typed."""
    known = (*State, *MARKS)
    return any(word in known for word in typed[:1]) or all(
        word in known or word in CALLED or word in sites for word in typed
    )


def word_meant(value: str, sites: Collection[str]) -> str | None:
    if value in sites:
        return f"site={value}"
    if value in FILTERS:
        return f"{value}={GAP}"
    near = difflib.get_close_matches(value, (*State, *MARKS), n=1, cutoff=_NEAR)
    return CALLED.get(value, near[0] if near else None)
