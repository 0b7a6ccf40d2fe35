"""What became of a connection within a span: how long it was up, down, or not seen at all. Pure arithmetic.

The span is cut at every moment at which anything changed, and each piece counts as exactly one thing. So the parts always
sum to the whole, whatever overlaps, and in whatever order it is told.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.core.connection import State
from bot.core.events import Event, EventKind
from bot.core.incidents import Episode, EpisodeKind, Family, Thread, Why
from bot.core.state import ConnectionRecord, SiteRecord

CELLS = 48
"""Of the timeline: half an hour each for a day."""


class Seen(enum.IntEnum):
    """What a moment counts as; where several are true, the greatest one."""

    UP = 0
    DOWN = 1
    UNCLEAR = 2
    """Its row could not be understood, or ItemPath told nothing about its state."""
    BLIND = 3
    """The site could not be read."""
    AWAY = 4
    """The bot itself was away."""
    UNRECORDED = 5
    """Its database took nothing."""
    UNWATCHED = 6
    """It was not watched yet, or nothing is kept of it."""


Stretch: TypeAlias = tuple[datetime, datetime]
Piece: TypeAlias = tuple[datetime, datetime, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A span, cut into pieces that follow each other without a gap."""

    start: datetime
    end: datetime
    pieces: tuple[Piece, ...]

    def spent(self, *seen: Seen) -> timedelta:
        return sum((end - start for start, end, what in self.pieces if what in seen), timedelta(0))

    @property
    def uptime(self) -> float | None:
        """In percent of the time in which its state was seen; `None` when it never was."""
        up, down = self.spent(Seen.UP), self.spent(Seen.DOWN)
        return None if not up + down else 100 * (up / (up + down))

    @property
    def seen(self) -> timedelta:
        """For how long its state was seen."""
        return self.spent(Seen.UP, Seen.DOWN)

    @property
    def first_seen(self) -> datetime | None:
        return next((start for start, _, what in self.pieces if what in (Seen.UP, Seen.DOWN)), None)

    def cells(self, number: int = CELLS) -> tuple[str, ...]:
        """One character for each equal part: `▁` up, `▄` down for a part of it, `█` down for most, `░` mostly not seen,
        `·` mostly not watched.
        """
        step = (self.end - self.start) / number
        spent = [dict.fromkeys(Seen, timedelta(0)) for _ in range(number)]
        for first, last, what in self.pieces:
            # One before, as dividing rounds.
            nth = max(0, int((first - self.start) / step) - 1)
            while nth < number and (begins := self.start + nth * step) < last:
                spent[nth][what] += max(timedelta(0), min(last, begins + step) - max(first, begins))
                nth += 1
        return tuple(map(_cell, spent))


def _cell(spent: dict[Seen, timedelta]) -> str:
    down, whole = spent[Seen.DOWN], sum(spent.values(), timedelta(0))
    if down:
        # Not even a moment of it disappears among what is up.
        return "█" if down * 2 >= whole else "▄"
    if spent[Seen.UNWATCHED] * 2 > whole:
        return "·"
    return "▁" if spent[Seen.UP] * 2 >= whole else "░"


