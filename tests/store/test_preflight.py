"""Whether the database could be written is found out without writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from bot.store.errors import DatabaseReadOnly, DatabaseUnreachable
from bot.store.preflight import could_write
from bot.store.store import Store


async def test_a_database_in_use_could_be_written(url: str) -> None:
    store = await Store.open(url, write=True)
    try:
        await could_write(url)
    finally:
        await store.close()


async def test_an_empty_database_could_be_filled(empty_url: str) -> None:
    await could_write(empty_url)


async def test_missing_folders_are_not_made(tmp_path: Path) -> None:
    await could_write(f"sqlite:///{tmp_path}/some/where/bot.db")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="is a file"):
        await could_write(f"sqlite:///{Path(__file__).with_name('conftest.py')}/data/bot.db")


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let no file be opened."""

    def opened(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.open", opened)
    monkeypatch.setattr("os.O_TMPFILE", 1, raising=False)


async def test_a_folder_in_which_no_file_can_be_made_is_told_though_its_permissions_would_let_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.ENOSPC)
    with pytest.raises(DatabaseReadOnly, match=f"cannot be made in {tmp_path}: No space left on device"):
        await could_write(f"sqlite:///{tmp_path}/data/bot.db")


async def test_where_no_file_can_be_tried_and_there_is_no_room_nothing_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.EOPNOTSUPP)
    assert await could_write(f"sqlite:///{tmp_path}/bot.db")
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_blocks=0))
    assert not await could_write(f"sqlite:///{tmp_path}/bot.db")


async def test_where_the_system_has_no_way_to_try_the_permissions_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.EOPNOTSUPP)
    monkeypatch.delattr("os.O_TMPFILE")
    assert await could_write(f"sqlite:///{tmp_path}/bot.db")


@pytest.mark.parametrize("name", ["", "bot.db", "bot.db.lock"])
async def test_whatever_may_not_be_written_is_named(
    ready_sqlite: str, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions are asked for and not tried: the superuser, who may run these tests, is let through everywhere."""
    await (await Store.open(ready_sqlite, write=True)).close()
    refused = tmp_path / name
    monkeypatch.setattr("os.access", lambda path, _: Path(path) != refused)
    with pytest.raises(DatabaseReadOnly) as raised:
        await could_write(ready_sqlite)
    assert raised.value.problem.endswith(f"may not write {refused}.")


@pytest.mark.postgres
async def test_a_user_who_may_neither_make_nor_fill_the_tables_is_told_so(empty_postgres: str) -> None:
    guest_url = empty_postgres.replace("postgres:@", "guest:@")
    admin = await asyncpg.connect(empty_postgres)
    try:
        await admin.execute("CREATE ROLE guest LOGIN")
        with pytest.raises(DatabaseReadOnly, match="make or fill"):
            await could_write(guest_url)
        await (await Store.open(empty_postgres, write=True)).close()
        with pytest.raises(DatabaseReadOnly, match="make or fill"):
            await could_write(guest_url)
        await admin.execute("GRANT INSERT ON meta TO guest")
        await could_write(guest_url)
    finally:
        await admin.execute("DROP OWNED BY guest")
        await admin.execute("DROP ROLE guest")
        await admin.close()


@pytest.mark.postgres
async def test_a_standby_is_told_from_a_primary(empty_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.preflight._MAY_WRITE", text("SELECT true AS standby, true AS allowed"))
    with pytest.raises(DatabaseReadOnly, match="is a standby"):
        await could_write(empty_postgres)
