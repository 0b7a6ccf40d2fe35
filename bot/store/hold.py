"""Holding the database: two bots that write would tell everything twice.

Both holds end with the process, however it ends: the kernel releases a file's lock, the server a session's.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import NullPool, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import CONNECT_TIMEOUT, Database, connect_to
from bot.store.errors import (
    DatabaseBusy,
    DatabaseHeld,
    DatabaseLost,
    DatabaseTaken,
    DatabaseUnreachable,
    StoreError,
)
from bot.store.tables import meta

_KEY = int.from_bytes(b"itempath")
"""Number of the advisory lock. PostgreSQL keeps these numbers apart for each database."""

_WHO = text(
    """
    SELECT activity.application_name FROM pg_locks JOIN pg_stat_activity activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND pg_locks.database = activity.datid
      AND activity.datname = current_database()
      AND classid::bigint = :high AND objid::bigint = :low AND objsubid = 1
    """
).bindparams(high=_KEY >> 32, low=_KEY & 0xFFFFFFFF)
"""Whose session has the lock; how it is listed there: https://www.postgresql.org/docs/current/view-pg-locks.html"""

_NAME_LIMIT = 63
"""Bytes of a session's name: the server cuts the rest."""

_HOLDER = "holder"
"""Key in `meta`: who took the database last."""
_TOKEN = select(meta.c.value).where(meta.c.key == _HOLDER)


class FileHold:
    """An exclusive `flock` on a file beside the database. Not on the database itself: SQLite locks that its own way."""

    def __init__(self, path: Path) -> None:
        # One database under two names is one database.
        self._database = path.resolve()
        self._lock = self._database.with_name(f"{self._database.name}.lock")
        self._file: int | None = None
        self._taken: tuple[os.stat_result, os.stat_result] | None = None

    async def take(self) -> None:
        """Makes the folder and the file where they are missing. Raises `DatabaseBusy` or `DatabaseUnreachable`."""
        try:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._exclude(self._file)
            # Not left to SQLite, which says less about what is wrong.
            os.close(os.open(self._database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
            self._taken = self._files()
        except OSError as error:
            self._close()
            raise DatabaseUnreachable(
                f"The database file {self._database} cannot be opened for writing: {error.strerror}.",
                "Give the bot's user write permission on the file and on its folder.",
            ) from error

    def _exclude(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip()
            self._close()
            who = f" (process {holder})" if holder.isdigit() else ""
            raise DatabaseBusy(
                f"Another bot{who} holds the database file {self._database}.",
                "Stop it first, or give this one a `database_url` of its own.",
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)

    def _files(self) -> tuple[os.stat_result, os.stat_result]:
        return self._lock.stat(), self._database.stat()

    async def release(self) -> None:
        """The lock file stays: removing it would let two bots lock two files of one name."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def held(self) -> bool:
        """The lock is worth something only while the next bot would find the same files."""
        if self._file is None or self._taken is None:
            return False
        try:
            return all(map(os.path.samestat, self._taken, self._files()))
        except OSError:
            return False

    async def ensure(self) -> None:
        if not await self.held():
            raise DatabaseLost(
                f"The database file {self._database} or its lock file was removed or replaced under the running bot.",
                "Put the files back, or start the bot again.",
            )

    async def fence(self, connection: AsyncConnection, *, writes: bool) -> None:
        """Nothing to add: the lock cannot go away by itself."""

    async def keep(self) -> None:
        """Nothing to do: nobody can take it."""


class ServerHold:
    """A session's advisory lock, and a token in `meta` that every write looks at.

    The lock tells a second bot at once that it is not wanted. But a broken connection ends it without a word, so the lock
    alone proves nothing at the moment of a commit. The token does: who takes the database writes its own, waiting for
    writes under way, and from then on every write of the former holder finds another's and fails.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Without a pool: a pooled session would keep the lock after it is given back.
        self._connections = connect_to(database.address, write=True, poolclass=NullPool, session=_own_name())
        self._token = secrets.token_hex(16)
        self._session: AsyncConnection | None = None
        self._stack = AsyncExitStack()
        self._one_at_a_time = asyncio.Lock()

    async def take(self) -> None:
        """Raises `DatabaseHeld`, or `StoreError` for what else the server says. The schema need not be there yet."""
        async with AsyncExitStack() as stack:
            autocommit = self._connections.engine.execution_options(isolation_level="AUTOCOMMIT")
            session = await stack.enter_async_context(self._connections.one(autocommit))
            if not await session.scalar(select(func.pg_try_advisory_lock(_KEY))):
                holder = await session.scalar(_WHO)
                who = f"Another bot ({holder})" if holder else "Another bot"
                raise DatabaseHeld(
                    f"{who} holds it: {self._database.address}.", "This one can take over as soon as that one ends."
                )
            self._session, self._stack = session, stack.pop_all()

    async def sign(self) -> None:
        """Write the token, after the schema is made and before the first write."""
        async with self._database.write() as connection:
            await connection.execute(self._database.upsert(meta), {"key": _HOLDER, "value": self._token})

    async def release(self) -> None:
        async with self._one_at_a_time:
            await self._forget()
        await self._connections.close()

    async def held(self) -> bool:
        """Asks the server."""
        async with self._one_at_a_time:
            if self._session is None:
                return False
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self._session.scalar(select(1))
            except (StoreError, TimeoutError):
                await self._forget()
                return False
            return True

    async def keep(self) -> None:
        """Now and then: a lock that was lost is taken again, before somebody has written. Raises `DatabaseTaken`, or
        `StoreError` while the server does not answer.
        """
        await self.held()
        async with self._database.read(held=True):
            pass

    async def ensure(self) -> None:
        """Without asking the server: a closed connection is known here at once. A lost lock is taken again if nobody
        else has it; `fence` then finds out whether somebody had it in between.
        """
        async with self._one_at_a_time:
            if self._session is not None and await _alive(self._session):
                return
            await self._forget()
            try:
                await self.take()
            except DatabaseHeld as error:
                if not await self._signed():
                    raise self._taken() from error
                # It may be this bot's own former session: whoever really takes the database signs before it writes.
                raise DatabaseLost(
                    f"The lock that this bot lost is not free yet: {self._database.address}.",
                    "The bot takes it again by itself, as soon as the server lets go of it.",
                ) from error

    async def fence(self, connection: AsyncConnection, *, writes: bool) -> None:
        holder = await connection.scalar(_TOKEN.with_for_update(read=True) if writes else _TOKEN)
        if holder != self._token:
            raise self._taken()

    async def _signed(self) -> bool:
        """Whether nobody has taken the database since this bot did."""
        async with self._database.read() as connection:
            return bool(await connection.scalar(_TOKEN) == self._token)

    def _taken(self) -> DatabaseTaken:
        return DatabaseTaken(
            f"Another bot has taken over: {self._database.address}.", "This one writes nothing more, and stands by."
        )

    async def _forget(self) -> None:
        self._session = None
        await self._stack.aclose()


def _own_name() -> str:
    """Where this bot runs, so that whoever waits for it can say for whom."""
    name = f"itempath-bot {os.getpid()}@{socket.gethostname()}"
    return name.encode()[:_NAME_LIMIT].decode(errors="ignore")


async def _alive(session: AsyncConnection) -> bool:
    if session.invalidated:
        return False
    raw = await session.get_raw_connection()
    driver = raw.driver_connection
    return driver is not None and not driver.is_closed()
