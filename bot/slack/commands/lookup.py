"""What is known of the connection that somebody asks for: read live, and beside it what the bot remembers.

Looking never changes anything. ItemPath has two seconds; if it does not answer, what was last read is shown with its age.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from bot.clock import Clock
from bot.core.connection import Connection, Failure, State
from bot.core.incidents import SITE, Episode, EpisodeKind, Silence, Thread
from bot.core.maintenance import Window
from bot.core.state import ConnectionRecord, SiteRecord
from bot.itempath.errors import ItemPathError, NotFound, TimedOut
from bot.slack.calls import SlackCalls
from bot.slack.commands.naming import Named, may_be_id, name_of, split_site
from bot.slack.commands.remembered import Missing, Remembered, Several, Unclear
from bot.slack.commands.silences import silences
from bot.slack.errors import SlackError
from bot.store.store import Store

LIVE = 2.0
"""Seconds that ItemPath has for its answer."""
_ALL = 100_000
"""What goes on at a site: a few episodes for each connection at most."""
LINK = 1.0
"""Seconds that Slack has to name the address of a thread; an answer without it is still an answer."""


class Reads(Protocol):
    """What is asked of an ItemPath client."""

    async def connection(self, id: str, *, budget: float | None = None) -> Connection: ...  # noqa: A002 - as the client has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What ItemPath has just said of a connection, or why it said nothing."""

    row: Connection | None = None
    failure: Failure | None = None
    gone: bool = False
    """It says that there is no such connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything that can be said about one connection at this moment."""

    site: str
    id: str
    at: datetime
    """When it was looked at."""
    live: Connection | None = None
    """As ItemPath has just told it."""
    failure: Failure | None = None
    """Why ItemPath did not tell it."""
    gone: bool = False
    """ItemPath has just said that there is no such connection."""
    record: ConnectionRecord | None = None
    """As it is remembered; `None` when no poll has seen it yet."""
    read_at: datetime | None = None
    """When what is remembered was read."""
    episodes: tuple[Episode, ...] = ()
    """What is not over: its own, newest first, then those of its site."""
    threads: Mapping[str, Thread]
    """Where they are told, by id."""
    link: str | None = None
    """Address of the newest of these threads."""
    silences: tuple[Silence, ...] = ()
    """What mutes it, what lasts longest first."""
    muted: tuple[str, ...] = ()
    """What people have muted it as: by its id, or with the whole site (`incidents.EVERY`)."""

    @property
    def row(self) -> Connection | None:
        """The newest reading."""
        return self.live or (self.record.row if self.record else None)

    @property
    def blind(self) -> bool:
        """The bot had lost sight of the site."""
        return any(episode.kind is EpisodeKind.BLIND for episode in self.episodes)

    @property
    def stale(self) -> bool:
        """ItemPath itself had not checked it for too long at the last poll, and still has not: what it says is old."""
        record = self.record
        if record is None or not record.stale:
            return False
        return self.live is None or record.row is None or self.live.last_check == record.row.last_check

    @property
    def state(self) -> State:
        if self.live is not None:
            return State.UNKNOWN if self.stale else self.live.state
        if self.record is None or self.gone:
            return State.UNKNOWN
        return self.record.state(blind=self.blind)


Answer: TypeAlias = Sight | Unclear


