"""Two simulated ItemPath servers, a real store, real pollers, and a local Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.core.maintenance import Window
from bot.core.policy import Policy
from bot.itempath.client import ItemPathClient
from bot.poller import Poller
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import API_PAGE
from bot.sandbox.slack.server import LocalSlack
from bot.slack.calls import SlackCalls
from bot.slack.commands.lookup import Lookup
from bot.slack.home import Home
from bot.slack.ingress.http import HttpIngress
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses
from bot.slack.workspace import Workspace
from bot.store.store import Store
from bot.telemetry import Metrics
from tests.slack.people.door import Open
from tests.slack.people.household import BERLIN, HandClock, House

Build = Callable[..., Any]


@pytest.fixture
async def build(database: Path) -> AsyncIterator[Build]:
    """Makes a house; `operators`, `sites`, `maintenance` and the rest of the policy as given."""
    async with AsyncExitStack() as stack:

        async def make(
            *,
            sites: Mapping[str, Any] | None = None,
            operators: tuple[str, ...] = (),
            maintenance: tuple[Window, ...] = (),
            polled: bool = True,
            interval: timedelta = timedelta(seconds=30),
            **policy: Any,
        ) -> House:
            rows = {"plant": API_PAGE, "berlin": BERLIN} if sites is None else sites
            slack = await stack.enter_async_context(LocalSlack(ack_within=3.0))
            slack.limits.enabled = False
            store = await Store.open(f"sqlite:///{database}", write=True)
            stack.push_async_callback(store.close)
            calls = SlackCalls(token=slack.bot_token, api_url=slack.api_url, timeout=5.0)
            stack.push_async_callback(calls.close)
            workspace = Workspace(calls, store)
            clock = HandClock()
            servers: dict[str, SimulatedItemPath] = {}
            clients: dict[str, ItemPathClient] = {}
            pollers: dict[str, Poller] = {}
            for name, connections in rows.items():
                server = SimulatedItemPath(name, connections=connections)
                servers[name] = await stack.enter_async_context(server)
                client = ItemPathClient(url=server.url, token=server.token, attempts=1, trust_env=False)
                clients[name] = await stack.enter_async_context(client)
                pollers[name] = Poller(
                    client=client,
                    store=store,
                    policy=Policy(site=name, home="C0ALERTS", interval=interval, maintenance=maintenance, **policy),
                    peers=(),
                    clock=clock,
                    metrics=Metrics(version="test"),
                    committed=lambda: None,
                )
            lookup = Lookup(store=store, calls=calls, live=clients, clock=clock, maintenance=maintenance)
            home = Home(store=store, calls=calls, sites=tuple(clients), maintenance=maintenance, clock=clock)
            house = House(
                slack=slack,
                store=store,
                calls=calls,
                workspace=workspace,
                sites=servers,
                pollers=pollers,
                lookup=lookup,
                home=home,
                clock=clock,
                operators=operators,
                maintenance=maintenance,
            )
            if polled:
                await house.poll()
            return house

        yield make


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build()
    return made


@pytest.fixture
async def door(house: House) -> AsyncIterator[Open]:
    now = [house.slack.workspace.now()]
    responses = Responses(api_url=house.slack.api_url)
    reception = Reception(handlers=house.handlers, responses=responses, ready_within=2.0)
    ingress = HttpIngress(signing_secret=house.slack.signing_secret, reception=reception, now=lambda: now[0])
    application = web.Application(client_max_size=10)
    application.router.add_post("/slack/events", ingress.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    house.slack.request_url.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield Open(house, now, reception)
    await runner.cleanup()
    await reception.close()
