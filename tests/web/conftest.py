"""A server whose sources stand still until a test moves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import Clock
from bot.core.connection import Connection, Failure, Snapshot
from bot.core.decide import decide
from bot.core.policy import Policy
from bot.core.state import Polled
from bot.store.store import Store
from bot.telemetry import Metrics
from bot.web import Sources, Waiting, Web

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=30)
REFUSED = Failure(kind="unreachable", message="The connection was refused.", advice="Start it.")


class Standing(Clock):
    """Stands still until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def waiting() -> Waiting:
    return Waiting(metrics=Metrics(version="test"), why=lambda: "this bot is a standby: another one has it")


@dataclass
class Site:
    site: str = "berlin"
    interval: timedelta = INTERVAL
    trouble: Failure | None = None


@dataclass
class Speaks:
    problems: tuple[str, ...] | None = ()


@dataclass
class Bench:
    """The server, and everything it asks; a page is got with `get`."""

    web: Web
    store: Store
    clock: Standing
    site: Site
    speaks: Speaks
    lock: Path
    session: aiohttp.ClientSession
    running: bool = True

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"http://127.0.0.1:{self.web.port}{path}") as response:
            body = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else body

    async def poll(self, status: int = 1) -> None:
        """A good poll at this moment, recorded."""
        snapshot = Snapshot(connections=(Connection(id="1", name="PowerPick", status=status),))
        policy = Policy(site=self.site.site, home="#ops", interval=INTERVAL)
        async with self.store.tick(self.site.site, now=self.clock.at, lately=policy.lately) as tick:
            decision = decide(tick.state, Polled(snapshot=snapshot), now=self.clock.at, policy=policy)
            await tick.apply(decision, now=self.clock.at)

    def lose_database(self) -> None:
        self.lock.rename(self.lock.with_suffix(".away"))


@pytest.fixture
async def serve(database: Path) -> AsyncIterator[Callable[..., Any]]:
    started: list[Bench] = []

    async def made(**options: Any) -> Bench:
        store = await Store.open(f"sqlite:///{database}", write=True)
        clock, site, speaks = Standing(), Site(), Speaks()
        metrics = Metrics(version="test")
        metrics.watch("berlin")
        sources = Sources(
            store=store,
            clock=clock,
            metrics=metrics,
            sites=[site],
            speaking=speaks,
            listening=lambda: {"socket_mode": None, "request_url": False},
            running=lambda: served.running,
        )
        server = Web(waiting(), signed="slack_request" in options)
        server.show(sources, **options)
        served = Bench(server, store, clock, site, speaks, database.with_name("bot.db.lock"), aiohttp.ClientSession())
        started.append(served)
        await server.start("127.0.0.1", 0)
        return served

    yield made
    for each in started:
        await each.session.close()
        await each.web.stop()
        await each.store.close()


@pytest.fixture
async def bench(serve: Callable[..., Any]) -> Bench:
    served: Bench = await serve()
    return served
