"""The local Slack as a whole: a server on loopback that the real slack-sdk talks to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.sandbox.slack.access import LEAST_PRIVILEGE, Access
from bot.sandbox.slack.api import WebApi
from bot.sandbox.slack.calls import Call, Calls
from bot.sandbox.slack.faults import Fault, Faults, Gate
from bot.sandbox.slack.interactions import Interactions, Triggers
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.page_api import PageApi
from bot.sandbox.slack.request_url import RequestUrl
from bot.sandbox.slack.responses import Responses
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.workspace import Bot, Channel, Message, Team, User, Workspace

T = TypeVar("T")
USERS = (User(id="U0ALICE", name="alice"), User(id="U0BOB", name="bob"))


class LocalSlack:
    """A workspace with one app installed. `async with LocalSlack() as slack:` serves it on a free port.

    Its parts are there to be used: `workspace`, `calls.log`, `faults`, `limits`, `sockets`, `request_url`, `interactions`.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        team: Team | None = None,
        users: Sequence[User] = USERS,
        channels: Sequence[Channel] | None = None,
        bot: Bot | None = None,
        bot_token: str = "xoxb-sandbox",  # noqa: S107 - opens nothing but this workspace
        app_token: str = "xapp-sandbox",  # noqa: S107
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107
        scopes: Iterable[str] = LEAST_PRIVILEGE,
        limits: RateLimits | None = None,
        commands: tuple[str, ...] = ("/connection",),
        ack_within: float = 3.0,
        speed: float = 1.0,
        extra_routes: Iterable[web.AbstractRouteDef] = (),
    ) -> None:
        """`now`: seconds since the epoch; it drives limits, `ts`, lifetimes and signatures. `ack_within`: real seconds.

        `speed` says how many of `now`'s seconds pass in a real one: what waits for people or for the network
        (`trigger_id`s, `response_url`s) lives that much longer.

        `channels` are copied: joining one changes this workspace alone. `extra_routes` are served on the same origin.
        """
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = set(scopes)
        self.workspace = Workspace(
            now=now,
            team=team or Team(),
            users=list(users),
            channels=list(channels) if channels is not None else [Channel(id="C0ALERTS", name="alerts")],
            bot=bot or Bot(),
        )
        self.faults = Faults(poke=self.workspace.feed.poke)
        self.calls = Calls(self.workspace, self.faults)
        self.limits = limits or RateLimits(now)
        self.sockets = SocketMode(self.workspace, ack_within=ack_within)
        self.request_url = RequestUrl(self.workspace, signing_secret=signing_secret, ack_within=ack_within)
        self.url = ""
        self._extra_routes = list(extra_routes)
        self._runner: web.AppRunner | None = None
        triggers = Triggers(self.workspace, speed=speed)
        self._responses = Responses(self.workspace, self.calls, speed=speed)
        self.interactions = Interactions(
            self.workspace,
            sockets=self.sockets,
            request_url=self.request_url,
            responses=self._responses,
            triggers=triggers,
            commands=commands,
            base_url=lambda: self.url,
        )
        self._api = WebApi(
            self.workspace,
            calls=self.calls,
            access=Access(self.workspace, self.scopes),
            limits=self.limits,
            sockets=self.sockets,
            triggers=triggers,
            bot_token=bot_token,
            app_token=app_token,
        )
        self.page = PageApi(
            self.workspace,
            calls=self.calls,
            sockets=self.sockets,
            interactions=self.interactions,
            me=users[0].id,
        )

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` and slack-sdk's `base_url` want."""
        return f"{self.url}/api/"

    def routes(self) -> list[web.AbstractRouteDef]:
        """Everything, for an application of one's own (which then sets `url`)."""
        return [
            web.route("*", "/api/{method}", self._api.handle),
            web.get("/link/", self.sockets.link),
            web.post("/response/{token}", self._responses.take),
            *self.page.routes(),
            *self._extra_routes,
        ]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve; `port` 0 takes a free one, and `url` tells which."""
        self.calls.closing.clear()
        app = web.Application()
        app.add_routes(self.routes())
        # A caller that gives up ends its handler: what hangs, hangs no longer than that.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=2.0)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, host, port)
        await site.start()
        self.url = f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Let go of everything that hangs or waits, then stop serving. The state stays: it can be started again."""
        self.calls.closing.set()
        self.faults.clear()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def wait_for(self, condition: Callable[[], T], *, within: float = 10.0) -> T:
        """The first truthy value of `condition`, looked at after each change; `TimeoutError` after real seconds."""
        return await self.workspace.feed.wait_for(condition, within=within)

    def fail(
        self,
        method: str,
        fault: Fault,
        *,
        times: int | None = 1,
        when: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> None:
        """The next `times` calls (`None`: all) of `method` (`*`: any; `response_url` too) meet this fault."""
        self.faults.add(method, fault, times=times, when=when)

    def gate(self, method: str, *, before: bool = False) -> Gate:
        """Hold the answers of `method` (with `before`: hold the calls) until the gate is released."""
        return self.faults.gate(method, before=before)

    def made(self, method: str) -> list[Call]:
        """The calls of `method` so far."""
        return self.calls.made(method)

    def messages(self, channel: str = "C0ALERTS") -> list[Message]:
        """Everything in the channel, replies too, oldest first, as it is now."""
        return [self.workspace.shown(message) for message in self.workspace.messages(channel)]
