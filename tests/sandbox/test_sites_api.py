"""The page's switches for the simulated sites, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import example_site
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.sites import mount_sites

START = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)


class Page:
    """What the browser does."""

    def __init__(self, session: aiohttp.ClientSession, server: TestServer) -> None:
        self.session = session
        self.server = server

    async def state(self) -> list[dict[str, Any]]:
        async with self.session.get(self.server.make_url("/sites/state")) as answer:
            assert answer.status == 200
            sites: list[dict[str, Any]] = (await answer.json())["sites"]
            return sites

    async def connection(self, connection: int) -> dict[str, Any]:
        return next(row for row in (await self.state())[0]["connections"] if row["id"] == connection)

    async def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.server.make_url(path), json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def sites() -> AsyncIterator[list[SimulatedItemPath]]:
    async with example_site("berlin", now=lambda: START) as berlin, example_site("graz", now=lambda: START) as graz:
        yield [berlin, graz]


@pytest.fixture
async def server(sites: list[SimulatedItemPath]) -> AsyncIterator[TestServer]:
    app = web.Application()
    mount_sites(app, sites, heartbeat=0.01)
    server = TestServer(app)
    async with server:
        yield server


@pytest.fixture
async def page(server: TestServer) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        yield Page(session, server)


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


async def test_the_state_shows_every_site(page: Page, sites: list[SimulatedItemPath]) -> None:
    berlin, graz = await page.state()

    assert (berlin["name"], graz["name"]) == ("berlin", "graz")
    assert berlin["url"] == sites[0].url
    assert (berlin["reachable"], berlin["fault"], berlin["calls"]) == (True, None, 0)
    assert berlin["connections"] == [row | {"quiet": None} for row in sites[0].rows()]


@pytest.mark.parametrize("status", [0, 1, None])
async def test_a_person_sets_a_status(page: Page, status: int | None) -> None:
    assert await page.post("/sites/berlin/connections/1", {"status": status}) == (200, {"ok": True})
    assert (await page.connection(1))["status"] == status


async def test_a_person_writes_error_logs_and_clean_ones(page: Page) -> None:
    assert await page.post("/sites/berlin/connections/1", {"error": "disk full"}) == (200, {"ok": True, "log": 11})
    assert (await page.connection(1))["latestLog"]["error"] == "disk full"
    assert await page.post("/sites/berlin/connections/1", {"log": "all well"}) == (200, {"ok": True, "log": 12})
    assert (await page.connection(1))["latestLog"]["description"] == "all well"
    assert (await page.connection(1))["latestLog"]["error"] is None


async def test_a_person_adds_and_removes_connections(page: Page) -> None:
    fields = {"name": "New ERP", "type": "REST", "integrationCount": 4, "isTestable": False, "status": None}
    assert await page.post("/sites/berlin/connections", fields) == (200, {"ok": True, "id": 6})
    assert fields.items() <= (await page.connection(6)).items()
    assert await page.post("/sites/berlin/connections/6", {"remove": True}) == (200, {"ok": True})
    assert len((await page.state())[0]["connections"]) == 5


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"type": "REST"}, "name_required"),
        ({"name": "  "}, "name_required"),
        ({"name": 5}, "invalid_name"),
        ({"name": "x", "appId": True}, "invalid_appId"),
        ({"name": "x", "id": 1}, "unknown_field"),
        ([], "invalid_json"),
    ],
)
async def test_an_addition_is_checked(page: Page, body: Any, error: str) -> None:
    assert await page.post("/sites/berlin/connections", body) == (400, {"ok": False, "error": error})


@pytest.mark.parametrize(
    "body", [{}, {"remove": False}, {"status": "down"}, {"status": True}, {"error": " "}, {"log": 1}, {"log": ""}]
)
async def test_a_change_that_says_nothing_is_refused(page: Page, body: Any) -> None:
    assert await page.post("/sites/berlin/connections/1", body) == (400, {"ok": False, "error": "nothing_to_do"})


async def test_what_does_not_exist_is_404(page: Page) -> None:
    for path, body in (("connections", {"name": "x"}), ("connections/1", {"status": 0}), ("fault", {"fault": None})):
        assert await page.post(f"/sites/oslo/{path}", body) == (404, {"ok": False, "error": "no_such_site"})
    assert await page.post("/sites/berlin/connections/99", {"status": 0}) == (
        404,
        {"ok": False, "error": "no_such_connection"},
    )


async def test_a_body_must_be_json(page: Page) -> None:
    async with page.session.post(page.server.make_url("/sites/berlin/fault"), data=b"{") as answer:
        assert (answer.status, await answer.json()) == (400, {"ok": False, "error": "invalid_json"})


async def test_a_person_makes_a_site_unreachable_and_mends_it(page: Page, sites: list[SimulatedItemPath]) -> None:
    assert await page.post("/sites/berlin/fault", {"fault": "unreachable"}) == (200, {"ok": True})
    berlin, graz = await page.state()
    assert (berlin["reachable"], berlin["fault"]) == (False, "unreachable")
    assert berlin["url"] == sites[0].url
    assert (graz["reachable"], graz["fault"]) == (True, None)
    assert await page.post("/sites/berlin/fault", {"fault": None}) == (200, {"ok": True})
    assert (await page.state())[0]["reachable"]


@pytest.mark.parametrize(
    "fault", ["unreachable", "timeout", "credentials", "html", "server_error", "rate_limited", None]
)
async def test_every_switch_of_the_page_works(page: Page, sites: list[SimulatedItemPath], fault: str | None) -> None:
    assert await page.post("/sites/graz/fault", {"fault": fault}) == (200, {"ok": True})
    assert sites[1].fault == fault


@pytest.mark.parametrize("body", [{}, {"fault": "earthquake"}, {"fault": 1}])
async def test_an_unknown_fault_is_refused(page: Page, sites: list[SimulatedItemPath], body: Any) -> None:
    await sites[0].set_fault(Fault.HTML)

    assert await page.post("/sites/berlin/fault", body) == (400, {"ok": False, "error": "invalid_fault"})
    assert sites[0].fault is Fault.HTML


async def test_the_stream_tells_what_changed_and_nothing_else(page: Page, sites: list[SimulatedItemPath]) -> None:
    async with page.session.get(page.server.make_url("/sites/stream")) as answer:
        assert answer.content_type == "text/event-stream"
        assert await answer.content.readline() == b": open\n"
        stream = events(answer)
        sites[1].set_status(1, 0)
        event = await anext(stream)
        assert event["type"] == "site"
        assert event["site"]["name"] == "graz"
        assert event["site"]["connections"][0]["status"] == 0
        await page.post("/sites/berlin/fault", {"fault": "unreachable"})
        assert (await anext(stream))["site"]["reachable"] is False


async def test_changes_in_one_breath_are_told_once_in_their_last_form(
    page: Page, sites: list[SimulatedItemPath]
) -> None:
    async with page.session.get(page.server.make_url("/sites/stream")) as answer:
        stream = events(answer)
        await answer.content.readline()
        for status in (0, 1, None):
            sites[0].set_status(1, status)
        sites[1].set_status(1, 0)

        first, second = await anext(stream), await anext(stream)
        assert first["site"]["connections"][0]["status"] is None
        assert second["site"]["name"] == "graz"


async def test_a_silent_stream_is_kept_alive(page: Page) -> None:
    async with page.session.get(page.server.make_url("/sites/stream")) as answer:
        await answer.content.readuntil(b": still here\n")


async def test_a_reader_that_has_gone_is_forgotten(page: Page, sites: list[SimulatedItemPath]) -> None:
    before = asyncio.all_tasks()
    answer = await page.session.get(page.server.make_url("/sites/stream"))
    await answer.content.readline()
    assert [len(site.listeners) for site in sites] == [1, 1]
    answer.close()

    async with asyncio.timeout(5):
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
    assert [site.listeners for site in sites] == [[], []]


async def test_open_streams_end_when_the_page_shuts_down(page: Page, server: TestServer) -> None:
    """Otherwise the demonstration would hang for as long as a browser looks at it."""
    async with page.session.get(server.make_url("/sites/stream")) as answer:
        await answer.content.readline()
        async with asyncio.timeout(5):
            await server.close()
            await answer.content.read()

        assert answer.content.at_eof()
