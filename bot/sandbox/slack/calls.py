"""The way of every call the bot makes: written down, held at gates, made to fail if a fault is planned, answered."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.slack.errors import RateLimitedError, SlackError
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.workspace import Message, Workspace


@dataclass(slots=True)
class Call:
    """One call as it came in: never with its token."""

    method: str
    arguments: dict[str, Any]
    at: float
    outcome: str = "pending"
    """`ok`, Slack's error code, or the kind of the fault that met it before it was carried out."""
    message: Message | None = None
    """The message that it made or changed."""
    answered: bool = False
    """Whether the true answer went back."""


@dataclass(slots=True)
class Calls:
    """The log of all calls, and how each is served."""

    workspace: Workspace
    faults: Faults
    log: list[Call] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def made(self, method: str) -> list[Call]:
        return [call for call in self.log if call.method == method]

    async def serve(
        self,
        request: web.Request,
        method: str,
        arguments: dict[str, Any],
        run: Callable[[Call], web.Response],
        *,
        error_status: int = 200,
    ) -> web.StreamResponse:
        """`run` carries the call out, without ever waiting, and raises `SlackError` to refuse it."""
        call = Call(method, arguments, self.workspace.now())
        self.log.append(call)
        self.workspace.feed.poke()
        try:
            await self.faults.hold(method, before=True)
            fault = self.faults.take(method, arguments)
            if fault is not None and not fault.accepted:
                call.outcome = fault.error or fault.kind
                return await self._fail(request, fault, error_status)
            try:
                response = run(call)
                call.outcome = "ok"
            except SlackError as error:
                call.outcome = error.code
                return self._refusal(error, error_status)
            if fault is not None and call.message is not None and fault.visible_after:
                self.workspace.hide(call.message, fault.visible_after)
            self.workspace.feed.poke()
            await self.faults.hold(method, before=False)
            if fault is not None and fault.kind != "answer":
                return await self._fail(request, fault, error_status)
            call.answered = True
            return response
        finally:
            self.workspace.feed.poke()

    def answer(self, body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    def _refusal(self, error: SlackError, status: int) -> web.Response:
        if isinstance(error, RateLimitedError):
            return self.answer(error.answer(), status=429, headers={"Retry-After": str(error.retry_after)})
        return self.answer(error.answer(), status=status)

    async def _fail(self, request: web.Request, fault: Fault, error_status: int) -> web.StreamResponse:
        match fault.kind:
            case "rate_limited":
                return self._refusal(RateLimitedError(fault.retry_after), error_status)
            case "error":
                return self._refusal(SlackError(fault.error), error_status)
            case "garbage":
                return web.Response(text="<html>not what was asked for", content_type="application/json")
            case "hang":
                await self.closing.wait()
            case "drop":
                transport_of(request).close()
            case "reset":
                # Lingering for zero seconds turns the close into a reset.
                connection = transport_of(request).get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport_of(request).abort()
            case _:
                pass
        status = fault.status if fault.kind == "status" else 503
        return web.Response(status=status, text="<html>upstream connect error</html>", content_type="text/html")


def transport_of(request: web.Request) -> asyncio.WriteTransport:
    """The connection that the request came on, to be ended without manners; `ConnectionResetError` if it is gone."""
    transport = request.transport
    if not isinstance(transport, asyncio.WriteTransport):
        raise ConnectionResetError("the caller has gone")
    return transport
