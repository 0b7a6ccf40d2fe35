"""SQLite without a thread for each connection: what is swept is what is done in which order, and that stays the same."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import structlog
from aiosqlite import core

from bot.slack import delivery
from bot.store import connections, engine, store
from bot.store.connections import FileConnection


class _Here:
    """In place of the thread and of the queue to it: done at once; who asked learns of it in the loop's next round."""

    daemon = False

    def start(self) -> None:
        """There is none."""

    def is_alive(self) -> bool:
        return False

    def put_nowait(self, asked: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = asked
        assert future is not None
        loop = asyncio.get_running_loop()
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - the driver's, to be raised where it was asked
            loop.call_soon(core.set_exception, future, error)
        else:
            loop.call_soon(core.set_result, future, result)


class Inline(FileConnection):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        here: Any = _Here()
        self._tx = self._thread = here


@contextmanager
def quiet() -> Iterator[None]:
    """Nobody reads the log of a thousand lives."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def quick_database() -> Iterator[None]:
    """Nor does it wait for the disk, as no power cut is played here; one life leaves its compiled statements to the next;
    and rows are read when there is a reason only.
    """
    pragmas = ("foreign_keys=ON", "journal_mode=WAL", "synchronous=OFF")
    with (
        patch.object(connections, "FileConnection", Inline),
        patch.object(engine, "_WRITER", pragmas),
        patch.object(store, "connect_to", functools.cache(engine.connect_to)),
        patch.object(delivery, "LOOK_AGAIN", timedelta(minutes=2)),
    ):
        yield
