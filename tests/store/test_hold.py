from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from bot.core.state import Decision
from bot.store.errors import (
    DatabaseBusy,
    DatabaseLost,
    DatabaseReadOnly,
    DatabaseTaken,
    DatabaseUnreachable,
    SchemaNewer,
)
from bot.store.hold import _KEY, ServerHold
from bot.store.store import Store
from tests.store.samples import LATELY, NOW, commit, set_version
from tests.store.sessions import break_lock, ended, opened, waits_for_a_lock


async def test_a_second_bot_is_refused_and_the_first_one_goes_on(url: str) -> None:
    async with opened(url) as first:
        with pytest.raises(DatabaseBusy, match="Another bot"):
            await Store.open(url, write=True)
        await commit(first)
        assert await first.held()
    async with opened(url) as second:
        assert len(await second.sites()) == 1


async def test_readers_come_and_go_beside_a_running_bot(url: str) -> None:
    async with opened(url) as bot, bot.tick("default", now=NOW, lately=LATELY) as tick:
        reader = await Store.open(url, write=False)
        assert await reader.sites() == ()
        await tick.apply(Decision(site=tick.state.site), NOW)
        assert await reader.sites() == ()
        assert not await reader.held()
        await reader.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_readers_leave_nothing_behind_that_was_not_there(ready_sqlite: str, tmp_path: Path) -> None:
    before = names(tmp_path)
    content = (tmp_path / "bot.db").read_bytes()
    for _ in range(2):
        reader = await Store.open(ready_sqlite, write=False)
        assert await reader.sites() == ()
        await reader.close()
    assert names(tmp_path) == before
    assert (tmp_path / "bot.db").read_bytes() == content


async def test_a_reader_writes_nothing(ready_sqlite: str) -> None:
    """Although it may have opened the file as one that could, to tidy up behind itself."""
    reader = await Store.open(ready_sqlite, write=False)
    with pytest.raises(DatabaseReadOnly):
        await reader.set_meta("key", "value")
    await reader.close()


async def test_a_reader_that_leaves_last_takes_nothing_from_a_bot(ready_sqlite: str, tmp_path: Path) -> None:
    """It came before the bot, and goes after it has committed, or after it has ended."""
    for ends_first in (False, True):
        reader = await Store.open(ready_sqlite, write=False)
        async with opened(ready_sqlite) as bot:
            await commit(bot, site=f"site-{ends_first}".lower())
            if not ends_first:
                await reader.close()
                await commit(bot, site="afterwards")
        await reader.close()
    async with opened(ready_sqlite) as bot:
        assert [site.name for site in await bot.sites()] == ["afterwards", "site-false", "site-true"]
    assert "bot.db-wal" not in names(tmp_path)


