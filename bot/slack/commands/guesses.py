"""What may have been meant by words that no command takes. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence

from bot.core.connection import State
from bot.slack.commands.lengths import length_at
from bot.slack.commands.vocabulary import FILTERS, LIST, MARKS, MUTE
from bot.slack.commands.words import Word

_NEAR = 0.7
"""How much of a bare word of `list` has to be one that it takes; what is less like one is part of a name."""
_NEAR_SITE = 0.75
"""How much of what was typed and of a site's name has to be the same."""
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
_FOREVER = ("forever", "ever", "always", "permanently", "indefinitely")
_UNTIL = ("until", "till", "til")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_LIKE_ID = re.compile(r"\d+|[^\s/]+/\S+")
_NAMES = 6
"""Words that a name may have where it is not clear where it ends."""
_NUMBER = re.compile(r"\d+")
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


def without_for(before: Sequence[Word]) -> Sequence[Word]:
    """What stands before a length: `Lift 2 for 2h`."""
    return before[:-1] if len(before) > 1 and before[-1].raw.casefold() == "for" else before


def no_length(typed: Sequence[Word]) -> str:
    """What is wrong where no length is named, as a sentence."""
    behind = {word.raw.casefold() for word in typed[1:]}
    if behind.intersection(_FOREVER):
        return "`mute` lasts 30d at most: what is silent for longer is forgotten."
    if behind.intersection(_UNTIL):
        return "`mute` needs to know for how long, not until when: 30m, 2h, 1h30m or 7d, 30d at most."
    return "`mute` needs to know for how long: 30m, 2h, 1h30m or 7d."


def mutes_meant(typed: Sequence[Word], sites: Collection[str], *, length: str | None = None) -> Iterator[str]:
    """Each way in which a name and a reason may stand here, the longest name first. `length`: that which is named
    elsewhere.
    """
    # What follows an id or a quoted name is no part of it.
    apart = typed[0].quoted or _LIKE_ID.fullmatch(typed[0].raw)
    for end in range(1 if apart else min(len(typed), _NAMES), 0, -1):
        name = [word.raw for word in without_for(typed[:end])]
        if len(name) == 1 and name[0].casefold() in sites:
            name = [f"{name[0].casefold()}/*"]
        rest = [word.raw for word in typed[end:]]
        yield " ".join((MUTE, *name, *([length, *rest] if length else _how_long(rest))))


def _how_long(rest: Sequence[str]) -> Sequence[str]:
    """The length that these words begin with, or else the usual one, and the reason."""
    first = rest[0].casefold() if rest else ""
    if first in _UNTIL or not rest:
        return (USUAL,)
    if first in _FOREVER:
        return ("30d", *rest[1:])
    length = _length_meant(first)
    return (length, *rest[1:]) if length else (USUAL, *rest)


def _length_meant(word: str) -> str | None:
    """`2`, `1:30`, `-1h` or `(2h)` as a length."""
    bare = word.strip("+-~.,;:!()")
    if (clock := _CLOCK.fullmatch(bare)) is not None:
        return f"{int(clock[1]) * 60 + int(clock[2])}m"
    return bare if length_at((Word(raw=bare, value=bare),), 0) else bare_length(bare)


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
    if value in CALLED:
        return CALLED[value]
    if near := difflib.get_close_matches(value, (*State, *MARKS), n=1, cutoff=_NEAR):
        return str(near[0])
    return f"site={site}" if (site := near_site(value, sites)) else None


def near_site(name: str, sites: Collection[str]) -> str | None:
    """The site whose name comes nearest; numbers are no slips, but tell sites apart."""
    name = name.casefold()[:80]
    alike = [site for site in sites if _NUMBER.findall(site) == _NUMBER.findall(name)]
    return next(iter(difflib.get_close_matches(name, alike, n=1, cutoff=_NEAR_SITE)), None)
