"""A small world: simulated ItemPath sites, a local Slack, and the whole bot between them, all over real sockets.

The channel is read as lines, so that a test compares everything a reader sees at once:

    root 🔴 PowerPick is down. berlin/1: down since <time>. …
      reply 🟠 PowerPick reports an error while down. …
      broadcast 🟢 PowerPick is up again after <span>. …

Roots stand in the order in which they were posted, each with its replies below it; a broadcast is a reply that the channel
shows too. Moments and durations are masked. All of it runs on one clock, which is fast: see `SPEED`.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from bot.clock import Clock
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel, Message
from bot.service import Service
from bot.settings import AlertSettings, Listen, Route, Settings, SiteSettings, SlackSettings
from bot.supervisor import serve

SPEED = 20.0
"""Seconds of the world in a real one: a poll each quarter of a second, a message each twentieth."""
INTERVAL = timedelta(seconds=5)
ALERTS = "C0ALERTS"
WITHIN = 30.0
"""Real seconds until a wait counts as failed; generous, because machines that run tests are busy."""

_TIME = re.compile(r"<!date\^[^>]*>|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
_SPAN = re.compile(r"(?:less than 1 s|\b\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?)")


class Skipping(Clock):
    """A clock that can be moved forward, as if everybody had slept."""

    def __init__(self, *, speed: float) -> None:
        super().__init__(speed=speed)
        self._skipped = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self._skipped

    def steady(self) -> float:
        return self.now().timestamp()

    def skip(self, **span: float) -> None:
        """Only while no bot waits in this clock."""
        self._skipped += timedelta(**span)


def connection(id_: int | str, name: str, **fields: Any) -> dict[str, Any]:
    """A row that is up, has no log yet, and stops one integration when it is down."""
    return {"id": id_, "name": name, "type": "REST", "url": f"https://{id_}.example.com", **fields}


class World:
    """`async with World(folder) as world:` starts the servers; `await world.start()` starts the bot."""

    def __init__(
        self,
        folder: Path,
        *,
        sites: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        channels: Iterable[Channel] = (),
        speed: float = SPEED,
        socket_mode: bool = True,
        clock: Skipping | None = None,
    ) -> None:
        """`sites`: rows by site; else one site `default` with one connection, 1, called PowerPick."""
        rows = {"default": [connection(1, "PowerPick", type="MSSQL", integrationCount=3)]} if sites is None else sites
        self.clock = clock or Skipping(speed=speed)
        self.database = folder / "bot.db"
        self.slack = LocalSlack(
            now=self._timestamp,
            channels=[Channel(id=ALERTS, name="alerts"), *channels],
            limits=RateLimits(self._timestamp, jitter=0.05 * speed),
            speed=speed,
        )
        self.sites = {name: SimulatedItemPath(name, connections=r, now=self.clock.now) for name, r in rows.items()}
        self.settings: dict[str, Any] = {"alerts": {}, "routes": (), "sites": {}, "slack": {}}
        self.service: Service
        self._socket_mode = socket_mode
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def _timestamp(self) -> float:
        return self.clock.now().timestamp()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.slack)
        for site in self.sites.values():
            await self._stack.enter_async_context(site)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            await self.stop()
        await self._stack.aclose()

    @property
    def site(self) -> SimulatedItemPath:
        """The only or the first site."""
        return next(iter(self.sites.values()))

    # The bot

    def configured(self) -> Settings:
        """As `settings` says: keys of `[alerts]` and `[slack]`, keys of each site, a tuple of routes."""
        slack = self.slack
        tokens: dict[str, Any] = {"app_token": SecretStr(slack.app_token)} if self._socket_mode else {}
        return Settings(
            database_url=SecretStr(f"sqlite:///{self.database}"),
            listen=Listen("127.0.0.1", 0),
            sites=tuple(
                SiteSettings(
                    **{
                        "name": name,
                        "url": site.url,
                        "token": SecretStr(site.token),
                        "channel": ALERTS,
                        "poll_interval": INTERVAL,
                    }
                    | self.settings["sites"].get(name, {})
                )
                for name, site in self.sites.items()
            ),
            slack=SlackSettings(
                bot_token=SecretStr(slack.bot_token),
                channel=ALERTS,
                api_url=slack.api_url,
                **tokens | self.settings["slack"],
            ),
            alerts=AlertSettings(**self.settings["alerts"]),
            routes=tuple(Route(**route) for route in self.settings["routes"]),
        )

    async def start(self) -> None:
        """Returns once the bot runs, and, with Socket Mode, can be asked."""
        self._stop = asyncio.Event()
        ready: asyncio.Future[Service] = asyncio.get_running_loop().create_future()

        def began(service: Service) -> None:
            self._prepare(service)
            ready.set_result(service)

        self._running = asyncio.create_task(
            serve(self.configured(), self._stop, clock=self.clock, trust_env=False, began=began)
        )
        either: set[asyncio.Future[Any]] = {self._running, ready}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            broken, self._running = self._running, None
            await broken
        self.service = ready.result()
        if self._socket_mode:
            await self.slack.wait_for(lambda: self.slack.sockets.connected, within=WITHIN)

    def _prepare(self, service: Service) -> None:
        """Whatever a kind of world wants otherwise, before the loops run."""

    async def stop(self) -> None:
        """In order, as after SIGTERM. Whatever broke the bot is raised here."""
        assert self._running is not None
        self._stop.set()
        running, self._running = self._running, None
        await running

    async def restart(self) -> None:
        """On the same database."""
        await self.stop()
        await self.start()

    @property
    def url(self) -> str:
        """Of the bot's own server."""
        return f"http://127.0.0.1:{self.service.web.port}"

    # What a reader sees

    def lines(self, channel: str = ALERTS) -> list[str]:
        return channel_lines(self.slack.messages(channel))

    async def shows(self, *lines: str, channel: str = ALERTS) -> None:
        """Wait until the channel shows exactly these lines, and see that it stays so."""
        await self._until(lambda: self.lines(channel), list(lines))
        await self.settled()
        assert self.lines(channel) == list(lines)

    async def shows_soon(self, *lines: str, channel: str = ALERTS) -> None:
        """As `shows`, without asking whether more is on its way."""
        await self._until(lambda: self.lines(channel), list(lines))

    async def _until(self, seen: Callable[[], list[str]], wanted: list[str]) -> None:
        try:
            await self.slack.wait_for(lambda: seen() == wanted, within=WITHIN)
        except TimeoutError:
            found = seen()
            raise AssertionError("\n".join(difflib.ndiff(wanted, found))) from None

    async def settled(self) -> None:
        """Everything that is true by now has been polled, decided and delivered."""
        async with asyncio.timeout(WITHIN):
            for site in self.sites.values():
                if site.reachable:
                    await site.polled(2)
            while (await self.service.store.outbox.pending()).count:
                # Each reading of the database lets everybody else have a turn.
                pass

    # What people do

    async def asks(self, text: str, *, user: str = "U0ALICE") -> str:
        """The answer to a slash command, as its text; only the asker sees it."""
        before = set(self.slack.workspace.ephemerals)
        assert await self.slack.interactions.command(ALERTS, user, text) is None
        fresh = await self.slack.wait_for(lambda: set(self.slack.workspace.ephemerals) - before, within=WITHIN)
        return masked(self.slack.workspace.ephemerals[fresh.pop()].text)

    async def presses(self, action: str, *, on: str, user: str = "U0ALICE", channel: str = ALERTS) -> str | None:
        """A button of the message whose text contains `on`."""
        message = self.message(on, channel=channel)
        return await self.slack.interactions.click(channel, user, action_id=action, message_ts=message["ts"])

    def message(self, containing: str, *, channel: str = ALERTS) -> Message:
        (message,) = [m for m in self.slack.messages(channel) if containing in m["text"]]
        return message


def masked(text: str) -> str:
    """Without what differs from run to run."""
    return _SPAN.sub("<span>", _TIME.sub("<time>", text))


def channel_lines(messages: Iterable[Message]) -> list[str]:
    """Messages of one channel, oldest first, as lines."""
    messages = list(messages)
    roots = [m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    lines = []
    for root in roots:
        lines.append(f"root {masked(root['text'])}")
        for reply in messages:
            if reply.get("thread_ts") == root["ts"] and reply["ts"] != root["ts"]:
                kind = "broadcast" if reply.get("subtype") == "thread_broadcast" else "reply"
                lines.append(f"  {kind} {masked(reply['text'])}")
    return lines
