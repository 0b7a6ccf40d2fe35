"""The two replies that ItemPath's API page prints, served as they stand: the bot watches them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.e2e.world import World

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
async def api_page() -> AsyncIterator[str]:
    """A plain server that knows nothing of filters, counts or tokens."""

    def serving(sample: str) -> Callable[[web.Request], Any]:
        body = (SAMPLES / sample / "reply.json").read_bytes()

        async def handler(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type="application/json")

        return handler

    app = web.Application()
    app.router.add_get("/api/connections", serving("list"))
    app.router.add_get("/api/connections/1", serving("show"))
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_the_printed_replies_are_watched_and_looked_up(make: Callable[..., Any], api_page: str) -> None:
    world: World = await make()
    world.settings["sites"] = {"default": {"url": api_page}}
    await world.start()

    await world.shows_soon(
        "root 🔴 Watching 2 connections of ItemPath default, 1 already down. 🔴 down: Web Services default/2. "
        "Nobody has acknowledged it yet. "
        "From now on a message says when one goes down, is up again or logs a new error. "
        "Type /connection help to see what you can ask."
    )
    assert await world.asks("/connection 1") == (
        "🟢 PowerPick is up. default/1: read from ItemPath just now. Up since <time>."
    )
    (answer,) = world.slack.workspace.ephemerals.values()
    shown = str(answer.blocks)
    for value in ("MSSQL", "https://warehouse.example.com", "Basic Authentication", "warehouse_user"):
        assert value in shown
    assert "Connection test complete" in shown
    assert "3 integrations stop." in shown
