"""The demonstration's story: an outage, an error, and a site out of sight, told within a minute."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

HEARTBEAT = 15.0
"""Seconds between the comments that keep a silent stream alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    at: float
    """Seconds from the beginning."""
    text: str
    """What happens now, for the line at the top of the page."""
    act: Callable[[], Awaitable[object]] | Callable[[], object]
    """A `LookupError` means that somebody has taken away what it is about: the story goes on without it."""


class Teller:
    """Plays the beats, and tells whoever looks at the page where the story stands."""

    def __init__(self, beats: Sequence[Beat], *, heartbeat: float = HEARTBEAT) -> None:
        self._beats = beats
        self._heartbeat = heartbeat
        self._told: dict[str, object] | None = None
        self._turn = asyncio.Condition()
        self._closing = False

    async def play(self) -> None:
        started = asyncio.get_running_loop().time()
        for step, beat in enumerate(self._beats, start=1):
            await asyncio.sleep(max(0.0, started + beat.at - asyncio.get_running_loop().time()))
            await self._tell({"at": beat.at, "text": beat.text, "step": step, "of": len(self._beats)})
            with contextlib.suppress(LookupError):
                outcome = beat.act()
                if isinstance(outcome, Awaitable):
                    await outcome

    def mount(self, app: web.Application) -> None:
        """`GET /demo/story`: server-sent events, the latest beat first."""
        app.router.add_get("/demo/story", self._stream)
        app.on_shutdown.append(self._close)

    async def _tell(self, told: dict[str, object]) -> None:
        async with self._turn:
            self._told = told
            self._turn.notify_all()

    async def _close(self, _app: web.Application) -> None:
        async with self._turn:
            self._closing = True
            self._turn.notify_all()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        # A reader that has gone shows itself only when it is written to.
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await self._write_beats(response)
        return response

    async def _write_beats(self, response: web.StreamResponse) -> None:
        shown: dict[str, object] | None = None
        while not self._closing:
            event = b": still here"
            if self._told is not shown:
                shown = self._told
                event = f"data: {json.dumps(shown)}".encode()
            await response.write(event + b"\n\n")
            await self._news(shown)

    async def _news(self, shown: dict[str, object] | None) -> None:
        """Wait for another beat than the one that is shown, but not for long: a silent stream is kept alive."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat), self._turn:
                await self._turn.wait_for(lambda: self._closing or self._told is not shown)
