"""Whether `run` could write to a database, found out without writing and without taking it from a running bot."""

from __future__ import annotations

import errno
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


async def could_write(url: str) -> bool:
    """Raises `StoreError` when `Store.open(url, write=True)` would find that it may not write; `False` when that cannot
    be told.
    """
    address = Address.parse(url)
    if address.path is not None:
        return _file(address.path.resolve())
    await _server(address)
    return True


def _file(path: Path) -> bool:
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
    return path in files or _can_make(path, folder)


def _can_make(path: Path, folder: Path) -> bool:
    """Tried with a file that has no name and leaves nothing: permissions alone say of `/proc` too that it can be written."""
    nameless = getattr(os, "O_TMPFILE", None)
    if nameless is None:  # only Linux has it
        return True
    try:
        os.close(os.open(folder, os.O_WRONLY | nameless, 0o600))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR):
            # Not every file system has such files; one that has no room at all is made up by the kernel.
            return os.statvfs(folder).f_blocks > 0
        raise DatabaseReadOnly(
            f"The database file {path} cannot be made in {folder}: {error.strerror}.",
            "Mend that folder, or name another one in `database_url`.",
        ) from None
    return True


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
