"""The connections to a database: each goes back however its user ends, and none is left when they are closed.

A task may be cancelled anywhere: in a statement, again while the driver tidies up after that, or while its connection is on
its way back. What is under way then goes on without it, and whoever closes has to wait for that: a connection that came
back later would stay open for good, and a thread that ends after the event loop has nobody to tell.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.address import Address
from bot.store.errors import translate


class FileConnection(aiosqlite.Connection):
    """SQLite's: a thread that does one thing after the other."""

    def __init__(self, database: str, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
        # As SQLAlchemy does with those that it makes itself: a process that is cut off does not wait for it.
        self._thread.daemon = True
        self._stopping: asyncio.Future[Any] | None = None

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> asyncio.Future[Any] | None:
        """Once: the thread ends with the first, and who waited for a second would do so for ever."""
        if self._stopping is None:
            self._stopping = super().stop()
        # Nor does one who is cancelled while he waits end the wait of the others.
        return None if self._stopping is None else asyncio.shield(self._stopping)


class Files:
    """Every `FileConnection` of one engine."""

    def __init__(self) -> None:
        self._all: list[FileConnection] = []

    def make(self, database: str, **options: Any) -> FileConnection:
        """Not connected yet: that is for who awaits it."""
        made = FileConnection(database, **options)
        self._all = [*(each for each in self._all if each.running), made]
        return made

    async def close(self) -> None:
        """Whoever still uses one learns that it is closed."""
        ends = [each.stop() for each in self._all if each.running]
        await asyncio.gather(*(end for end in ends if end is not None))
        self._all = []


class Connections:
    """One engine's."""

    def __init__(self, address: Address, engine: AsyncEngine, files: Files) -> None:
        """`files` is what makes the engine's connections when the database is a file."""
        self.address = address
        self.engine = engine
        self._files = files
        self._returning: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def one(self, engine: AsyncEngine | None = None) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool; `engine` is the same one with other options.

        Raises `StoreError` for what a server or a network says before SQL is spoken.
        """
        connection = (engine or self.engine).connect()
        try:
            await connection.start()
        except Exception as error:
            # asyncpg's own errors are not yet SQLAlchemy's here, so the engine's listener did not see them.
            translated = translate(str(self.address), error)
            if translated is None:
                raise
            raise translated from error
        try:
            yield connection
        finally:
            returning = asyncio.create_task(connection.close())
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)
            # Cancelled or not, it goes back.
            await asyncio.shield(returning)

    async def close(self) -> None:
        """Nothing is left of a file, whoever cancels this; of a server no leave is taken for longer than one wants to."""
        closing = asyncio.create_task(self._close())
        if self.address.path is None:
            await closing
            return
        cancelled: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.wait([closing])
            except asyncio.CancelledError as error:
                cancelled = error
        closing.result()
        if cancelled is not None:
            raise cancelled

    async def _close(self) -> None:
        if self._returning:
            await asyncio.wait(self._returning)
        await self.engine.dispose()
        await self._files.close()
