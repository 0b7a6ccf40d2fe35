"""Parts for the tests of the ItemPath client: recorded replies, a mocked session, and a real server on loopback."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import aioresponses.core
import pytest
from aiohttp import ClientResponse, web
from aioresponses import aioresponses as Mocked  # noqa: N812 - a class, however it is written

from bot.itempath.client import ItemPathClient

LIST = "http://itempath.test/api/connections"
SAMPLES = Path(__file__).parents[1] / "samples"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
Sample = Callable[[str], bytes]
Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
Raw = Callable[[Talk], Awaitable[str]]


def asked(mocked: Mocked) -> list[str]:
    """Path and query of every request, in order of their address."""
    return [url.raw_path_qs for (_, url), calls in mocked.requests.items() for _ in calls]


@pytest.fixture
def sample() -> Sample:
    """The body of a recorded reply."""

    def read(case: str) -> bytes:
        (path,) = (SAMPLES / case).glob("reply.*")
        return path.read_bytes()

    return read


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mocked]:
    # aioresponses builds its replies without the stream writer that newer versions of aiohttp insist on.
    complete = functools.partial(ClientResponse, stream_writer=Mock(output_size=0))
    monkeypatch.setattr(aioresponses.core, "ClientResponse", complete)
    with Mocked() as each:
        yield each


@pytest.fixture
async def client() -> AsyncIterator[ItemPathClient]:
    """A client of the mocked server, with pauses too short to be noticed."""
    async with ItemPathClient(url="http://itempath.test", token="app-token", backoff=0.001, trust_env=False) as each:
        yield each


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a real server with one handler for everything; gives its address."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """Start a server that speaks bytes; gives its address. It is told to stop when the test is over."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(talk: Talk) -> str:
        async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await talk(await reader.readuntil(b"\r\n\r\n"), writer)

        server = await asyncio.start_server(each, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for writer in writers:
        writer.transport.abort()
    for server in servers:
        server.close()
        await server.wait_closed()
