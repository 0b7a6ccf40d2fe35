"""What the board knows: every site, what is open there and who has it, and what is silent. One reading of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from bot.core.connection import State
from bot.core.incidents import SITE, Episode, EpisodeKind, Mute, Silence, Thread
from bot.core.maintenance import Window
from bot.core.state import SiteRecord
from bot.slack.commands.silences import silences
from bot.slack.wording import natural
from bot.store.store import Store

_ALL = 100_000
"""What goes on: a few episodes for each connection at most, and one for each site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBoard:
    """One site."""

    name: str
    record: SiteRecord | None
    """`None` when it was never polled."""
    counts: Mapping[State, int]
    blind: Episode | None
    """Why it cannot be read, if it cannot."""
    incidents: tuple[Episode, ...]
    """Open outages, what stops most first, then what flaps and is up for the moment, then open errors."""
    silences: tuple[Silence, ...]
    """What silences the site itself."""
    silent: Mapping[str, Silence]
    """What silences those incidents that were not announced, by the connection's id."""

    @property
    def flapping(self) -> int:
        """How many are up for the moment only."""
        return sum(1 for episode in self.incidents if not episode.open)

    @property
    def watched(self) -> int:
        return sum(self.counts.values())

    @property
    def known(self) -> bool:
        """Whether it was ever read."""
        return self.record is not None and self.record.baseline_at is not None

    @property
    def state(self) -> State:
        """The worst of it."""
        if self.counts[State.DOWN] and self.blind is None:
            return State.DOWN
        return State.UNKNOWN if self.blind or not self.known or self.counts[State.UNKNOWN] else State.UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything, at one moment."""

    at: datetime
    sites: tuple[SiteBoard, ...]
    """Worst first."""
    threads: Mapping[str, Thread]
    mutes: tuple[tuple[Mute, str | None], ...]
    """With the name of the connection that each is about; `None` for a whole site, or one that is not watched now."""
    maintenance: tuple[tuple[Window, datetime], ...]
    """Windows that are open, and until when."""

    def timeless(self) -> Board:
        """Without the moments at which it was read: two boards that tell the same are shown the same then."""
        sites = (replace(site, record=site.record and replace(site.record, good_at=_NEVER)) for site in self.sites)
        return replace(self, at=_NEVER, sites=tuple(sites))


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def gather(store: Store, *, sites: Collection[str], maintenance: Sequence[Window], now: datetime) -> Board:
    """`sites` are the configured ones. Raises `StoreError`."""
    site_records = {record.name: record for record in await store.sites()}
    records = [record for record in await store.records() if record.site in sites]
    episodes = [episode for episode in await store.episodes(going_on=True, limit=_ALL) if episode.site in sites]
    threads = await store.threads(episode.thread for episode in episodes if episode.thread)
    mutes = [mute for mute in await store.mutes(now=now) if mute.site in sites]
    blind = {episode.site: episode for episode in episodes if episode.connection == SITE}
    counts: dict[str, Counter[State]] = {site: Counter() for site in sites}
    for record in records:
        counts[record.site][record.state(blind=record.site in blind)] += 1
    names = {(record.site, record.id): record.row.name if record.row else record.id for record in records}

    def _holding(episode: Episode) -> tuple[Silence, ...]:
        about = episode.row.name if episode.row else None
        return silences(mutes, maintenance, site=episode.site, connection=episode.connection, name=about, now=now)

    boards = [
        SiteBoard(
            name=site,
            record=site_records.get(site),
            counts={state: counts[site][state] for state in State},
            blind=blind.get(site),
            incidents=tuple(sorted((e for e in episodes if e.site == site and e.connection != SITE), key=_worst_first)),
            silences=silences(mutes, maintenance, site=site, connection=SITE, name=None, now=now),
            silent={
                e.connection: held[0]
                for e in episodes
                if e.site == site and e.connection != SITE and e.thread is None and (held := _holding(e))
            },
        )
        for site in sites
    ]
    return Board(
        at=now,
        sites=tuple(sorted(boards, key=_worst_site_first)),
        threads=threads,
        mutes=tuple((mute, names.get((mute.site, mute.connection))) for mute in mutes),
        maintenance=tuple((window, until) for window in maintenance if (until := window.until(now)) is not None),
    )


_Natural: TypeAlias = tuple[tuple[str, int], ...]


def _worst_first(episode: Episode) -> tuple[bool, bool, int, datetime, _Natural, _Natural, str]:
    """Of equals in the order in which people look for a name."""
    by_name = natural(episode.row.name if episode.row else ""), natural(episode.connection), episode.connection
    return episode.kind is not EpisodeKind.OUTAGE, not episode.open, -_stops(episode), episode.start, *by_name


def _worst_site_first(site: SiteBoard) -> tuple[int, int, int, _Natural]:
    """What cannot be read at all is worst: nobody knows what is down there."""
    down = site.counts[State.DOWN]
    rank = 0 if site.blind else {State.DOWN: 1, State.UNKNOWN: 2, State.UP: 4 - bool(site.incidents)}[site.state]
    return rank, -sum(_stops(e) for e in site.incidents if e.open), -down, natural(site.name)


def _stops(episode: Episode) -> int:
    return (episode.row.integration_count if episode.row else None) or 0
