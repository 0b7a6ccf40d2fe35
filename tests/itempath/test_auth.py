"""Login, refresh and login again, as ItemPath's documentation has it."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from typing import Any

import pytest
from aiohttp import web

from bot.clock import Clock
from bot.itempath.auth import ApplicationToken, Grant, Origin, read_lifetime
from bot.itempath.client import ItemPathClient
from bot.itempath.errors import CredentialsRefused, NotItemPath, RateLimited, ServerError, TimedOut
from bot.itempath.replies import Reply

PASSWORD = "correct horse"


def jwt(**claims: Any) -> str:
    def part(data: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part(claims)}.c2ln"


class Server:
    """An ItemPath that gives tokens and counts what it is asked for."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.valid: set[str] = set()
        self.refreshable: set[str] = set()
        self.lifetime = 900.0
        self.serial = 0
        self.refresh_method = "POST"
        self.refresh_status = 200
        self.login_status = 200
        self.refusal = 401
        self.trusts_its_tokens = True
        self.pause: asyncio.Event | None = None
        self.paused = asyncio.Event()
        self.with_refresh_token = True

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.log.append(f"{request.method} {request.path.removeprefix('/api/')}")
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path == "/api/users/login":
            return await self.login(await request.json())
        if request.path == "/api/users/refresh":
            return self.refresh(request.method, bearer)
        if bearer in self.valid:
            return web.json_response([{"id": 1, "status": 1}])
        return web.json_response({"msg": "Token has expired"}, status=self.refusal)

    async def login(self, given: dict[str, str]) -> web.Response:
        if self.pause is not None:
            self.paused.set()
            await self.pause.wait()
        if self.login_status != 200:
            return web.Response(status=self.login_status)
        if given != {"username": "bot", "password": PASSWORD}:
            return web.Response(status=404)
        reply = {"accessToken": self.token(), "accessTokenExpiryDate": "01/31/2022, 12:00:00", "timeZone": None}
        if self.with_refresh_token:
            self.refreshable.add("refresh-token")
            reply["refreshToken"] = "refresh-token"
        return web.json_response(reply, status=201)

    def refresh(self, method: str, bearer: str) -> web.Response:
        if method != self.refresh_method:
            return web.Response(status=405)
        if self.refresh_status != 200:
            return web.Response(status=self.refresh_status)
        if bearer not in self.refreshable:
            return web.json_response({"msg": "Token has expired"}, status=401)
        return web.json_response({"accessToken": self.token()})

    def token(self) -> str:
        self.serial += 1
        token = f"opaque-{self.serial}"
        if self.lifetime:
            token = jwt(iat=1000, exp=1000 + self.lifetime, jti=self.serial)
        if self.trusts_its_tokens:
            self.valid.add(token)
        return token

    def asked(self) -> list[str]:
        log, self.log = self.log, []
        return log


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture
async def client(server: Server, serve: Any) -> Any:
    url = await serve(server.handle)
    async with ItemPathClient(url=url, username="bot", password=PASSWORD, backoff=0.001) as each:
        yield each


async def test_one_login_serves_many_reads(server: Server, client: ItemPathClient) -> None:
    for _ in range(3):
        assert len((await client.connections()).connections) == 1
    assert server.asked() == ["POST users/login", "GET connections", "GET connections", "GET connections"]


@pytest.mark.parametrize("refusal", [401, 422])
async def test_a_refused_token_is_refreshed(refusal: int, server: Server, client: ItemPathClient) -> None:
    await client.connections()
    server.asked()
    server.valid.clear()
    server.refusal = refusal
    assert len((await client.connections()).connections) == 1
    assert server.asked() == ["GET connections", "POST users/refresh", "GET connections"]


async def test_a_refresh_is_a_get_where_a_post_is_not_allowed(server: Server, client: ItemPathClient) -> None:
    await client.connections()
    server.asked()
    server.valid.clear()
    server.refresh_method = "GET"
    await client.connections()
    assert server.asked() == ["GET connections", "POST users/refresh", "GET users/refresh", "GET connections"]


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_when_a_refresh_does_not_help_the_user_logs_in_again(
    status: int, server: Server, client: ItemPathClient
) -> None:
    """200 stands for a refresh token that has expired."""
    await client.connections()
    server.asked()
    server.valid.clear()
    server.refreshable.clear()
    server.refresh_status = status
    await client.connections()
    assert server.asked() == ["GET connections", "POST users/refresh", "POST users/login", "GET connections"]


async def test_without_a_refresh_token_the_user_logs_in_again(server: Server, client: ItemPathClient) -> None:
    server.with_refresh_token = False
    await client.connections()
    server.asked()
    server.valid.clear()
    await client.connections()
    assert server.asked() == ["GET connections", "POST users/login", "GET connections"]


async def test_a_refresh_that_is_to_wait_is_not_replaced_by_a_login(server: Server, client: ItemPathClient) -> None:
    await client.connections()
    server.asked()
    server.valid.clear()
    server.refresh_status = 429
    with pytest.raises(RateLimited):
        await client.connections()
    assert "POST users/login" not in server.asked()


async def test_refresh_once_login_once_and_then_report(server: Server, client: ItemPathClient) -> None:
    server.trusts_its_tokens = False
    with pytest.raises(CredentialsRefused, match="accepts the login, but refuses the token") as refused:
        await client.connections()
    assert server.asked() == [
        "POST users/login",
        "GET connections",
        "POST users/refresh",
        "GET connections",
        "POST users/login",
        "GET connections",
    ]
    assert PASSWORD not in f"{refused.value} {refused.value.advice}"


