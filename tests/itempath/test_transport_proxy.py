"""Proxies of the environment: when one is used, and what is said when it does not work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.itempath.errors import Unreachable
from tests.itempath.asking import ROWS, a_client, failure
from tests.itempath.conftest import Raw


@pytest.mark.parametrize(("written", "credentials"), [("http://u:p@{}", "Basic dTpw"), ("{}", None)])
async def test_a_proxy_of_the_environment_is_used(
    written: str, credentials: str | None, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append((request.raw_path, request.headers.get("Proxy-Authorization")))
        return web.Response(body=ROWS)

    monkeypatch.setenv("http_proxy", written.format((await serve(handler)).removeprefix("http://")))
    monkeypatch.setenv("no_proxy", "")
    async with a_client("http://itempath.test") as client:
        await client.connections()
    assert asked == [("http://itempath.test/api/connections", credentials)]


async def test_what_the_proxy_is_told_when_a_tunnel_is_opened_the_server_never_hears(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(head)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    proxy = (await raw(talk)).replace("http://", "http://u:p@")
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    error = await failure("https://itempath.test")
    (head,) = asked
    assert head.startswith(b"CONNECT itempath.test:443 ")
    assert b"Proxy-Authorization: Basic dTpw" in head
    assert b"app-token" not in head
    assert type(error) is Unreachable
    assert "proxy on the way to itempath.test:443 refused (403)" in error.message
    assert "HTTPS_PROXY" in error.advice


async def test_no_proxy_of_the_environment_stands_before_loopback_or_where_it_is_not_wanted(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=ROWS)

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    address = await serve(handler)
    for url in (address, address.replace("127.0.0.1", "localhost")):
        async with a_client(url) as client:
            assert len((await client.connections()).connections) == 1
    assert "resolved" in (await failure("http://itempath.invalid", trust_env=False)).message
    monkeypatch.setenv("no_proxy", "itempath.invalid")
    assert "resolved" in (await failure("http://itempath.invalid")).message


async def test_a_proxy_that_does_not_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    error = await failure("http://itempath.test")
    assert "proxy" in error.message
    assert "HTTP_PROXY" in error.advice


async def test_a_proxy_of_another_kind_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    error = await failure("http://itempath.test")
    assert type(error) is Unreachable
    assert "HTTP_PROXY" in error.advice
