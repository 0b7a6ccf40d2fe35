"""Connections and transactions: one set of statements, two databases.

SQLite: the driver begins a transaction late, and two read-modify-writes then silently lose one (SQLAlchemy's documentation
of its pysqlite dialect, "Serializable isolation / Savepoints / Transactional DDL"). So the driver begins nothing, and we
say `BEGIN IMMEDIATE` for who writes and `BEGIN` for who reads. PostgreSQL: writers take the site's row first, readers see
one moment (`REPEATABLE READ`).
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Pool, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.store.address import Address
from bot.store.columns import dumps, loads
from bot.store.connections import Connections, Files
from bot.store.errors import DatabaseRefused, ErrorListener

BUSY_TIMEOUT = 5.0
"""Seconds that SQLite waits for another program's lock."""
CONNECT_TIMEOUT = 10.0
"""Seconds that a PostgreSQL server has to answer."""
COMMAND_TIMEOUT = 40.0
"""Seconds after which a statement is given up that the server itself would have ended: the network in between is gone."""
_SESSION = {
    "application_name": "itempath-bot",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    # A bot that hangs within a transaction must not hold a site's row for ever.
    "idle_in_transaction_session_timeout": "60s",
    # Of a machine that lost its power or its network the server hears nothing. Unless it asks, such a bot would hold the
    # database for two hours.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

_WRITES = "bot_store_writes"


class Hold(Protocol):
    """What makes this bot the only one that writes."""

    async def ensure(self) -> None:
        """Before each write; raises `DatabaseLost`."""

    async def fence(self, connection: AsyncConnection, *, writes: bool) -> None:
        """Within the transaction; so that it cannot be lost before the end of one that `writes`. Raises `DatabaseLost`."""


def connect_to(
    address: Address, *, write: bool, poolclass: type[Pool] | None = None, session: str | None = None
) -> Connections:
    """Connects to nothing yet. `session` is how a server lists its connections.

    Raises `DatabaseRefused` when the driver is not installed.
    """
    # Parameters are people's data: they stay out of every exception's text.
    options: dict[str, Any] = {"json_serializer": dumps, "json_deserializer": loads, "hide_parameters": True}
    if poolclass is not None:
        options["poolclass"] = poolclass
    url, files = address.url, Files()
    if address.path is not None:
        # A writer makes no file: one that vanished under a running bot must not come back empty.
        query = {"uri": "true", "mode": "rw" if write or _tidies_up(address.path) else "ro"}
        url = url.set(database=address.path.absolute().as_uri(), query=query)
        options["connect_args"] = {
            "isolation_level": None,
            "timeout": BUSY_TIMEOUT,
            # SQLAlchemy's way to name who makes them.
            "async_creator_fn": files.make,
        }
    else:
        settings = _SESSION if session is None else _SESSION | {"application_name": session}
        options["connect_args"] = {
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": COMMAND_TIMEOUT,
            "server_settings": settings,
        }
        options["pool_pre_ping"] = True
    try:
        engine = create_async_engine(url, **options)
    except ImportError as error:
        raise DatabaseRefused(
            "The driver for PostgreSQL is not installed.", "Install `itempath-alert-bot[postgresql]`."
        ) from error
    if address.path is not None:
        pragmas = _WRITER if write else _READER
        event.listen(engine.sync_engine, "connect", lambda dbapi, _: _pragmas(dbapi, pragmas))
        event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "handle_error", ErrorListener(str(address)))
    return Connections(address, engine, files)


_READER = ("query_only=ON",)
# Readers do not wait for the writer; and what was committed survives a power cut.
_WRITER = ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL")


def _tidies_up(path: Path) -> bool:
    """Whether a reader should open the file as one that may write, which it then does not (`query_only`).

    To read a database with a write-ahead log SQLite makes the files `-wal` and `-shm` where they are missing, and only a
    connection that may write takes them away again, as the last one to leave. Where they are there, a bot runs, or one
    was killed: then there is nothing to tidy up, and what that bot left is for the next one to bring in. Without write
    permission SQLite can still read, but only when told that it is to read only; it then makes no files.
    """
    wal = path.with_name(f"{path.name}-wal")
    return not wal.exists() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def _pragmas(dbapi: Any, statements: Iterable[str]) -> None:
    try:
        cursor = dbapi.cursor()
        for statement in statements:
            cursor.execute(f"PRAGMA {statement}")
        cursor.close()
    except BaseException:
        # The pool does not know it yet, and would leave its thread running.
        dbapi.close()
        raise


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Connections, and how one reads and writes with them."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.address = address = connections.address
        self.engine = engine = connections.engine
        self.hold: Hold | None = None
        """Set once the database is held; without it nothing but the schema is written."""
        self._writer = engine.execution_options(**{_WRITES: True})
        self._reader = engine
        # SQLite has one writer at a time and makes the others poll for their turn; here they queue.
        self._turn = asyncio.Lock()
        if address.path is None:
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def read(self, *, held: bool = False) -> AsyncIterator[AsyncConnection]:
        """One moment of the database. Raises `StoreError`; when it has to be `held`, `DatabaseLost` too: for what will
        be acted on by the one bot that may.
        """
        hold = self.hold if held else None
        if hold is not None:
            await hold.ensure()
        async with self.connections.one(self._reader) as connection, connection.begin():
            if hold is not None:
                await hold.fence(connection, writes=False)
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits in the end and rolls back on any exception. Raises `StoreError`."""
        if self.address.path is None:
            async with self._write() as connection:
                yield connection
        else:
            async with self._turn, self._write() as connection:
                yield connection

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        if self.hold is not None:
            await self.hold.ensure()
        async with self.connections.one(self._writer) as connection, connection.begin():
            if self.hold is not None:
                await self.hold.fence(connection, writes=True)
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An `INSERT` that knows `ON CONFLICT`, which both databases spell alike and SQLAlchemy keeps apart."""
        return _insert(table, server=self.address.path is None)

    def upsert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Insert a row, or overwrite all of it."""
        return _upsert(table, server=self.address.path is None)


def _insert(table: Table, *, server: bool) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if server else sqlite.insert(table)


@functools.cache
def _upsert(table: Table, *, server: bool) -> sqlite.Insert | postgresql.Insert:
    # Each time anew it would cost a poll more than what it writes.
    statement = _insert(table, server=server)
    keys = [column.name for column in table.primary_key]
    values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)
