"""Requests, pages, repetitions and refusals of the client, against a mocked session."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from bot import __version__
from bot.itempath import client as module
from bot.itempath.client import ItemPathClient, api_of
from bot.itempath.errors import (
    NotFound,
    NotItemPath,
    ServerError,
    TooLarge,
    Unreachable,
)
from bot.itempath.queries import ConnectionFilter
from tests.itempath.conftest import LIST, Sample, asked


def rows(*ids: int) -> list[dict[str, Any]]:
    return [{"id": each, "status": 1} for each in ids]


class Shelf:
    """List Connections of a server with so many rows, which caps what it gives."""

    def __init__(self, mocked: aioresponses, total: int, *, cap: int) -> None:
        self.ids = list(range(total))
        self.cap = cap
        self.counts: list[int | None] = []
        self.queries: list[dict[str, str]] = []
        self.on_page: Callable[[], None] = lambda: None
        mocked.get(re.compile(r"http://itempath\.test/api/connections.*"), callback=self.answer, repeat=True)

    def answer(self, url: URL, **_: Any) -> CallbackResult:
        query = dict(url.query)
        self.queries.append(query)
        if "countOnly" in query:
            count = self.counts.pop(0) if self.counts else len(self.ids)
            return CallbackResult(status=200 if count is not None else 400, body=json.dumps({"count": count}))
        limit = min(int(query.get("limit", self.cap)), self.cap)
        start = int(query.get("page", 0)) * limit
        self.on_page()
        return CallbackResult(body=json.dumps(rows(*self.ids[start : start + limit])))


@pytest.mark.parametrize(
    "url",
    [
        "http://itempath.test",
        "http://itempath.test/",
        "http://itempath.test/api",
        " http://itempath.test/api/ ",
        "http://itempath.test/api?x=1#y",
    ],
)
async def test_the_address_is_taken_with_or_without_api(url: str, mocked: aioresponses, sample: Sample) -> None:
    mocked.get(LIST, body=sample("list"))
    async with ItemPathClient(url=url, token="t") as client:
        assert len((await client.connections()).connections) == 2


def test_a_server_may_stand_below_a_path() -> None:
    assert str(api_of("https://h:8443/item%20path/api")) == "https://h:8443/item%20path/api/"


@pytest.mark.parametrize("url", ["itempath.test", "ftp://h", "http://", "http://u:secret@h", "http://h:port", ""])
def test_an_address_that_cannot_work_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="the address") as refused:
        ItemPathClient(url=url, token="t")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("given", [{}, {"username": "u"}, {"password": "p"}, {"token": " "}, {"token": "a\nb"}])
def test_credentials_that_cannot_work_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="token"):
        ItemPathClient(url="http://h", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", "", "America"])
def test_a_zone_that_is_not_known_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="no IANA time zone"):
        ItemPathClient(url="http://h", token="t", timezone=zone)


async def test_times_are_those_of_the_sites_zone(mocked: aioresponses, sample: Sample) -> None:
    mocked.get(f"{LIST}/1", body=sample("show"))
    async with ItemPathClient(url="http://itempath.test", token="t", timezone="America/Toronto") as client:
        connection = await client.connection("1")
    assert connection.created == datetime(2026, 5, 1, 14, 12, 45, tzinfo=UTC)


async def test_a_read_is_one_plain_request_with_the_token(
    client: ItemPathClient, mocked: aioresponses, sample: Sample
) -> None:
    mocked.get(LIST, body=sample("list"))
    snapshot = await client.connections()
    assert [each.name for each in snapshot.connections] == ["PowerPick", "Web Services"]
    ((call,),) = mocked.requests.values()
    assert call.kwargs["headers"] == {
        "Accept": "application/json",
        "Authorization": "Bearer app-token",
        "User-Agent": f"itempath-alert-bot/{__version__}",
    }
    assert call.kwargs["allow_redirects"] is False
    assert asked(mocked) == ["/api/connections"]


async def test_filters_and_operators_arrive_as_they_are_meant(client: ItemPathClient, mocked: aioresponses) -> None:
    shelf = Shelf(mocked, 0, cap=25)
    await client.connections(ConnectionFilter(name="[or]a;b & c+d", app_id="2"))
    assert shelf.queries == [{"name": "[or]a;b & c+d", "appId": "2"}]


async def test_a_page_keeps_the_servers_order(client: ItemPathClient, mocked: aioresponses) -> None:
    mocked.get(f"{LIST}?limit=3&orderby=name%3Adesc%2Cid&page=0&type=REST", body=json.dumps(rows(3, 1, 2)))
    page = await client.page(ConnectionFilter(type="REST"), order_by=["name:desc", "id"], page=0, limit=3)
    assert [each.id for each in page.connections] == ["3", "1", "2"]


async def test_a_count_asks_for_nothing_but_the_count(
    client: ItemPathClient, mocked: aioresponses, sample: Sample
) -> None:
    mocked.get(f"{LIST}?countOnly=true&name=x", body=sample("count-object"))
    assert await client.count(ConnectionFilter(name="x")) == 2


async def test_one_connection_is_shown_by_its_id(client: ItemPathClient, mocked: aioresponses, sample: Sample) -> None:
    mocked.get(f"{LIST}/1", body=sample("show"))
    assert (await client.connection("1")).name == "PowerPick"


@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("a/b", "/api/connections/a%2Fb"),
        ("a?b#c", "/api/connections/a%3Fb%23c"),
        ("50%", "/api/connections/50%25"),
        ("ü ;", "/api/connections/%C3%BC%20%3B"),
        ("..a", "/api/connections/..a"),
        ("\ud800", "/api/connections/%3F"),
    ],
)
async def test_an_id_is_one_segment_of_the_path_whatever_is_in_it(
    id: str,  # noqa: A002 - the API's own word
    path: str,
    client: ItemPathClient,
    mocked: aioresponses,
) -> None:
    mocked.get(URL(f"http://itempath.test{path}", encoded=True), status=404)
    with pytest.raises(NotFound, match="no connection with the id"):
        await client.connection(id)
    assert asked(mocked) == [path]


@pytest.mark.parametrize("id", ["", " ", ".", "..", "../users", "a/../..", "..\\x"])
async def test_an_id_that_would_lead_elsewhere_is_not_asked_for(
    id: str,  # noqa: A002 - the API's own word
    client: ItemPathClient,
    mocked: aioresponses,
) -> None:
    with pytest.raises(NotFound):
        await client.connection(id)
    assert not mocked.requests


async def test_a_list_that_is_not_found_means_an_itempath_too_old(client: ItemPathClient, mocked: aioresponses) -> None:
    mocked.get(LIST, status=404)
    with pytest.raises(NotFound, match="too old to have connections"):
        await client.connections()


async def test_ten_rows_are_a_whole_read(client: ItemPathClient, mocked: aioresponses) -> None:
    shelf = Shelf(mocked, 10, cap=25)
    assert len((await client.connections()).connections) == 10
    assert shelf.queries == [{}]


async def test_rows_that_may_be_capped_are_read_on_until_nothing_new_comes(
    client: ItemPathClient, mocked: aioresponses
) -> None:
    shelf = Shelf(mocked, 60, cap=25)
    snapshot = await client.connections(ConnectionFilter(type="REST"))
    assert sorted(int(each.id) for each in snapshot.connections) == shelf.ids
    assert shelf.queries == [
        {"type": "REST"},
        {"type": "REST", "page": "1", "limit": "25"},
        {"type": "REST", "page": "2", "limit": "25"},
        {"type": "REST", "page": "3", "limit": "25"},
        {"type": "REST", "countOnly": "true"},
    ]


async def test_exactly_25_rows_need_one_more_request_and_no_count(client: ItemPathClient, mocked: aioresponses) -> None:
    shelf = Shelf(mocked, 25, cap=1000)
    assert len((await client.connections()).connections) == 25
    assert shelf.queries == [{}, {"page": "1", "limit": "25"}]


async def test_a_row_that_slipped_between_two_pages_is_found_by_the_count(
    client: ItemPathClient, mocked: aioresponses
) -> None:
    """A row that comes in at the front after the first page was read would be missed."""
    shelf = Shelf(mocked, 51, cap=25)

    def insert() -> None:
        if len(shelf.queries) == 2:
            shelf.ids.insert(0, 51)

    shelf.on_page = insert
    snapshot = await client.connections()
    assert {int(each.id) for each in snapshot.connections} == set(range(52))


async def test_a_count_that_disagrees_with_the_same_ids_twice_is_not_believed(
    client: ItemPathClient, mocked: aioresponses
) -> None:
    shelf = Shelf(mocked, 30, cap=25)
    shelf.counts = [31]
    assert len((await client.connections()).connections) == 30
    assert sum("countOnly" in each for each in shelf.queries) == 1


async def test_a_server_that_cannot_count_is_believed(client: ItemPathClient, mocked: aioresponses) -> None:
    shelf = Shelf(mocked, 30, cap=25)
    shelf.counts = [None]
    assert len((await client.connections()).connections) == 30


async def test_a_count_that_gets_no_answer_fails_the_read(client: ItemPathClient, mocked: aioresponses) -> None:
    """The read may be a partial one, and a partial one is never compared."""
    mocked.get(LIST, body=json.dumps(rows(*range(25))))
    mocked.get(f"{LIST}?limit=25&page=1", body=json.dumps(rows(25)))
    mocked.get(f"{LIST}?limit=25&page=2", body="[]")
    mocked.get(f"{LIST}?countOnly=true", status=503, repeat=True)
    with pytest.raises(ServerError, match="503"):
        await client.connections()


async def test_a_list_that_does_not_hold_still_is_an_error(client: ItemPathClient, mocked: aioresponses) -> None:
    shelf = Shelf(mocked, 30, cap=25)
    shelf.counts = [99, 99]

    def grow() -> None:
        shelf.ids.append(len(shelf.ids))

    shelf.on_page = grow
    with pytest.raises(ServerError, match="changed while it was being read"):
        await client.connections()


async def test_a_list_without_end_is_cut_off(
    client: ItemPathClient, mocked: aioresponses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGES_LIMIT", 3)
    Shelf(mocked, 500, cap=25)
    with pytest.raises(TooLarge, match="more than 3 pages"):
        await client.connections()


async def test_no_error_shows_the_token(client: ItemPathClient, mocked: aioresponses) -> None:
    for exception in (aiohttp.ClientConnectionError("app-token"), OSError("app-token"), ValueError("app-token")):
        mocked.clear()
        mocked.get(LIST, exception=exception, repeat=True)
        with pytest.raises((Unreachable, NotItemPath)) as failed:
            await client.connections()
        assert "app-token" not in f"{failed.value!r} {failed.value} {failed.value.failure}"
        assert failed.value.__suppress_context__
