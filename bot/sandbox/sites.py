"""The switches behind the demonstration's page: what a person may do to the simulated ItemPath sites.

`GET /sites/state`, `GET /sites/stream` (server-sent events), `POST /sites/{name}/connections`,
`POST /sites/{name}/connections/{id}`, `POST /sites/{name}/fault`. Answers are `{"ok": true, …}` or
`{"ok": false, "error": "…"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_site import ItemPathSite

HEARTBEAT = 15.0
"""Seconds between the comments that keep a silent stream alive."""

Quiet = Callable[[str, str], dict[str, Any] | None]
"""Of a site's name and a connection's: why the bot is silent about it on purpose, `{"until": seconds, "reason": text}`."""

_FIELDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "type": (str,),
    "url": (str,),
    "authentication": (str,),
    "username": (str,),
    "appId": (int,),
    "integrationCount": (int,),
    "isTestable": (bool,),
    "status": (int, type(None)),
}
"""What a person may say of a connection."""


class Refused(Exception):
    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def never(_site: str, _connection: str) -> None:
    """Nothing is quiet on purpose."""


def mount_sites(
    app: web.Application,
    sites: Iterable[SimulatedItemPath],
    *,
    quiet: Quiet = never,
    heartbeat: float = HEARTBEAT,
) -> None:
    """Add the site API to the page's application; open streams end when it shuts down."""
    board = _Board(sites, quiet=quiet, heartbeat=heartbeat)
    app.add_routes(
        [
            web.get("/sites/state", board.state),
            web.get("/sites/stream", board.stream),
            web.post("/sites/{name}/connections", _answering(board.add)),
            web.post("/sites/{name}/connections/{id}", _answering(board.change)),
            web.post("/sites/{name}/fault", _answering(board.set_fault)),
        ]
    )
    app.on_shutdown.append(board.close)


def site_state(site: SimulatedItemPath, quiet: Quiet = never) -> dict[str, Any]:
    """A site as the page draws it."""
    return {
        "name": site.name,
        "url": site.url,
        "reachable": site.reachable,
        "fault": site.fault,
        "connections": [row | {"quiet": quiet(site.name, str(row["name"]))} for row in site.rows()],
        "calls": site.calls,
    }


class _Board:
    def __init__(self, sites: Iterable[SimulatedItemPath], *, quiet: Quiet, heartbeat: float) -> None:
        self._quiet = quiet
        self._sites = {site.name: site for site in sites}
        self._heartbeat = heartbeat
        self._closing = False
        self._streams: set[asyncio.Event] = set()

    async def close(self, _: web.Application) -> None:
        self._closing = True
        for changed in self._streams:
            changed.set()

    async def state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"sites": [site_state(site, self._quiet) for site in self._sites.values()]})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        # Names instead of states: a slow reader gets the newest state once, not every one in between.
        names: dict[str, None] = {}
        changed = asyncio.Event()

        def note(site: ItemPathSite) -> None:
            names[site.name] = None
            changed.set()

        self._streams.add(changed)
        for site in self._sites.values():
            site.listeners.append(note)
        try:
            # A reader that has gone shows itself only when it is written to.
            with contextlib.suppress(ConnectionError):
                # Listening began above: a reader that asks for the state once it sees the headers misses nothing.
                await response.prepare(request)
                await self._write_changes(response, names, changed)
        finally:
            self._streams.discard(changed)
            for site in self._sites.values():
                site.listeners.remove(note)
        return response

    async def _write_changes(
        self, response: web.StreamResponse, names: dict[str, None], changed: asyncio.Event
    ) -> None:
        await response.write(b": open\n\n")
        while not self._closing:
            try:
                async with asyncio.timeout(self._heartbeat):
                    await changed.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
            changed.clear()
            while names:
                name = next(iter(names))
                del names[name]
                event = json.dumps({"type": "site", "site": site_state(self._sites[name], self._quiet)})
                await response.write(f"data: {event}\n\n".encode())

    async def add(self, request: web.Request) -> dict[str, Any]:
        fields = await _body(request)
        for key, value in fields.items():
            if key not in _FIELDS or not _is(value, _FIELDS[key]):
                raise Refused(f"invalid_{key}" if key in _FIELDS else "unknown_field")
        if not fields.get("name", "").strip():
            raise Refused("name_required")
        return {"id": self._site(request).add(**fields)}

    async def change(self, request: web.Request) -> dict[str, Any]:
        body = await _body(request)
        site, connection = self._site(request), request.match_info["id"]
        try:
            site.row(connection)
        except LookupError:
            raise Refused("no_such_connection", 404) from None
        match body:
            case {"remove": True}:
                site.remove(connection)
            case {"status": status} if _is(status, (int, type(None))):
                site.set_status(connection, status)
            case {"error": str(text)} if text.strip():
                return {"log": site.write_error(connection, text)}
            case {"log": str(text)} if text.strip():
                return {"log": site.write_log(connection, text)}
            case _:
                raise Refused("nothing_to_do")
        return {}

    async def set_fault(self, request: web.Request) -> dict[str, Any]:
        body = await _body(request)
        fault = body.get("fault")
        if "fault" not in body or not _is(fault, (str, type(None))):
            raise Refused("invalid_fault")
        site = self._site(request)
        try:
            await site.set_fault(fault)
        except ValueError:
            raise Refused("invalid_fault") from None
        return {}

    def _site(self, request: web.Request) -> SimulatedItemPath:
        try:
            return self._sites[request.match_info["name"]]
        except KeyError:
            raise Refused("no_such_site", 404) from None


def _answering(act: Callable[[web.Request], Any]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response({"ok": True, **await act(request)})
        except Refused as refusal:
            return web.json_response({"ok": False, "error": refusal.error}, status=refusal.status)

    return answer


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(body, dict):
        raise Refused("invalid_json")
    return body


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a JSON value is of one of the kinds; Python counts `true` among the integers, JSON does not."""
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
