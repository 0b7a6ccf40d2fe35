"""What a probe, a monitor and Prometheus are told (contract section 3)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

import bot.web
from bot.clock import Clock
from bot.core.connection import Connection, Failure, Snapshot
from bot.core.decide import decide
from bot.core.policy import Policy
from bot.core.state import Polled
from bot.poller import UNRECORDED
from bot.store.outbox import MessageKey
from bot.store.store import Store
from bot.telemetry import Metrics
from bot.web import Sources, Waiting, Web

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=30)
REFUSED = Failure(kind="unreachable", message="The connection was refused.", advice="Start it.")


class Standing(Clock):
    """Stands still until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def waiting() -> Waiting:
    return Waiting(metrics=Metrics(version="test"), why=lambda: "this bot is a standby: another one has it")


@dataclass
class Site:
    site: str = "berlin"
    interval: timedelta = INTERVAL
    trouble: Failure | None = None


@dataclass
class Speaks:
    problems: tuple[str, ...] | None = ()


@dataclass
class Bench:
    """The server, and everything it asks; a page is got with `get`."""

    web: Web
    store: Store
    clock: Standing
    site: Site
    speaks: Speaks
    lock: Path
    session: aiohttp.ClientSession
    running: bool = True

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"http://127.0.0.1:{self.web.port}{path}") as response:
            body = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else body

    async def poll(self, status: int = 1) -> None:
        """A good poll at this moment, recorded."""
        snapshot = Snapshot(connections=(Connection(id="1", name="PowerPick", status=status),))
        policy = Policy(site=self.site.site, home="#ops", interval=INTERVAL)
        async with self.store.tick(self.site.site, now=self.clock.at, lately=policy.lately) as tick:
            decision = decide(tick.state, Polled(snapshot=snapshot), now=self.clock.at, policy=policy)
            await tick.apply(decision, now=self.clock.at)

    def lose_database(self) -> None:
        self.lock.rename(self.lock.with_suffix(".away"))


@pytest.fixture
async def serve(database: Path) -> AsyncIterator[Callable[..., Any]]:
    started: list[Bench] = []

    async def made(**options: Any) -> Bench:
        store = await Store.open(f"sqlite:///{database}", write=True)
        clock, site, speaks = Standing(), Site(), Speaks()
        metrics = Metrics(version="test")
        metrics.watch("berlin")
        sources = Sources(
            store=store,
            clock=clock,
            metrics=metrics,
            sites=[site],
            speaking=speaks,
            listening=lambda: {"socket_mode": None, "request_url": False},
            running=lambda: served.running,
        )
        server = Web(waiting(), signed="slack_request" in options)
        server.show(sources, **options)
        served = Bench(server, store, clock, site, speaks, database.with_name("bot.db.lock"), aiohttp.ClientSession())
        started.append(served)
        await server.start("127.0.0.1", 0)
        return served

    yield made
    for each in started:
        await each.session.close()
        await each.web.stop()
        await each.store.close()


@pytest.fixture
async def bench(serve: Callable[..., Any]) -> Bench:
    served: Bench = await serve()
    return served


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


async def test_status_is_200_with_every_site_seen_and_every_channel_open(bench: Bench) -> None:
    await bench.poll()
    status, told = await bench.get("/status")

    assert status == 200
    assert told["reasons"] == []
    assert told["sites"] == [
        {
            "name": "berlin",
            "ok": True,
            "last_good_poll": NOW.isoformat(),
            "poll_interval_seconds": 30.0,
            "trouble": None,
            "why": None,
        }
    ]
    assert told["slack"] == {"ok": True, "problems": [], "socket_mode": None, "request_url": False}


async def test_a_site_unseen_for_more_than_three_intervals_is_a_reason(bench: Bench) -> None:
    await bench.poll()
    bench.clock.at = NOW + 3 * INTERVAL
    assert (await bench.get("/status"))[0] == 200

    bench.clock.at += timedelta(milliseconds=1)
    bench.site.trouble = REFUSED
    status, told = await bench.get("/status")
    assert status == 503
    assert told["reasons"] == [
        "site berlin: last read at 2026-11-24T03:00:00+00:00; The connection was refused. Start it."
    ]
    assert told["sites"][0]["trouble"] == {
        "kind": "unreachable",
        "message": "The connection was refused.",
        "advice": "Start it.",
    }


async def test_a_site_that_was_never_read_is_a_reason(bench: Bench) -> None:
    status, told = await bench.get("/status")

    assert status == 503
    assert told["reasons"] == ["site berlin: never read"]


async def test_what_slack_says_is_a_reason_and_so_is_not_having_asked(bench: Bench) -> None:
    await bench.poll()
    bench.speaks.problems = None
    assert (await bench.get("/status"))[1]["reasons"] == ["slack: not asked yet"]

    bench.speaks.problems = ("workspace: Slack does not accept the bot token (invalid_auth); copy it again",)
    status, told = await bench.get("/status")
    assert status == 503
    assert told["reasons"] == [
        "slack: workspace: Slack does not accept the bot token (invalid_auth); copy it again",
    ]
    assert told["slack"]["ok"] is False


@pytest.mark.parametrize(("error", "reasons"), [("is_archived", 1), ("ratelimited", 0)])
async def test_a_refused_message_is_a_reason_unless_slack_only_asks_to_wait(
    bench: Bench, error: str, reasons: int
) -> None:
    await bench.poll()
    key = MessageKey(thread="berlin/1", n=0)
    claim = await bench.store.outbox.claim(key, now=NOW)
    assert claim is not None
    await bench.store.outbox.refused(key, generation=0, error=error, due_at=NOW + INTERVAL, held=True)
    status, told = await bench.get("/status")

    assert status == (503 if reasons else 200)
    assert told["reasons"] == [f"slack: 1 message for #ops not taken: {error}"] * reasons
    assert told["messages"]["waiting"] == 1
    assert told["messages"]["oldest"] == NOW.isoformat()
    (refused,) = told["messages"]["refused"]
    assert refused["remedy"]


@pytest.mark.parametrize(("waits", "status"), [(timedelta(minutes=5), 200), (timedelta(minutes=5, seconds=1), 503)])
async def test_a_message_that_slack_makes_wait_for_minutes_is_a_reason(
    bench: Bench, waits: timedelta, status: int
) -> None:
    """`Retry-After` may be an hour: a channel that stays silent so long is not one that the bot can speak in."""
    await bench.poll()
    key = MessageKey(thread="berlin/1", n=0)
    assert await bench.store.outbox.claim(key, now=NOW)
    await bench.store.outbox.refused(key, generation=0, error="ratelimited", due_at=NOW + INTERVAL, held=False)
    bench.clock.at += waits
    await bench.poll()

    assert (await bench.get("/status"))[0] == status


async def test_while_the_database_is_away_nothing_is_known_of_any_site(bench: Bench) -> None:
    await bench.poll()
    await bench.store.close()
    bench.lock.with_suffix("").rename(bench.lock.with_suffix(".moved"))
    status, told = await bench.get("/status")

    assert status == 503
    assert [reason.partition(":")[0] for reason in told["reasons"]] == ["database"]
    assert told["sites"][0]["why"] == "not known while the database does not answer"
    assert (await bench.get("/metrics"))[0] == 200


async def test_a_database_that_hangs_is_a_reason_and_not_a_probe_without_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.web, "ANSWERS_WITHIN", 0.05)
    monkeypatch.setattr(bench.store, "ping", asyncio.Event().wait)

    assert await bench.get("/readyz") == (
        503,
        {"ok": False, "reasons": ["database: no answer within 0.05 seconds"]},
    )


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
