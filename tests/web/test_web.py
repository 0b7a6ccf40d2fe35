"""What a probe, a monitor and Prometheus are told (contract section 3)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

import bot.web
from bot.core.connection import Failure
from bot.poller import UNRECORDED
from bot.web import Web
from tests.web.conftest import REFUSED, Bench, waiting


async def test_the_root_names_what_is_there_and_each_of_it_answers(bench: Bench) -> None:
    """Somebody who opens the address in a browser learns that this is the bot; nothing else is told."""
    status, text = await bench.get("/")
    named = re.findall(r"(?m)^(/\w+) ", text)

    assert status == 200
    assert named == ["/status", "/healthz", "/readyz", "/metrics"]
    assert {(await bench.get(path))[0] for path in named} <= {200, 503}
    assert (await bench.get("/elsewhere"))[0] == 404


async def test_healthz_says_that_the_process_is_alive(bench: Bench) -> None:
    bench.running = False
    bench.lose_database()

    assert (await bench.get("/healthz"))[0] == 200


async def test_readyz_is_200_when_the_database_answers_and_the_loops_run(bench: Bench) -> None:
    assert await bench.get("/readyz") == (200, {"ok": True, "reasons": []})

    bench.running = False
    assert await bench.get("/readyz") == (503, {"ok": False, "reasons": ["the loops do not run yet, or any more"]})


async def test_readyz_is_503_while_the_database_is_away(bench: Bench) -> None:
    bench.lose_database()
    status, told = await bench.get("/readyz")

    assert status == 503
    assert told["reasons"][0].startswith("database: ")


async def test_readyz_is_503_while_the_database_answers_and_takes_nothing(bench: Bench) -> None:
    """A full disk, a file that is read-only, a lock of another program: reading goes on."""
    bench.site.trouble = Failure(
        kind=UNRECORDED, message="It cannot grow: the disk is full.", advice="Free some space."
    )
    assert await bench.get("/readyz") == (
        503,
        {"ok": False, "reasons": ["database: It cannot grow: the disk is full. Free some space."]},
    )

    bench.site.trouble = None
    assert (await bench.get("/readyz"))[0] == 200


async def test_a_dead_itempath_and_a_dead_channel_leave_it_ready(bench: Bench) -> None:
    bench.site.trouble = REFUSED
    bench.speaks.problems = ("#ops: the channel is archived (is_archived); unarchive it",)

    assert (await bench.get("/readyz"))[0] == 200
    assert (await bench.get("/status"))[0] == 503


async def test_metrics_have_the_names_and_labels_of_the_contract(bench: Bench) -> None:
    await bench.poll()
    status, page = await bench.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(page)}

    assert status == 200
    assert families["itempath_bot_messages_pending"].samples[0].value == 1
    assert {"site": "berlin", "state": "down"} in [s.labels for s in families["itempath_bot_connections"].samples]
    for name in (
        "itempath_bot_polls",
        "itempath_bot_poll_duration_seconds",
        "itempath_bot_incidents_open",
        "itempath_bot_messages",
        "itempath_bot_last_successful_poll_timestamp_seconds",
    ):
        assert name in families


async def test_slacks_requests_have_no_page_without_a_signing_secret(bench: Bench) -> None:
    async with bench.session.post(f"http://127.0.0.1:{bench.web.port}/slack/events") as response:
        assert response.status == 404


async def test_slacks_requests_have_a_page_with_one(serve: Callable[..., Any]) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=await request.text())

    served: Bench = await serve(slack_request=answer)
    address = f"http://127.0.0.1:{served.web.port}/slack/events"
    async with served.session.post(address, data=b"hello") as response:
        assert await response.text() == "hello"
    assert (await served.get("/slack/events"))[0] == 405


async def test_whoever_connects_and_says_nothing_gives_way_and_uses_up_no_file_descriptors(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.web, "AT_ONCE", 5)
    silent = [await asyncio.open_connection("127.0.0.1", bench.web.port) for _ in range(20)]
    async with asyncio.timeout(5):
        for reader, _ in silent[:15]:
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
    assert (await bench.get("/healthz"))[0] == 200
    server = bench.web._runner.server
    assert server is not None
    assert len(server.connections) <= 5
    for _, writer in silent:
        writer.close()


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 secret\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
)
async def test_what_is_no_http_is_refused_and_not_repeated_in_the_log(
    bench: Bench, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.web.port)
    writer.write(sent)
    async with asyncio.timeout(5):
        answered = await reader.read()
    assert b" 400 " in answered
    writer.close()
    assert not caplog.records


async def test_a_fault_of_a_page_is_in_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    object.__setattr__(bench.web._sources, "running", broken)
    assert (await bench.get("/readyz"))[0] == 500
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_taken_address_is_an_error_of_the_system(bench: Bench) -> None:
    other = Web(waiting())
    with pytest.raises(OSError, match="address already in use"):
        await other.start("127.0.0.1", bench.web.port)
    await other.stop()


@pytest.fixture
async def standby() -> AsyncIterator[tuple[Web, aiohttp.ClientSession]]:
    """Slack's requests are signed; who has the database is told."""
    server = Web(waiting(), signed=True)
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield server, session
    await server.stop()


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/healthz", 200, {"ok": True}),
        ("/readyz", 503, {"ok": False, "standby": True, "reasons": ["this bot is a standby: another one has it"]}),
        ("/status", 503, {"ok": False, "standby": True, "reasons": ["this bot is a standby: another one has it"]}),
    ],
)
async def test_a_standby_is_alive_and_says_for_whom_it_waits(
    standby: tuple[Web, aiohttp.ClientSession], path: str, status: int, told: dict[str, Any]
) -> None:
    async with standby[1].get(path) as response:
        assert response.status == status
        assert (await response.json()).items() >= told.items()


async def test_a_standby_takes_no_requests_of_slack_until_it_shows_another_page(
    standby: tuple[Web, aiohttp.ClientSession], bench: Bench
) -> None:
    async def taken(_request: web.Request) -> web.Response:
        return web.Response(text="taken")

    server, session = standby
    async with session.post("/slack/events") as response:
        assert response.status == 503
    async with session.get("/metrics") as response:
        assert "itempath_bot_build_info" in await response.text()

    server.show(bench.web._sources, slack_request=taken)
    async with session.post("/slack/events") as response:
        assert await response.text() == "taken"
    async with session.get("/readyz") as response:
        assert response.status == 200


async def test_a_standby_without_a_signing_secret_has_no_page_for_slacks_requests() -> None:
    server = Web(waiting())
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{server.port}/slack/events") as got:
        assert got.status == 404
    await server.stop()
