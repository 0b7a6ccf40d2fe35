"""A clock that does not wait: when every task waits in it, it moves on to what is waited for first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from weakref import WeakSet

from bot.clock import Clock

T = TypeVar("T")


@dataclass(slots=True)
class _Parked:
    until: datetime | None
    event: asyncio.Event
    limit: asyncio.Timeout | None = None
    due: bool = False

    @property
    def resting(self) -> bool:
        """Nothing but time can wake it."""
        return not self.due and not self.event.is_set()


class Virtual(Clock):
    """Time passes only while all tasks of the loop wait here, so that a database or a call takes none of it."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._at = start
        self._parked: dict[asyncio.Task[object], _Parked] = {}
        self._heard: WeakSet[asyncio.Task[object]] = WeakSet()

    def now(self) -> datetime:
        return self._at

    def steady(self) -> float:
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), until=self._at + timedelta(seconds=seconds))

    async def wait(self, event: asyncio.Event, *, until: datetime | None) -> bool:
        if event.is_set():
            return True
        parked = _Parked(until, event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as parked.limit:
                with self._resting(parked):
                    await event.wait()
        return event.is_set()

    async def rest(self, others: Awaitable[T]) -> T:
        """Wait for what others do in this clock."""
        with self._resting(_Parked(None, asyncio.Event())):
            return await others

    def rests(self, task: asyncio.Task[object]) -> bool:
        """Whether it waits here for nothing but time."""
        parked = self._parked.get(task)
        return parked is not None and parked.resting

    @contextlib.contextmanager
    def _resting(self, parked: _Parked) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._parked[task] = parked
        self._hear(task)
        self._look()
        try:
            yield
        finally:
            del self._parked[task]

    def _look(self, _: object = None) -> None:
        asyncio.get_running_loop().call_soon(self._advance)

    def _hear(self, task: asyncio.Task[object]) -> None:
        """Whoever ends without waiting here again may be the last one that time has waited for."""
        if task not in self._heard:
            self._heard.add(task)
            task.add_done_callback(self._look)

    def _advance(self) -> None:
        busy = [task for task in asyncio.all_tasks() if not self.rests(task)]
        for task in busy:
            self._hear(task)
        first = min((p.until for p in self._parked.values() if p.until is not None), default=None)
        if busy or first is None:
            return
        self._at = max(self._at, first)
        for parked in self._parked.values():
            if parked.until is not None and parked.until <= self._at and parked.limit is not None:
                parked.due = True
                parked.limit.reschedule(asyncio.get_running_loop().time())
