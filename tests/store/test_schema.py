from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, TextClause, bindparam, text

from bot.store import schema
from bot.store.columns import Moment
from bot.store.errors import DatabaseCorrupt, DatabaseMissing, SchemaNewer, SchemaOlder, StoreError
from bot.store.store import Store
from bot.store.tables import metadata
from tests.store.samples import NOW, commit, set_version

MIGRATIONS = Path(schema.__file__).parent / "migrations"
CURRENT = schema.REVISIONS


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    )
    found: list[object] = compare_metadata(context, metadata)
    return found


async def test_the_migrations_make_exactly_the_tables_that_the_code_expects(empty_url: str) -> None:
    store = await Store.open(empty_url, write=True)
    try:
        async with store._database.read() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await store.close()


async def test_the_partial_indexes_are_the_ones_of_the_code(empty_sqlite: str, tmp_path: Path) -> None:
    """Alembic does not compare their conditions, and a query is served only by the very same one."""
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(f"sqlite:///{tmp_path}/direct.db")
    metadata.create_all(engine)
    indexes = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
    with engine.connect() as direct:
        expected = [(name, " ".join(sql.split())) for name, sql in direct.execute(indexes)]
    engine.dispose()
    store = await Store.open(empty_sqlite, write=True)
    try:
        async with store._database.read() as connection:
            migrated = await connection.execute(indexes)
            assert [(name, " ".join(sql.split())) for name, sql in migrated] == expected
    finally:
        await store.close()


def test_the_revisions_named_in_the_code_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == schema.REVISIONS


async def test_the_second_start_keeps_what_is_there_and_who_it_is(empty_url: str) -> None:
    first = await Store.open(empty_url, write=True)
    await commit(first)
    await first.close()
    second = await Store.open(empty_url, write=True)
    assert second.install_id == first.install_id
    assert re.fullmatch("[0-9a-f]{16}", first.install_id)
    assert len(await second.sites()) == 1
    await second.close()


