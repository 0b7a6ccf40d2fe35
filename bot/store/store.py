"""The store: what the bot knows, in SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta

from bot.store import schema
from bot.store.address import Address
from bot.store.engine import Database, connect_to
from bot.store.errors import DatabaseLost, DatabaseMissing, DatabaseUnreachable
from bot.store.hold import FileHold, ServerHold
from bot.store.outbox import Outbox
from bot.store.pruning import prune
from bot.store.reading import Reading
from bot.store.tables import channel, meta
from bot.store.tick import Tick

AnyHold = FileHold | ServerHold

CLOSE_WITHIN = 1.0
"""Seconds to say goodbye to a server: what is left when everything else has ended, of the ten that a bot has to stop."""


class Store(Reading):
    """Made by `open`. Every method may raise `StoreError`, whose text names no password."""

    def __init__(self, database: Database, hold: AnyHold | None, install_id: str) -> None:
        super().__init__(database)
        self._hold = hold
        self.install_id = install_id
        """Random, made with the tables: a fresh database is another bot."""
        self.outbox = Outbox(database)

    @classmethod
    async def open(cls, url: str, *, write: bool) -> Store:
        """`sqlite:///path` (a fourth slash makes it absolute) or `postgresql://…`.

        `write` is for `run` alone: it takes the database (`DatabaseBusy` when another bot has it, on a server
        `DatabaseHeld`), makes what is missing and brings the tables up to date. Else nothing is made or migrated: `DatabaseMissing`, `SchemaOlder` and
        `SchemaNewer` say what to do. A running bot is not disturbed.
        """
        address = Address.parse(url)
        database = Database(connect_to(address, write=write))
        hold: AnyHold | None = None
        try:
            if write:
                hold = ServerHold(database) if address.path is None else FileHold(address.path)
                await _take(database, hold)
            else:
                _readable(address)
                schema.judge(str(address), await schema.stored_version(database))
            return cls(database, hold, await schema.install_id(database))
        except BaseException:
            await _leave(database, hold)
            raise

    async def close(self) -> None:
        """Gives the database back."""
        await _leave(self._database, self._hold)

    async def held(self) -> bool:
        """Whether this bot is still the one that may write; always asked again before each write too."""
        return self._hold is not None and await self._hold.held()

    async def keep(self) -> None:
        """To be called every few seconds by who may write. Raises `DatabaseTaken` when another bot has taken over, and
        `StoreError` while that cannot be asked.
        """
        if self._hold is not None:
            await self._hold.keep()

    async def ping(self) -> None:
        """Raises `StoreError` unless the database answers and, when it was opened to write, is still held."""
        await schema.install_id(self._database)
        if self._hold is not None and not await self._hold.held():
            raise DatabaseLost(
                f"This bot no longer holds it: {self._database.address}.",
                "The next write takes it back, if that is safe.",
            )

    @asynccontextmanager
    async def tick(
        self, site: str, *, peers: tuple[str, ...] = (), now: datetime, lately: timedelta
    ) -> AsyncIterator[Tick]:
        """One write transaction about `site`, whose row is made when it is new.

        `tick.state` is what `decide` looks at; `peers` are the other sites of its channel, which wait meanwhile, and
        `lately` is `Policy.lately`. `await tick.apply(…)` writes what was decided, committed as the block ends. Leaving
        without it, or with an exception, changes nothing.
        """
        async with AsyncExitStack() as stack:
            transaction = await stack.enter_async_context(self._database.write())
            tick = await Tick.load(self._database, transaction, site, peers=peers, now=now, lately=lately)
            yield tick
            if not tick.applied:
                await transaction.rollback()

    async def remember_channel(self, name: str, channel_id: str) -> None:
        """Which id a channel's name was resolved to."""
        async with self._database.write() as transaction:
            await transaction.execute(self._database.upsert(channel), {"name": name, "channel_id": channel_id})

    async def set_meta(self, key: str, value: str) -> None:
        async with self._database.write() as transaction:
            await transaction.execute(self._database.upsert(meta), {"key": key, "value": value})

    async def prove(self) -> None:
        """Raises `StoreError` unless a commit gets through: a database that can be read may still take nothing."""
        await self.set_meta("proven", "")

    async def prune(self, *, before: datetime) -> int:
        """Forget what ended before that moment and is told completely; returns how many rows that were."""
        async with self._database.write() as transaction:
            return await prune(transaction, before)


def _readable(address: Address) -> None:
    """Asked before SQLite is, which says less about what is wrong."""
    if address.path is None:
        return
    try:
        address.path.open("rb").close()
    except FileNotFoundError as error:
        raise DatabaseMissing(
            f"{address} does not exist.", "Start `run` once, or correct `database_url`: only `run` makes it."
        ) from error
    except OSError as error:
        raise DatabaseUnreachable(
            f"{address} cannot be opened: {error.strerror}.", "Correct `database_url`, or let this user read the file."
        ) from error


async def _take(database: Database, hold: AnyHold) -> None:
    await hold.take()
    if isinstance(hold, ServerHold):
        # A former holder that does not know yet that it lost the lock must not write to tables that change below it.
        await schema.upgrade(database, alone=hold.sign)
        # Before the token is asked for it has to stand there.
        await hold.sign()
    else:
        await schema.upgrade(database)
    database.hold = hold


async def _leave(database: Database, hold: AnyHold | None) -> None:
    """Of a server that does not answer no leave is taken: it learns that its sessions are over when the process ends."""
    longest = CLOSE_WITHIN if database.address.path is None else None
    with suppress(TimeoutError):
        async with asyncio.timeout(longest):
            await database.connections.close()
            if hold is not None:
                await hold.release()
