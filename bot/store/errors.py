"""What can go wrong with the database: a typed tree that says what happened and what to do, never a secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """Root of the tree; its text is a sentence about what happened and one about what to do."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem} {advice}")
        self.problem = problem
        self.advice = advice


class UnsuitableUrl(StoreError):
    """`database_url` does not name a database that the bot can use."""


class DatabaseMissing(StoreError):
    """There is no database yet, and only `run` makes one."""


class DatabaseBusy(StoreError):
    """Another bot holds it."""


class DatabaseHeld(DatabaseBusy):
    """Another bot holds it, on a server that several may reach: whoever waits takes over when that one ends."""


class DatabaseLost(StoreError):
    """This bot no longer holds it: going on could mean two bots that both write."""


class DatabaseTaken(DatabaseLost):
    """Another bot has taken over: what this one decided before is no longer true."""


class DatabaseLocked(StoreError):
    """Somebody else's transaction was in the way for too long; trying again may help."""


class DatabaseReadOnly(StoreError):
    """It can be read but not written."""


class DatabaseFull(StoreError):
    """No space is left."""


class DatabaseCorrupt(StoreError):
    """Its content cannot be understood."""


class DatabaseUnreachable(StoreError):
    """The file cannot be opened, or the server does not answer."""


class DatabaseRefused(StoreError):
    """The server does not let the bot in, or not do what it must."""


class DatabaseFailed(StoreError):
    """Anything else that the database says."""


class SchemaOlder(StoreError):
    """Its tables are older than this program."""


class DatabaseEmpty(SchemaOlder):
    """There is a database, but no tables yet, and only `run` makes them."""


class SchemaNewer(StoreError):
    """Its tables are newer than this program."""


class DeliveryMismatch(StoreError):
    """A message is not in the state that the delivery believed it to be in; nothing was changed."""


_RUNNING = "A running bot tries again by itself; one that could not start has to be started again"

# https://www.sqlite.org/rescode.html: the low byte is the primary code.
_SQLITE: dict[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_BUSY: (
        DatabaseLocked,
        "is locked by another program",
        f"End what writes to it (a backup, a shell). {_RUNNING}.",
    ),
    sqlite3.SQLITE_READONLY: (
        DatabaseReadOnly,
        "cannot be written",
        "Give the bot's user write permission on the file and on its folder.",
    ),
    sqlite3.SQLITE_IOERR: (
        DatabaseUnreachable,
        "cannot be read or written: the disk reports an error",
        "Check the disk and its file system.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        DatabaseCorrupt,
        "is damaged",
        "Stop the bot, keep a copy of the file, and restore a backup or move the file away to begin anew.",
    ),
    sqlite3.SQLITE_FULL: (DatabaseFull, "cannot grow: the disk is full", "Free some space."),
    sqlite3.SQLITE_CANTOPEN: (
        DatabaseUnreachable,
        "cannot be opened",
        "Check that its folder exists and that this user may read and write there.",
    ),
    sqlite3.SQLITE_NOTADB: (
        DatabaseCorrupt,
        "is not a SQLite database",
        "Check `database_url`; if the path is right, restore a backup or move the file away to begin anew.",
    ),
}

_TRY_AGAIN = f"{_RUNNING}. If it stays so, see which other sessions hold locks there."

# https://www.postgresql.org/docs/current/errcodes-appendix.html: by code, else by its class (the first two characters).
_POSTGRESQL: dict[str, tuple[type[StoreError], str, str]] = {
    "28": (DatabaseRefused, "refuses the bot's user or password", "Check user and password in `database_url`."),
    "3D": (DatabaseRefused, "does not exist", "Create it, or correct its name in `database_url`."),
    "42501": (
        DatabaseRefused,
        "does not let the bot's user do what it must",
        "Make that user the owner of the database, or of its `public` schema.",
    ),
    "25006": (DatabaseReadOnly, "is read-only (a standby?)", "Point `database_url` at the primary server."),
    "40": (DatabaseLocked, "could not run a transaction beside another one", _TRY_AGAIN),
    "55P03": (DatabaseLocked, "is locked by another session", _TRY_AGAIN),
    "57014": (DatabaseLocked, "took too long for a statement", _TRY_AGAIN),
    "53100": (DatabaseFull, "cannot grow: the server's disk is full", "Free some space on the server."),
    "53": (DatabaseUnreachable, "is short of resources", "Look at the server's connections, memory and disk."),
    "57": (DatabaseUnreachable, "is shutting down or starting", f"{_RUNNING}."),
    "08": (DatabaseUnreachable, "broke the connection", f"{_RUNNING}."),
    "XX": (DatabaseCorrupt, "reports an internal error", "Look at the server's log."),
}


def translate(where: str, error: BaseException, *, disconnected: bool = False) -> StoreError | None:
    """`error` of the driver in our own words; `None` when it is not the database's."""
    if isinstance(error, OSError):  # TimeoutError too
        return DatabaseUnreachable(
            f"{where} cannot be reached: {error.strerror or 'no answer in time'}.",
            "Check that the server runs and that `database_url` names its host and port.",
        )
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return _worded(where, _SQLITE.get(code & 0xFF), getattr(error, "sqlite_errorname", "no code"))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _worded(where, _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]), state)
    return _worded(where, _POSTGRESQL["08"], "") if disconnected else None


def _worded(where: str, words: tuple[type[StoreError], str, str] | None, code: str) -> StoreError:
    if words is None:
        return DatabaseFailed(f"{where} reports an error ({code}).", "Look at the log; this may be a fault of the bot.")
    kind, problem, advice = words
    return kind(f"{where} {problem}.", advice)


class ErrorListener:
    """SQLAlchemy's `handle_error` hook: whatever a statement, a commit or a connect meets leaves as a `StoreError`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __call__(self, context: ExceptionContext) -> BaseException | None:
        error = context.original_exception
        # A stale connection found by the pool's own ping is replaced by the pool; a cancellation is the caller's.
        if context.is_pre_ping or not isinstance(error, Exception):
            return None
        cause = getattr(error, "driver_exception", None) or error
        translated = translate(self._where, cause, disconnected=context.is_disconnect)
        if translated is None and isinstance(context.sqlalchemy_exception, DBAPIError):
            return _worded(self._where, None, type(cause).__name__)
        return translated


@contextmanager
def understood(where: str) -> Iterator[None]:
    """Around reading rows: what this program would never have written is corruption, not a fault of the caller."""
    try:
        yield
    except (LookupError, ValueError, TypeError) as error:
        raise DatabaseCorrupt(
            f"A row of {where} cannot be understood ({type(error).__name__}).",
            "Stop the bot, keep a copy, and restore a backup or begin with an empty database.",
        ) from error
