"""What only a real socket shows: sizes, hangs, resets, redirects, connections that are kept."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.itempath import transport
from bot.itempath.errors import NotItemPath, TimedOut, TooLarge, Unreachable
from tests.itempath.asking import ROWS, a_client, failure
from tests.itempath.conftest import Raw


async def test_polls_share_one_connection(serve: Any) -> None:
    peers = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        assert request.headers["Accept"] == "application/json"
        assert "Cookie" not in request.headers
        reply = web.Response(body=ROWS)
        reply.set_cookie("session", "x")
        return reply

    async with a_client(await serve(handler)) as client:
        for _ in range(3):
            await client.connections()
    assert len(peers) == 3
    assert len(set(peers)) == 1


async def test_a_body_without_end_is_cut_off_early(serve: Any) -> None:
    sent = 0
    gone = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        reply = web.StreamResponse()
        await reply.prepare(request)
        try:
            while True:
                await reply.write(b" " * 65536)
                sent += 65536
        finally:
            gone.set()

    error = await failure(await serve(handler), max_body=1_000_000)
    await gone.wait()
    assert type(error) is TooLarge
    assert "1000000 bytes" in error.message
    assert sent < 30_000_000


async def test_three_hundred_megabytes_cost_a_tenth_of_that_and_no_more(serve: Any) -> None:
    """With the limits as they are in earnest: what comes is JSON, and whole rows of it."""
    row = b'{"id": 1, "name": "PowerPick", "status": 1},'
    chunk, size, sent = row * 1500, 300_000_000, 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        reply = web.StreamResponse(headers={"Content-Type": "application/json"})
        reply.content_length = size
        await reply.prepare(request)
        await reply.write(b"[")
        while sent < size:
            await reply.write(chunk)
            sent += len(chunk)
        return reply

    address = await serve(handler)
    tracemalloc.start()
    try:
        error = await failure(address, timeout=30.0)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is TooLarge
    assert sent < 60_000_000
    assert most < 80_000_000


async def test_a_body_is_measured_after_it_is_unpacked(serve: Any) -> None:
    packed = gzip.compress(b" " * 20_000_000)

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert type(await failure(await serve(handler), max_body=1_000_000)) is TooLarge


async def test_a_packed_body_is_read(serve: Any) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(ROWS), headers={"Content-Encoding": "gzip"})

    async with a_client(await serve(handler)) as client:
        assert len((await client.connections()).connections) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[{\r\n",
    ],
)
async def test_a_server_that_falls_silent_at_any_stage_is_a_time_out(said: bytes, raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    error = await failure(await raw(talk), timeout=0.1)
    assert type(error) is TimedOut
    assert "0.1 s" in error.message


async def test_a_server_that_falls_silent_before_tls_is_agreed_on_is_a_time_out(raw: Raw) -> None:
    """It takes the connection, and then says nothing."""

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    error = await failure((await raw(talk)).replace("http:", "https:"), timeout=0.1)
    assert type(error) is TimedOut


async def test_a_name_server_that_falls_silent_is_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    assert type(await failure("http://itempath.invalid", timeout=0.1, trust_env=False)) is TimedOut


async def test_drops_that_never_end_are_a_time_out(raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)

    assert type(await failure(await raw(talk), timeout=0.2)) is TimedOut


async def test_all_attempts_together_stay_within_the_budget(raw: Raw) -> None:
    asked = 0

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await writer.drain()

    error = await failure(await raw(talk), timeout=0.1, budget=0.55, attempts=100, backoff=0.001)
    assert type(error) is TimedOut
    # However slow the machine is: it makes them fewer.
    assert 2 <= asked <= 6


@pytest.mark.parametrize("budget", [0.05, 0.3])
async def test_a_list_is_waited_for_as_long_as_the_time_out_says_although_polls_are_due_more_often(
    budget: float, raw: Raw
) -> None:
    """A server that is slower than the poll interval is slow, and not out of reach; it is asked once only."""
    asked = []

    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        await asyncio.sleep(0.4)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ROWS) + ROWS
        )

    async with a_client(await raw(talk), attempts=4) as client:
        assert len((await client.connections(budget=budget)).connections) == 1
        assert len(asked) == 1


async def test_what_is_asked_for_a_person_is_not_waited_for_past_its_budget(raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    async with a_client(await raw(talk), timeout=30.0) as client:
        for ask in (client.connection("1", budget=0.1), client.page(budget=0.1), client.count(budget=0.1)):
            with pytest.raises(TimedOut, match=r"0\.1 s"):
                await ask


async def test_a_crowd_of_questions_keeps_no_poll_waiting(serve: Any) -> None:
    """A server that hangs on single connections, and a hundred people who ask for one."""
    never, asked = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/connections"):
            asked.set()
            await never.wait()
        return web.Response(body=ROWS)

    async with a_client(await serve(handler), timeout=10.0) as client:
        crowd = [asyncio.create_task(client.connection("1", budget=10.0)) for _ in range(100)]
        await asked.wait()
        assert len((await client.connections(budget=1.0)).connections) == 1
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        never.set()


async def test_past_the_budget_a_slow_list_is_not_asked_for_again(raw: Raw) -> None:
    asked = []

    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(request)

    async with a_client(await raw(talk), attempts=4, timeout=0.3) as client:
        with pytest.raises(TimedOut, match=r"0\.3 s"):
            await client.connections(budget=0.1)
    assert len(asked) == 1


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"])
async def test_a_connection_that_is_reset_is_unreachable(said: bytes, raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        raw_socket = writer.get_extra_info("socket")
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        writer.transport.abort()

    error = await failure(await raw(talk))
    assert type(error) is Unreachable
    assert "without an answer" in error.message or "in the middle" in error.message
    assert not error.permanent


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[{\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
    ],
)
async def test_a_cut_off_body_is_never_read_as_a_whole_one(said: bytes, raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    error = await failure(await raw(talk))
    assert type(error) is Unreachable
    assert "in the middle of its answer" in error.message


async def test_what_does_not_speak_http_is_not_itempath(raw: Raw) -> None:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    error = await failure(await raw(talk))
    assert type(error) is NotItemPath
    assert "HTTP" in error.message


async def test_where_nothing_listens_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failure(f"http://127.0.0.1:{port}")
    assert type(error) is Unreachable
    assert f"127.0.0.1:{port} refuses the connection" in error.message
    assert "port" in error.advice


async def test_a_name_that_is_not_known_says_so() -> None:
    error = await failure("http://itempath.invalid", trust_env=False)
    assert type(error) is Unreachable
    assert "itempath.invalid cannot be resolved (DNS)" in error.message


def test_other_failures_to_connect_name_the_reason() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("h", 80, False, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, OSError(113, "No route to host"))
    said = transport._unreachable(error, URL("http://h/"))
    assert said.message == "h:80 cannot be connected to: No route to host."


async def test_closing_twice_or_unused_is_fine() -> None:
    client = a_client("http://itempath.test")
    await client.close()
    await client.close()
