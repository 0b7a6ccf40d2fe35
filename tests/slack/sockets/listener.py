"""A listener in Socket Mode, and handlers that write down what they were asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.server import LocalSlack
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.socket_mode import SocketMode


class Said:
    """Handlers that answer with what they were asked."""

    def __init__(self) -> None:
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.clicks: list[Mapping[str, Any]] = []
        self.events: list[Mapping[str, Any]] = []
        self.heard = asyncio.Event()

    async def command(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        return {"response_type": "ephemeral", "text": f"you asked for {payload['text']}"}

    async def event(self, payload: Mapping[str, Any]) -> None:
        self.events.append(payload)
        self.heard.set()

    async def action(self, payload: Mapping[str, Any], respond: Any) -> None:
        self.clicks.append(payload)
        await respond({"text": "clicked"})


class Running:
    def __init__(self, slack: LocalSlack, socket: SocketMode, reception: Reception) -> None:
        self.slack = slack
        self.socket = socket
        self.reception = reception
        self.task = asyncio.create_task(socket.run())

    async def connected(self) -> None:
        """Slack has said hello, and the client has heard it."""
        async with asyncio.timeout(10):
            while not self.socket.connected:  # noqa: ASYNC110 - a state that /status reads, without an event
                await asyncio.sleep(0.01)

    async def ask(self, text: str) -> str | None:
        return await self.slack.interactions.command("C0ALERTS", "U0ALICE", f"/connection {text}")

    def whispers(self) -> list[str]:
        return [whisper.text for whisper in self.slack.workspace.ephemerals.values()]

    async def trouble(self, words: str) -> None:
        async with asyncio.timeout(10):
            while words not in (self.socket.trouble or ""):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
