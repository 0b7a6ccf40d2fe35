"""A room for each test; its clock runs fast, so that seconds of waiting are milliseconds here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import Clock
from bot.sandbox.slack.access import LEAST_PRIVILEGE
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel
from bot.slack.calls import SlackCalls
from bot.slack.workspace import Workspace
from bot.store.store import Store
from bot.telemetry import Metrics
from tests.slack.delivery.room import CHANNEL, SECOND, Room
from tests.store.commits import telling

CHANNELS = {CHANNEL: "alerts", SECOND: "second"}

Build = Callable[..., Any]


@pytest.fixture
async def build(database: Path) -> AsyncIterator[Build]:
    """`speed` of the clock, `answer_within`: time-out of calls in real seconds, `adopt_wait` in seconds of the clock."""
    async with AsyncExitStack() as stack:

        async def make(
            *,
            speed: float = 50.0,
            answer_within: float = 5.0,
            adopt_wait: float = 3.0,
            without: frozenset[str] = frozenset(),
            limits: bool = False,
        ) -> Room:
            clock = Clock(speed=speed)
            slack = LocalSlack(
                now=lambda: clock.now().timestamp(),
                channels=[Channel(id=id_, name=name) for id_, name in CHANNELS.items()],
                scopes=LEAST_PRIVILEGE - without,
                speed=speed,
            )
            slack.limits.enabled = limits
            await stack.enter_async_context(slack)
            opened = await Store.open(f"sqlite:///{database}", write=True)
            stack.push_async_callback(opened.close)
            bell = asyncio.Event()
            store = telling(opened, after=bell.set)
            metrics = Metrics(version="test")
            calls = SlackCalls(
                token=slack.bot_token, api_url=slack.api_url, counts=metrics, timeout=answer_within, trust_env=False
            )
            stack.push_async_callback(calls.close)
            return Room(
                slack, store, bell, clock, calls, Workspace(calls, store), metrics, timedelta(seconds=adopt_wait)
            )

        yield make


@pytest.fixture
async def room(build: Build) -> Room:
    made: Room = await build()
    return made