def past(start: datetime, end: datetime, stretches: Iterable[tuple[Seen, Stretch]]) -> Past:
    """The span from `start` to `end`; what no stretch says anything of counts as up. Their order decides nothing."""
    end = max(start, end)
    clipped = [(what, max(first, start), min(last, end)) for what, (first, last) in stretches]
    clipped = [(what, first, last) for what, first, last in clipped if first < last]
    changes = sorted(
        [(first, what, 1) for what, first, _ in clipped] + [(last, what, -1) for what, _, last in clipped],
        key=lambda change: change[0],
    )
    active = dict.fromkeys(Seen, 0)
    pieces: list[Piece] = []
    since = start
    for at, what, step in [*changes, (end, Seen.UP, 0)]:
        if at > since:
            now = max((seen for seen, count in active.items() if count), default=Seen.UP)
            if pieces and pieces[-1][2] is now:
                pieces[-1] = (pieces[-1][0], at, now)
            else:
                pieces.append((since, at, now))
            since = at
        active[what] += step
    return Past(start=start, end=end, pieces=tuple(pieces))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that is remembered of one connection, and of its site, within a span."""

    site: SiteRecord | None
    record: ConnectionRecord
    episodes: tuple[Episode, ...]
    blind: tuple[Episode, ...]
    events: tuple[Event, ...]
    """Of the connection, oldest first."""
    absent: tuple[tuple[Seen, Stretch], ...]
    """When nothing of any site was seen or recorded."""
    kept_since: datetime
    """What ended before may be forgotten."""


def stretches(known: Known, *, start: datetime, end: datetime) -> list[tuple[Seen, Stretch]]:
    """Whatever keeps a moment of the span from counting as up."""
    outages = [episode for episode in known.episodes if episode.kind is EpisodeKind.OUTAGE]
    found = [(Seen.DOWN, (e.start, e.end or end)) for e in outages]
    found += [(Seen.BLIND, (e.start, e.end or end)) for e in known.blind]
    found += known.absent
    found += [(Seen.UNCLEAR, stretch) for stretch in _unclear(known, start=start, end=end)]
    found += [(Seen.UNWATCHED, stretch) for stretch in _unwatched(known, start=start, end=end)]
    if known.site is not None and known.site.failing_since is not None:
        # Too few failures yet for a blindness, but nothing was seen all the same.
        found.append((Seen.BLIND, (known.site.failing_since, end)))
    if (known_from := _known_from(known, outages)) is not None:
        found.append((Seen.UNCLEAR, (start, known_from)))
    elif known.record.since is None and not outages:
        found.append((Seen.UNCLEAR, (start, end)))
    return found


def _known_from(known: Known, outages: Sequence[Episode]) -> datetime | None:
    """Before then nobody knew its state; `None` when there is no such moment."""
    first = min(outages, key=lambda e: e.start, default=None)
    if first is None:
        return known.record.since
    return first.start if first.why in (Why.BASELINE, Why.ADDED, Why.FIRST_KNOWN) else None


def _unclear(known: Known, *, start: datetime, end: datetime) -> list[Stretch]:
    record = known.record
    found = [
        *_between(known.events, EventKind.UNREADABLE, EventKind.READABLE, start=start, end=end),
        *_between(known.events, EventKind.STALE, EventKind.FRESH, start=start, end=end),
    ]
    if record.state(blind=False) is State.UNKNOWN and record.seen_at is not None:
        found.append((record.seen_at, end))
    return found


def _unwatched(known: Known, *, start: datetime, end: datetime) -> list[Stretch]:
    since = known.kept_since
    if known.site is not None and known.site.baseline_at is not None:
        since = max(since, known.site.baseline_at)
    gone = _between(known.events, EventKind.REMOVED, EventKind.ADDED, start=start, end=end)
    return [(start, since), *gone]


def _between(
    events: Iterable[Event], begins: EventKind, ends: EventKind, *, start: datetime, end: datetime
) -> list[Stretch]:
    """From each event of one kind to the next of the other: what is ended first had begun before the span."""
    found: list[Stretch] = []
    since: datetime | None = None
    first = True
    for event in events:
        if event.kind is begins:
            since, first = since or event.at, False
        elif event.kind is ends and (since is not None or first):
            found.append((since or start, event.at))
            since, first = None, False
    return [*found, (since, end)] if since is not None else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """One kind of error over all incidents of a span."""

    error: str
    count: int
    last_at: datetime


def errors(episodes: Iterable[Episode], *, since: datetime) -> tuple[Errors, ...]:
    """The most frequent first. Of an incident that had begun before the span, all its errors count."""
    by_kind: dict[str, list[Family]] = {}
    for episode in episodes:
        for family in episode.families:
            if family.last_at >= since:
                by_kind.setdefault(family.fingerprint, []).append(family)
    found = [
        Errors(
            error=(latest := max(same, key=lambda f: (f.last_at, f.log.id))).log.error or "",
            count=sum(family.count for family in same),
            last_at=latest.last_at,
        )
        for same in by_kind.values()
    ]
    return tuple(sorted(found, key=lambda e: (-e.count, -e.last_at.timestamp(), e.error)))


def taken_up_after(episode: Episode, thread: Thread | None) -> timedelta | None:
    """How long it took until somebody acknowledged it; `None` when nobody did while it went on."""
    if thread is None or thread.ack_at is None or (episode.end is not None and thread.ack_at > episode.end):
        return None
    # Who took care of the thread before this one joined it had it from its start.
    return max(timedelta(0), thread.ack_at - episode.start)
