"""The text behind the slash command, as one of its commands. Nothing that can be typed raises.

Only the first word is a word of the grammar; whatever begins with another one names a connection. What is quoted is
always a name, so a connection called "help" can be asked for too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bot.core.connection import State
from bot.settings.values import parse_duration
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

# A length as the settings take it, or several of them: 1h30m.
_PART = re.compile(r"\d{1,15}(?:ms|s|m|h|d)", re.ASCII)
_LENGTH = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_LIKE_LENGTH = re.compile(r"\d+[^\W\d_]{1,8}\.?")


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


Command: TypeAlias = LookUp | Listing | History | Ack | Mute | Unmute | Help


def parse(text: str) -> Command:
    """What was asked for. Anything that is no command is taken for the name of a connection."""
    return parse_tidied(tidy(text))


def parse_tidied(typed: str) -> Command:
    """As `parse`, of what a button of the bot's own carries: text that was `tidy` when it was typed."""
    if not typed or typed.casefold() in (HELP, "?", "-h", "--help"):
        return Help()
    word, _, rest = typed.partition(" ")
    read = _READ.get(word.casefold())
    if read is None:
        ref = unquoted(typed)
        return LookUp(ref) if ref else Help()
    try:
        return read(rest)
    except _WrongError as wrong:
        return Help(problem=wrong.problem, guess=wrong.guess)


class _WrongError(Exception):
    """What was typed behind a word of the grammar cannot be meant."""

    def __init__(self, problem: str, guess: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.guess = guess


def _ack(rest: str) -> Ack:
    return Ack(_ref(rest, "`ack` needs the connection that you take care of."))


def _unmute(rest: str) -> Unmute:
    return Unmute(_ref(rest, "`unmute` needs the connection that you want to hear of again."))


def _ref(text: str, problem: str) -> str:
    ref = unquoted(text)
    if not ref:
        raise _WrongError(problem)
    return ref


def _listing(rest: str) -> Listing:
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
            filters[key] = _looked_for(key, word.value, filters)
        elif not key and not word.quoted and word.value.casefold() in tuple(State):
            named = State(word.value.casefold())
            if state not in (None, named):
                raise _WrongError("`list` takes one state at a time: down, up or unknown.")
            state = named
        else:
            raise _no_such_word(typed, position)
        kept.append(word.raw)
    return Listing(state=state, filters=tuple(filters.items()), page=page, words=tuple(kept))


def _page(value: str) -> int:
    page = int(value) if value.isascii() and value.isdecimal() else 0
    if not 1 <= page <= LAST_PAGE:
        raise _WrongError("A page is a number from 1 on.")
    return page


def _looked_for(key: str, value: str, before: Collection[str]) -> str:
    if not value:
        raise _WrongError(f"`{key}=` needs what to look for, e.g. {key}=SAP*.")
    if key in before:
        raise _WrongError(f"`list` takes {key}= once; a pattern such as A* can stand for several.")
    return value


def _no_such_word(typed: list[Word], position: int) -> _WrongError:
    """There is no such word of `list`: what comes nearest, in its place."""
    word = typed[position]
    known = FILTERS if word.key else (*State, *FILTERS)
    near = difflib.get_close_matches((word.key or word.value).casefold()[:20], known, n=1, cutoff=0.5)
    guess = None
    if near:
        value = word.raw.partition("=")[2]
        instead = f"{near[0]}={value or '…'}" if near[0] in FILTERS else near[0]
        guess = " ".join((LIST, *(instead if i == position else w.raw for i, w in enumerate(typed))))
    said = "`list` takes down, up or unknown, and filters by site=, type=, app=, name= and auth=."
    return _WrongError(said, guess)


def _history(rest: str) -> History:
    typed = words(rest)
    before = " ".join(word.raw for word in typed[:-1])
    last = typed[-1].value.casefold() if before and not typed[-1].quoted else ""
    if last in SPANS:
        return History(ref=_ref(before, _WHOSE), span=last)
    if _LIKE_LENGTH.fullmatch(last):
        (nearest,) = difflib.get_close_matches(last, SPANS, n=1, cutoff=0)
        raise _WrongError(
            "`history` looks back 24h, 7d or 30d; a name that ends like a length stands in quotes.",
            f"{HISTORY} {before} {nearest}",
        )
    return History(ref=_ref(rest, _WHOSE))


_WHOSE = "`history` needs the connection that you want to look back on."


def _mute(rest: str) -> Mute:
    typed = words(rest)
    lengths = [i for i, word in enumerate(typed) if not word.quoted and _LENGTH.fullmatch(word.value.casefold())]
    # What comes first is the connection, even if it reads like a length.
    at = next((i for i in lengths if i), None)
    if at is None:
        if not typed or lengths:
            raise _WrongError(_WHAT_AND_HOW_LONG)
        guess = f"{MUTE} {typed[0].raw} 2h" if len(typed) == 1 else None
        raise _WrongError("`mute` needs to know for how long: 30m, 2h, 1h30m or 7d.", guess)
    ref = _ref(" ".join(word.raw for word in typed[:at]), _WHAT_AND_HOW_LONG)
    reason = unquoted(" ".join(word.raw for word in typed[at + 1 :]))
    return Mute(ref=ref, length=_length(typed[at].value.casefold()), reason=reason)


_WHAT_AND_HOW_LONG = "`mute` needs the connection, and for how long: 30m, 2h, 1h30m or 7d."


def _length(text: str) -> timedelta:
    length = timedelta(0)
    try:
        for part in _PART.findall(text):
            length += parse_duration(part)
    except ValueError:  # beyond what the settings take
        length = LONGEST_MUTE * 2
    if length > LONGEST_MUTE:
        raise _WrongError("`mute` lasts 30d at most: what is silent for longer is forgotten.")
    if length < timedelta(seconds=1):
        raise _WrongError("`mute` lasts one second at least: write 30m, 2h, 1h30m or 7d.")
    return length


_READ: Mapping[str, Callable[[str], Command]] = {
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