class Lookup:
    """Finds connections, or what may be meant by what names none (`remembered`: those written in another way, the nearest,
    a site), and looks at them.
    """

    def __init__(
        self,
        *,
        store: Store,
        calls: SlackCalls,
        live: Mapping[str, Reads],
        clock: Clock,
        maintenance: Sequence[Window] = (),
    ) -> None:
        """`live` has a reader for each configured site; what is remembered of other sites is left alone.

        `maintenance`: all windows of the settings.
        """
        self._store = store
        self._calls = calls
        self._live = live
        self._clock = clock
        self._maintenance = maintenance

    async def find(self, ref: str) -> Answer:
        """What `ref` names, looked at live. Raises `StoreError`."""
        remembered = await self.remembered()
        exact = await remembered.exactly(ref)
        unanswered: dict[str, Failure] = {}
        if exact is None:
            new, unanswered = await self._unseen(ref)
            if new is not None:
                return new
        found = exact or await remembered.loosely(ref)
        if isinstance(found, Named):
            return await self._look(found.record.site, found.record.id, found.record)
        return remembered.told(found, unanswered)

    async def named(self, ref: str) -> ConnectionRecord | Unclear:
        """As `find`, among what is remembered only. Raises `StoreError`."""
        return await (await self.remembered()).named(ref)

    async def remembered(self) -> Remembered:
        """For a question in which several things may be meant. Raises `StoreError`."""
        records = [record for record in await self._store.records() if record.site in self._live]
        return Remembered(records=records, sites=self._live)

    async def look(self, site: str, connection: str) -> Sight | Missing:
        """At one connection that was found before. Raises `StoreError`."""
        if site not in self._live:
            return Missing(unanswered={})
        record = next((r for r in await self._store.records(site) if r.id == connection), None)
        return await self._look(site, connection, record)

    async def about(self, thread: str) -> str | None:
        """The name of the one connection or site that a thread is about; `None` when it is about several, or unknown.

        Raises `StoreError`.
        """
        view = await self._store.thread(thread)
        names = {e.row.name if e.row else e.connection or e.site for e in view.episodes} if view else set()
        return names.pop() if len(names) == 1 else None

    async def name(self, site: str, connection: str) -> str:
        """What people call a connection; its id when it is not watched. Raises `StoreError`."""
        return next((name_of(r) for r in await self._store.records(site) if r.id == connection), connection)

    async def forgotten(self, ref: str) -> tuple[str, str] | None:
        """Site and id of a connection that is still muted though it is not watched any more. Raises `StoreError`."""
        mutes = [mute for mute in await self._store.mutes(now=self._clock.now()) if mute.site in self._live]
        found = {(m.site, m.connection) for m in mutes if ref in (m.connection, f"{m.site}/{m.connection}")}
        return found.pop() if len(found) == 1 else None

    async def muted_of(self, several: Several) -> Several:
        """Those that people have muted by themselves; all, if none are. Raises `StoreError`."""
        mutes = {(mute.site, mute.connection) for mute in await self._store.mutes(now=self._clock.now())}
        refs = tuple(ref for ref in several.refs if ref[:2] in mutes)
        return Several(refs=refs) if refs else several

    async def open_threads(self, site: str) -> tuple[Thread, ...]:
        """Where everything that goes on at a site is told, the oldest first. Raises `StoreError`."""
        episodes = await self._store.episodes(site=site, going_on=True, limit=_ALL)
        threads = await self._store.threads({episode.thread for episode in episodes if episode.thread})
        return tuple(sorted((t for t in threads.values() if t.open), key=lambda thread: thread.opened))

    async def _unseen(self, ref: str) -> tuple[Sight | Several | None, dict[str, Failure]]:
        """What ItemPath has by this id although no poll has seen it yet; and which sites did not say."""
        split = split_site(ref, self._live)
        sites, connection = ((split[0],), split[1]) if split else (tuple(self._live), ref)
        if not may_be_id(connection):
            return None, {}
        readings = await asyncio.gather(*(self._read(site, connection) for site in sites))
        found = [(site, reading) for site, reading in zip(sites, readings, strict=True) if reading.row]
        if len(found) == 1:
            site, reading = found[0]
            return await self._look(site, connection, None, reading), {}
        if found:
            return Several(refs=tuple((site, connection, r.row.name) for site, r in found if r.row)), {}
        return None, {s: r.failure for s, r in zip(sites, readings, strict=True) if r.failure}

    async def _look(
        self, site: str, connection: str, record: ConnectionRecord | None, reading: Reading | None = None
    ) -> Sight:
        episodes = await self._store.episodes(site=site, connection=connection, going_on=True)
        episodes += await self._store.episodes(site=site, connection=SITE, going_on=True)
        threads = await self._store.threads(episode.thread for episode in episodes if episode.thread)
        about = next((found for found in await self._store.sites() if found.name == site), None)
        root = await self._root(episodes)
        mutes = await self._store.mutes(site, now=self._clock.now())
        if reading is None:
            link, now = await asyncio.gather(self._link(root), self._read(site, connection))
        else:
            link, now = await self._link(root), reading
        row = now.row or (record.row if record else None)
        at = self._clock.now()
        return Sight(
            site=site,
            id=connection,
            at=at,
            live=now.row,
            failure=now.failure,
            gone=now.gone,
            record=record,
            read_at=_read_at(record, about),
            episodes=episodes,
            threads=threads,
            link=link,
            muted=tuple(mute.connection for mute in mutes if mute.covers(connection, at)),
            silences=silences(
                mutes, self._maintenance, site=site, connection=connection, name=row.name if row else None, now=at
            ),
        )

    async def _read(self, site: str, connection: str) -> Reading:
        try:
            # The client keeps its budget; what it cannot bound, such as a slow name server, ends here.
            async with asyncio.timeout(LIVE):
                return Reading(row=await self._live[site].connection(connection, budget=LIVE))
        except NotFound:
            return Reading(gone=True)
        except ItemPathError as error:
            return Reading(failure=error.failure)
        except TimeoutError:
            return Reading(failure=_NO_ANSWER)

    async def _root(self, episodes: Iterable[Episode]) -> tuple[str, str] | None:
        """Where Slack has the thread of the newest of these that were told."""
        thread = next((episode.thread for episode in episodes if episode.thread is not None), None)
        return None if thread is None else await self._store.root_place(thread)

    async def _link(self, root: tuple[str, str] | None) -> str | None:
        """Where the thread can be seen, as Slack names it."""
        if root is None:
            return None
        channel, ts = root
        try:
            async with asyncio.timeout(LINK):
                answer = await self._calls.read("chat.getPermalink", channel=channel, message_ts=ts)
        except (SlackError, TimeoutError):
            return None
        link = str(answer.get("permalink") or "")
        return link if link.startswith("https://") else None


_NO_ANSWER = TimedOut(f"ItemPath did not answer within {LIVE:g} seconds.").failure


def _read_at(record: ConnectionRecord | None, site: SiteRecord | None) -> datetime | None:
    """When the row that is remembered was read: with the site's last good read, unless that did not give it."""
    if record is None:
        return None
    if record.problem is not None or record.absent_reads:
        return record.seen_at
    return site.good_at if site else record.seen_at