async def test_a_reader_leaves_the_log_of_a_killed_bot_to_the_next_one(ready_sqlite: str, tmp_path: Path) -> None:
    """What that one had committed can be read meanwhile."""
    async with opened(ready_sqlite) as bot:
        await commit(bot)
        (tmp_path / "killed").mkdir()
        for name in ("bot.db", "bot.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "killed" / name)
    wal = (tmp_path / "killed/bot.db-wal").read_bytes()
    url = f"sqlite:///{tmp_path}/killed/bot.db"
    reader = await Store.open(url, write=False)
    assert len(await reader.sites()) == 1
    await reader.close()
    assert (tmp_path / "killed/bot.db-wal").read_bytes() == wal
    async with opened(url) as bot:
        assert len(await bot.sites()) == 1


async def test_what_may_not_be_written_can_be_read(
    ready_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(ready_sqlite) as bot:
        monkeypatch.setattr(os, "access", lambda *_: False)
        reader = await Store.open(ready_sqlite, write=False)
        assert "mode=ro" in str(reader._database.engine.url)
        await commit(bot)
        assert len(await reader.sites()) == 1
        await reader.close()


async def test_a_start_that_fails_lets_go(url: str) -> None:
    await set_version(url, "9999")
    for _ in range(2):
        with pytest.raises(SchemaNewer):
            await Store.open(url, write=True)


async def test_the_refusal_names_the_process(ready_sqlite: str, tmp_path: Path) -> None:
    async with opened(ready_sqlite):
        with pytest.raises(DatabaseBusy, match=rf"\(process {os.getpid()}\)"):
            await Store.open(ready_sqlite, write=True)
        (tmp_path / "bot.db.lock").write_text("?")
        with pytest.raises(DatabaseBusy, match="Another bot holds"):
            await Store.open(ready_sqlite, write=True)


async def test_a_database_under_two_names_is_one(ready_sqlite: str, tmp_path: Path) -> None:
    (tmp_path / "alias.db").symlink_to(tmp_path / "bot.db")
    async with opened(ready_sqlite):
        with pytest.raises(DatabaseBusy):
            await Store.open(f"sqlite:///{tmp_path}/alias.db", write=True)


async def test_folders_are_made(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/a/b/bot.db"):
        assert (tmp_path / "a/b/bot.db").exists()


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnreachable, match=r"cannot be opened for writing.*write permission"):
        await Store.open(f"sqlite:///{tmp_path}/file/bot.db", write=True)


@pytest.mark.parametrize("name", ["bot.db", "bot.db.lock"])
@pytest.mark.parametrize("replaced", [True, False])
async def test_a_file_taken_away_stops_the_writing(
    ready_sqlite: str, tmp_path: Path, name: str, replaced: bool
) -> None:
    """What is written to a file that has no name any more is lost; and a second bot would find another lock."""
    async with opened(ready_sqlite) as store:
        (tmp_path / name).rename(tmp_path / "elsewhere")
        if replaced:
            (tmp_path / name).touch()
        assert not await store.held()
        with pytest.raises(DatabaseLost, match="removed or replaced"):
            await commit(store)
        with pytest.raises(DatabaseLost, match="no longer holds"):
            await store.ping()


async def test_a_hold_that_was_given_back_is_not_held(url: str) -> None:
    async with opened(url) as store:
        hold = store._hold
        assert hold is not None
    assert not await hold.held()


# PostgreSQL: a session can break at any time, and with it the lock.


@pytest.mark.postgres
async def test_a_broken_lock_is_taken_again_when_nobody_had_it(ready_postgres: str) -> None:
    async with opened(ready_postgres) as store:
        await break_lock(store, ready_postgres)
        await commit(store)
        assert await store.held()
        with pytest.raises(DatabaseBusy):
            await Store.open(ready_postgres, write=True)


@pytest.mark.postgres
async def test_a_question_given_up_half_way_costs_nothing(ready_postgres: str) -> None:
    """SQLAlchemy gives up the session of a statement that is cancelled, and the lock goes with it."""
    async with opened(ready_postgres) as store:
        hold = store._hold
        assert isinstance(hold, ServerHold)
        assert hold._session is not None
        await hold._session.invalidate()
        await ended(ready_postgres)
        await commit(store)
        assert await store.held()


@pytest.mark.postgres
async def test_a_broken_lock_is_noticed_and_said(ready_postgres: str) -> None:
    async with opened(ready_postgres) as store:
        await break_lock(store, ready_postgres)
        assert not await store.held()
        with pytest.raises(DatabaseLost, match="no longer holds it"):
            await store.ping()
        await commit(store)
        await store.ping()


@pytest.mark.postgres
async def test_a_bot_whose_place_was_taken_writes_nothing_more(ready_postgres: str) -> None:
    async with opened(ready_postgres) as first:
        await commit(first)
        await break_lock(first, ready_postgres)
        async with opened(ready_postgres) as second:
            with pytest.raises(DatabaseLost, match="has taken over"):
                await commit(first)
            assert not await first.held()
            await commit(second, site="other")
        # Even when the other one has gone again: what was decided before is no longer true.
        with pytest.raises(DatabaseLost, match="has taken over"):
            await commit(first)


@pytest.mark.postgres
async def test_a_lock_that_nobody_signed_for_is_waited_for_and_nobody_is_said_to_have_taken_over(
    ready_postgres: str,
) -> None:
    """As of this bot's own former session, while the server has not noticed that it is gone."""
    async with opened(ready_postgres) as store:
        await break_lock(store, ready_postgres)
        ghost = await asyncpg.connect(ready_postgres)
        await ghost.execute(f"SELECT pg_advisory_lock({_KEY})")
        for doing in (commit(store), store.keep()):
            with pytest.raises(DatabaseLost, match="not free yet") as raised:
                await doing
            assert not isinstance(raised.value, DatabaseTaken)
        await ghost.close()
        await commit(store)
        assert await store.held()


@pytest.mark.postgres
async def test_who_takes_over_waits_for_the_write_under_way(ready_postgres: str) -> None:
    async with opened(ready_postgres) as first:
        await commit(first)
        async with first.tick("default", now=NOW, lately=LATELY) as tick:
            await break_lock(first, ready_postgres)
            takeover = asyncio.create_task(Store.open(ready_postgres, write=True))
            await waits_for_a_lock(ready_postgres)
            await tick.apply(Decision(site=replace(tick.state.site, serial=7)), NOW)
            assert not takeover.done()
        second = await takeover
        try:
            assert (await second.sites())[0].serial == 7
        finally:
            await second.close()
