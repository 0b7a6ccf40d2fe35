"""Sessions with a database: opened for a while, ended from outside as an administrator could, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]

from bot.store.hold import ServerHold
from bot.store.store import Store


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url, write=True)
    try:
        yield store
    finally:
        await store.close()


async def end_sessions(url: str) -> None:
    admin = await asyncpg.connect(url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()


async def break_lock(store: Store, url: str) -> None:
    """End the session that has the lock, as a restart of the server does, and wait until it is seen here."""
    hold = store._hold
    assert isinstance(hold, ServerHold)
    assert hold._session is not None
    raw = await hold._session.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    gone = asyncio.Event()
    driver.add_termination_listener(lambda _: gone.set())
    admin = await asyncpg.connect(url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    await admin.close()
    await gone.wait()


async def waits_for_a_lock(url: str) -> None:
    """Until a session waits for another one's lock."""
    await until(
        url, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


async def ended(url: str) -> None:
    """Until nobody has the bot's lock."""
    await until(
        url,
        "SELECT count(*) = 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE locktype = 'advisory' AND datname = current_database()",
    )


async def until(url: str, question: str) -> None:
    admin = await asyncpg.connect(url)
    async with asyncio.timeout(10):
        while not await admin.fetchval(question):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.01)
    await admin.close()
