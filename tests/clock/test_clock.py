"""The loops' time: as the wall has it, or faster."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

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


@pytest.mark.parametrize("speed", [1.0, 50.0])
async def test_steady_seconds_pass_at_the_clocks_speed_and_know_no_wall(speed: float) -> None:
    """They are those since the machine was started, so nobody who sets the wall clock sets them."""
    clock = Clock(speed=speed)
    really, steady = time.monotonic(), clock.steady()
    await clock.sleep(0.02 * speed)
    passed = clock.steady() - steady
    assert 0.018 * speed <= passed <= (time.monotonic() - really + 0.01) * speed
    assert steady / speed == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)
