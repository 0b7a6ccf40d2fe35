"""Which connections a `list` shows, in which order, and what was meant when it shows none. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from bot.core.connection import State
from bot.core.incidents import Mute, Person, Silence
from bot.core.maintenance import Window, glob
from bot.core.state import ConnectionRecord
from bot.slack.commands.naming import name_of
from bot.slack.commands.silences import silences
from bot.slack.commands.vocabulary import ACKNOWLEDGED, MUTED, Listing
from bot.slack.commands.words import folded
from bot.slack.wording import natural

PAGE_SIZE = 20
COMPARED = 200
"""Different values among which the nearest is searched."""
COMPARED_LENGTH = 80

_RANK = {State.DOWN: 0, State.UNKNOWN: 1, State.UP: 2}
_Natural: TypeAlias = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One connection as it stands in the table."""

    record: ConnectionRecord
    state: State
    silence: Silence | None = None
    """What mutes it, of several what lasts longest."""
    ack_by: Person | None = None
    """Who has acknowledged what is open of it."""

    def has(self, marks: Collection[str]) -> bool:
        """Each of these `MARKS`."""
        there = {MUTED: self.silence, ACKNOWLEDGED: self.ack_by}
        return all(there[mark] is not None for mark in marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a table, worst first."""

    rows: tuple[Row, ...]
    number: int
    """From 1 on."""
    of: int
    """How many pages there are, at least one."""
    counts: dict[State, int]
    """Of all pages."""
    watched: int
    """How many connections there are without any filter."""
    muted: int = 0
    """How many of all pages are muted or in maintenance."""
    lost: int = 0
    """How many are unknown now, and were last known to be as it was asked for, or down if no such state was."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def first(self) -> int:
        """Number of the first row, from 1 on."""
        return (self.number - 1) * PAGE_SIZE + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What people, and the settings, have said about connections."""

    mutes: tuple[Mute, ...] = ()
    windows: tuple[Window, ...] = ()
    acknowledged: Mapping[tuple[str, str], Person]
    """By site and id: who has acknowledged what is open of it."""
    now: datetime

    def on(self, row: Row) -> Row:
        record, name = row.record, row.record.row.name if row.record.row else None
        about = silences(self.mutes, self.windows, site=record.site, connection=record.id, name=name, now=self.now)
        ack_by = self.acknowledged.get((record.site, record.id))
        return replace(row, silence=about[0] if about else None, ack_by=ack_by)


def page_of(
    listing: Listing, records: Iterable[ConnectionRecord], *, blind: Collection[str], marks: Marks | None = None
) -> Page:
    """`blind` are the sites that cannot be read. A page beyond the last is the last: rows go while people turn pages."""
    rows = [Row(record=record, state=record.state(blind=record.site in blind)) for record in records]
    fitting = [row for row in rows if _passes(row.record, listing.filters)]
    if marks is not None:
        fitting = [row for row in map(marks.on, fitting) if row.has(listing.marks)]
    found = sorted((row for row in fitting if listing.state in (None, row.state)), key=worst_first)
    known = State.UP if listing.state is State.UP else State.DOWN
    pages = max(1, -(-len(found) // PAGE_SIZE))
    number = min(listing.page, pages)
    return Page(
        rows=tuple(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]),
        number=number,
        of=pages,
        counts={state: sum(row.state is state for row in found) for state in _RANK},
        watched=len(rows),
        muted=sum(row.silence is not None for row in found),
        lost=sum(row.state is State.UNKNOWN and row.record.known is known for row in fitting),
    )


def worst_first(row: Row) -> tuple[tuple[int, int, int], _Natural, str, _Natural, str]:
    """Down, unknown, up, and the unknown by what they were; each with what stops most first, then by name."""
    record = row.record
    stops = record.row.integration_count if record.row else None
    badness = (_RANK[row.state], _RANK[record.known], -(stops or 0))
    return badness, natural(folded(name_of(record))), record.site, natural(record.id), record.id


def corrected(listing: Listing, records: Sequence[ConnectionRecord]) -> str | None:
    """The command that was perhaps meant, when a filter fits nothing at all by itself; `None` when nothing is near."""
    for key, wanted in listing.filters:
        if any(_fits(record, key, wanted) for record in records):
            continue
        values = dict.fromkeys(_value(record, key)[:COMPARED_LENGTH] for record in records)
        by_folded = {value.casefold(): value for value in list(values)[:COMPARED] if value}
        near = difflib.get_close_matches(wanted.casefold()[:COMPARED_LENGTH], by_folded, n=1, cutoff=0.5)
        if not near:
            return None
        value = by_folded[near[0]]
        right = f'{key}="{value}"' if " " in value else f"{key}={value}"
        rest = [word for word in listing.words if not word.casefold().startswith(f"{key}=")]
        return " ".join(("list", *rest, right))
    return None


def _passes(record: ConnectionRecord, filters: Iterable[tuple[str, str]]) -> bool:
    return all(_fits(record, key, wanted) for key, wanted in filters)


def _fits(record: ConnectionRecord, key: str, wanted: str) -> bool:
    """As a pattern, or as the text itself; of a name, a part is enough."""
    value = _value(record, key)
    if key == "name":
        return folded(wanted) in folded(value) or glob(folded(wanted), folded(value))
    return glob(wanted, value) or wanted.casefold() == value.casefold()


def _value(record: ConnectionRecord, key: str) -> str:
    row = record.row
    match key:
        case "site":
            return record.site
        case "name":
            return name_of(record)
        case "type":
            return (row.type if row else None) or ""
        case "app":
            return (row.app_id if row else None) or ""
    return (row.authentication if row else None) or ""
