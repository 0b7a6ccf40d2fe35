"""Socket Mode: Slack's envelopes over a WebSocket that the bot opens, for apps without an address of their own.

The connection is slack-sdk's. Beside it stands what its client does not do by itself (3.48):

- Addresses are asked for here, with typed errors and growing pauses: the client would ask a refused token for ever, and
  as fast as it can.
- A ticket is good for one handshake, but after a refused one the client tries the same for ever: it is taken away from it.
- A client that stays unconnected although it could be is replaced by a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot.clock import Clock
from bot.slack.calls import SlackCalls
from bot.slack.errors import RateLimited, SlackError, advice
from bot.slack.ingress.reception import Reception
from bot.telemetry import StateLog

_log = structlog.get_logger(__name__)
_QUIET = logging.getLogger("bot.slack.sdk.socket_mode")
# The SDK logs each failed attempt with its stack, and at DEBUG every envelope, response_url included.
_QUIET.setLevel(logging.CRITICAL)

PING_EVERY = 5.0
"""Seconds between the client's pings; after four without an answer it takes the connection for dead."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two attempts in vain; a refused token is tried so often."""
LASTING = 10.0
"""Seconds. Several connections in a row that end sooner are followed by pauses, as attempts in vain are, although Slack said
hello: with Socket Mode turned off, or something between that hangs up, there would be a hundred new ones a second."""
REPLACED_AFTER = 90.0
"""Seconds without a connection after which the client is replaced: longer than the longest pause."""
ENDED_WITHIN = 3.0
"""Seconds for the envelopes under way when the bot stops."""

_COPY = "copy the App-Level Token (xapp-…, with connections:write) from the app's page Basic Information again"
_REMEDIES = dict.fromkeys(
    ("invalid_auth", "not_authed", "not_allowed_token_type", "token_revoked", "missing_scope"), _COPY
) | {"not_allowed": "turn Socket Mode on, on the app's page Socket Mode"}


