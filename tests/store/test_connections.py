"""What becomes of the connections of who is cancelled.

Every step of the driver is tried, so that no luck is needed to meet the one that matters; the driver's threads are slowed
down, as on a busy machine.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import connections
from bot.store.connections import FileConnection
from bot.store.store import Store

SLOW = 0.001
"""Seconds that each thing takes a thread: longer than the event loop needs to run whoever was cancelled."""
HANGS = 30.0
"""Seconds after which a task waits for ever."""


class Watch:
    """Every connection that is made, and every step that is asked of one."""

    def __init__(self) -> None:
        self.made: list[FileConnection] = []
        self.asked: Callable[[], None] | None = None

    def left(self) -> list[FileConnection]:
        """Those that are open, and those whose thread has not said that it ends."""
        return [
            each
            for each in self.made
            if each._connection is not None or each._stopping is None or not each._stopping.done()
        ]


class Queue:
    """Before a thread's own."""

    def __init__(self, watch: Watch, queue: Any) -> None:
        self._watch = watch
        self._queue = queue

    def put_nowait(self, asked: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = asked

        def slowly() -> Any:
            time.sleep(SLOW)
            return function()

        if self._watch.asked is None:
            self._queue.put_nowait(asked)
        else:
            self._queue.put_nowait((future, slowly))
            self._watch.asked()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch()

    class Watched(FileConnection):
        def __init__(self, database: str, **options: Any) -> None:
            super().__init__(database, **options)
            queue: Any = Queue(watch, self._tx)
            self._tx = queue
            watch.made.append(self)

    broken: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(connections, "FileConnection", Watched)
    monkeypatch.setattr(threading, "excepthook", broken.append)
    yield watch
    assert broken == []


async def cancelled_at(watch: Watch, steps: set[int], what: Coroutine[Any, Any, Any]) -> bool:
    """Runs it, and cancels it as soon as it has asked for one of these steps; tells whether it came so far."""
    task = asyncio.create_task(what)
    loop = asyncio.get_running_loop()
    count = 0

    def asked() -> None:
        nonlocal count
        count += 1
        if count in steps:
            # Not at once: whoever asks does not wait yet.
            loop.call_soon(task.cancel)

    watch.asked = asked
    await asyncio.wait([task])
    watch.asked = None
    if not task.cancelled():
        task.result()
    return count >= min(steps)


async def read(url: str) -> None:
    store = await Store.open(url, write=False)
    try:
        await store.sites()
    finally:
        await store.close()


def others() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.mark.parametrize("again", [0, 1, 2, 3])
async def test_wherever_one_is_cancelled_no_connection_and_no_task_outlives_the_store(
    database: Path, watch: Watch, again: int
) -> None:
    """`again` steps later once more, while the driver tidies up: who ends a bot does not wait for ever."""
    step, reached = 0, True
    while reached:
        step += 1
        store = await Store.open(f"sqlite:///{database}", write=True)
        reached = await cancelled_at(watch, {step, step + again}, store.sites())
        await store.close()
        assert watch.left() == [], step
        # What a thread has told the loop is heard in its next round, and ends who waited for it.
        await asyncio.wait_for(asyncio.gather(*others()), HANGS)
    assert step > 5


@pytest.mark.parametrize("again", [0, 2])
async def test_wherever_the_opening_or_the_closing_is_cancelled_nothing_is_left(
    database: Path, watch: Watch, again: int
) -> None:
    step, reached = 0, True
    while reached:
        step += 1
        reached = await cancelled_at(watch, {step, step + again}, read(f"sqlite:///{database}"))
        assert watch.left() == [], step
        await asyncio.wait_for(asyncio.gather(*others()), HANGS)
    assert step > 10


async def test_who_is_cancelled_while_a_connection_ends_ends_nobody_elses_wait(database: Path, watch: Watch) -> None:
    connection = connections.FileConnection(str(database))
    await connection
    watch.asked = lambda: None

    async def end() -> None:
        stopping = connection.stop()
        assert stopping is not None
        await stopping

    first, second = asyncio.create_task(end()), asyncio.create_task(end())
    # Both wait.
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, HANGS)
    assert first.cancelled()
    assert watch.left() == []


@pytest.mark.postgres
async def test_what_is_on_its_way_back_is_waited_for_before_a_server_is_left(
    ready_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came back later would stay open on both sides, until the process ends."""
    store = await Store.open(ready_postgres, write=True)
    connections = store._database.connections
    engine = connections.engine.sync_engine
    opened: list[Any] = []
    event.listen(engine, "connect", lambda adapted, _: opened.append(adapted.driver_connection))
    # Those that are free were not seen.
    await connections.engine.dispose()
    close, goes_back, may_go = AsyncConnection.close, asyncio.Event(), asyncio.Event()

    async def slowly(connection: AsyncConnection) -> None:
        goes_back.set()
        await may_go.wait()
        await close(connection)

    async def use() -> None:
        async with connections.one() as connection:
            await connection.execute(select(1))

    monkeypatch.setattr(AsyncConnection, "close", slowly)
    task = asyncio.create_task(use())
    await goes_back.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    leaving = asyncio.create_task(store.close())
    for _ in range(100):
        # As far as it comes without the connection.
        await asyncio.sleep(0)
    may_go.set()
    await leaving
    assert [each.is_closed() for each in opened] == [True]
