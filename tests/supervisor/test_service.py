"""One bot: what it shows, how it ends, and what ends it."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.service import LoopEnded, Service
from bot.settings import AlertSettings
from bot.store.errors import DatabaseTaken, DatabaseUnreachable
from bot.store.store import Store
from tests.supervisor.conftest import Around, Starts, started


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


async def test_a_database_that_goes_away_in_the_moment_of_a_takeover_ends_no_bot(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loops wait for it, as they do later on."""
    there = asyncio.Event()

    def while_away(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **more: Any) -> Any:
            if not there.is_set():
                raise DatabaseUnreachable("It cannot be reached.", "Start it.")
            return ask(*given, **more)

        return asked

    settings = around.settings()
    await (await Store.open(settings.database_url.get_secret_value(), write=True)).close()
    with monkeypatch.context() as away, capture_logs() as logs:
        for name in ("sites", "tick", "set_meta", "prune"):
            away.setattr(Store, name, while_away(getattr(Store, name)))
        service = await start(settings)
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await around.site.polled(2)
        assert not running.done()
        there.set()
        await around.slack.wait_for(around.slack.messages)
        stop.set()
        await running
    name = "itempath_bot_last_successful_poll_timestamp_seconds"
    assert (service.metrics.registry.get_sample_value(name, {"site": "berlin"}) or 0) > 0
    assert [entry["event"] for entry in logs].count("when each site was last read is not known yet") == 1


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


async def test_what_is_committed_when_it_is_told_to_stop_is_still_sent(
    around: Around, start: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack takes it only after everything else has ended: the delivery is told to finish, and is waited for."""
    service = await start(around.settings())
    drain = service.delivery.drain
    stop = asyncio.Event()
    with around.slack.gate("chat.postMessage", before=True) as gate:

        def finish() -> None:
            drain()
            gate.release()

        monkeypatch.setattr(service.delivery, "drain", finish)
        running = asyncio.create_task(service.run(stop))
        await around.slack.wait_for(lambda: gate.held)
        stop.set()
        await running

    assert len(around.slack.messages()) == 1
    assert (await service.store.outbox.pending()).count == 0


class Late:
    """How long the machine lets the event loop wait for its turn."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def beat(self, every: float = 0.05) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(every)
            self.seconds += time.monotonic() - before - every


async def test_it_ends_within_ten_seconds_whatever_hangs(around: Around) -> None:
    """ItemPath, Slack's whole API, the answer to a question, and a visitor of the bot's own server."""
    settings = around.settings(signing_secret=SecretStr(around.slack.signing_secret))
    stop = asyncio.Event()
    late = Late()
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
            beating = asyncio.create_task(late.beat())
            began = time.monotonic()
            stop.set()
            await running
        ended = time.monotonic()
        beating.cancel()
        hanging.release()
        visitor.close()
        await asyncio.gather(*questions)

    assert ended - began - late.seconds < 10
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
    monkeypatch.setattr("bot.service.LISTENING_ENDS_WITHIN", 0.1)
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
    monkeypatch.setattr("bot.service.KEEP_HOLD_EVERY", 0.0)
    stop = asyncio.Event()
    with capture_logs() as logs:
        await service.run(stop)

    assert service.taken
    assert not stop.is_set()
    assert "this bot ends its work and stands by" in [entry["event"] for entry in logs]
    assert not [entry for entry in logs if entry["log_level"] == "error"]
