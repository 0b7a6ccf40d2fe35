"""The bot as a process of its own: `python -m bot run`, with nothing but the environment that the contract names."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel, Message
from tests.e2e.world import ALERTS, channel_lines, connection

ROOT = Path(__file__).parents[2]
ENDS_WITHIN = 60.0
"""Seconds; that the bot keeps to ten is measured where a slow machine can be told from a slow bot."""
ELSEWHERE = "C0ELSEWHERE"
STARTS_WITHIN = 90.0
"""Seconds; imports alone take one on a quiet machine."""


class Outside:
    """A simulated ItemPath and a local Slack in this process, and the bot in another: it can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.slack = LocalSlack(channels=[Channel(id=ALERTS, name="alerts"), Channel(id=ELSEWHERE, name="elsewhere")])
        self.site = SimulatedItemPath("default", connections=[connection(1, "PowerPick", integrationCount=3)])
        self.log = folder / "bot.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.slack.start()
        await self.site.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever stops in an orderly way would not, with a gate still closed.
        self.slack.faults.clear()
        if self._process is not None:
            await self.kill()
        await self.site.stop()
        await self.slack.stop()

    def environment(self, **more: str) -> dict[str, str]:
        # What coverage needs to see this process too is the one thing that is handed down.
        measured = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        return (
            measured
            | {
                "PYTHONPATH": str(ROOT),
                "ITEMPATH_URL": self.site.url,
                "ITEMPATH_TOKEN": self.site.token,
                "SLACK_BOT_TOKEN": self.slack.bot_token,
                "SLACK_APP_TOKEN": self.slack.app_token,
                "SLACK_CHANNEL": "#alerts",
                "SLACK_API_URL": self.slack.api_url,
                "BOT_DATABASE_URL": f"sqlite:///{self.folder / 'bot.db'}",
                "BOT_LISTEN": "127.0.0.1:0",
                "BOT_POLL_INTERVAL": "500ms",
            }
            | more
        )

    async def spawn(self, **more: str) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self.folder, env=self.environment(**more), stderr=log
            )

    async def start(self, **more: str) -> None:
        """Returns once the bot can be asked."""
        self._process = await self.spawn(**more)
        await self.sees(lambda: self.slack.sockets.connected)

    async def kill(self) -> None:
        """SIGKILL: no chance to put anything in order."""
        assert self._process is not None
        process, self._process = self._process, None
        process.kill()
        await process.wait()
        await self.slack.wait_for(lambda: not self.slack.sockets.connected)

    def let_files_grow(self, until: int = resource.RLIM_INFINITY) -> None:
        """To so many bytes and no further: the kernel refuses the rest of every write, as on a full disk."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (until, resource.RLIM_INFINITY))

    async def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(process.wait(), timeout=ENDS_WITHIN)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def sees(self, condition: object) -> None:
        assert callable(condition)
        await self.slack.wait_for(condition, within=STARTS_WITHIN)

    async def idle(self) -> None:
        """All that is true by now has been polled and decided, and no call to Slack is under way."""
        await self.site.polled(3)

    def lines(self) -> list[str]:
        """Of all channels."""
        return [line for channel in (ALERTS, ELSEWHERE) for line in channel_lines(self.slack.messages(channel))]

    def down(self) -> list[Message]:
        return [m for m in self.slack.messages() if m["text"].startswith("🔴")]
