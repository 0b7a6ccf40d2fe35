"""What happens in the workspace, for those who watch it: the page's stream, and tests that wait for something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Feed:
    """Publishes each change once to every subscriber, and wakes those who wait for a condition."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[dict[str, Any]]] = set()
        self._waiters: list[asyncio.Future[None]] = []

    def subscribe(self) -> asyncio.Queue[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        self._queues.discard(queue)
        self.poke()

    @property
    def watched(self) -> int:
        """How many subscribers there are."""
        return len(self._queues)

    def publish(self, event: dict[str, Any]) -> None:
        """Tell the page, and whoever waits."""
        for queue in self._queues:
            queue.put_nowait(event)
        self.poke()

    def poke(self) -> None:
        """Something changed that the page does not show (a call, a connection): conditions are looked at again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, condition: Callable[[], T], *, within: float = 10.0) -> T:
        """The first truthy value of `condition`, looked at now and after each change; `TimeoutError` after `within` seconds."""
        async with asyncio.timeout(within):
            while not (value := condition()):
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter
        return value
