"""A service, and the servers around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.clock import Clock
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.server import LocalSlack
from bot.service import Service
from bot.settings import AlertSettings, Listen, Settings, SiteSettings, SlackSettings
from bot.store.store import Store
from bot.telemetry import Metrics
from bot.web import Waiting, Web

ROW = {"id": 1, "name": "PowerPick"}


class Around:
    """The servers around a service, and settings for it."""

    def __init__(self, slack: LocalSlack, site: SimulatedItemPath, folder: Path) -> None:
        self.slack = slack
        self.site = site
        self.database = folder / "bot.db"

    def settings(self, *, port: int = 0, **slack: Any) -> Settings:
        return Settings(
            database_url=SecretStr(f"sqlite:///{self.database}"),
            listen=Listen("127.0.0.1", port),
            sites=(
                SiteSettings(
                    name="berlin",
                    url=self.site.url,
                    token=SecretStr(self.site.token),
                    channel="C0ALERTS",
                    poll_interval=timedelta(milliseconds=500),
                ),
            ),
            slack=SlackSettings(
                **{
                    "bot_token": SecretStr(self.slack.bot_token),
                    "app_token": SecretStr(self.slack.app_token),
                    "channel": "C0ALERTS",
                    "api_url": self.slack.api_url,
                }
                | slack
            ),
            alerts=AlertSettings(),
        )


@pytest.fixture(autouse=True)
def _dead_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not trust the environment takes none of its proxies, whichever part of it speaks."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    async with LocalSlack() as slack, SimulatedItemPath("berlin", connections=[ROW]) as site:
        yield Around(slack, site, tmp_path)


Starts = Callable[[Settings], Any]


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Service]:
    """A service whose loops do not run yet, with what `serve` gives it."""
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.database_url.get_secret_value(), write=True)
        stack.push_async_callback(store.close)
        signed = settings.slack is not None and settings.slack.signing_secret is not None
        web = Web(Waiting(metrics=Metrics(version="test"), why=str), signed=signed)
        stack.push_async_callback(web.stop)
        await web.start(settings.listen.host, settings.listen.port)
        yield await stack.enter_async_context(
            Service.start(settings, clock=Clock(), trust_env=False, store=store, web=web)
        )


@pytest.fixture
async def start() -> AsyncIterator[Starts]:
    """Starts a service; it is closed with the test."""
    async with AsyncExitStack() as stack:

        async def made(settings: Settings) -> Service:
            return await stack.enter_async_context(started(settings))

        yield made