async def test_a_login_that_is_of_no_use_is_not_repeated(server: Server, client: ItemPathClient) -> None:
    server.trusts_its_tokens = server.with_refresh_token = False
    with pytest.raises(CredentialsRefused):
        await client.connections()
    assert server.asked() == ["POST users/login", "GET connections"] * 2


async def test_a_token_is_renewed_before_it_ends(server: Server, client: ItemPathClient) -> None:
    """By its own `iat` and `exp`: this server's clock stands in 1970."""
    server.lifetime = 0.01
    await client.connections()
    server.asked()
    await asyncio.sleep(0.02)
    await client.connections()
    assert server.asked() == ["POST users/refresh", "GET connections"]


async def test_a_token_that_does_not_say_when_it_ends_is_used_until_it_is_refused(
    server: Server, client: ItemPathClient
) -> None:
    server.lifetime = 0
    await client.connections()
    await client.connections()
    assert server.asked() == ["POST users/login", "GET connections", "GET connections"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_refused_credentials_say_so_in_words(status: int, server: Server, client: ItemPathClient) -> None:
    server.login_status = status
    with pytest.raises(CredentialsRefused, match="refused the username and password") as refused:
        await client.connections()
    assert "ITEMPATH_PASSWORD" in refused.value.advice
    assert PASSWORD not in f"{refused.value!r} {refused.value.failure}"
    assert server.asked() == ["POST users/login"]


async def test_a_login_that_fails_for_a_moment_is_tried_again(server: Server, client: ItemPathClient) -> None:
    server.login_status = 503
    with pytest.raises(ServerError):
        await client.connections()
    assert server.asked() == ["POST users/login"] * 4


async def test_concurrent_reads_share_one_login(server: Server, client: ItemPathClient) -> None:
    server.pause = asyncio.Event()
    reads = [asyncio.create_task(client.connections()) for _ in range(3)]
    await server.paused.wait()
    server.pause.set()
    await asyncio.gather(*reads)
    assert server.asked().count("POST users/login") == 1


async def test_concurrent_reads_share_one_refusal(server: Server, client: ItemPathClient) -> None:
    """A wrong password tried once for each reader would lock the account."""
    server.pause = asyncio.Event()
    server.login_status = 401
    reads = [asyncio.create_task(client.connections()) for _ in range(3)]
    await server.paused.wait()
    server.pause.set()
    results = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(each) for each in results] == [CredentialsRefused] * 3
    assert server.asked() == ["POST users/login"]


async def test_waiting_for_anothers_login_has_an_end(server: Server, client: ItemPathClient) -> None:
    server.pause = asyncio.Event()
    first = asyncio.create_task(client.connections())
    await server.paused.wait()
    with pytest.raises(TimedOut, match="login takes too long"):
        await client.count(budget=0.05)
    server.pause.set()
    await first


async def test_an_application_token_cannot_be_renewed(server: Server, serve: Any) -> None:
    async with ItemPathClient(url=await serve(server.handle), token="made-in-itempath\n") as client:
        with pytest.raises(CredentialsRefused, match="refused the application token") as refused:
            await client.connections()
        assert "ITEMPATH_TOKEN" in refused.value.advice
        assert server.asked() == ["GET connections"]
        server.valid.add("made-in-itempath")
        assert len((await client.connections()).connections) == 1


async def test_a_login_page_instead_of_a_login_is_not_itempath(serve: Any, sample: Any) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(body=sample("login-page"), content_type="text/html")

    async with ItemPathClient(url=await serve(page), username="bot", password=PASSWORD) as client:
        with pytest.raises(NotItemPath, match="web page"):
            await client.connections()


@pytest.mark.parametrize(
    ("token", "lifetime"),
    [
        (jwt(iat=100, exp=1000), 900.0),
        (jwt(exp=1000), 500.0),
        (jwt(iat=1000, exp=100), None),
        (jwt(exp=True), None),
        (jwt(sub="bot"), None),
        (jwt(exp="soon"), None),
        (jwt(exp=None), None),
        (jwt(exp=math.inf), None),
        (jwt(exp=10**400), None),
        ("opaque", None),
        ("a.b.c", None),
        ("a.\udcff.c", None),
        ("a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c", None),
        ("a." + base64.urlsafe_b64encode(b"\xff\xff").decode() + ".c", None),
    ],
)
def test_a_tokens_life_is_read_from_the_token_or_not_at_all(token: str, lifetime: float | None) -> None:
    assert read_lifetime(token, now=500.0) == lifetime


async def test_a_given_token_stays_the_same() -> None:
    auth = ApplicationToken("app-token")
    grant = await auth.grant(deadline=0)
    assert await auth.grant(deadline=0) is grant
    assert grant.origin is Origin.GIVEN
    assert "app-token" not in repr(grant)
    assert "app-token" not in str(auth.refused(Reply(status=401, url="")))


def test_a_grant_is_told_by_identity() -> None:
    """A server may give the same token twice; it is still another grant."""
    assert Grant(token="a", origin=Origin.LOGIN) != Grant(token="a", origin=Origin.LOGIN)


async def test_a_clock_may_be_handed_in(server: Server, serve: Any) -> None:
    """Of use where a token says when it ends, but not when it began."""
    clock = Clock()
    async with ItemPathClient(url=await serve(server.handle), username="bot", password=PASSWORD, clock=clock) as client:
        assert len((await client.connections()).connections) == 1
