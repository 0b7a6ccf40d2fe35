"""The text behind the slash command, as one of its commands. Nothing that can be typed raises.

Only the first word is a word of the grammar; whatever begins with another one names a connection. What is quoted is
always a name, so a connection called "help" can be asked for too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bot.core.connection import State
from bot.slack.commands.lengths import length_at, length_in
from bot.slack.commands.words import Word, tidy, unquoted, words

HELP = "help"
ACK = "ack"
LIST = "list"
HISTORY = "history"
MUTE = "mute"
UNMUTE = "unmute"
WORDS = (HELP, ACK, LIST, HISTORY, MUTE, UNMUTE)

SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
"""What `history` looks back on; the first unless another is named."""
LONGEST_MUTE = timedelta(days=30)
"""A silence that outlives the memory of who wanted it is a fault that nobody sees."""
FILTERS = ("site", "type", "app", "name", "auth")
PAGE = "page"
LAST_PAGE = 10_000

_NEAR = 0.7
"""How much of a bare word of `list` has to be one that it takes; what is less like one is part of a name."""
# What people call a state, or all of them.
_STATES = {
    **dict.fromkeys(("offline", "failed", "failing", "broken", "red", "dead", "ko"), "down"),
    **dict.fromkeys(("online", "ok", "okay", "green", "healthy", "fine"), "up"),
    **dict.fromkeys(("all", "everything", "*", "any"), ""),
}
# `name = x`, `name: x`, `name= x`: what people write for `name=x`.
_LOOSE_FILTER = re.compile(rf"(?i)\b({'|'.join(FILTERS)})(?:\s*[=:]\s*)(?=\S)")
_GAP = "…"
"""Stands in a guess for what only the person can know."""
_LIKE_ID = re.compile(r"\d+|[^\s/]+/\S+")


@dataclass(frozen=True, slots=True)
class LookUp:
    """Show the connection that `ref` names: an id, `site/id`, or (the beginning of) a name."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table of connections."""

    state: State | None = None
    filters: tuple[tuple[str, str], ...] = ()
    """Pairs of one of `FILTERS`, each at most once, and what is looked for: a glob, or the text itself."""
    page: int = 1
    words: tuple[str, ...] = ()
    """What was typed after `list`, without the page."""

    def text(self, *, page: int) -> str:
        """The command that asks for another page of the same."""
        return " ".join((LIST, *self.words, f"{PAGE}={page}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What became of `ref` lately."""

    ref: str
    span: str = next(iter(SPANS))
    """One of `SPANS`."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody takes care of what `ref` names."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Nothing new is to be said about `ref` for a while."""

    ref: str
    length: timedelta
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unmute:
    """Everything is to be said about `ref` again."""

    ref: str


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be asked."""

    problem: str | None = None
    """What was wrong with what was asked, as a sentence of the bot's own."""
    guess: str | None = None
    """What may have been meant, as it can be typed."""
    word: str = ""
    """The word of the grammar that was typed; empty when it was none."""
    unknown: str = ""
    """What was not understood, as it was typed, to follow after `problem`; foreign text."""


Command: TypeAlias = LookUp | Listing | History | Ack | Mute | Unmute | Help


def parse(text: str, *, sites: Collection[str] = ()) -> Command:
    """What was asked for. Anything that is no command is taken for the name of a connection. `sites`: those that are
    watched, which a guess may name.
    """
    return parse_tidied(tidy(text), sites=sites)


def parse_tidied(typed: str, *, sites: Collection[str] = ()) -> Command:
    """As `parse`, of what a button of the bot's own carries: text that was `tidy` when it was typed."""
    try:
        return _read(typed, sites)
    except _WrongError as wrong:
        guess = wrong.guess
        if guess is not None and _GAP not in guess and not _understood(guess, sites):
            guess = None  # names of any form are put into it
        word = typed.partition(" ")[0].casefold()
        return Help(problem=wrong.problem, guess=guess, word=word, unknown=wrong.unknown)


def _understood(guess: str, sites: Collection[str]) -> bool:
    """Without a guess at what that one may mean: a quotation mark that is never closed takes in whatever is put behind
    it, and so on for ever.
    """
    try:
        return not isinstance(_read(guess, sites), Help)
    except _WrongError:
        return False


def _read(typed: str, sites: Collection[str]) -> Command:
    """Raises `_WrongError`."""
    if not typed or typed.casefold() in (HELP, "?", "-h", "--help"):
        return Help()
    word, _, rest = typed.partition(" ")
    read = _READ.get(word.casefold())
    if read is not None:
        return read(rest, sites)
    ref = unquoted(typed)
    return LookUp(ref) if ref else Help()


class _WrongError(Exception):
    """What was typed behind a word of the grammar cannot be meant."""

    def __init__(self, problem: str, guess: str | None = None, *, unknown: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.guess = guess
        self.unknown = unknown


def _ack(rest: str, _: Collection[str]) -> Ack:
    return Ack(_ref(rest, "`ack` needs the connection that you take care of."))


def _unmute(rest: str, _: Collection[str]) -> Unmute:
    return Unmute(_ref(rest, "`unmute` needs the connection that you want to hear about again."))


def _ref(text: str, problem: str) -> str:
    ref = unquoted(text)
    if not ref:
        raise _WrongError(problem)
    return ref


def _listing(rest: str, sites: Collection[str]) -> Listing:
    state: State | None = None
    filters: dict[str, str] = {}
    page = 1
    kept: list[str] = []
    typed = words(rest)
    for position, word in enumerate(typed):
        key = word.key
        if key == PAGE:
            page = _page(word.value)
            continue
        if key in FILTERS:
            if not word.value:
                problem = f"`{key}=` needs what to look for, e.g. {key}=SAP*."
                raise _WrongError(problem, _tightened(rest, sites))
            if key in filters:
                raise _WrongError(f"`list` takes {key}= once; a pattern such as A* can stand for several.")
            filters[key] = word.value
        elif not key and not word.quoted and word.value.casefold() in tuple(State):
            named = State(word.value.casefold())
            if state not in (None, named):
                every = " ".join((LIST, *(w.raw for w in typed if w.key)))
                raise _WrongError("`list` takes one state at a time: down, up or unknown.", every)
            state = named
        else:
            guess = _tightened(rest, sites) or _listing_meant(typed, position, sites)
            raise _WrongError("`list` does not know this word.", guess, unknown=word.raw)
        kept.append(word.raw)
    return Listing(state=state, filters=tuple(filters.items()), page=page, words=tuple(kept))


def _page(value: str) -> int:
    page = int(value) if value.isascii() and value.isdecimal() else 0
    if not 1 <= page <= LAST_PAGE:
        raise _WrongError("A page is a number from 1 on.", f"{LIST} {PAGE}=2")
    return page


def _tightened(rest: str, sites: Collection[str]) -> str | None:
    """The same with its filters written as `list` takes them, if that is all that was wrong."""
    tight = _LOOSE_FILTER.sub(lambda found: f"{found[1].casefold()}=", rest)
    if tight == rest:
        return None
    try:
        _listing(tight, sites)
    except _WrongError:
        return None  # something else was wrong, too
    return f"{LIST} {tight}"


def _listing_meant(typed: Sequence[Word], position: int, sites: Collection[str]) -> str | None:
    """What was perhaps meant by a word that `list` does not take: what comes nearest in its place, or part of a name."""
    word, end = typed[position], position + 1
    if word.key:
        near = difflib.get_close_matches(word.key[:20], FILTERS, n=1, cutoff=0.5)
        instead = f"{near[0]}={word.raw.partition('=')[2] or _GAP}" if near else None
    else:
        instead = _word_meant(word.value.casefold()[:80], sites)
    if instead is None:
        # Everything that follows and is no word of the grammar belongs to the name.
        while end < len(typed) and not typed[end].key and typed[end].value.casefold() not in tuple(State):
            end += 1
        name = " ".join(w.value for w in typed[position:end]).replace('"', "'").strip()
        if word.key or not name or "name" in {w.key for w in typed}:
            return None
        instead = f'name="{name}"' if " " in name else f"name={name}"
    return " ".join(filter(None, (LIST, *(w.raw for w in typed[:position]), instead, *(w.raw for w in typed[end:]))))


def _word_meant(value: str, sites: Collection[str]) -> str | None:
    if value in sites:
        return f"site={value}"
    if value in FILTERS:
        return f"{value}={_GAP}"
    near = difflib.get_close_matches(value, State, n=1, cutoff=_NEAR)
    return _STATES.get(value, near[0] if near else None)


def _history(rest: str, _: Collection[str]) -> History:
    typed = words(rest)
    for words_of_it in (2, 1):
        at = len(typed) - words_of_it
        length = length_at(typed, at) if at > 0 else None
        if length is None or length.end != len(typed):
            continue
        before = " ".join(word.raw for word in typed[:at])
        span = next((name for name, span in SPANS.items() if span == length.length), None)
        if span is not None:
            return History(ref=_ref(before, _WHOSE), span=span)
        if not length.sure:
            continue  # a name may end like this
        enough = next((name for name, span in SPANS.items() if span >= length.length), list(SPANS)[-1])
        raise _WrongError(
            "`history` looks back 24h, 7d or 30d; a name that ends like a length needs quotation marks.",
            f"{HISTORY} {before} {enough}",
        )
    return History(ref=_ref(rest, _WHOSE))


_WHOSE = "`history` needs the connection that you want to look back on."


def _mute(rest: str, sites: Collection[str]) -> Mute:
    typed = words(rest)
    # What comes first is the connection, even if it reads like a length.
    found = length_in(typed, start=1)
    if found is None:
        raise _no_length(typed, sites)
    before = typed[: found.at]
    if len(before) > 1 and before[-1].raw.casefold() == "for":
        before = before[:-1]
    ref = _ref(" ".join(word.raw for word in before), _WHAT_AND_HOW_LONG)
    if found.length > LONGEST_MUTE:
        problem = "`mute` lasts 30d at most: what is silent for longer is forgotten."
        raise _WrongError(problem, " ".join((MUTE, *(w.raw for w in before), "30d")))
    if found.length < timedelta(seconds=1):
        problem = "`mute` lasts one second at least: write 30m, 2h, 1h30m or 7d."
        raise _WrongError(problem, " ".join((MUTE, *(w.raw for w in before), _USUAL)))
    reason = unquoted(" ".join(word.raw for word in typed[found.end :]))
    return Mute(ref=ref, length=found.length, reason=reason)


_WHAT_AND_HOW_LONG = "`mute` needs the connection, and for how long: 30m, 2h, 1h30m or 7d."
_USUAL = "2h"


def _no_length(typed: Sequence[Word], sites: Collection[str]) -> _WrongError:
    """There is no length, or nothing but one, or it stands before the connection."""
    first = length_at(typed, 0)
    raw = [word.raw for word in typed]
    if not typed or not typed[0].value or (first is not None and first.end == len(typed)):
        return _WrongError(_WHAT_AND_HOW_LONG)
    if first is not None and first.sure:
        problem = "`mute` takes the connection first, and then for how long."
        return _WrongError(problem, " ".join((MUTE, *raw[first.end :], "".join(raw[: first.end]))))
    # What follows an id or a quoted name is no part of it.
    if len(typed) > 1 and (typed[0].quoted or _LIKE_ID.fullmatch(raw[0])):
        what, rest = raw[:1], raw[1:]
    else:
        what, rest = raw, []
    length = _USUAL
    if rest and rest[0].isascii() and rest[0].isdecimal() and len(rest[0]) <= 4:
        length = f"{rest[0]}{'h' if int(rest[0]) <= 12 else 'm'}"
        rest = rest[1:]
    if what[0].casefold() in sites and len(what) == 1:
        what = [f"{what[0].casefold()}/*"]
    problem = "`mute` needs to know for how long: 30m, 2h, 1h30m or 7d."
    return _WrongError(problem, " ".join((MUTE, *what, length, *rest)))


_READ: Mapping[str, Callable[[str, Collection[str]], Command]] = {
    ACK: _ack,
    LIST: _listing,
    HISTORY: _history,
    MUTE: _mute,
    UNMUTE: _unmute,
}


def meant(text: str) -> str | None:
    """The command that `text`, taken for a name in vain, may have been meant as; `None` when none is near."""
    word, _, rest = text.partition(" ")
    # As the button calls it.
    typed = ACK if word.casefold() == "acknowledge" else word.casefold()[:20]
    near = difflib.get_close_matches(typed, WORDS, n=1, cutoff=0.6)
    if not near or (not rest and near[0] not in (HELP, LIST)):
        return None
    return near[0] if near[0] == HELP else f"{near[0]} {rest}".strip()
