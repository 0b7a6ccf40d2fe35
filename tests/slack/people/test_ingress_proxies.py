"""Proxies of the environment: the way back and Socket Mode go by the rules that calls of the Web API go by."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.clock import Clock
from bot.sandbox.slack.server import LocalSlack
from bot.slack.calls import SlackCalls
from bot.slack.errors import SlackError
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses
from bot.slack.ingress.socket_mode import SocketMode, _proxy_for

API = "http://slack.invalid/api/"
ANSWER = {"text": "hi"}
WEB_SOCKET = "ws://socket.slack.invalid/link?ticket=1"


class Proxy:
    """Takes the place of everything behind it: says `ok`, and names a WebSocket to whoever asks for one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""
        self.changed = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        self.changed.set()
        body = b'{"ok": true, "url": "%s"}' % WEB_SOCKET.encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async def until(self, asked: str) -> None:
        async with asyncio.timeout(10):
            while asked not in self.asked:
                await self.changed.wait()
                self.changed.clear()


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    made = Proxy()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", made.url)
    yield made
    server.close()
    await server.wait_closed()


@contextlib.asynccontextmanager
async def running(socket: SocketMode, reception: Reception) -> AsyncIterator[None]:
    task = asyncio.create_task(socket.run())
    try:
        yield
    finally:
        socket.stop()
        async with asyncio.timeout(10):
            await task
        await reception.close()


@pytest.mark.parametrize(
    ("no_proxy", "trust_env", "through"),
    [("", True, True), ("x", False, False), (".slack.invalid,slack.invalid", True, False)],
)
async def test_the_way_back_goes_where_the_calls_go(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, no_proxy: str, trust_env: bool, through: bool
) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    calls = SlackCalls(token="xoxb-t", api_url=API, trust_env=trust_env)
    responses = Responses(api_url=API, backoff=0.001, trust_env=trust_env)
    with contextlib.suppress(SlackError):
        await calls.call("auth.test")
    assert bool(await responses.post("http://slack.invalid/response/1", ANSWER)) is through
    await calls.close()
    await responses.close()
    both = ["POST http://slack.invalid/api/auth.test", "POST http://slack.invalid/response/1"]
    assert proxy.asked == (both if through else [])


async def test_a_proxy_that_refuses_has_certainly_sent_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """So even what all would see may be tried again."""
    tried = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setenv("no_proxy", "")
    responses = Responses(api_url="https://slack.com/api/", backoff=0.001)
    assert not await responses.post("https://hooks.slack.com/commands/T1/1", ANSWER, repeatable=False)
    await responses.close()
    server.close()
    await server.wait_closed()
    assert len(tried) == 3
    assert tried[0].startswith(b"CONNECT hooks.slack.com:443 ")


async def test_socket_mode_goes_through_the_proxy(proxy: Proxy) -> None:
    """The address is asked for there, and the WebSocket is opened there, as an HTTP proxy is asked for one."""
    reception = Reception(handlers=None, responses=Responses(api_url=API))  # type: ignore[arg-type]
    socket = SocketMode(
        app_token="xapp-t", api_url=API, reception=reception, clock=Clock(), ping_every=0.05, first_pause=0.01
    )
    async with running(socket, reception):
        await proxy.until("POST http://slack.invalid/api/apps.connections.open")
        await proxy.until(f"GET {WEB_SOCKET}")


@pytest.mark.parametrize(("no_proxy", "trust_env"), [("127.0.0.1", True), ("", False)])
async def test_socket_mode_goes_past_the_proxy_where_it_is_not_wanted(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, no_proxy: str, trust_env: bool
) -> None:
    """The SDK would take it all the same."""
    monkeypatch.setenv("no_proxy", no_proxy)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with LocalSlack() as slack:
        reception = Reception(handlers=None, responses=Responses(api_url=slack.api_url))  # type: ignore[arg-type]
        socket = SocketMode(
            app_token=slack.app_token,
            api_url=slack.api_url,
            reception=reception,
            clock=Clock(),
            ping_every=0.2,
            trust_env=trust_env,
        )
        async with running(socket, reception):
            await slack.wait_for(lambda: slack.sockets.connected)
    assert proxy.asked == []


def test_a_secure_web_socket_takes_the_proxy_for_https(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://secure:1")
    monkeypatch.setenv("no_proxy", "internal.example")
    assert _proxy_for("wss://wss-primary.slack.com/link") == "http://secure:1"
    assert _proxy_for("ws://slack.test/link") == proxy.url
    assert _proxy_for("wss://socket.internal.example/link") is None
    assert _proxy_for("") is None
    monkeypatch.setenv("wss_proxy", "http://own:1")
    assert _proxy_for("wss://wss-primary.slack.com/link") == "http://own:1"
