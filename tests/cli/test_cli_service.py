"""`run` and `demo`: processes that go on until they are told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.server import LocalSlack
from bot.store.store import Store
from tests.cli.typed import ROOT, Cli, line_with


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_run_goes_on_until_it_is_told_to_stop_and_ends_with_0(
    cli: Cli, site: SimulatedItemPath, slack: LocalSlack, stop: signal.Signals
) -> None:
    cli.set(BOT_LISTEN="127.0.0.1:0", SLACK_CHANEL="#misspelt")
    async with cli.process("run") as process:
        assert "SLACK_CHANEL" in await line_with(process.stderr, "is set but is no setting")
        await slack.wait_for(slack.messages, within=60)
        process.send_signal(stop)
        out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 0, err.decode()
    assert out == b""
    for secret in (site.token, slack.bot_token, slack.app_token):
        assert secret not in err.decode()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_may_be_told_to_stop_before_it_has_begun(cli: Cli, stop: signal.Signals) -> None:
    """As the first process of a container it would hear nothing that it does not ask to hear."""
    slow = cli.cwd / "slow.toml"
    os.mkfifo(slow)
    async with cli.process("run", "--config", str(slow)) as process:
        # Opened when the bot begins to read it.
        writing = await asyncio.to_thread(slow.open, "wb")
        process.send_signal(stop)
        _, err = await asyncio.wait_for(process.communicate(), timeout=60)
        writing.close()
    assert (process.returncode, err) == (0, b"")


WHILE_LOADING = """
import os, signal, sys

def once(frame, event, argument):
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    hears = getattr(signal.getsignal(signal.SIGTERM), "__module__", "").startswith("bot.")
    if event == "call" and name == "cb" and "importlib" in file and hears:
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGTERM)

sys.argv = ["itempath-bot", "run"]
from bot.cli import main
sys.setprofile(once)
main()
"""


@pytest.mark.usefixtures("site", "slack")
async def test_a_signal_is_not_lost_where_python_disregards_exceptions(cli: Cli) -> None:
    """The import system has such places; an exception out of the signal's handler would vanish there."""
    cli.set(BOT_LISTEN="127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WHILE_LOADING, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=cli.cwd
    )
    try:
        assert await asyncio.wait_for(process.wait(), timeout=60) == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.usefixtures("site", "slack")
async def test_a_database_that_another_bot_holds_is_told_with_advice_and_is_1(cli: Cli) -> None:
    url = f"sqlite:///{cli.cwd}/bot.db"
    cli.set(BOT_DATABASE_URL=url, BOT_LISTEN="127.0.0.1:0")
    other = await Store.open(url, write=True)
    try:
        async with cli.process("run") as process:
            out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    finally:
        await other.close()
    assert (process.returncode, out) == (1, b"")
    line = json.loads(err)
    assert line["event"] == "the database cannot be used"
    assert "Another bot" in line["problem"]
    assert "Stop it first" in line["advice"]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody else listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.usefixtures("site", "slack")
async def test_a_port_that_is_taken_is_told_with_advice_and_is_1(cli: Cli, taken: int) -> None:
    cli.set(BOT_LISTEN=f"127.0.0.1:{taken}", BOT_LOG_FORMAT="console")
    async with cli.process("run") as process:
        _, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{taken}" in err.decode()
    assert "address already in use" in err.decode()
    assert "BOT_LISTEN" in err.decode()
    assert "Traceback" not in err.decode()


async def test_the_demonstration_needs_nothing_and_ends_with_0(cli: Cli) -> None:
    """Neither the configuration nor the environment is looked at, however wrong they are."""
    cli.write("config/bot.toml", "nonsense")
    cli.set(BOT_CONFIG="nowhere.toml", BOT_DATABASE_URL="nonsense", BOT_LISTEN="nonsense")
    async with cli.process("demo", "--port", "0") as process:
        told = await line_with(process.stdout, "http://")
        found = re.search(r"http://127\.0\.0\.1:\d+", told)
        assert found is not None
        async with aiohttp.ClientSession() as session, session.get(found[0]) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 0, err.decode()
    assert sorted(path.name for path in cli.cwd.rglob("*")) == ["bot.toml", "config"]


async def test_a_port_of_the_demonstration_that_is_taken_is_told_and_is_1(cli: Cli, taken: int) -> None:
    async with cli.process("demo", "--port", str(taken)) as process:
        out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert f"cannot use port {taken}: another program has it.\n" in err.decode()
    assert "--port 0 takes any" in err.decode()
    assert "Traceback" not in err.decode()
