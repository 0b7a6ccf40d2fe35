"""Whether `run` could write to a database, found out without writing and without taking it from a running bot."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import text

from bot.store.address import Address
from bot.store.engine import Database, connect_to
from bot.store.errors import DatabaseReadOnly, DatabaseUnreachable
from bot.store.tables import meta

# With its tables there, the right to fill them; else the right to make them. Without a schema to make them in: NULL.
_MAY_WRITE = text(
    f"""
    SELECT pg_is_in_recovery() AS standby,
           CASE WHEN to_regclass('{meta.name}') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
                ELSE has_table_privilege(to_regclass('{meta.name}'), 'INSERT') END AS allowed
    """
)


async def could_write(url: str) -> None:
    """Raises `StoreError` when `Store.open(url, write=True)` would find that it may not write."""
    address = Address.parse(url)
    if address.path is not None:
        _file(address.path.resolve())
    else:
        await _server(address)


def _file(path: Path) -> None:
    folder = path.parent
    # `run` makes the folders that are missing. `os.path` calls what may not be looked at missing, `pathlib` raises.
    while not os.path.exists(folder):  # noqa: PTH110
        folder = folder.parent
    if not os.path.isdir(folder):  # noqa: PTH112
        raise DatabaseUnreachable(
            f"The database file {path} cannot be made: {folder} is a file.", "Correct `database_url`."
        )
    beside = [path, *(path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm", ".lock"))]
    files = [each for each in beside if os.path.exists(each)]  # noqa: PTH110
    refused = [each for each in files if not os.access(each, os.R_OK | os.W_OK)]
    if not os.access(folder, os.W_OK | os.X_OK):
        refused.insert(0, folder)
    if refused:
        raise DatabaseReadOnly(
            f"The database file {path} cannot be written: this user may not write {refused[0]}.",
            "Give the bot's user write permission on the file and on its folder.",
        )


async def _server(address: Address) -> None:
    database = Database(connect_to(address, write=False))
    try:
        async with database.read() as connection:
            found = (await connection.execute(_MAY_WRITE)).one()
    finally:
        await database.connections.close()
    if found.standby:
        raise DatabaseReadOnly(f"{address} is a standby.", "Point `database_url` at the primary server.")
    if not found.allowed:
        raise DatabaseReadOnly(
            f"{address} does not let the bot's user make or fill its tables.",
            "Make that user the owner of the database, or of its `public` schema.",
        )