class SocketMode:
    """`run` it until `stop`; `connected` and `trouble` tell `/status` how it is."""

    def __init__(
        self,
        *,
        app_token: str,
        api_url: str,
        reception: Reception,
        clock: Clock,
        ping_every: float = PING_EVERY,
        first_pause: float = FIRST_PAUSE,
        replaced_after: float = REPLACED_AFTER,
        trust_env: bool = True,
    ) -> None:
        """All times in real seconds: the other end lives in them. `trust_env`: whether proxies named in the environment
        are used.
        """
        self._app_token = app_token
        self._api_url = api_url
        self._trust_env = trust_env
        self._calls = SlackCalls(token=app_token, api_url=api_url, trust_env=trust_env)
        self._reception = reception
        self._clock = clock
        self._ping_every = ping_every
        self._first_pause = first_pause
        self._replaced_after = replaced_after
        self._state = StateLog(_log, "connecting to Slack by Socket Mode")
        self._stopping = asyncio.Event()
        self._client: _Client | None = None
        self._in_vain = 0
        """How often an address was asked for since Slack last said hello."""
        self._unused = False
        """Slack named an address, and has not said hello there yet."""
        self._hello_at: float | None = None
        """When Slack said hello, in the loop's time, until the next address is asked for."""
        self._short_lived = 0
        """How many connections in a row did not last."""
        self._not_before = 0.0
        """When an address may be asked for again, in the loop's time."""
        self.trouble: str | None = None
        """Why there is no connection, and what to do, as far as it is known."""

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.open and self._hello_at is not None

    async def run(self) -> None:
        """Until `stop`, or until cancelled."""
        try:
            while not self._stopping.is_set():
                await self._one_client()
        finally:
            await self._calls.close()

    def stop(self) -> None:
        self._stopping.set()

    async def _one_client(self) -> None:
        client = self._client = _Client(self, app_token=self._app_token, api_url=self._api_url, ping=self._ping_every)
        client.message_listeners.append(self._hello)
        client.socket_mode_request_listeners.append(self._envelope)
        connecting = asyncio.create_task(client.connect(), name="socket mode connect")  # type: ignore[no-untyped-call]
        try:
            await self._watch(client)
        finally:
            connecting.cancel()
            self._client = None
            await client.end()
            await asyncio.gather(connecting, return_exceptions=True)

    async def _watch(self, client: _Client) -> None:
        """Returns when the bot stops, or when the client has to be replaced."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while not self._stopping.is_set():
            await _until(self._stopping, seconds=self._ping_every / 5)
            now = loop.time()
            if self.connected:
                seen = now
            elif now - max(seen, self._not_before) > self._replaced_after:
                _log.warning("the Socket Mode client is replaced", unconnected_seconds=round(now - seen))
                return
            elif now - seen > self._ping_every / 2:
                # Its ticket, if it has one, did not open a connection and never will.
                client.wss_uri = None

    async def address(self, client: _Client) -> str:
        """A new address to connect to; asked for until Slack names one. Raises `SlackClientError` when `client` ends."""
        loop = asyncio.get_running_loop()
        if self._unused:
            self._told("Slack names an address, but lets nobody in there; the bot goes on trying")
        self._judge_the_last(loop.time())
        while True:
            await _until(client.ending, seconds=self._not_before - loop.time())
            if client.ending.is_set():
                raise SlackClientError("the client ends")
            self._in_vain += 1
            pause = self._pause(self._in_vain)
            self._not_before = loop.time() + pause
            try:
                answer = await self._calls.call("apps.connections.open")
            except SlackError as error:
                self._failed(error)
                if isinstance(error, RateLimited):
                    self._not_before = loop.time() + max(pause, error.retry_after)
                continue
            self._unused = True
            url = str(answer.get("url", ""))
            # The SDK takes a proxy from the environment whatever it is told, and knows no NO_PROXY.
            client.proxy = _proxy_for(url) if self._trust_env else None
            return url

    def _judge_the_last(self, now: float) -> None:
        """After one connection that did not last the next is asked for at once, after several ever later."""
        if self._hello_at is None:
            return
        self._short_lived = self._short_lived + 1 if now - self._hello_at < LASTING else 0
        self._hello_at = None
        if self._short_lived > 1:
            self._not_before = now + self._pause(self._short_lived - 1)
            self._told("Slack ends each connection at once: see on the app's page whether Socket Mode is on")

    def _pause(self, times: int) -> float:
        """Seconds after so many times in vain."""
        return min(LONGEST_PAUSE, self._first_pause * (1 << min(times - 1, 10)))

    def _failed(self, error: SlackError) -> None:
        remedy = _REMEDIES.get(error.error) or advice(error.error).remedy
        self._told(f"Slack opens no connection ({error.error}): {remedy}")

    def _told(self, trouble: str) -> None:
        self.trouble = trouble
        self._state.failed(self._clock.now(), trouble)

    async def _hello(
        self, client: AsyncBaseSocketModeClient, message: dict[str, Any], raw_message: str | None = None
    ) -> None:
        """Slack's first word on a connection: only now does it hand envelopes over."""
        del client, raw_message
        if message.get("type") == "hello":
            self._in_vain, self._unused, self._not_before = 0, False, 0.0
            self._hello_at = asyncio.get_running_loop().time()
            self.trouble = None
            self._state.worked(self._clock.now())

    async def _envelope(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Each is acknowledged, known or not: what is not comes again and again."""
        answer = None
        if request.type == "slash_commands":
            answer = await self._reception.command(request.payload)
        elif request.type == "interactive":
            self._reception.action(request.payload)
        elif request.type == "events_api":
            self._reception.event(request.payload)
        with_ack = answer if request.accepts_response_payload else None
        try:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=with_ack))
        except (ConnectionError, aiohttp.ClientError, AttributeError, RuntimeError) as error:
            # The connection went meanwhile (without one, the client has no attribute to send with).
            _log.warning("an acknowledgement did not reach Slack", error=type(error).__name__)
            with_ack = None
        if answer is not None and with_ack is None:
            self._reception.follow_up(request.payload, answer)


class _Client(SocketModeClient):
    """slack-sdk's client, which gets its addresses from `SocketMode`, and can be ended without a trace."""

    def __init__(self, owner: SocketMode, *, app_token: str, api_url: str, ping: float) -> None:
        super().__init__(
            app_token=app_token,
            logger=_QUIET,
            web_client=AsyncWebClient(base_url=api_url, retry_handlers=[], logger=_QUIET),
            ping_interval=ping,
        )
        self.proxy = None
        self._owner = owner
        self.ending = asyncio.Event()
        self._handling: set[asyncio.Future[None]] = set()
        self._reconnecting: set[asyncio.Future[None]] = set()
        self._one_reconnects = asyncio.Lock()

    @property
    def open(self) -> bool:
        session = self.current_session
        return not self.closed and not self.stale and session is not None and not session.closed

    async def issue_new_wss_url(self) -> str:
        return await self._owner.address(self)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Slack's farewell on a connection, and its end, may be heard at the same time. Whoever comes second finds a new
        connection, and what people have sent on that would be lost if it were given up as well.
        """
        left = self.current_session
        async with self._one_reconnects:
            await super().connect_to_new_endpoint(force and self.current_session is left)

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """The SDK starts this in a task of which it keeps no trace; here it is known, and awaited in the end."""
        task = asyncio.ensure_future(super().run_message_listeners(message, raw_message))
        tasks = self._reconnecting if message.get("type") == "disconnect" else self._handling
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait({task})

    async def end(self) -> None:
        """`close`, but bounded (a dead server makes it wait for half a minute), and nothing of it is left behind, also
        when it is cancelled: a task that nobody ends waits for its queue until it is collected as garbage.
        """
        self.ending.set()
        try:
            # What is being answered may still use the connection; nobody waits for another one.
            if self._handling:
                await asyncio.wait(set(self._handling), timeout=ENDED_WITHIN)
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(1.0):
                    await self.close()  # type: ignore[no-untyped-call]
        finally:
            own = (self.message_processor, self.current_session_monitor, self.message_receiver)
            running = [*self._handling, *self._reconnecting, *(task for task in own if task is not None)]
            for task in running:
                task.cancel()
            try:
                await asyncio.gather(*running, return_exceptions=True)
            finally:
                await self.aiohttp_client_session.close()


def _proxy_for(address: str) -> str | None:
    """The proxy that the environment names for a WebSocket, by the rules that aiohttp has for what is asked over HTTP:
    `HTTPS_PROXY` and `HTTP_PROXY`, but for whatever `NO_PROXY` names. For `wss://` it would look for `WSS_PROXY` alone.
    """
    url = URL(address)
    if url.host is None or proxy_bypass(url.host):
        return None
    named = getproxies()
    return named.get(url.scheme) or named.get({"wss": "https", "ws": "http"}.get(url.scheme, ""))


async def _until(event: asyncio.Event, *, seconds: float) -> None:
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=max(0.0, seconds))
    finally:
        waiting.cancel()
