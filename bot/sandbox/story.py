"""The demonstration's story: an outage, an error, and a site out of sight, told within a minute, as often as one likes."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

HEARTBEAT = 15.0
"""Seconds between the comments that keep a silent stream alive."""

Act = Callable[[], Awaitable[object]] | Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    at: float
    """Seconds from the beginning."""
    text: str
    """What happens now, for the line at the top of the page."""
    act: Act
    """A `LookupError` means that somebody has taken away what it is about: the story goes on without it."""
    again: str = ""
    """The text from the second telling on, where it is another one."""


class How(enum.StrEnum):
    """How the story stands."""

    TOLD = "told"
    PAUSED = "paused"
    OVER = "over"


def _nothing() -> None:
    """What to do where there is nothing to do."""


class Teller:
    """Plays the beats, and tells whoever looks at the page where the story stands."""

    def __init__(
        self, beats: Sequence[Beat], *, reset: Act = _nothing, over: Act = _nothing, heartbeat: float = HEARTBEAT
    ) -> None:
        """`reset` brings everything back before the story is told anew; `over` is called after each telling."""
        self._beats = beats
        self._reset = reset
        self._over = over
        self._heartbeat = heartbeat
        self._how = How.TOLD
        self._beat: dict[str, object] | None = None
        self._told: dict[str, object] | None = None
        self._turn = asyncio.Condition()
        self._closing = False

    async def perform(self) -> None:
        """Play, and once more whenever somebody wishes so afterwards. Does not end."""
        await self.play()
        while True:
            await _done(self._over)
            async with self._turn:
                await self._turn.wait_for(lambda: self._how is not How.OVER)
            await _done(self._reset)
            await self.play(again=True)

    async def play(self, *, again: bool = False) -> None:
        """From the first beat to the last, pauses of somebody who looks included."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for step, beat in enumerate(self._beats, start=1):
            begun += await self._wait(begun + beat.at)
            text = (again and beat.again) or beat.text
            await self._tell(beat={"at": beat.at, "text": text, "step": step, "of": len(self._beats)})
            with contextlib.suppress(LookupError):
                await _done(beat.act)
        await self._tell(how=How.OVER)

    def mount(self, app: web.Application) -> None:
        """`GET /demo/story`: server-sent events, the latest beat first. `POST /demo/story/pause`, `/go-on` and `/again`:
        each does nothing where it has no meaning.
        """
        app.router.add_get("/demo/story", self._stream)
        app.router.add_post("/demo/story/pause", self._answering(How.TOLD, How.PAUSED))
        app.router.add_post("/demo/story/go-on", self._answering(How.PAUSED, How.TOLD))
        app.router.add_post("/demo/story/again", self._answering(How.OVER, How.TOLD))
        app.on_shutdown.append(self._close)

    async def _wait(self, until: float) -> float:
        """Wait for a moment of the event loop's clock, which every pause puts off; how long all pauses were."""
        loop = asyncio.get_running_loop()
        paused = 0.0
        while (left := until + paused - loop.time()) > 0 or self._how is How.PAUSED:
            async with self._turn:
                if self._how is How.PAUSED:
                    since = loop.time()
                    await self._turn.wait_for(lambda: self._how is not How.PAUSED)
                    paused += loop.time() - since
                else:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(left):
                            await self._turn.wait_for(lambda: self._how is How.PAUSED)
        return paused

    async def _tell(self, *, beat: dict[str, object] | None = None, how: How | None = None) -> None:
        async with self._turn:
            self._beat = beat or self._beat
            self._how = how or self._how
            self._told = self._beat and self._beat | {"how": self._how}
            self._turn.notify_all()

    def _answering(self, when: How, then: How) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_request: web.Request) -> web.Response:
            if self._how is when:
                await self._tell(how=then)
            return web.json_response({"ok": True})

        return answer

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


async def _done(act: Act) -> None:
    outcome = act()
    if isinstance(outcome, Awaitable):
        await outcome
