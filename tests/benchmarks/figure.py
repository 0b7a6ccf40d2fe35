"""A figure beside the floor that it is held to: the least that any program would take for the same."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

TIMES = 7


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    value: float
    floor_name: str
    floor: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return self.value / self.floor


def cpu(work: Callable[[], Any], *, times: int = TIMES) -> float:
    """Milliseconds of this process's processor time, all threads: the least of several times."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], Any]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


async def cpu_async(work: Callable[[], Awaitable[Any]], *, times: int = TIMES) -> float:
    """As `cpu`, of everything that the loop does meanwhile."""
    found = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        await work()
        found.append(1000 * (time.process_time() - start))
    return min(found)
