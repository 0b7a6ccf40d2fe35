"""A small stand-in for the servers behind the page, and a real Chromium that looks at it."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.page import routes
from tests.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

HERE = Path(__file__).parent
TEAM = {"id": "T1", "name": "Warehouse"}
BOT = {"user_id": "UBOT", "bot_id": "B1", "name": "ItemPath Alerts"}


@dataclass(slots=True)
class FakeBackend:
    """Speaks the page API and the site API from plain lists, and writes down what the page posts."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"C1": [], "C2": []})
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: list[dict[str, Any]] = field(default_factory=list)
    sites: list[dict[str, Any]] = field(default_factory=list)
    posted: asyncio.Queue[tuple[str, dict[str, Any]]] = field(default_factory=asyncio.Queue)
    answer: dict[str, Any] = field(default_factory=lambda: {"ok": True})
    streams: dict[str, list[asyncio.Queue[dict[str, Any] | None]]] = field(default_factory=dict)
    followed: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    accepting: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def add(self, text: str = "", *, ts: float, channel: str = "C1", user: str = "UBOT", **more: Any) -> dict[str, Any]:
        """Puts a message into a channel without telling the page."""
        message = {"ts": f"{ts:.6f}", "user": user, "text": text, "channel": channel, **more}
        self.messages[channel].append(message)
        return message

    async def tell(self, event: dict[str, Any], stream: str = "/page/stream") -> None:
        """Sends an event to every page that follows the stream, once there is one."""
        await asyncio.wait_for(self.followed[stream].wait(), timeout=30)
        for queue in self.streams[stream]:
            queue.put_nowait(event)

    async def tell_message(self, message: dict[str, Any]) -> None:
        await self.tell({"type": "message", "message": message})

    async def next_post(self) -> tuple[str, dict[str, Any]]:
        return await asyncio.wait_for(self.posted.get(), timeout=30)

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(routes())
        app.router.add_get("/page/state", self._state)
        app.router.add_get("/sites/state", self._sites)
        for stream in ("/page/stream", "/sites/stream", "/demo/story"):
            app.router.add_get(stream, self._stream)
        app.router.add_post("/{path:(page|sites|demo)/.*}", self._post)
        app.on_shutdown.append(self._close)
        return app

    async def _state(self, _: web.Request) -> web.Response:
        people = [{"id": "U1", "name": "Mira"}, {"id": "U2", "name": "Jonas"}]
        channels = [{"id": "C1", "name": "alerts"}, {"id": "C2", "name": "orders"}]
        return web.json_response(
            {
                "team": TEAM,
                "me": "U1",
                "users": people,
                "channels": channels,
                "messages": self.messages,
                "ephemerals": self.ephemerals,
                "homes": self.homes,
                "views": self.views,
                "bot": BOT,
                "connected": True,
                "refusing": None,
            }
        )

    async def _sites(self, _: web.Request) -> web.Response:
        return web.json_response({"sites": self.sites})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        await self.accepting.wait()
        self.streams.setdefault(request.path, []).append(queue)
        try:
            await response.prepare(request)
            await response.write(b": here\n\n")
            self.followed[request.path].set()
            while (event := await queue.get()) is not None:
                await response.write(f"data: {json.dumps(event)}\n\n".encode())
        except ConnectionError:
            pass
        finally:
            self.streams[request.path].remove(queue)
        return response

    async def _post(self, request: web.Request) -> web.Response:
        self.posted.put_nowait((request.path, await request.json()))
        return web.json_response(self.answer)

    async def _close(self, _: web.Application) -> None:
        self.hang_up()
        self.accepting.set()

    def hang_up(self) -> None:
        """Ends every open stream, as a server that stops does; new ones wait until `accepting` is set."""
        self.accepting.clear()
        for queues in self.streams.values():
            for queue in queues:
                queue.put_nowait(None)


# One event loop for all of the folder's tests, because one browser serves them all: starting it takes seconds.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def backend() -> AsyncIterator[FakeBackend]:
    fake = FakeBackend()
    fake.accepting.set()
    async with TestServer(fake.application()) as server:
        fake.url = str(server.make_url("/"))
        yield fake


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, backend: FakeBackend) -> AsyncIterator[Page]:
    """A page on the fake backend; a console error, an exception or a request elsewhere fails the test."""
    context = await chromium.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC", locale="en-US")
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(backend.url) else wrong.append(request.url))
    page.set_default_timeout(30_000)
    yield page
    await context.close()

    assert wrong == []
