"""The HTTP face of a simulated ItemPath: logins and `GET /api/connections`, as its documentation shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.itempath_faults import REFUSED, Fault
from bot.sandbox.itempath_query import QueryRefused, count_only, matching, ordered, wanted_slice
from bot.sandbox.itempath_site import FIELDS, Call, ItemPathSite
from bot.sandbox.itempath_tokens import Kind, TokenRefused

_SORTABLE = tuple(key for key in FIELDS if key != "latestLog")
_REVOKED = "Token has been revoked"


def application(site: ItemPathSite) -> web.Application:
    """A fresh application that serves `site`; an application serves one runner only."""
    api = _Api(site)
    app = web.Application(middlewares=[api.answer])
    app.router.add_get("/api/connections", api.list_connections, allow_head=False)
    app.router.add_get("/api/connections/{id}", api.show_connection, allow_head=False)
    app.router.add_post("/api/users/login", api.login)
    app.router.add_route(hdrs.METH_ANY, "/api/users/refresh", api.refresh)
    return app


class _Api:
    def __init__(self, site: ItemPathSite) -> None:
        self._site = site

    @property
    def answer(self) -> Any:
        """The middleware: counts, plays faults, and says every error in JSON."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            step = self._site.arrived(_call(request))
            if isinstance(step, Fault):
                return await self._site.player.play(step, request, _in_json(handler))
            return await _in_json(step or handler)(request)

        return answer

    async def list_connections(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request, "access")
        site, quirks, query = self._site, self._site.quirks, request.query
        found: list[Any] = matching(site.rows(), query)
        in_order = ordered(found, query, fields=_SORTABLE)
        part = wanted_slice(query, cap=quirks.limit_cap, default_limit=quirks.default_limit)
        if count_only(query):
            return web.json_response(quirks.count_body(len(found) + len(site.extra_rows)))
        if not quirks.ignores_order:
            found = in_order
        body: Any = part.of([site.spelled(row) for row in found] + site.extra_rows)
        if quirks.after_page is not None:
            quirks.after_page()
        return web.json_response(body if quirks.wrap is None else {quirks.wrap: body})

    async def show_connection(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request, "access")
        for row in self._site.rows():
            if str(row["id"]) == request.match_info["id"]:
                return web.json_response(self._site.spelled(row))
        return web.json_response({"message": "Connection not found"}, status=404)

    async def login(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            return web.json_response({"message": "The body must be JSON"}, status=400)
        username, password = (body.get("username"), body.get("password")) if isinstance(body, dict) else (None, None)
        if not isinstance(username, str) or not isinstance(password, str):
            return web.json_response({"message": "'username' and 'password' are required"}, status=422)
        site = self._site
        if REFUSED in request or site.username is None or (username, password) != (site.username, site.password):
            return web.json_response({"message": "User not found"}, status=site.quirks.bad_login_status)
        access, access_end = site.tokens.issue("access", username, seconds=site.quirks.access_seconds)
        refresh, refresh_end = site.tokens.issue("refresh", username, seconds=site.quirks.refresh_seconds)
        return web.json_response(
            {
                "accessToken": access,
                "refreshToken": refresh,
                "accessTokenExpiryDate": _american(access_end),
                "refreshTokenExpiryDate": _american(refresh_end),
                "username": username,
                "timeZone": None,
            }
        )

    async def refresh(self, request: web.Request) -> web.StreamResponse:
        allowed = self._site.quirks.refresh_methods
        if request.method not in allowed:
            raise web.HTTPMethodNotAllowed(request.method, sorted(allowed))
        subject = self._authorize(request, "refresh")
        access, end = self._site.tokens.issue("access", subject, seconds=self._site.quirks.access_seconds)
        return web.json_response({"accessToken": access, "accessTokenExpiryDate": _american(end)})

    def _authorize(self, request: web.Request, kind: Kind) -> str:
        if REFUSED in request:
            raise TokenRefused(401, _REVOKED)
        return self._site.tokens.check(request.headers.get("Authorization"), kind)


def _in_json(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except TokenRefused as refusal:
            return web.json_response({"msg": refusal.msg}, status=refusal.status)
        except QueryRefused as refusal:
            return web.json_response({"message": str(refusal)}, status=400)
        except web.HTTPException as error:
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
            return web.json_response({"message": error.reason}, status=error.status, headers=headers)

    return answer


def _call(request: web.Request) -> Call:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return Call(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        peer=":".join(str(part) for part in (peer or ())[:2]),
    )


def _american(moment: datetime) -> str:
    """As logins show expiry: `01/31/2022, 12:00:00`."""
    return moment.strftime("%m/%d/%Y, %H:%M:%S")
