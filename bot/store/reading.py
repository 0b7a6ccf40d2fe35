"""What the other rooms ask: records, episodes, threads, events. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from bot.core.events import Event
from bot.core.incidents import Episode, Thread, ThreadView
from bot.core.state import ConnectionRecord, SiteRecord
from bot.store import rows, views
from bot.store.engine import Database
from bot.store.errors import understood
from bot.store.tables import channel, connection, episode, event, meta, site, thread

_AT_ONCE = 500
"""How many ids one statement asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    id: int
    """Grows with each event of the database."""
    event: Event


class Reading:
    """Each method is one moment of the database. All raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sites(self) -> tuple[SiteRecord, ...]:
        """By name."""
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.site_of, await transaction.execute(select(site).order_by(site.c.name))))

    async def records(self, site: str | None = None) -> tuple[ConnectionRecord, ...]:
        """The connections that are watched, of one site or of all, by site and id."""
        statement = select(connection).order_by(connection.c.site, connection.c.id)
        if site is not None:
            statement = statement.where(connection.c.site == site)
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.record_of, await transaction.execute(statement)))

    async def episodes(
        self, *, site: str | None = None, connection: str | None = None, open_only: bool = False, limit: int = 100
    ) -> tuple[Episode, ...]:
        """Newest first. `connection`: an id, or `incidents.SITE` for what happened to the site itself."""
        # Ids end in a serial: of two that began together the longer, then the greater, is the newer.
        newest_first = (episode.c.start.desc(), func.length(episode.c.id).desc(), episode.c.id.desc())
        statement = select(episode).order_by(*newest_first).limit(limit)
        if site is not None:
            statement = statement.where(episode.c.site == site)
        if connection is not None:
            statement = statement.where(episode.c.connection == connection)
        if open_only:
            statement = statement.where(episode.c.end.is_(None))
        async with self._database.read() as transaction:
            with understood(self._where):
                return tuple(map(rows.episode_of, await transaction.execute(statement)))

    async def thread(self, thread_id: str) -> ThreadView | None:
        async with self._database.read() as transaction:
            return await views.thread_view(transaction, self._where, thread_id)

    async def threads(self, ids: Iterable[str]) -> dict[str, Thread]:
        """By id; what is not known is left out."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Thread] = {}
        async with self._database.read() as transaction:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                with understood(self._where):
                    result = await transaction.execute(select(thread).where(thread.c.id.in_(some)))
                    found |= {row.id: rows.thread_of(row) for row in result}
        return found

    async def events(
        self,
        *,
        site: str | None = None,
        connection: str | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> tuple[StoredEvent, ...]:
        """Newest first. `since`: that moment included."""
        statement = select(event).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
        if site is not None:
            statement = statement.where(event.c.site == site)
        if connection is not None:
            statement = statement.where(event.c.connection == connection)
        if since is not None:
            statement = statement.where(event.c.at >= since)
        async with self._database.read() as transaction:
            with understood(self._where):
                result = await transaction.execute(statement)
                return tuple(StoredEvent(id=row.id, event=rows.event_of(row)) for row in result)

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

    @property
    def _where(self) -> str:
        return str(self._database.address)
