"""What the other rooms ask: records, episodes, threads, events. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.events import Event, EventKind
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind, Mute, Phase, Thread, ThreadView
from bot.core.state import ConnectionRecord, SiteRecord
from bot.store import rows, views
from bot.store.engine import Database
from bot.store.errors import understood
from bot.store.tables import channel, connection, episode, event, message, meta, mute, site, thread

_FLAPPING = views.latest(episode.c.thread.in_(select(thread.c.id).where(thread.c.phase == Phase.FLAPPING.value)))
_UP_FOR_THE_MOMENT = episode.c.id.in_(_FLAPPING) & episode.c.closing.is_distinct_from(Closing.NOT_WATCHED.value)
_AT_ONCE = 500
"""How many ids one statement asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    id: int
    """Grows with each event of the database."""
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a connection (or to a site, `incidents.SITE`) within a span, as of one moment. Oldest first."""

    episodes: tuple[Episode, ...]
    """Its own: those that began in the span, ended in it, or go on."""
    blind: tuple[Episode, ...]
    """When its site could not be read, so that nothing was known of it."""
    events: tuple[StoredEvent, ...]
    threads: Mapping[str, Thread]
    """Where the episodes are told: who acknowledged it, and when."""


class Reading:
    """Each method is one moment of the database. All raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sites(self) -> tuple[SiteRecord, ...]:
        """By name."""
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(
                    map(rows.site_of, rows.each(await transaction.execute(select(site).order_by(site.c.name))))
                )

    async def records(self, site: str | None = None) -> tuple[ConnectionRecord, ...]:
        """The connections that are watched, of one site or of all, by site and id."""
        statement = select(connection).order_by(connection.c.site, connection.c.id)
        if site is not None:
            statement = statement.where(connection.c.site == site)
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.record_of, rows.each(await transaction.execute(statement))))

    async def episodes(
        self, *, site: str | None = None, connection: str | None = None, going_on: bool = False, limit: int = 100
    ) -> tuple[Episode, ...]:
        """Newest first. `connection`: an id, or `incidents.SITE` for what happened to the site itself.

        `going_on`: only what is not over. That is what is open, and of a thread that flaps the latest of each connection:
        up for the moment, it is not over before it has held.
        """
        statement = select(episode).order_by(*views.NEWEST_FIRST).limit(limit)
        if site is not None:
            statement = statement.where(episode.c.site == site)
        if connection is not None:
            statement = statement.where(episode.c.connection == connection)
        if going_on:
            statement = statement.where(or_(episode.c.end.is_(None), _UP_FOR_THE_MOMENT))
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.episode_of, rows.each(await transaction.execute(statement))))

    async def thread(self, thread_id: str) -> ThreadView | None:
        async with self._database.read() as transaction:
            return await views.thread_view(transaction, self._where, thread_id)

    async def threads(self, ids: Iterable[str]) -> dict[str, Thread]:
        """By id; what is not known is left out."""
        async with self._database.read() as transaction:
            return await self._threads(transaction, ids)

    async def root_place(self, thread_id: str) -> tuple[str, str] | None:
        """Channel id and `ts` of a thread's root, for a link to it; `None` while Slack is not known to have it."""
        async with self._database.read() as transaction:
            place = select(message.c.channel_id, message.c.ts).where(message.c.thread == thread_id, message.c.n == 0)
            row = (await transaction.execute(place)).one_or_none()
        return None if row is None or row.channel_id is None or row.ts is None else (row.channel_id, row.ts)

    async def mutes(self, site: str | None = None, *, now: datetime) -> tuple[Mute, ...]:
        """Those that are not over, of one site or of all; what ends first comes first."""
        statement = select(mute).where(mute.c.end > now).order_by(mute.c.end, mute.c.id)
        if site is not None:
            statement = statement.where(mute.c.site == site)
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.mute_of, rows.each(await transaction.execute(statement))))

    async def history(self, site: str, connection: str, *, since: datetime) -> History:
        """All that is kept of it from `since` on; what had begun before and was over later is included."""
        in_span = (episode.c.site == site) & or_(episode.c.end.is_(None), episode.c.end >= since)
        its_own = select(episode).where(in_span, episode.c.connection == connection).order_by(*views.OLDEST_FIRST)
        blind = (
            select(episode)
            .where(in_span, episode.c.connection == SITE, episode.c.kind == EpisodeKind.BLIND.value)
            .order_by(*views.OLDEST_FIRST)
        )
        happened = (
            select(event)
            .where(event.c.site == site, event.c.connection == connection, event.c.at >= since)
            .order_by(event.c.at, event.c.id)
        )
        async with self._database.read() as transaction:
            with understood(self._where):
                episodes = tuple(map(rows.episode_of, rows.each(await transaction.execute(its_own))))
                return History(
                    episodes=episodes,
                    blind=tuple(map(rows.episode_of, rows.each(await transaction.execute(blind)))),
                    events=tuple(map(_stored_event, rows.each(await transaction.execute(happened)))),
                    threads=await self._threads(transaction, (e.thread for e in episodes if e.thread is not None)),
                )

    async def events(
        self,
        *,
        site: str | None = None,
        connection: str | None = None,
        kinds: Collection[EventKind] | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> tuple[StoredEvent, ...]:
        """Newest first. `kinds`: of these alone. `since`: that moment included."""
        statement = select(event).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
        if site is not None:
            statement = statement.where(event.c.site == site)
        if connection is not None:
            statement = statement.where(event.c.connection == connection)
        if kinds is not None:
            statement = statement.where(event.c.kind.in_(sorted(kinds)))
        if since is not None:
            statement = statement.where(event.c.at >= since)
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(_stored_event, rows.each(await transaction.execute(statement))))

    async def channel_id(self, name: str) -> str | None:
        """What `remember_channel` was told."""
        async with self._database.read() as transaction:
            found: str | None = await transaction.scalar(select(channel.c.channel_id).where(channel.c.name == name))
            return found

    async def meta(self, key: str) -> str | None:
        """What `set_meta` was told."""
        async with self._database.read() as transaction:
            found: str | None = await transaction.scalar(select(meta.c.value).where(meta.c.key == key))
            return found

    async def _threads(self, transaction: AsyncConnection, ids: Iterable[str]) -> dict[str, Thread]:
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Thread] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            with understood(self._where):
                result = await transaction.execute(select(thread).where(thread.c.id.in_(some)))
                found |= {value.id: value for value in map(rows.thread_of, rows.each(result))}
        return found

    @property
    def _where(self) -> str:
        return str(self._database.address)


def _stored_event(row: rows.Values) -> StoredEvent:
    return StoredEvent(id=row["id"], event=rows.event_of(row))
