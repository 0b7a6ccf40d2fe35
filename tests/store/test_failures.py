from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Integer, literal, select, text

from bot.store import engine, errors
from bot.store.errors import (
    DatabaseCorrupt,
    DatabaseFailed,
    DatabaseFull,
    DatabaseLocked,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    StoreError,
    translate,
)
from bot.store.outbox import MessageKey
from bot.store.store import Store
from tests.store.samples import EPISODE, LATELY, NOW, RECORD, THREAD, commit, root
from tests.store.sessions import end_sessions


@pytest.mark.parametrize("write", [True, False])
async def test_a_file_that_is_no_database_is_said_and_left_alone(
    empty_sqlite: str, tmp_path: Path, write: bool
) -> None:
    garbage = b"this is not a database at all. " * 100
    (tmp_path / "bot.db").write_bytes(garbage)
    with pytest.raises(DatabaseCorrupt, match=r"bot\.db is not a SQLite database\. Check `database_url`"):
        await Store.open(empty_sqlite, write=write)
    assert (tmp_path / "bot.db").read_bytes() == garbage


@pytest.mark.parametrize("write", [True, False])
async def test_a_folder_is_no_database(empty_sqlite: str, tmp_path: Path, write: bool) -> None:
    (tmp_path / "bot.db").mkdir()
    with pytest.raises(DatabaseUnreachable, match=r"cannot be opened.*: Is a directory"):
        await Store.open(empty_sqlite, write=write)


async def test_a_damaged_file_is_said(ready_sqlite: str, tmp_path: Path) -> None:
    content = bytearray((tmp_path / "bot.db").read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    (tmp_path / "bot.db").write_bytes(content)
    with pytest.raises(DatabaseCorrupt, match=r"is damaged.*restore a backup"):
        await Store.open(ready_sqlite, write=False)


async def test_a_database_locked_by_another_program_is_said(
    ready_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.05)
    store = await Store.open(ready_sqlite, write=True)
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            DatabaseLocked,
            match=r"locked by another program.*running bot tries again.*could not start has to be started",
        ):
            await commit(store)
        # Reading goes on.
        assert await store.sites() == ()
        other.execute("ROLLBACK")
    await commit(store)
    assert len(await store.sites()) == 1
    await store.close()


async def test_a_store_opened_to_read_cannot_write(ready_sqlite: str) -> None:
    store = await Store.open(ready_sqlite, write=False)
    with pytest.raises(DatabaseReadOnly, match=r"cannot be written.*write permission"):
        await store.set_meta("key", "value")
    await store.close()


@pytest.mark.parametrize("pragma", ["foreign_keys", "synchronous", "journal_mode"])
async def test_a_writers_connection_is_strict_and_durable(ready_sqlite: str, pragma: str) -> None:
    store = await Store.open(ready_sqlite, write=True)
    async with store._database.read() as connection:
        found = await connection.scalar(text(f"PRAGMA {pragma}"))
    await store.close()
    # FULL is 2: https://www.sqlite.org/pragma.html#pragma_synchronous
    assert found == {"foreign_keys": 1, "synchronous": 2, "journal_mode": "wal"}[pragma]


UPDATES = {
    "connection": "UPDATE connection SET known = 'sideways'",
    "thread": "UPDATE thread SET kind = 'sideways'",
    "episode": "UPDATE episode SET families = '[{}]'",
    "message": "UPDATE message SET state = 'sideways', twin_at = created_at",
}


async def test_a_cancellation_stays_one(store: Store) -> None:
    """Whoever ends a task must hear of its end, wherever in a statement it was."""
    ended = set()
    for turns in range(60):
        task = asyncio.create_task(store.outbox.waiting())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        ended.add(type(outcome))

    assert asyncio.CancelledError in ended
    assert ended <= {asyncio.CancelledError, tuple}


