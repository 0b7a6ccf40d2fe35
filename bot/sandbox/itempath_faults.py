"""What can go wrong between a bot and an ItemPath server, playable on demand.

A fault either lasts (a switch) or is one step of a script that answers the next requests one by one.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

CHUNK = 64 * 1024
REFUSED = web.RequestKey("refused", bool)
"""Set on a request whose credentials are to be refused whatever they are."""

_PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""`struct linger`: on, zero seconds."""


class Fault(enum.StrEnum):
    """The kinds of trouble; the first six of them are on the page's switch."""

    UNREACHABLE = "unreachable"
    """Nothing listens at the address: the connection is refused."""
    TIMEOUT = "timeout"
    """The request is accepted and not answered until `release()` or the end of the fault."""
    CREDENTIALS = "credentials"
    """Every token is refused with 401, every login as a bad one."""
    HTML = "html"
    """200 with a web page, as a proxy or a sign-in portal answers."""
    SERVER_ERROR = "server_error"
    """500."""
    RATE_LIMITED = "rate_limited"
    """429 with `Retry-After`."""
    RESET = "reset"
    """The TCP connection is reset as soon as the request is read."""
    BODY_HANG = "body_hang"
    """Status, headers and half of the body; the rest on `release()`."""
    CUT = "cut"
    """The TCP connection ends in the middle of the body."""
    TRUNCATED = "truncated"
    """A well-formed HTTP answer that holds the first half of the JSON."""
    BAD_GATEWAY = "bad_gateway"
    """502 with a proxy's page."""
    UNAVAILABLE = "unavailable"
    """503 with `Retry-After`."""
    WRONG_SHAPE = "wrong_shape"
    """200 with JSON that is no list of connections."""
    HUGE = "huge"
    """Valid JSON that is streamed and does not end before `huge_bytes`."""
    NO_RESOURCE = "no_resource"
    """404 for the connections alone, as ItemPath versions without this resource answer."""


_STATUSES = {
    Fault.HTML: HTTPStatus.OK,
    Fault.SERVER_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    Fault.BAD_GATEWAY: HTTPStatus.BAD_GATEWAY,
    Fault.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Fault.NO_RESOURCE: HTTPStatus.NOT_FOUND,
}

Step = Fault | Callable[[web.Request], Awaitable[web.StreamResponse]] | None
"""How one request is answered: with a fault, by a test's own handler, or as ever."""


class Gate:
    """Where hanging requests wait."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()

    async def passed(self) -> None:
        await self._opened.wait()

    def release(self) -> None:
        """Let everything go on that waits now; later requests wait again."""
        self._opened.set()
        self._opened = asyncio.Event()


class Player:
    """Plays faults on requests."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.retry_after = "7"
        """The value of `Retry-After`: seconds, or an HTTP date."""
        self.huge_bytes = 64 * 1024 * 1024

    async def play(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to `request` under `fault`; `handler` would give the ordinary one."""
        match fault:
            case Fault.UNREACHABLE | Fault.RESET:
                _end(request, reset=True)
                return web.Response()
            case Fault.TIMEOUT:
                await self.gate.passed()
            case Fault.CREDENTIALS:
                # The ordinary handler sees the mark, so one place words the refusal.
                request[REFUSED] = True
            case Fault.TRUNCATED | Fault.CUT | Fault.BODY_HANG | Fault.HUGE:
                return await self._spoil_body(fault, request, await handler(request))
            case Fault.NO_RESOURCE if not request.path.startswith("/api/connections"):
                pass
            case _:
                return self._instead(fault)
        return await handler(request)

    def _instead(self, fault: Fault) -> web.Response:
        """The faults that answer whatever was asked."""
        if fault is Fault.WRONG_SHAPE:
            return web.json_response({"status": "ok"})
        headers = {"Retry-After": self.retry_after} if fault in {Fault.UNAVAILABLE, Fault.RATE_LIMITED} else None
        status = _STATUSES[fault]
        title = "Sign in" if fault is Fault.HTML else status.phrase
        return web.Response(text=_PAGE.format(title=title), content_type="text/html", status=status, headers=headers)

    async def _spoil_body(self, fault: Fault, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        whole = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        half = len(whole) // 2
        if fault is Fault.TRUNCATED:
            return web.Response(body=whole[:half], status=answer.status, content_type="application/json")
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        if fault is Fault.HUGE:
            await response.prepare(request)
            await response.write(whole)
            # White space after JSON is valid: only a client that limits what it reads notices.
            for _ in range(self.huge_bytes // CHUNK):
                await response.write(b" " * CHUNK)
            return response
        response.content_length = len(whole)
        await response.prepare(request)
        await response.write(whole[:half])
        if fault is Fault.CUT:
            _end(request, reset=False)
            return response
        await self.gate.passed()
        await response.write(whole[half:])
        return response


def _end(request: web.Request, *, reset: bool) -> None:
    """End the TCP connection: after what was written has arrived, or with a reset."""
    transport = request.transport
    if transport is None:
        # The client was faster.
        return
    if reset:
        # With a zero linger the kernel sends RST instead of an orderly FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.close()
