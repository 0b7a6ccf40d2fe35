"""The loops' time: as the wall has it, or faster."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.clock import Clock


def test_an_ordinary_clock_shows_the_time() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


async def test_a_fast_clock_passes_hours_in_a_moment() -> None:
    clock = Clock(speed=36_000.0)
    began, really = clock.now(), time.monotonic()
    await clock.sleep(3600)
    assert clock.now() - began >= timedelta(hours=1)
    assert time.monotonic() - really >= 0.1


async def test_no_time_is_slept_for_a_moment_that_is_over() -> None:
    clock = Clock()
    async with asyncio.timeout(5):
        await clock.sleep(-3600)
        assert not await clock.wait(asyncio.Event(), until=clock.now() - timedelta(hours=1))


async def test_an_event_ends_a_wait_and_a_moment_does_too() -> None:
    clock, event = Clock(speed=1000.0), asyncio.Event()
    assert not await clock.wait(event, until=clock.now() + timedelta(seconds=20))
    waiting = asyncio.create_task(clock.wait(event, until=clock.now() + timedelta(days=1)))
    for_ever = asyncio.create_task(clock.wait(event, until=None))
    await asyncio.sleep(0)
    event.set()
    async with asyncio.timeout(5):
        assert await waiting
        assert await for_ever
    assert await clock.wait(event, until=clock.now() - timedelta(hours=1))
