"""Waiting for a database that another bot holds, to take its place when it ends."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.store.engine import BUSY_TIMEOUT
from bot.store.errors import (
    DatabaseFull,
    DatabaseHeld,
    DatabaseLocked,
    DatabaseReadOnly,
    DatabaseUnreachable,
    StoreError,
)
from bot.store.store import Store

_log = structlog.get_logger(__name__)

ASK_EVERY = 1.0
"""Real seconds between two attempts to take the database. So long nobody watches, once the holder has ended."""
_PASSING = (DatabaseUnreachable, DatabaseLocked, DatabaseReadOnly, DatabaseFull)
"""What a standby waits for as well: servers are started again, or one takes another's place."""

STOP_WITHIN = BUSY_TIMEOUT + 1
"""Seconds to break off what waits for a database: that another program's lock takes longest."""


class Standby:
    """One place in the line. `why` says, to whoever asks, what is waited for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.why = "this bot is starting"

    async def first(self, stop: asyncio.Event) -> Store | None:
        """The database, if nobody has it; `None` when there is somebody to wait for, or when told to stop. Raises
        `StoreError`.
        """
        try:
            return await self._open(stop)
        except DatabaseHeld as error:
            self._waits_for(error)
            return None

    async def take(self, stop: asyncio.Event) -> Store | None:
        """The database, once nobody has it; `None` when told to stop. Raises `StoreError` for what no waiting mends."""
        while not stop.is_set():
            try:
                store = await self._open(stop)
            except (DatabaseHeld, *_PASSING) as error:
                self._waits_for(error)
            else:
                if store is not None:
                    _log.info("nobody holds the database any more: taking over")
                return store
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_EVERY):
                    await stop.wait()
        return None

    async def _open(self, stop: asyncio.Event) -> Store | None:
        """Whoever stops does not wait for a server that does not answer."""
        opening = asyncio.create_task(Store.open(self._url, write=True))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            opening.cancel()
        await asyncio.wait({opening}, timeout=STOP_WITHIN)
        if stop.is_set() and not _succeeded(opening):
            # Broken off, it may fail in any way, or have not ended yet: nobody is told any more.
            opening.add_done_callback(_succeeded)
            return None
        return opening.result()

    def _waits_for(self, error: StoreError) -> None:
        """Said once, until it is something else."""
        why = f"this bot is a standby: {error.problem}"
        if why != self.why:
            _log.info("standing by", reason=error.problem)
            self.why = why


def _succeeded(opening: asyncio.Task[Store]) -> bool:
    return opening.done() and not opening.cancelled() and opening.exception() is None
