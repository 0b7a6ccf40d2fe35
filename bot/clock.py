"""The one place where the loops learn what time it is.

Only the loops (poller, delivery, supervisor) hold a clock; everything below them is handed `now`. A faster clock makes
a demonstration of hours fit into a minute without another line of code changing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Wall-clock time, and waiting in it."""

    def __init__(self, *, speed: float = 1.0) -> None:
        """`speed` seconds of this clock pass in each real second."""
        self.speed = speed
        self._epoch = datetime.now(UTC)
        self._started = time.monotonic()

    def now(self) -> datetime:
        """Timezone-aware UTC."""
        if self.speed == 1.0:
            return datetime.now(UTC)
        return self._epoch + timedelta(seconds=(time.monotonic() - self._started) * self.speed)

    def steady(self) -> float:
        """Seconds since some moment of the past, which pass evenly whoever sets the wall clock; those that the machine
        has slept count.
        """
        # Linux alone counts them; elsewhere a sleep looks like a wall clock that was set.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep so many seconds of this clock."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    async def wait(self, event: asyncio.Event, *, until: datetime | None) -> bool:
        """Wait for `event`, at most until `until` (`None`: for ever). True when the event came."""
        timeout = None if until is None else max(0.0, (until - self.now()).total_seconds()) / self.speed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await event.wait()
        return event.is_set()
