"""Every kind of trouble, as a client meets it on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import example_site
from bot.sandbox.itempath_faults import CHUNK, Fault

START = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)


@pytest.fixture
async def site() -> AsyncIterator[SimulatedItemPath]:
    async with example_site("berlin", now=lambda: START, username="ada", password="lovelace") as site:
        yield site


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def read(
    session: aiohttp.ClientSession, site: SimulatedItemPath, path: str = "/api/connections"
) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    headers = {"Authorization": f"Bearer {site.token}"}
    async with session.get(site.url + path, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def login(session: aiohttp.ClientSession, site: SimulatedItemPath) -> int:
    body = {"username": "ada", "password": "lovelace"}
    async with session.post(site.url + "/api/users/login", json=body) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        (Fault.HTML, 200, "text/html"),
        (Fault.SERVER_ERROR, 500, "text/html"),
        (Fault.BAD_GATEWAY, 502, "text/html"),
        (Fault.UNAVAILABLE, 503, "text/html"),
        (Fault.RATE_LIMITED, 429, "text/html"),
        (Fault.NO_RESOURCE, 404, "text/html"),
        (Fault.WRONG_SHAPE, 200, "application/json"),
        (Fault.CREDENTIALS, 401, "application/json"),
    ],
)
async def test_a_fault_lasts_until_it_is_mended(
    session: aiohttp.ClientSession, site: SimulatedItemPath, fault: Fault, status: int, content_type: str
) -> None:
    await site.set_fault(fault)
    for _ in range(2):
        assert (await read(session, site))[:2] == (status, content_type)
    await site.set_fault(None)

    assert (await read(session, site))[0] == 200


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.RATE_LIMITED])
async def test_a_busy_server_says_when_to_come_again(
    session: aiohttp.ClientSession, site: SimulatedItemPath, fault: Fault
) -> None:
    site.player.retry_after = "13"
    await site.set_fault(fault)
    async with session.get(site.url + "/api/connections") as answer:
        assert answer.headers["Retry-After"] == "13"


async def test_refused_credentials_refuse_tokens_and_logins(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    await site.set_fault("credentials")

    assert await login(session, site) == 404
    assert json.loads((await read(session, site))[2]) == {"msg": "Token has been revoked"}
    async with session.post(site.url + "/api/users/refresh") as answer:
        assert answer.status == 401


async def test_an_old_version_lacks_the_resource_but_lets_people_in(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    await site.set_fault(Fault.NO_RESOURCE)

    assert await login(session, site) == 200


async def test_unreachable_refuses_new_connections_breaks_old_ones_and_returns_on_the_same_port(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    url = site.url
    await read(session, site)
    await site.set_fault(Fault.UNREACHABLE)
    assert not site.reachable
    with pytest.raises(aiohttp.ClientConnectorError):
        await read(session, site)
    await site.set_fault(Fault.UNREACHABLE)
    with pytest.raises(aiohttp.ClientConnectorError):
        await read(session, site)
    await site.set_fault(None)

    assert site.url == url
    assert [site.reachable] == [True]
    assert (await read(session, site))[0] == 200


async def test_a_request_under_way_is_broken_when_the_server_goes(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    site.script(Fault.TIMEOUT)
    hanging = asyncio.ensure_future(read(session, site))
    await site.polled()
    await site.set_fault(Fault.UNREACHABLE)

    with pytest.raises(aiohttp.ClientError):
        await hanging


async def test_while_unreachable_nobody_else_gets_the_port(site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.UNREACHABLE)

    with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        await asyncio.start_server(
            lambda _r, _w: None, "127.0.0.1", int(site.url.rpartition(":")[2]), reuse_address=False
        )


def test_a_site_has_no_address_before_it_was_started() -> None:
    with pytest.raises(RuntimeError, match="other is not started"):
        _ = SimulatedItemPath("other").url


async def test_a_site_may_start_unreachable(session: aiohttp.ClientSession) -> None:
    site = example_site("berlin")
    await site.set_fault(Fault.UNREACHABLE)
    async with site:
        with pytest.raises(aiohttp.ClientConnectorError):
            await read(session, site)
        await site.set_fault(None)
        assert (await read(session, site))[0] == 200


async def test_a_site_stopped_while_unreachable_gives_its_port_back(site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.UNREACHABLE)
    await site.stop()
    await site.stop()

    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", int(site.url.rpartition(":")[2]))
    server.close()
    await server.wait_closed()


async def test_a_stopped_site_can_be_started_again_on_its_port(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    port = int(site.url.rpartition(":")[2])
    await read(session, site)
    await asyncio.gather(site.stop(), site.stop())
    await site.start(port=port)

    assert (await read(session, site))[0] == 200


async def test_a_time_out_holds_requests_until_they_are_released(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    await site.set_fault(Fault.TIMEOUT)
    first = asyncio.ensure_future(read(session, site))
    await site.polled()
    site.release()
    assert (await first)[0] == 200
    second = asyncio.ensure_future(read(session, site))
    await site.polled()
    assert not second.done()
    await site.set_fault(None)

    assert (await second)[0] == 200


async def test_a_client_that_gives_up_leaves_nothing_hanging(site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.TIMEOUT)
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as session:
        hanging = asyncio.ensure_future(read(session, site))
        await site.polled()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
    handlers = asyncio.all_tasks() - before

    async with asyncio.timeout(5):
        await asyncio.gather(*handlers, return_exceptions=True)


async def test_a_reset_reaches_the_client_as_one(session: aiohttp.ClientSession, site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.RESET)

    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await read(session, site)


async def test_a_body_may_hang_in_the_middle(session: aiohttp.ClientSession, site: SimulatedItemPath) -> None:
    whole = (await read(session, site))[2]
    await site.set_fault(Fault.BODY_HANG)
    headers = {"Authorization": f"Bearer {site.token}"}
    async with session.get(site.url + "/api/connections", headers=headers) as answer:
        half = await answer.content.readexactly(len(whole) // 2)
        rest = asyncio.ensure_future(answer.content.read())
        await asyncio.sleep(0)
        assert not rest.done()
        site.release()

        assert half + await rest == whole


async def test_a_body_may_be_cut(session: aiohttp.ClientSession, site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.CUT)

    with pytest.raises(aiohttp.ClientPayloadError):
        await read(session, site)


async def test_json_may_be_truncated_in_a_sound_http_answer(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    await site.set_fault(Fault.TRUNCATED)
    status, content_type, body = await read(session, site)

    assert (status, content_type) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_a_huge_body_is_valid_json_with_no_end_in_sight(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    site.player.huge_bytes = 3 * CHUNK
    await site.set_fault(Fault.HUGE)
    body = (await read(session, site))[2]

    assert len(body) > 3 * CHUNK
    assert len(json.loads(body)) == 5


async def test_a_script_answers_request_by_request_and_then_ends(
    session: aiohttp.ClientSession, site: SimulatedItemPath
) -> None:
    """Logins have a script of their own; a `None` step is an ordinary answer even under a lasting fault."""

    async def teapot(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=418)

    await site.set_fault(Fault.BAD_GATEWAY)
    site.script(Fault.SERVER_ERROR, None, teapot)
    site.script(None, on="users")

    assert await login(session, site) == 200
    assert [(await read(session, site))[0] for _ in range(4)] == [500, 200, 418, 502]


async def test_errors_are_spoilt_like_any_answer(session: aiohttp.ClientSession, site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.TRUNCATED)
    async with session.get(site.url + "/api/connections") as answer:
        assert answer.status == 401
        with pytest.raises(json.JSONDecodeError):
            json.loads(await answer.read())


async def test_a_reset_of_a_client_that_has_gone_is_no_error(site: SimulatedItemPath) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        raise AssertionError

    request = make_mocked_request("GET", "/api/connections")
    request.protocol.transport = None
    assert request.transport is None

    assert isinstance(await site.player.play(Fault.RESET, request, handler), web.Response)


async def test_there_are_no_other_faults(site: SimulatedItemPath) -> None:
    with pytest.raises(ValueError, match="earthquake"):
        await site.set_fault("earthquake")
