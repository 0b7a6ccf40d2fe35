"""Which version the tables have, and bringing them up to date."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from bot.store.engine import Database
from bot.store.errors import DatabaseCorrupt, DatabaseEmpty, SchemaNewer, SchemaOlder
from bot.store.tables import meta

REVISIONS = ("0001", "0002", "0003", "0004")
"""Oldest first, as in `migrations/versions`; named here so that Alembic need not be imported to compare."""

VERSION_TABLE = "schema_version"
"""Alembic's, by a name of our own: on a server other programs may keep theirs in the same database."""

INSTALL_ID = "install_id"


async def stored_version(database: Database) -> str | None:
    """The revision of the tables; `None` when there are none."""
    async with database.read() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(VERSION_TABLE)):
            return None
        version: str | None = await connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
        return version


def judge(where: str, version: str | None, *, revisions: Sequence[str] | None = None) -> None:
    """Raises `SchemaOlder` or `SchemaNewer` unless `version` is the newest of `revisions`: without them, of `REVISIONS`."""
    revisions = revisions or REVISIONS
    if version == revisions[-1]:
        return
    if version is None:
        raise DatabaseEmpty(f"{where} is empty.", "Start `run` once: it makes the tables.")
    if version in revisions:
        raise SchemaOlder(
            f"{where} was made by an older version (tables {version}, needed {revisions[-1]}).",
            "Start `run` of this version once: it brings the tables up to date.",
        )
    raise SchemaNewer(
        f"{where} was made by a newer version (tables {version}, known {revisions[-1]}).",
        "Use that version or a newer one; an older one could destroy what it does not know.",
    )


async def upgrade(database: Database, *, alone: Callable[[], Awaitable[None]] | None = None) -> None:
    """Bring the tables to the newest revision, all of it in one transaction. Raises `SchemaNewer` or `StoreError`.

    `alone` is called before existing tables are changed: it sees to it that nobody writes to them any more.
    """
    version = await stored_version(database)
    try:
        judge(str(database.address), version)
    except SchemaOlder:
        if version is not None and alone is not None:
            await alone()
        async with database.write() as connection:
            await connection.run_sync(migrate)
            statement = database.insert(meta).on_conflict_do_nothing()
            # A fresh database must not take an old one's posts in Slack for its own.
            await connection.execute(statement, {"key": INSTALL_ID, "value": secrets.token_hex(8)})


def migrate(connection: Connection, revision: str = "head") -> None:
    """Within the transaction of `connection`."""
    # Costs a third of a second and is needed once in a version's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # `%` has a meaning there.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def install_id(database: Database) -> str:
    async with database.read() as connection:
        value: str | None = await connection.scalar(select(meta.c.value).where(meta.c.key == INSTALL_ID))
    if value is None:
        raise DatabaseCorrupt(f"{database.address} has lost its `install_id`.", "Restore a backup.")
    return value
