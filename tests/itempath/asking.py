"""A client as the tests of the transport use it, and what it says when it fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.itempath.client import ItemPathClient
from bot.itempath.errors import ItemPathError

ROWS = json.dumps([{"id": 1, "status": 1}]).encode()


def a_client(url: str, **settings: Any) -> ItemPathClient:
    return ItemPathClient(**{"url": url, "token": "app-token", "attempts": 1, "timeout": 5.0, **settings})


async def failure(url: str, **settings: Any) -> ItemPathError:
    # Longer than any time-out that is asked for here: a client that waits for ever fails its test, and does not hold it up.
    async with asyncio.timeout(60), a_client(url, **settings) as client:
        with pytest.raises(ItemPathError) as failed:
            await client.connections()
    assert "app-token" not in f"{failed.value!r} {failed.value.failure}"
    return failed.value
