"""Lengths of time as people type them: `2h`, `1h30m`, `1h30`, `90 min`, `2 hours`, `1 day and 12 hours`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.slack.commands.words import Word

# Each unit as it may be written, in seconds.
_UNITS = {
    r"ms": 0.001,
    r"s(?:ec(?:ond)?s?)?": 1,
    r"m(?:in(?:ute)?s?)?": 60,
    r"h(?:(?:ou)?rs?)?": 3600,
    r"d(?:ays?)?": 86_400,
    r"w(?:(?:ee)?ks?)?": 604_800,
    r"months?": 2_592_000,
}
_UNIT = "|".join(_UNITS)
_NUMBER = r"\d{1,15}(?:[.,]\d{1,3})?"
_COMPACT = re.compile(rf"(?:{_NUMBER}(?:{_UNIT}))+", re.ASCII)
_BARE_MINUTES = re.compile(r"(?<=\dh)(\d{1,2})$", re.ASCII)
"""As in `1h30`."""
_PART = re.compile(rf"({_NUMBER})({_UNIT})(?![a-z])", re.ASCII)
_LONGEST = 10**12
"""Seconds; far more than anybody may ask for, and few enough to reckon with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A length that was found among words."""

    at: int
    """The first of its words."""
    end: int
    """The first word behind it."""
    length: timedelta
    sure: bool
    """Nothing else can be meant; `4 S` may end a name as well."""


def length_at(typed: Sequence[Word], at: int) -> Length | None:
    """The length that begins with this word, with all its parts, from the greatest unit to the smallest."""
    parts: list[_Part] = []
    end = at
    while (part := _next(typed, end, first=not parts)) and (not parts or part.greatest < parts[-1].smallest):
        parts.append(part)
        end += part.words
    if not parts:
        return None
    seconds = min(sum(part.seconds for part in parts), _LONGEST)
    return Length(at=at, end=end, length=timedelta(seconds=seconds), sure=all(part.sure for part in parts))


def length_in(typed: Sequence[Word], *, start: int) -> Length | None:
    """The first length from the word `start` on that can be nothing else; or else the first that may be one."""
    found = lengths_in(typed, start=start)
    return next((length for length in found if length.sure), found[0] if found else None)


def lengths_in(typed: Sequence[Word], *, start: int) -> list[Length]:
    """Every length that begins with a word from `start` on."""
    return [length for at in range(start, len(typed)) if (length := length_at(typed, at)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    seconds: float
    greatest: float
    smallest: float
    """Seconds of its units."""
    words: int
    sure: bool


def _next(typed: Sequence[Word], at: int, *, first: bool) -> _Part | None:
    """What stands here, or behind an "and" that joins it to what stands before."""
    part = _part(typed, at)
    if part is None and not first and at < len(typed) and typed[at].raw.casefold() == "and":
        part = _part(typed, at + 1)
        return part and replace(part, words=part.words + 1)
    return part


def _part(typed: Sequence[Word], at: int) -> _Part | None:
    """`2h`, `1h30m` or `2 hours`."""
    if at >= len(typed) or typed[at].quoted:
        return None
    word = _BARE_MINUTES.sub(r"\1m", typed[at].raw.casefold())
    if _COMPACT.fullmatch(word):
        parts = [(_number(number), _seconds(unit)) for number, unit in _PART.findall(word)]
        units = [unit for _, unit in parts]
        total = sum(number * unit for number, unit in parts)
        return _Part(seconds=total, greatest=max(units), smallest=min(units), words=1, sure=True)
    unit = typed[at + 1].raw.casefold() if at + 1 < len(typed) and not typed[at + 1].quoted else ""
    long = len(unit) > 1
    if not re.fullmatch(_UNIT, unit) or not (re.fullmatch(_NUMBER, word, re.ASCII) or (long and word in ("a", "an"))):
        return None
    number = 1.0 if word in ("a", "an") else _number(word)
    size = _seconds(unit)
    return _Part(seconds=number * size, greatest=size, smallest=size, words=2, sure=long)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _seconds(unit: str) -> float:
    return next(seconds for pattern, seconds in _UNITS.items() if re.fullmatch(pattern, unit))
