"""Socket Mode with the real slack-sdk against the local Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.clock import Clock
from bot.sandbox.slack.server import LocalSlack
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses
from bot.slack.ingress.socket_mode import SocketMode
from tests.slack.sockets.listener import Running, Said

Start = Callable[..., Running]


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as local:
        local.limits.enabled = False
        yield local


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def start(slack: LocalSlack, said: Said) -> AsyncIterator[Start]:
    started: list[Running] = []

    def make(**more: Any) -> Running:
        reception = Reception(
            handlers=said,  # type: ignore[arg-type]
            responses=Responses(api_url=slack.api_url),
            ready_within=more.pop("ready_within", 2.0),
        )
        options: dict[str, Any] = {"app_token": slack.app_token, "ping_every": 0.2, "first_pause": 0.01} | more
        socket = SocketMode(api_url=slack.api_url, reception=reception, clock=Clock(), **options)
        started.append(Running(slack, socket, reception))
        return started[-1]

    yield make
    for running in started:
        running.socket.stop()
        async with asyncio.timeout(10):
            await running.task
        await running.reception.close()
