"""Starting, running and ending the whole service (contract section 1, `run`)."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.clock import Clock
from bot.eventloop import stop_on_signals
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.server import LocalSlack
from bot.settings import AlertSettings, Listen, Settings, SiteSettings, SlackSettings
from bot.store.errors import DatabaseBusy, DatabaseTaken, DatabaseUnreachable, StoreError
from bot.store.store import Store
from bot.supervisor import LoopEnded, Service, run, serve
from bot.telemetry import Metrics
from bot.web import Waiting, Web

ROW = {"id": 1, "name": "PowerPick"}


class Around:
    """The servers around a service, and settings for it."""

    def __init__(self, slack: LocalSlack, site: SimulatedItemPath, folder: Path) -> None:
        self.slack = slack
        self.site = site
        self.database = folder / "bot.db"

    def settings(self, *, port: int = 0, **slack: Any) -> Settings:
        return Settings(
            database_url=SecretStr(f"sqlite:///{self.database}"),
            listen=Listen("127.0.0.1", port),
            sites=(
                SiteSettings(
                    name="berlin",
                    url=self.site.url,
                    token=SecretStr(self.site.token),
                    channel="C0ALERTS",
                    poll_interval=timedelta(milliseconds=500),
                ),
            ),
            slack=SlackSettings(
                **{
                    "bot_token": SecretStr(self.slack.bot_token),
                    "app_token": SecretStr(self.slack.app_token),
                    "channel": "C0ALERTS",
                    "api_url": self.slack.api_url,
                }
                | slack
            ),
            alerts=AlertSettings(),
        )


@pytest.fixture(autouse=True)
def _dead_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not trust the environment takes none of its proxies, whichever part of it speaks."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    async with LocalSlack() as slack, SimulatedItemPath("berlin", connections=[ROW]) as site:
        yield Around(slack, site, tmp_path)


Starts = Callable[[Settings], Any]


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Service]:
    """A service whose loops do not run yet, with what `serve` gives it."""
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.database_url.get_secret_value(), write=True)
        stack.push_async_callback(store.close)
        signed = settings.slack is not None and settings.slack.signing_secret is not None
        web = Web(Waiting(metrics=Metrics(version="test"), why=str), signed=signed)
        stack.push_async_callback(web.stop)
        await web.start(settings.listen.host, settings.listen.port)
        yield await stack.enter_async_context(
            Service.start(settings, clock=Clock(), trust_env=False, store=store, web=web)
        )


@pytest.fixture
async def start() -> AsyncIterator[Starts]:
    """Starts a service; it is closed with the test."""
    async with AsyncExitStack() as stack:

        async def made(settings: Settings) -> Service:
            return await stack.enter_async_context(started(settings))

        yield made


async def fails_to_serve(settings: Settings) -> None:
    """Nothing stops it but the error that is expected."""
    await serve(settings, asyncio.Event(), clock=Clock(), trust_env=False)


async def status_of(service: Service, path: str) -> int:
    address = f"http://127.0.0.1:{service.web.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        return response.status


async def test_it_is_alive_from_the_start_and_ready_while_its_loops_run(around: Around, start: Starts) -> None:
    service = await start(around.settings())
    assert await status_of(service, "/healthz") == 200
    assert await status_of(service, "/readyz") == 503

    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await around.slack.wait_for(around.slack.messages)
    assert await status_of(service, "/readyz") == 200
    assert await status_of(service, "/status") == 200

    stop.set()
    await running
    assert await status_of(service, "/readyz") == 503


async def test_metrics_show_every_site_before_its_first_poll_with_its_last_success(
    around: Around, start: Starts
) -> None:
    service = await start(around.settings())
    name = "itempath_bot_last_successful_poll_timestamp_seconds"
    assert service.metrics.registry.get_sample_value(name, {"site": "berlin"}) == 0


async def test_the_database_is_opened_before_the_port_and_given_back_when_the_port_is_taken(around: Around) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = around.settings(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"):
            await fails_to_serve(settings)

    await (await Store.open(settings.database_url.get_secret_value(), write=True)).close()


async def test_a_second_bot_is_refused_by_the_database(around: Around, start: Starts) -> None:
    await start(around.settings())
    with pytest.raises(DatabaseBusy, match="Another bot"):
        await fails_to_serve(around.settings())


async def test_a_database_of_somebody_else_is_refused_before_anything_is_sent(around: Around) -> None:
    around.database.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match="not a SQLite database"):
        await fails_to_serve(around.settings())
    assert around.slack.calls.log == []


async def test_without_slack_there_is_no_service(around: Around) -> None:
    settings = around.settings().model_copy(update={"slack": None})
    with pytest.raises(ValueError, match="settings of Slack"):
        await fails_to_serve(settings)


async def test_status_tells_how_commands_reach_the_bot(around: Around, start: Starts) -> None:
    secret = SecretStr(around.slack.signing_secret)
    service = await start(around.settings(app_token=None, signing_secret=secret))
    address = f"http://127.0.0.1:{service.web.port}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}/status") as response:
            told = (await response.json())["slack"]
        async with session.post(f"{address}/slack/events", data=b"x") as response:
            unsigned = response.status

    assert (told["socket_mode"], told["request_url"]) == (None, True)
    assert unsigned == 401


async def test_socket_mode_shows_in_status_whether_it_is_connected(around: Around, start: Starts) -> None:
    service = await start(around.settings())
    assert service._listening() == {"socket_mode": {"connected": False, "trouble": None}, "request_url": False}
    assert not service.reception._responses._trust_env

    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await around.slack.wait_for(lambda: service.socket is not None and service.socket.connected)
    assert service._listening()["socket_mode"]["connected"]
    stop.set()
    await running


async def test_what_is_committed_when_it_is_told_to_stop_is_still_sent(around: Around, start: Starts) -> None:
    service = await start(around.settings())
    stop = asyncio.Event()
    with around.slack.gate("chat.postMessage", before=True) as gate:
        running = asyncio.create_task(service.run(stop))
        await around.slack.wait_for(lambda: gate.held)
        stop.set()
    await running

    assert len(around.slack.messages()) == 1
    assert (await service.store.outbox.pending()).count == 0


async def test_it_ends_within_ten_seconds_whatever_hangs(around: Around) -> None:
    """ItemPath, Slack's whole API, the answer to a question, and a visitor of the bot's own server."""
    settings = around.settings(signing_secret=SecretStr(around.slack.signing_secret))
    stop = asyncio.Event()
    with capture_logs() as logs, around.slack.gate("*", before=True) as gate:
        async with started(settings) as service:
            running = asyncio.create_task(service.run(stop))
            gate.release()
            await around.slack.wait_for(lambda: around.slack.sockets.connected)
            hanging = around.slack.gate("*", before=True)
            await around.site.set_fault("timeout")
            await around.site.polled()
            questions = [
                asyncio.create_task(around.slack.interactions.command("C0ALERTS", "U0ALICE", f"/connection {ref}"))
                for ref in ("1", "nobody")
            ]
            visitor = socket.create_connection(("127.0.0.1", service.web.port))
            visitor.sendall(b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 10\r\n\r\nabc")
            await around.site.polled()
            began = time.monotonic()
            stop.set()
            await running
        ended = time.monotonic()
        hanging.release()
        visitor.close()
        await asyncio.gather(*questions)

    assert ended - began < 10
    assert "did not end in time; the next start takes it up" in [entry["event"] for entry in logs]
    assert not [entry for entry in logs if entry["log_level"] == "error"]


@pytest.mark.parametrize("app_token", [SecretStr("xapp-sandbox"), None])
async def test_told_to_stop_before_it_began_it_ends_at_once_and_leaves_nothing_behind(
    around: Around, app_token: SecretStr | None
) -> None:
    """Warnings about coroutines never awaited and about unclosed resources are errors here."""
    stop = asyncio.Event()
    stop.set()
    async with started(around.settings(app_token=app_token)) as service:
        await service.run(stop)
    gc.collect()


async def test_a_task_that_loses_its_cancellation_is_cut_off_all_the_same(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a driver's clean-up may do it: the cancellation comes out as an error that the loop is used to."""
    service = await start(around.settings())
    lost: list[str] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost.append("lost")
                if len(lost) > 2:
                    raise

    monkeypatch.setattr(service.reach, "run", stubborn)
    monkeypatch.setattr("bot.supervisor.LISTENING_ENDS_WITHIN", 0.1)
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await around.slack.wait_for(around.slack.messages)
    stop.set()
    await asyncio.wait_for(running, timeout=10)

    assert len(lost) == 3


