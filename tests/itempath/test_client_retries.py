"""What may pass is tried again, within the time there is."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aioresponses import aioresponses

from bot.itempath import client as module
from bot.itempath.client import ItemPathClient
from bot.itempath.errors import (
    CredentialsRefused,
    NotItemPath,
    RateLimited,
    ServerError,
    TimedOut,
)
from tests.itempath.conftest import LIST, Sample, asked


async def test_what_may_pass_is_tried_again(client: ItemPathClient, mocked: aioresponses, sample: Sample) -> None:
    mocked.get(LIST, status=503, body=sample("proxy-error"))
    mocked.get(LIST, exception=aiohttp.ServerDisconnectedError())
    mocked.get(LIST, exception=aiohttp.ClientPayloadError())
    mocked.get(LIST, body=sample("list"))
    assert len((await client.connections()).connections) == 2
    assert len(asked(mocked)) == 4


async def test_after_some_attempts_the_last_failure_is_reported(client: ItemPathClient, mocked: aioresponses) -> None:
    mocked.get(LIST, status=500, repeat=True)
    with pytest.raises(ServerError) as failed:
        await client.connections()
    assert failed.value.status == 500
    assert len(asked(mocked)) == 4


@pytest.mark.parametrize(
    ("status", "error"), [(400, NotItemPath), (403, CredentialsRefused), (401, CredentialsRefused)]
)
async def test_what_cannot_succeed_is_not_tried_again(
    status: int, error: type[Exception], client: ItemPathClient, mocked: aioresponses
) -> None:
    mocked.get(LIST, status=status, repeat=True)
    with pytest.raises(error):
        await client.connections()
    assert len(asked(mocked)) == 1


async def test_a_web_page_is_not_tried_again(client: ItemPathClient, mocked: aioresponses, sample: Sample) -> None:
    mocked.get(LIST, body=sample("login-page"), content_type="text/html", repeat=True)
    with pytest.raises(NotItemPath, match="web page"):
        await client.connections()
    assert len(asked(mocked)) == 1


async def test_retry_after_is_obeyed_within_the_budget(
    client: ItemPathClient, mocked: aioresponses, sample: Sample
) -> None:
    """The client's own pauses are of one millisecond here."""
    loop = asyncio.get_running_loop()
    mocked.get(LIST, status=429, headers={"Retry-After": "0.1"})
    mocked.get(LIST, body=sample("list"))
    begun = loop.time()
    assert len((await client.connections()).connections) == 2
    assert loop.time() - begun >= 0.1


async def test_a_wait_beyond_the_budget_is_reported_instead(client: ItemPathClient, mocked: aioresponses) -> None:
    mocked.get(LIST, status=429, headers={"Retry-After": "60"}, repeat=True)
    with pytest.raises(RateLimited, match="asks to wait 60 s") as limited:
        async with asyncio.timeout(30):
            await client.connections(budget=30)
    assert limited.value.retry_after == 60.0
    assert len(asked(mocked)) == 1


async def test_no_time_left_is_a_time_out(client: ItemPathClient, mocked: aioresponses) -> None:
    mocked.get(LIST, exception=TimeoutError(), repeat=True)
    with pytest.raises(TimedOut, match="No whole answer"):
        await client.connections(budget=0)


async def test_a_large_body_is_understood_beside_the_loop(
    client: ItemPathClient, mocked: aioresponses, monkeypatch: pytest.MonkeyPatch, sample: Sample
) -> None:
    monkeypatch.setattr(module, "_THREAD_FROM", 10)
    mocked.get(LIST, body=sample("list"))
    assert len((await client.connections()).connections) == 2


async def test_a_body_that_takes_too_long_to_understand_is_a_time_out(
    client: ItemPathClient, mocked: aioresponses, monkeypatch: pytest.MonkeyPatch, sample: Sample
) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "_THREAD_FROM", 10)
    monkeypatch.setattr(asyncio, "to_thread", never)
    mocked.get(LIST, body=sample("list"))
    with pytest.raises(TimedOut, match="understood in time"):
        await client.page(budget=0.02)
