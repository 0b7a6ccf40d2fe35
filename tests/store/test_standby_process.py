"""Two bots as processes on one server's database: one works, one stands by, and the channel stays true."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.process import Outside
from tests.e2e.test_process import DOWN, UP, UP_TOO, WATCHING
from tests.store.sessions import end_sessions

pytestmark = pytest.mark.postgres


class Bot:
    """One of the processes."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process = process
        self.log = log
        self._base = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession(self._base) as session, session.get(path) as response:
            return response.status, await response.json()

    async def shows(self, path: str, status: int) -> Any:
        """What the page says as soon as it has this status."""
        async with asyncio.timeout(90):
            while True:
                try:
                    found, told = await self.get(path)
                except aiohttp.ClientConnectionError:
                    found, told = None, None
                if found == status:
                    return told
                await asyncio.sleep(0.05)

    def said(self, event: str) -> int:
        return self.log.read_text().count(f'"{event}"')


class Pair:
    """Bots around one ItemPath, one Slack and one database."""

    def __init__(self, outside: Outside, url: str) -> None:
        self.outside = outside
        self.url = url
        self._bots: list[Bot] = []

    async def spawn(self) -> Bot:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.outside.log = self.outside.folder / f"{len(self._bots)}.log"
        process = await self.outside.spawn(
            BOT_DATABASE_URL=self.url,
            BOT_LISTEN=f"127.0.0.1:{port}",
            SLACK_SIGNING_SECRET=self.outside.slack.signing_secret,
        )
        self._bots.append(Bot(process, port, self.outside.log))
        return self._bots[-1]

    async def holder_and_standby(self) -> tuple[Bot, Bot]:
        first = await self.spawn()
        await first.shows("/readyz", 200)
        second = await self.spawn()
        await second.shows("/readyz", 503)
        await self.outside.sees(lambda: self.outside.lines() == [WATCHING])
        return first, second

    async def end(self) -> None:
        for bot in self._bots:
            if bot.process.returncode is None:
                bot.process.kill()
                await bot.process.wait()


@pytest.fixture
async def pair(tmp_path: Path, ready_postgres: str) -> AsyncIterator[Pair]:
    async with Outside(tmp_path) as outside:
        made = Pair(outside, ready_postgres)
        yield made
        outside.slack.faults.clear()
        await made.end()


@asynccontextmanager
async def frozen(bot: Bot) -> AsyncIterator[None]:
    bot.process.send_signal(signal.SIGSTOP)
    yield
    bot.process.send_signal(signal.SIGCONT)


async def test_a_standby_takes_over_from_a_bot_that_was_killed_and_the_channel_stays_true(pair: Pair) -> None:
    """Killed in the middle of an outage, with a root that Slack has taken and not answered."""
    outside = pair.outside
    first, second = await pair.holder_and_standby()

    assert (await second.get("/healthz"))[0] == 200
    _, ready = await second.get("/readyz")
    assert ready["standby"]
    assert f"Another bot (itempath-bot {first.process.pid}@" in ready["reasons"][0]
    status, told = await second.get("/status")
    assert (status, told["standby"], told["reasons"]) == (503, True, ready["reasons"])
    assert (await first.get("/status"))[1]["standby"] is False
    async with aiohttp.ClientSession() as session, session.post(f"{second._base}/slack/events", data=b"x") as answer:
        assert answer.status == 503
    assert len(outside.slack.sockets.connections) == 1

    with outside.slack.gate("chat.postMessage") as gate:
        outside.site.set_status(1, 0)
        await outside.sees(lambda: gate.held)
        first.process.kill()
        await first.process.wait()
        await second.shows("/readyz", 200)
    await outside.sees(lambda: outside.lines() == [WATCHING, DOWN])
    outside.site.set_status(1, 1)
    await outside.sees(lambda: outside.lines() == [WATCHING, UP, UP_TOO])
    await outside.idle()
    assert outside.lines() == [WATCHING, UP, UP_TOO]
    assert second.said("standing by") == 1

    second.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(second.process.wait(), timeout=10) == 0


async def test_a_bot_that_lost_its_session_and_its_place_but_lives_becomes_the_standby(pair: Pair) -> None:
    """It was frozen while the server ended its sessions, as a partition of the network does; and it thaws in the middle
    of what it was doing.
    """
    outside = pair.outside
    first, second = await pair.holder_and_standby()

    async with frozen(first):
        await end_sessions(pair.url)
        await second.shows("/readyz", 200)
        outside.site.set_status(1, 0)
        await outside.sees(lambda: len(outside.lines()) == 2)
    told = await first.shows("/readyz", 503)
    assert f"itempath-bot {second.process.pid}@" in (await _standing_by(first, told))["reasons"][0]
    outside.site.set_status(1, 1)
    await outside.sees(lambda: len(outside.lines()) == 3)
    await outside.idle()
    lines = outside.lines()
    assert [line.split(" is ")[0] for line in lines[1:]] == ["root 🟢 PowerPick", "  broadcast 🟢 PowerPick"]
    assert first.said("this bot ends its work and stands by") == 1

    first.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(first.process.wait(), timeout=3) == 0
    assert "Traceback" not in first.log.read_text() + second.log.read_text()


async def _standing_by(bot: Bot, told: Any) -> Any:
    """It is not ready before it has noticed, either."""
    async with asyncio.timeout(30):
        while not told.get("standby") or "Another bot" not in told["reasons"][0]:
            await asyncio.sleep(0.05)
            _, told = await bot.get("/readyz")
    return told
