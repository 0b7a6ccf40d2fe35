"""A local Slack whose clock a test moves by hand, and the real slack-sdk pointed at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def slack(hands: Hands) -> AsyncIterator[LocalSlack]:
    channels = [
        Channel(id="C0ALERTS", name="alerts"),
        Channel(id="C0OTHER", name="other", bot_is_member=False),
        Channel(id="C0OLD", name="old", archived=True),
        Channel(id="G0OPS", name="ops", private=True),
        Channel(id="G0SECRET", name="secret", private=True, bot_is_member=False),
    ]
    async with LocalSlack(now=hands, channels=channels) as local:
        local.limits.enabled = False
        yield local


@pytest.fixture
def client(slack: LocalSlack) -> Callable[..., AsyncWebClient]:
    """Makes the SDK's client; its own retries are off, as in the bot."""

    def make(token: str | None = None, *, timeout: int = 5) -> AsyncWebClient:
        return AsyncWebClient(
            token=slack.bot_token if token is None else token,
            base_url=slack.api_url,
            retry_handlers=[],
            timeout=timeout,
        )

    return make


@pytest.fixture
def web(client: Callable[..., AsyncWebClient]) -> AsyncWebClient:
    return client()
