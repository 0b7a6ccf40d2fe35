"""Starting, running and ending the whole service (contract section 1, `run`)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3

import pytest

from bot.clock import Clock
from bot.eventloop import stop_on_signals
from bot.settings import Settings
from bot.store.errors import DatabaseBusy, StoreError
from bot.store.store import Store
from bot.supervisor import run, serve
from tests.supervisor.conftest import Around, Starts


async def fails_to_serve(settings: Settings) -> None:
    """Nothing stops it but the error that is expected."""
    await serve(settings, asyncio.Event(), clock=Clock(), trust_env=False)


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