@pytest.mark.parametrize("table", UPDATES)
async def test_a_row_that_cannot_be_understood_is_corruption(store: Store, table: str) -> None:
    await commit(store, connections=(RECORD,), threads=(THREAD,), episodes=(EPISODE,), messages=(root("default/1"),))
    async with store._database.write() as connection:
        await connection.execute(text(UPDATES[table]))
    readings: dict[str, Callable[[], Awaitable[object]]] = {
        "connection": lambda: commit(store),
        "message": store.outbox.waiting,
    }
    reading = readings.get(table, lambda: store.outbox.look(MessageKey(thread="default/1", n=0)))
    with pytest.raises(DatabaseCorrupt, match=r"A row of .* cannot be understood"):
        await reading()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, DatabaseFull),
        (sqlite3.SQLITE_IOERR_READ, DatabaseUnreachable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseLocked),
        (sqlite3.SQLITE_MISUSE, DatabaseFailed),
        (None, DatabaseFailed),
    ],
)
def test_sqlites_codes_are_told_in_words(code: int | None, kind: type[StoreError]) -> None:
    error = sqlite3.OperationalError("no")
    if code is not None:
        error.sqlite_errorcode = code
    assert type(translate("It", error)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.InvalidPasswordError("no"), DatabaseRefused),
        (asyncpg.InvalidCatalogNameError("no"), DatabaseRefused),
        (asyncpg.InsufficientPrivilegeError("no"), DatabaseRefused),
        (asyncpg.ReadOnlySQLTransactionError("no"), DatabaseReadOnly),
        (asyncpg.DeadlockDetectedError("no"), DatabaseLocked),
        (asyncpg.LockNotAvailableError("no"), DatabaseLocked),
        (asyncpg.QueryCanceledError("no"), DatabaseLocked),
        (asyncpg.DiskFullError("no"), DatabaseFull),
        (asyncpg.TooManyConnectionsError("no"), DatabaseUnreachable),
        (asyncpg.AdminShutdownError("no"), DatabaseUnreachable),
        (asyncpg.ConnectionDoesNotExistError("no"), DatabaseUnreachable),
        (asyncpg.InternalServerError("no"), DatabaseCorrupt),
        (asyncpg.UniqueViolationError("no"), DatabaseFailed),
        (ConnectionRefusedError(111, "Connection refused"), DatabaseUnreachable),
        (TimeoutError(), DatabaseUnreachable),
    ],
)
def test_the_servers_codes_are_told_in_words(error: Exception, kind: type[StoreError]) -> None:
    translated = translate("It", error)
    assert type(translated) is kind
    assert translated.problem.startswith("It ")
    assert translated.advice


def test_what_is_not_the_databases_is_not_translated() -> None:
    assert translate("It", RuntimeError("no")) is None
    assert type(translate("It", RuntimeError("no"), disconnected=True)) is DatabaseUnreachable


def test_every_error_is_of_the_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    ours = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert len(ours) > 10
    assert all(issubclass(kind, StoreError) for kind in ours)


async def test_a_server_that_is_not_there_is_said_without_the_password(unused_tcp_port: int) -> None:
    for write in (True, False):
        with pytest.raises(DatabaseUnreachable, match=r"database bot on 127\.0\.0\.1 cannot be reached") as caught:
            await Store.open(f"postgresql://zoe:s3cret@127.0.0.1:{unused_tcp_port}/bot", write=write)
        assert "s3cret" not in str(caught.value)
        assert "zoe" not in str(caught.value)


@pytest.mark.postgres
async def test_a_database_that_is_not_there_is_said(postgres_server: str) -> None:
    with pytest.raises(DatabaseRefused, match=r"nowhere on .* does not exist\. Create it"):
        await Store.open(postgres_server.format("nowhere"), write=True)


async def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(DatabaseRefused, match=r"Install `itempath-alert-bot\[postgresql\]`"):
        await Store.open("postgresql://host/bot", write=False)


@pytest.mark.postgres
async def test_a_server_that_restarted_is_used_again_without_an_error(ready_postgres: str) -> None:
    store = await Store.open(ready_postgres, write=True)
    await commit(store)
    await end_sessions(ready_postgres)
    assert len(await store.sites()) == 1
    await commit(store, site="other")
    await store.close()


@pytest.mark.postgres
async def test_a_connection_that_breaks_within_a_tick_undoes_it(ready_postgres: str) -> None:
    store = await Store.open(ready_postgres, write=True)

    async def broken() -> None:
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            await end_sessions(ready_postgres)
            await tick._transaction.execute(select(1))

    with pytest.raises(DatabaseUnreachable):
        await broken()
    assert await store.sites() == ()
    await store.close()


@pytest.mark.postgres
async def test_what_the_driver_refuses_is_told_without_the_values(ready_postgres: str) -> None:
    store = await Store.open(ready_postgres, write=True)
    wrong: Any = "s3cret"
    # The first the driver refuses by a code, the second by none: it takes 32767 values.
    asked = [(select(literal(wrong, Integer)), "22000"), (select(literal(1).in_(range(33_000))), "InterfaceError")]
    for statement, code in asked:
        async with store._database.read() as connection:
            with pytest.raises(DatabaseFailed, match=rf"reports an error \({code}\)") as caught:
                await connection.execute(statement)
        assert "s3cret" not in str(caught.value)
    await store.close()
