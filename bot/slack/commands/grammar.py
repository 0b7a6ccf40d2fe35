"""The text behind the slash command, as one of its commands. Nothing that can be typed raises.

Only the first word is a word of the grammar; whatever begins with another one names a connection. What is quoted is
always a name, so a connection called "help" can be asked for too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.connection import State
from bot.slack.commands.guesses import (
    CALLED,
    GAP,
    USUAL,
    listing_meant,
    lists,
    mutes_meant,
    no_length,
    without_for,
    word_meant,
)
from bot.slack.commands.lengths import Length, length_at, length_in, lengths_in
from bot.slack.commands.vocabulary import (
    ACK,
    FILTERS,
    HELP,
    HISTORY,
    LAST_PAGE,
    LIST,
    LONGEST_MUTE,
    MARKS,
    MUTE,
    PAGE,
    SPANS,
    UNMUTE,
    WORDS,
    Ack,
    Command,
    Help,
    History,
    Listing,
    LookUp,
    Mute,
    Unmute,
)
from bot.slack.commands.words import Word, opened, quoted, tidy, unquoted, words

# `name = x`, `name: x`, `name= x`: what people write for `name=x`.
_LOOSE_FILTER = re.compile(rf"(?i)\b({'|'.join(FILTERS)})(?:\s*[=:]\s*)(?=\S)")
BEGINNING = 3
"""Letters from which on the beginning of a word of the grammar stands for it; no two begin alike."""
LONGER_NAMES = 3
"""Lengths behind the first up to which a name may go on; a reason may be full of them."""
_NOT_CLOSED = "The quotation mark is not closed."


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
        # Names of any form are put into a guess.
        guesses = [guess for guess in wrong.guesses if guess and (GAP in guess or _understood(guess, sites))]
        word = typed.partition(" ")[0].casefold()
        return Help(
            problem=wrong.problem,
            guess=guesses[0] if guesses else None,
            others=tuple(guesses[1:]),
            word=word,
            unknown=wrong.unknown,
        )


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

    def __init__(self, problem: str, *guesses: str | None, unknown: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.guesses = guesses
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
    marks: list[str] = []
    filters: dict[str, str] = {}
    page = 1
    kept: list[str] = []
    typed = words(rest)
    if (guess := _list_closed(typed)) is not None:
        raise _WrongError(_NOT_CLOSED, guess)
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
        elif not key and not word.quoted and word.value.casefold() in MARKS:
            marks.append(word.value.casefold())
        else:
            guess = _tightened(rest, sites) or listing_meant(typed, position, sites)
            raise _WrongError("`list` does not know this word.", guess, unknown=word.raw)
        kept.append(word.raw)
    return Listing(state=state, marks=tuple(marks), filters=tuple(filters.items()), page=page, words=tuple(kept))


def _list_closed(typed: Sequence[Word]) -> str | None:
    """The same with its last quotation closed, where that was forgotten and took in words of the grammar."""
    if not typed or not typed[-1].unclosed:
        return None
    before, inside = opened(typed[-1])
    for end, word in enumerate(inside):
        if end > 0 and (word.key in (*FILTERS, PAGE) or word.value.casefold() in (*State, *MARKS)):
            return _joined(LIST, *typed[:-1], quoted(before, inside[:end]), *inside[end:])
    return None


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


def _history(rest: str, _: Collection[str]) -> History:
    typed = words(rest)
    if (guess := _history_closed(typed)) is not None:
        raise _WrongError(_NOT_CLOSED, guess)
    length = _span_of(typed)
    if length is None:
        return History(ref=_ref(rest, _WHOSE))
    before = " ".join(word.raw for word in typed[: length.at])
    span = _enough(length)
    if SPANS[span] == length.length:
        return History(ref=_ref(before, _WHOSE), span=span)
    raise _WrongError(
        "`history` looks back 24h, 7d or 30d; a name that ends like a length needs quotation marks.",
        f"{HISTORY} {before} {span}",
    )


def _span_of(typed: Sequence[Word]) -> Length | None:
    """The length at the end, behind something else, unless it may be the end of a name."""
    for words_of_it in (2, 1):
        at = len(typed) - words_of_it
        length = length_at(typed, at) if at > 0 else None
        if length is not None and length.end == len(typed) and (length.sure or length.length in SPANS.values()):
            return length
    return None


def _enough(length: Length) -> str:
    """The shortest span that holds as much, or else the longest."""
    return next((name for name, span in SPANS.items() if span >= length.length), list(SPANS)[-1])


def _history_closed(typed: Sequence[Word]) -> str | None:
    """The same with its quotation closed, where that was forgotten and took in the span."""
    if not typed or not typed[-1].unclosed:
        return None
    before, inside = opened(typed[-1])
    length = _span_of(inside)
    if length is None:
        return None
    return _joined(HISTORY, *typed[:-1], quoted(before, inside[: length.at]), _enough(length))


_WHOSE = "`history` needs the connection that you want to look back on."


def _mute(rest: str, sites: Collection[str]) -> Mute:
    typed = words(rest)
    # What comes first is the connection, even if it reads like a length.
    found = length_in(typed, start=1)
    if found is None:
        raise _no_length(typed, sites)
    before = without_for(typed[: found.at])
    mute = _muted(typed, found)
    if found.length > LONGEST_MUTE:
        problem = "`mute` lasts 30d at most: what is silent for longer is forgotten."
        raise _WrongError(problem, " ".join((MUTE, *(w.raw for w in before), "30d")))
    if found.length < timedelta(seconds=1):
        problem = "`mute` lasts one second at least: write 30m, 2h, 1h30m or 7d."
        raise _WrongError(problem, " ".join((MUTE, *(w.raw for w in before), USUAL)))
    later = [length for length in lengths_in(typed, start=found.at + 1) if _allowed(length)][:LONGER_NAMES]
    return replace(mute, longer=tuple(_muted(typed, length) for length in reversed(later)))


def _allowed(length: Length) -> bool:
    return timedelta(seconds=1) <= length.length <= LONGEST_MUTE


def _muted(typed: Sequence[Word], length: Length) -> Mute:
    """The name before this length, and the reason behind it."""
    ref = _ref(_joined(*without_for(typed[: length.at])), _WHAT_AND_HOW_LONG)
    reason = unquoted(_joined(*typed[length.end :]))
    return Mute(ref=ref, length=length.length, reason=reason)


_WHAT_AND_HOW_LONG = "`mute` needs the connection, and for how long: 30m, 2h, 1h30m or 7d."


def _no_length(typed: Sequence[Word], sites: Collection[str]) -> _WrongError:
    """There is no length, or nothing but one, or it stands before the connection, or within an open quotation."""
    first = length_at(typed, 0)
    if not typed or not typed[0].value or (first is not None and first.end == len(typed)):
        return _WrongError(_WHAT_AND_HOW_LONG)
    if typed[-1].unclosed:
        return _WrongError(_NOT_CLOSED, _mute_closed(typed))
    if first is not None and first.sure:
        problem = "`mute` takes the connection first, and then for how long."
        length = "".join(word.raw for word in typed[: first.end])
        return _WrongError(problem, *mutes_meant(typed[first.end :], sites, length=length))
    return _WrongError(no_length(typed), *mutes_meant(typed, sites))


def _mute_closed(typed: Sequence[Word]) -> str:
    """The same with its quotation closed, before the length if there is one in it."""
    before, inside = opened(typed[-1])
    length = length_in(inside, start=1)
    name, rest = (inside, [USUAL]) if length is None else (without_for(inside[: length.at]), inside[length.at :])
    return _joined(MUTE, *typed[:-1], quoted(before, name), *rest)


def _joined(*parts: Word | str) -> str:
    return " ".join(part if isinstance(part, str) else part.raw for part in parts)


_READ: Mapping[str, Callable[[str, Collection[str]], Command]] = {
    ACK: _ack,
    LIST: _listing,
    HISTORY: _history,
    MUTE: _mute,
    UNMUTE: _unmute,
}


def meant(text: str, *, sites: Collection[str] = ()) -> tuple[str, ...]:
    """The commands that `text`, taken for a name in vain, may have been meant as, the likeliest first."""
    word, _, rest = text.partition(" ")
    # As the button calls it.
    typed = ACK if word.casefold() == "acknowledge" and rest else word.casefold()[:20]
    begun = [each for each in WORDS if len(typed) >= BEGINNING and each.startswith(typed)]
    near = begun or difflib.get_close_matches(typed, WORDS, n=1, cutoff=0.6)
    # What `list` takes may be typed without it.
    listed = text if rest or near else word_meant(typed, ())
    if CALLED.get(typed) and not rest:
        listed = CALLED[typed]
    if listed is not None and GAP not in listed:
        as_list = parse_tidied(f"{LIST} {listed}", sites=sites)
        if isinstance(as_list, Listing):
            return (f"{LIST} {listed}".strip(),)
        if isinstance(as_list, Help) and as_list.guess and lists(text.casefold().split(), sites):
            return (as_list.guess,)
    if not near or (not rest and near[0] not in (HELP, LIST)):
        return ()
    if near[0] == HELP:
        return (HELP,)
    command = parse_tidied(guess := f"{near[0]} {rest}".strip(), sites=sites)
    if isinstance(command, Help):
        # Without a length `mute` may be meant; but who types "lift 5" does not want a list.
        return (command.guess, *command.others) if command.guess and near[0] == MUTE else ()
    return (guess,)
