"""Redirects are followed on the same server alone, and never with a login."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from bot.itempath.errors import NotItemPath
from tests.itempath.asking import ROWS, a_client, failure


async def test_a_redirect_on_the_same_server_is_followed(serve: Any) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/"):
            return web.Response(status=308, headers={"Location": f"{request.path}/"})
        assert request.headers["Authorization"] == "Bearer app-token"
        return web.Response(body=ROWS)

    async with a_client(await serve(handler)) as client:
        assert len((await client.connections()).connections) == 1


async def test_a_redirect_in_a_circle_ends(serve: Any) -> None:
    asked = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=302, headers={"Location": request.path})

    error = await failure(await serve(handler))
    assert type(error) is NotItemPath
    assert asked == 3


async def test_a_redirect_elsewhere_is_reported_and_never_sees_the_token(serve: Any) -> None:
    seen = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(body=ROWS)

    other = await serve(elsewhere)

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{other}/sso/login?next=secret"})

    error = await failure(await serve(handler))
    assert type(error) is NotItemPath
    assert f"redirects to {other}/sso/login instead" in error.message
    assert "login page" in error.advice
    assert seen == []


@pytest.mark.parametrize("location", ["http://[", "mailto:x@y.test"])
async def test_a_redirect_to_nowhere_is_reported(location: str, serve: Any) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    error = await failure(await serve(handler))
    assert type(error) is NotItemPath
    assert "redirects to nowhere" in error.message


async def test_a_login_is_never_sent_on_by_a_redirect(serve: Any) -> None:
    asked = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    error = await failure(await serve(handler), token=None, username="bot", password="secret")
    assert type(error) is NotItemPath
    assert asked == ["/api/users/login"]