@pytest.mark.parametrize("how", ["raises", "returns"])
async def test_a_loop_that_ends_by_itself_ends_everything_loudly(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    service = await start(around.settings())

    async def broken() -> None:
        await around.site.polled()
        if how == "raises":
            raise ZeroDivisionError

    monkeypatch.setattr(service.delivery, "run", broken)
    with capture_logs() as logs, pytest.raises(ExceptionGroup) as raised:
        await service.run(asyncio.Event())

    assert raised.group_contains(ZeroDivisionError if how == "raises" else LoopEnded)
    (loud,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert loud["loop"] == "delivery"
    assert await status_of(service, "/readyz") == 503


async def test_old_events_are_forgotten_and_a_lost_database_does_not_end_the_bot(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = around.settings()
    slept = asyncio.Queue[float]()
    settings = settings.model_copy(update={"alerts": AlertSettings(keep_events=timedelta(microseconds=1))})
    service = await start(settings)

    async def sleep(seconds: float) -> None:
        slept.put_nowait(seconds)
        await around.site.polled()

    monkeypatch.setattr(service.clock, "sleep", sleep)
    lock = around.database.with_name("bot.db.lock")
    keeping = asyncio.create_task(service._keep_house())
    with capture_logs() as logs:
        assert await slept.get() == 3600
        await service.pollers[0].poll()
        await slept.get()
        lock.rename(lock.with_suffix(".away"))
        await service.pollers[0].poll()
        await slept.get()
        lock.with_suffix(".away").rename(lock)
        await service.pollers[0].poll()
        await slept.get()
    keeping.cancel()

    told = [entry["event"] for entry in logs]
    assert "forgot old events" in told
    assert "forgetting old events fails" in told
    assert "forgetting old events recovered" in told


async def test_a_bot_whose_place_was_taken_ends_its_work_in_order_and_says_so(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody can be asked it goes on: those who write say what is wrong."""
    service = await start(around.settings())
    answers = [DatabaseUnreachable("It is away.", "Wait."), None, DatabaseTaken("Another bot has it.", "Stand by.")]

    async def keep() -> None:
        await around.site.polled()
        if (answer := answers.pop(0)) is not None:
            raise answer

    monkeypatch.setattr(service.store, "keep", keep)
    monkeypatch.setattr("bot.supervisor.KEEP_HOLD_EVERY", 0.0)
    stop = asyncio.Event()
    with capture_logs() as logs:
        await service.run(stop)

    assert service.taken
    assert not stop.is_set()
    assert "this bot ends its work and stands by" in [entry["event"] for entry in logs]
    assert not [entry for entry in logs if entry["log_level"] == "error"]


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_an_orderly_end(around: Around, name: signal.Signals) -> None:
    before = signal.getsignal(name)
    running = asyncio.create_task(run(around.settings(), trust_env=False))
    await around.slack.wait_for(lambda: around.slack.sockets.connected)
    os.kill(os.getpid(), name)
    await running

    assert around.slack.messages()
    assert signal.getsignal(name) in (before, signal.SIG_DFL, signal.default_int_handler)
    # The database was closed in order: nothing waits in its log.
    with sqlite3.connect(around.database) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


async def test_a_second_signal_is_left_to_python() -> None:
    stop = asyncio.Event()
    with stop_on_signals(stop):
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
