"""Many connections at once, or one over time, from what is remembered. Nothing here asks ItemPath, or changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, EpisodeKind, Thread
from bot.core.maintenance import Window
from bot.core.sight import NOT_RECORDED
from bot.core.state import ConnectionRecord
from bot.slack.commands.listing import Marks, Page, corrected, page_of
from bot.slack.commands.past import Known, Past, Seen, Stretch, past, stretches
from bot.slack.commands.vocabulary import SPANS, Listing
from bot.store.store import Store

_ALL = 100_000
"""Open episodes, or events of all sites: far more than there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page, and what has to be said beside it."""

    listing: Listing
    page: Page
    blind: tuple[Episode, ...]
    """Sites that cannot be read: the state of their connections is unknown."""
    unread: tuple[str, ...]
    """Sites that were never read."""
    guess: str | None
    """What was perhaps meant, when nothing fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedBack:
    """What became of one connection."""

    site: str
    id: str
    record: ConnectionRecord
    span: str
    """One of `SPANS`."""
    past: Past
    episodes: tuple[Episode, ...]
    """Oldest first: its outages and errors of the span."""
    threads: Mapping[str, Thread]


class Survey:
    def __init__(
        self,
        *,
        store: Store,
        sites: Collection[str],
        clock: Clock,
        kept: timedelta,
        maintenance: Sequence[Window] = (),
    ) -> None:
        """`sites` are the configured ones; `kept` is for how long what is over is remembered; `maintenance`: all windows
        of the settings.
        """
        self._maintenance = tuple(maintenance)
        self._store = store
        self.sites = sites
        self._clock = clock
        self._kept = kept

    async def list(self, listing: Listing) -> Listed:
        """Raises `StoreError`."""
        records = [record for record in await self._store.records() if record.site in self.sites]
        going_on = [e for e in await self._store.episodes(going_on=True, limit=_ALL) if e.site in self.sites]
        blind = tuple(e for e in going_on if e.kind is EpisodeKind.BLIND)
        marks = await self._marks(going_on)
        read = {site.name for site in await self._store.sites() if site.baseline_at is not None}
        # Comparing thousands of names takes a while, and the event loop has to go on meanwhile.
        page = await asyncio.to_thread(page_of, listing, records, blind={e.site for e in blind}, marks=marks)
        guess = None if page.total else await asyncio.to_thread(corrected, listing, records)
        return Listed(
            listing=listing,
            page=page,
            blind=blind,
            unread=tuple(site for site in self.sites if site not in read),
            guess=guess,
        )

    async def _marks(self, going_on: Sequence[Episode]) -> Marks:
        now = self._clock.now()
        threads = await self._store.threads({e.thread for e in going_on if e.thread})
        acknowledged = {
            (e.site, e.connection): thread.ack_by
            for e in going_on
            if (thread := threads.get(e.thread or "")) is not None and thread.ack_by is not None
        }
        return Marks(
            mutes=await self._store.mutes(now=now), windows=self._maintenance, acknowledged=acknowledged, now=now
        )

    async def look_back(self, record: ConnectionRecord, span: str) -> LookedBack:
        """Raises `StoreError`."""
        end = self._clock.now()
        start = end - SPANS[span]
        history = await self._store.history(record.site, record.id, since=start)
        known = Known(
            site=next((site for site in await self._store.sites() if site.name == record.site), None),
            record=record,
            episodes=history.episodes,
            blind=history.blind,
            events=tuple(stored.event for stored in history.events),
            absent=await self._absent(start),
            kept_since=end - self._kept,
        )
        return LookedBack(
            site=record.site,
            id=record.id,
            record=record,
            span=span,
            past=past(start, end, stretches(known, start=start, end=end)),
            episodes=history.episodes,
            threads=history.threads,
        )

    async def _absent(self, since: datetime) -> tuple[tuple[Seen, Stretch], ...]:
        """When nothing was polled at all: told once, by whichever site was read first afterwards."""
        events = [s.event for s in await self._store.events(connection=SITE, since=since, limit=_ALL)]
        return tuple(
            (
                Seen.UNRECORDED if event.reason == NOT_RECORDED else Seen.AWAY,
                (datetime.fromisoformat(str(event.data["from"])), datetime.fromisoformat(str(event.data["to"]))),
            )
            for event in events
            if event.kind is EventKind.AWAY
        )
