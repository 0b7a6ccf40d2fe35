"""The simulated ItemPath over real HTTP: lists, single connections, logins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import API_PAGE, example_site
from bot.sandbox.itempath_tokens import read_claims
from tests.sandbox.hands import START, Hands


class Client:
    """Just enough of one: a path in, status and JSON out."""

    def __init__(self, session: aiohttp.ClientSession, site: SimulatedItemPath) -> None:
        self.session = session
        self.site = site

    async def get(self, path: str, *, token: str | None = None) -> tuple[int, Any]:
        return await self.ask("GET", path, token=self.site.token if token is None else token)

    async def ask(self, method: str, path: str, *, token: str = "", json: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, self.site.url + path, headers=headers, json=json) as answer:
            return answer.status, await answer.json()

    async def ids(self, path: str) -> list[Any]:
        status, rows = await self.get(path)
        assert status == 200
        return [row["id"] for row in rows]

    async def login(self, username: str = "ada", password: str = "lovelace") -> tuple[int, Any]:
        return await self.ask("POST", "/api/users/login", json={"username": username, "password": password})


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def site(hands: Hands) -> AsyncIterator[SimulatedItemPath]:
    async with example_site("rotterdam", now=hands, username="ada", password="lovelace") as site:
        yield site


@pytest.fixture
async def client(site: SimulatedItemPath) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, site)


async def test_the_list_is_a_bare_array_that_begins_like_the_api_page(client: Client) -> None:
    status, rows = await client.get("/api/connections")

    assert status == 200
    assert rows[:2] == list(API_PAGE)
    assert len(rows) == 6


async def test_one_connection_is_shown_by_its_id(client: Client, site: SimulatedItemPath) -> None:
    site.add(id="6f1c-a", name="by uuid")

    assert await client.get("/api/connections/1") == (200, API_PAGE[0])
    assert (await client.get("/api/connections/6f1c-a"))[1]["name"] == "by uuid"
    assert await client.get("/api/connections/99") == (404, {"message": "Connection not found"})


async def test_filters_order_and_pages_are_query_parameters(client: Client) -> None:
    assert await client.ids("/api/connections?type=PLC") == [5]
    assert await client.ids("/api/connections?type=[or]PLC;MSSQL&OrderBy=id:desc") == [5, 1]
    assert await client.ids("/api/connections?id=[gt]1&id=[lt]4") == [2, 3]
    assert await client.ids("/api/connections?orderby=name&limit=2&page=1") == [5, 1]
    assert await client.ids("/api/connections?page=1") == [1, 2, 3, 4, 5, 6]


async def test_count_only_counts_what_the_filters_let_through(client: Client, site: SimulatedItemPath) -> None:
    assert await client.get("/api/connections?countOnly=true&limit=1") == (200, {"count": 6})
    assert await client.get("/api/connections?countOnly=true&type=REST") == (200, {"count": 2})
    site.quirks.count_body = lambda count: count
    assert await client.get("/api/connections?countOnly=true") == (200, 6)


@pytest.mark.parametrize(
    "query", ["appId=x", "limit=0", "limit=1001", "page=-1&limit=5", "orderby=colour", "countOnly=maybe"]
)
async def test_a_parameter_that_cannot_be_understood_is_a_400_that_says_so(client: Client, query: str) -> None:
    status, body = await client.get(f"/api/connections?{query}")

    assert status == 400
    assert body["message"]


async def test_quirks_change_the_shape_and_the_size_of_lists(client: Client, site: SimulatedItemPath) -> None:
    site.quirks.limit_cap = 2
    assert await client.ids("/api/connections?limit=500&page=1") == [3, 4]
    site.quirks.default_limit = 3
    assert await client.ids("/api/connections") == [1, 2, 3]
    site.quirks.ignores_order = True
    assert await client.ids("/api/connections?orderby=id:desc") == [1, 2, 3]
    site.quirks.wrap = "connections"
    assert [row["id"] for row in (await client.get("/api/connections"))[1]["connections"]] == [1, 2, 3]


async def test_keys_may_be_spelled_like_the_table_of_the_api_page(client: Client, site: SimulatedItemPath) -> None:
    site.quirks.attribute_spelling = True
    _, row = await client.get("/api/connections/1")

    assert row["appID"] == 2
    assert row["lastestConnection"] == API_PAGE[0]["latestConnection"]
    assert not {"appId", "latestConnection"} & set(row)
    assert await client.get("/api/connections?appId=3&countOnly=true") == (200, {"count": 1})


async def test_raw_rows_stand_after_the_connections_and_count(client: Client, site: SimulatedItemPath) -> None:
    site.extra_rows = [None, {"id": None}, "row"]

    assert (await client.get("/api/connections"))[1][6:] == [None, {"id": None}, "row"]
    assert (await client.get("/api/connections?limit=4&page=1"))[1][2:] == [None, {"id": None}]
    assert await client.get("/api/connections?countOnly=true") == (200, {"count": 9})


async def test_rows_may_move_between_pages(client: Client, site: SimulatedItemPath) -> None:
    """A row that moved to the front while paging is missed, another one comes twice."""
    site.quirks.after_page = site.rotate

    assert await client.ids("/api/connections?limit=3") == [1, 2, 3]
    assert await client.ids("/api/connections?limit=3&page=1") == [5, 6, 1]


async def test_without_the_api_prefix_there_is_nothing(client: Client) -> None:
    assert await client.get("/connections") == (404, {"message": "Not Found"})


async def test_the_resource_is_read_only(client: Client, site: SimulatedItemPath) -> None:
    assert await client.ask("DELETE", "/api/connections/1", token=site.token) == (
        405,
        {"message": "Method Not Allowed"},
    )


async def test_missing_and_malformed_tokens_are_told_apart(client: Client) -> None:
    assert await client.ask("GET", "/api/connections") == (401, {"msg": "Missing Authorization Header"})
    assert await client.get("/api/connections", token="rubbish") == (422, {"msg": "Not enough segments"})
    assert await client.ask("GET", "/api/connections/1") == (401, {"msg": "Missing Authorization Header"})


async def test_a_login_lasts_a_quarter_of_an_hour_and_its_refresh_gives_another(client: Client, hands: Hands) -> None:
    status, first = await client.login()
    assert status == 200
    assert first["accessTokenExpiryDate"] == "05/07/2026, 12:15:00"
    assert first["refreshTokenExpiryDate"] == "06/06/2026, 12:00:00"
    assert read_claims(first["accessToken"])["exp"] == int((START + timedelta(minutes=15)).timestamp())
    assert (await client.get("/api/connections", token=first["accessToken"]))[0] == 200

    hands.at += timedelta(minutes=15)
    expired = await client.get("/api/connections", token=first["accessToken"])
    assert expired == (401, {"msg": "Token has expired"})
    status, second = await client.ask("POST", "/api/users/refresh", token=first["refreshToken"])
    assert status == 200
    assert "refreshToken" not in second
    assert (await client.get("/api/connections", token=second["accessToken"]))[0] == 200

    hands.at += timedelta(days=30)
    ended = await client.ask("POST", "/api/users/refresh", token=first["refreshToken"])
    assert ended == (401, {"msg": "Token has expired"})


async def test_lifetimes_are_the_servers_choice(client: Client, site: SimulatedItemPath, hands: Hands) -> None:
    site.quirks.access_seconds = 3
    _, body = await client.login()
    hands.at += timedelta(seconds=3)

    assert (await client.get("/api/connections", token=body["accessToken"]))[0] == 401


async def test_refresh_may_want_get(client: Client, site: SimulatedItemPath) -> None:
    site.quirks.refresh_methods = frozenset({"GET"})
    _, body = await client.login()

    async with client.session.post(site.url + "/api/users/refresh") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert (await client.ask("GET", "/api/users/refresh", token=body["refreshToken"]))[0] == 200


async def test_a_bad_login_is_404_unless_told_otherwise(client: Client, site: SimulatedItemPath) -> None:
    assert await client.login(password="wrong") == (404, {"message": "User not found"})
    site.quirks.bad_login_status = 401
    assert (await client.login(username="eve"))[0] == 401


async def test_without_a_user_every_login_is_bad() -> None:
    async with SimulatedItemPath("tokens-only") as site, aiohttp.ClientSession() as session:
        assert (await Client(session, site).login())[0] == 404


async def test_a_login_that_is_no_login_is_told_why(client: Client, site: SimulatedItemPath) -> None:
    async with client.session.post(site.url + "/api/users/login", data="username=ada") as answer:
        assert answer.status == 400
    bodies: list[Any] = [[], {"username": "ada"}, {"username": "ada", "password": 1}]
    for body in bodies:
        assert (await client.ask("POST", "/api/users/login", json=body))[0] == 422


async def test_requests_are_recorded_with_the_connection_they_came_on(client: Client, site: SimulatedItemPath) -> None:
    await client.get("/api/connections?limit=5")
    await client.get("/api/connections/1")

    first, second = site.requests
    assert (first.method, first.path, first.query) == ("GET", "/api/connections", (("limit", "5"),))
    assert first.peer == second.peer
    assert first.peer.startswith("127.0.0.1:")
    assert site.calls == 2
