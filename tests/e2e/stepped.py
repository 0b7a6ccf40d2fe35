"""A clock that stands still until it is told to go on, and then goes from one waiting loop to the next.

Between two steps everything that had become due is done, down to the last message that may go at that moment: whole
hours of a bot are the same to the second on every machine, and take no longer than the work in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.e2e.world import WITHIN, Skipping

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
AT_WORK = ("delivery ", "slack ")
"""How the names of tasks begin that send a message, or do what somebody asked for."""


@dataclass(eq=False)
class _Waiter:
    loop: str
    """The name of the task that waits."""
    event: asyncio.Event
    until: datetime | None
    due: asyncio.Event = field(default_factory=asyncio.Event)


class Stepped(Skipping):
    def __init__(self, start: datetime = START) -> None:
        super().__init__(speed=1.0)
        self.loops: frozenset[str] = frozenset()
        """Names of the tasks that have to wait in this clock before it goes on."""
        self._at = start
        self._waiters: list[_Waiter] = []
        self._parked = asyncio.Event()

    def now(self) -> datetime:
        return self._at + self._skipped

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), until=self.now() + timedelta(seconds=seconds))

    async def wait(self, event: asyncio.Event, *, until: datetime | None) -> bool:
        if event.is_set() or (until is not None and until <= self.now()):
            await asyncio.sleep(0)
            return event.is_set()
        task = asyncio.current_task()
        assert task is not None
        waiter = _Waiter(task.get_name(), event, until)
        self._waiters.append(waiter)
        self._parked.set()
        either = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(waiter.due.wait())]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        return event.is_set()

    async def go_on(self, span: timedelta) -> None:
        """Let so much time pass. Of what is due at the same moment, the loop whose name sorts first is first."""
        end = self.now() + span
        await self.quiet()
        while due := [w for w in self._waiters if w.until is not None and w.until <= end]:
            first = min(due, key=lambda w: (w.until or end, w.loop))
            self._at = max(self.now(), first.until or end) - self._skipped
            self._waiters.remove(first)
            first.due.set()
            await self.quiet()
        self._at = end - self._skipped

    async def quiet(self) -> None:
        """Until nothing is at work and every loop waits for its time."""
        async with asyncio.timeout(WITHIN):
            while True:
                self._parked.clear()
                working = [t for t in asyncio.all_tasks() if t.get_name().startswith(AT_WORK)]
                if working:
                    await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
                elif self.loops <= _waiting(self._waiters):
                    return
                else:
                    await self._parked.wait()


def _waiting(waiters: Iterable[_Waiter]) -> set[str]:
    return {w.loop for w in waiters if not w.event.is_set()}
