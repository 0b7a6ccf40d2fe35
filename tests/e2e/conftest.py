"""No test here goes through a proxy of the machine that it runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import World


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def make(database: Path) -> AsyncIterator[Callable[..., Any]]:
    """Makes worlds, with the options of `World`; their servers run until the test ends, the bot is to be started."""
    async with AsyncExitStack() as stack:

        async def made(**options: Any) -> World:
            return await stack.enter_async_context(World(database.parent, **options))

        yield made


@pytest.fixture
async def world(make: Callable[..., Any]) -> World:
    """One site with one connection, PowerPick; the bot is to be started."""
    made: World = await make()
    return made