def test_alembic_is_imported_only_when_a_migration_is_due(ready_sqlite: str) -> None:
    code = (
        "import asyncio, sys\n"
        "from bot.store.store import Store\n"
        "async def main():\n"
        "    await (await Store.open(sys.argv[1], write=True)).close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, ready_sqlite], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@pytest.mark.parametrize("write", [True, False])
async def test_a_database_of_a_newer_version_is_left_alone(url: str, write: bool) -> None:
    await set_version(url, "9999")
    with pytest.raises(SchemaNewer, match=rf"tables 9999, known {CURRENT[-1]}.*Use that version"):
        await Store.open(url, write=write)


async def test_reading_never_makes_tables(empty_postgres: str) -> None:
    for _ in range(2):
        with pytest.raises(SchemaOlder, match="Start `run` once"):
            await Store.open(empty_postgres, write=False)


async def test_reading_never_makes_a_file(empty_sqlite: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing, match=r"does not exist\. Start `run` once"):
        await Store.open(empty_sqlite, write=False)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - brief
    (tmp_path / "bot.db").touch()
    with pytest.raises(SchemaOlder, match="is empty"):
        await Store.open(empty_sqlite, write=False)
    assert (tmp_path / "bot.db").stat().st_size == 0


def test_an_older_version_says_how_to_bring_it_up_to_date() -> None:
    with pytest.raises(SchemaOlder, match=r"tables 0001, needed 0002.*brings the tables up to date"):
        schema.judge("It", "0001", revisions=("0001", "0002"))
    schema.judge("It", "0002", revisions=("0001", "0002"))


async def test_a_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(empty_url: str) -> None:
    with pytest.MonkeyPatch.context() as before:
        before.setattr(schema, "REVISIONS", CURRENT[:1])
        before.setattr(schema, "migrate", partial(schema.migrate, revision=CURRENT[0]))
        old = await Store.open(empty_url, write=True)
        async with old._database.write() as connection:
            await connection.execute(text("INSERT INTO site (name, fails, nameless, serial) VALUES ('x', 0, 0, 0)"))
        await old.close()
    new = await Store.open(empty_url, write=True)
    try:
        async with new._database.read() as connection:
            assert await connection.run_sync(differences) == []
        assert len(await new.sites()) == 1
        assert await new.outbox.waiting() == ()
    finally:
        await new.close()


async def test_what_an_older_version_has_escalated_is_known_to_be(empty_url: str) -> None:
    def say(statement: str) -> TextClause:
        return text(statement).bindparams(bindparam("now", NOW, type_=Moment))

    with pytest.MonkeyPatch.context() as before:
        before.setattr(schema, "REVISIONS", CURRENT[:1])
        before.setattr(schema, "migrate", partial(schema.migrate, revision=CURRENT[0]))
        old = await Store.open(empty_url, write=True)
        async with old._database.write() as connection:
            await connection.execute(text("INSERT INTO site (name, fails, nameless, serial) VALUES ('x', 0, 0, 2)"))
            await connection.execute(
                say(
                    "INSERT INTO thread (id, site, kind, channel, opened, mentions, escalate_to, phase, reminders, "
                    "changes, flips, told_down, watched, lists, revision, next_n) "
                    "SELECT id, 'x', 'outage', 'C1', :now, '[]', '[]', 'open', 0, 0, '[]', 0, 0, '[]', 1, 2 "
                    "FROM (SELECT 'x/1' AS id UNION SELECT 'x/2') AS ids"
                )
            )
            await connection.execute(
                say(
                    "INSERT INTO message (thread, n, role, kind, revision, params, closing, created_at, state, "
                    "generation, form, attempts, looks, maybe_sent_before) "
                    "VALUES ('x/1', 1, 'broadcast', 'escalated', 1, '{}', :no, :now, 'new', 0, 'full', 0, 0, :no)"
                ).bindparams(no=False)
            )
        await old.close()
    new = await Store.open(empty_url, write=True)
    threads = await new.threads(["x/1", "x/2"])
    assert [threads[id_].escalated_at for id_ in ("x/1", "x/2")] == [NOW, None]
    await new.close()


@pytest.mark.usefixtures("next_version")
async def test_a_database_of_an_older_version_is_brought_up_to_date_by_the_one_who_writes(empty_url: str) -> None:
    """And refused with words by those who read; what is in it stays."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr(schema, "REVISIONS", CURRENT)
        before.setattr(schema, "migrate", partial(schema.migrate, revision=CURRENT[-1]))
        old = await Store.open(empty_url, write=True)
        await commit(old)
        await old.close()
    with pytest.raises(SchemaOlder, match=rf"tables {CURRENT[-1]}, needed 9000.*brings the tables up to date"):
        await Store.open(empty_url, write=False)

    new = await Store.open(empty_url, write=True)
    try:
        assert new.install_id == old.install_id
        assert len(await new.sites()) == 1
        async with new._database.read() as connection:
            assert await connection.scalar(text("SELECT count(next) FROM site")) == 0
    finally:
        await new.close()
    await (await Store.open(empty_url, write=False)).close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is one transaction, the tables too."""
    migrate = schema.migrate

    def fail(connection: Connection) -> None:
        migrate(connection)
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema, "migrate", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        await Store.open(empty_url, write=True)
    monkeypatch.undo()
    with pytest.raises(SchemaOlder, match="is empty"):
        await Store.open(empty_url, write=False)
    await (await Store.open(empty_url, write=True)).close()


async def test_a_database_without_its_identity_is_not_used(url: str) -> None:
    store = await Store.open(url, write=True)
    async with store._database.write() as connection:
        await connection.execute(text("DELETE FROM meta WHERE key = 'install_id'"))
    with pytest.raises(DatabaseCorrupt, match="install_id"):
        await store.ping()
    await store.close()
    with pytest.raises(StoreError):
        await Store.open(url, write=False)
