"""A store that tells of its commits, to be watched or interrupted at them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import Database
from bot.store.store import Store


def telling(opened: Store, *, after: Callable[[], object], before: Callable[[], object] = lambda: None) -> Store:
    """The same store, which `opened` still closes. `before` is called when all of a transaction would be undone, `after`
    when it is committed, and nobody has learned of it.
    """
    return Store(_Telling(opened._database, before, after), None, opened.install_id)


class _Telling(Database):
    def __init__(self, database: Database, before: Callable[[], object], after: Callable[[], object]) -> None:
        super().__init__(database.connections)
        self.hold = database.hold
        self._before = before
        self._after = after

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with super().write() as connection:
            yield connection
            self._before()
        self._after()
