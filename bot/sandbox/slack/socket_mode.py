"""Socket Mode: tickets, connections, envelopes and their acknowledgements (source: Slack's page on Socket Mode)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.slack.calls import transport_of
from bot.sandbox.slack.workspace import Workspace

CONNECTIONS = 10
"""An app may hold this many at once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of something that was sent to the app: the error a person reads, or the answer given with the ack."""

    error: str | None = None
    payload: dict[str, Any] | None = None


@dataclass(eq=False, slots=True)
class Connection:
    """One WebSocket of the app."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    silent: bool = False
    delivered: list[dict[str, Any]] = field(default_factory=list)


class SocketMode:
    """The server's side of Socket Mode. The switches for tests are `refuse_handshakes` and the methods of `Connection`s."""

    def __init__(self, workspace: Workspace, *, ack_within: float = 3.0, ping_every: float = 5.0) -> None:
        """Both in real seconds."""
        self.connections: list[Connection] = []
        self.refuse_handshakes = False
        self.handshakes = 0
        """How many were tried, refused ones too."""
        self._workspace = workspace
        self.ack_within = ack_within
        self.ping_every = ping_every
        self._tickets: set[str] = set()
        self._acks: dict[str, asyncio.Future[Reply]] = {}
        self._turn = 0

    @property
    def connected(self) -> bool:
        return bool(self.connections)

    def ticket(self) -> str:
        """Good for one connection."""
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return ticket

    async def link(self, request: web.Request) -> web.StreamResponse:
        """`GET /link/?ticket=…`: the WebSocket."""
        self.handshakes += 1
        self._workspace.feed.poke()
        ticket = request.query.get("ticket", "")
        if self.refuse_handshakes or ticket not in self._tickets:
            return web.Response(status=403, text="handshake refused")
        self._tickets.discard(ticket)
        # Pings are answered by hand, so that a connection can die without a sign.
        socket = web.WebSocketResponse(autoping=False, timeout=2.0)
        await socket.prepare(request)
        if len(self.connections) >= CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = Connection(socket, transport_of(request))
        self.connections.append(connection)
        pings = asyncio.create_task(self._ping(connection))
        try:
            with contextlib.suppress(ConnectionError):
                await socket.send_json(self._hello())
                self._changed()
                await self._receive(connection)
        finally:
            pings.cancel()
            self._forget(connection)
        return socket

    async def deliver(self, kind: str, payload: dict[str, Any], *, accepts_payload: bool = True) -> Reply:
        """One envelope to one connection, in turn; `dispatch_failed` without one, `operation_timeout` without an ack."""
        name = secrets.token_hex(16)
        envelope: dict[str, Any] = {
            "envelope_id": name,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": accepts_payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": 0, "retry_reason": ""}
        acked: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._acks[name] = acked
        try:
            if not await self._send(envelope):
                return Reply("dispatch_failed")
            async with asyncio.timeout(self.ack_within):
                return await acked
        except TimeoutError:
            return Reply("operation_timeout")
        finally:
            del self._acks[name]

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to go: `warning` leaves it open a while, `refresh_requested` closes it."""
        for connection in list(self.connections):
            await connection.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}}
            )
            if reason != "warning":
                self._forget(connection)
                await connection.socket.close()

    def go_silent(self) -> None:
        """Every connection dies without a sign: it stays open, but nothing is answered or delivered on it."""
        for connection in self.connections:
            connection.silent = True

    def abort(self) -> None:
        """Every connection breaks off, without the closing words of a WebSocket."""
        for connection in self.connections:
            connection.transport.abort()

    async def close(self) -> None:
        """Close every connection, as when Slack restarts."""
        for connection in list(self.connections):
            self._forget(connection)
            await connection.socket.close(code=1001)

    async def _send(self, envelope: dict[str, Any]) -> bool:
        """To the next connection that takes it. A silent one takes it too, and loses it."""
        self._turn += 1
        first = self._turn % max(1, len(self.connections))
        for connection in self.connections[first:] + self.connections[:first]:
            if connection.silent:
                return True
            with contextlib.suppress(ConnectionError):
                await connection.socket.send_json(envelope)
                connection.delivered.append(envelope)
                return True
        return False

    async def _receive(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.silent:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            acknowledgement = json.loads(text)
            envelope, payload = acknowledgement["envelope_id"], acknowledgement.get("payload")
        except (ValueError, TypeError, KeyError):
            return  # Slack ignores what it cannot read, too.
        acked = self._acks.get(str(envelope))
        if acked is not None and not acked.done():
            acked.set_result(Reply(None, payload if isinstance(payload, dict) and payload else None))

    async def _ping(self, connection: Connection) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(self.ping_every)
                if connection.silent:
                    return
                await connection.socket.ping(b"Ping from applink-sandbox")

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": self._workspace.bot.app_id},
            "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self._changed()

    def _changed(self) -> None:
        self._workspace.feed.publish({"type": "status"})
