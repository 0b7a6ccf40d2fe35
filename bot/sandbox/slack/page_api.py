"""What the web page shows and does: people's side of the workspace."""

from __future__ import annotations

import asyncio
import html
import json
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.slack.calls import Calls
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.workspace import Workspace


class PageApi:
    """State and stream for the page, and what a person does there. `me` is the user whom the page starts as."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        calls: Calls,
        sockets: SocketMode,
        interactions: Interactions,
        me: str,
        alive_every: float = 15.0,
    ) -> None:
        """`alive_every`: real seconds between the comments that keep the stream alive."""
        self._workspace = workspace
        self._calls = calls
        self._sockets = sockets
        self._interactions = interactions
        self._me = me
        self.alive_every = alive_every

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/page/state", self.state),
            web.get("/page/stream", self.stream),
            web.post("/page/command", self.command),
            web.post("/page/action", self.action),
            web.post("/page/say", self.say),
            web.post("/page/delete", self.delete),
            web.post("/page/refuse", self.refuse),
            web.post("/page/home", self.home),
            web.post("/page/view-action", self.view_action),
            web.post("/page/view-close", self.view_close),
        ]

    async def state(self, _: web.Request) -> web.Response:
        workspace, bot = self._workspace, self._workspace.bot
        return web.json_response(
            {
                "team": {"id": workspace.team.id, "name": workspace.team.name},
                "me": self._me,
                "users": [{"id": user.id, "name": user.name} for user in workspace.users.values()],
                "channels": [{"id": channel.id, "name": channel.name} for channel in workspace.channels.values()],
                "messages": {
                    channel: [workspace.shown(message) for message in workspace.messages(channel)]
                    for channel in workspace.channels
                },
                "homes": workspace.homes,
                "views": list(workspace.views.values()),
                "ephemerals": [ephemeral.as_page() for ephemeral in workspace.ephemerals.values()],
                "bot": {"user_id": bot.user_id, "bot_id": bot.bot_id, "name": bot.name},
                **self._status(),
            }
        )

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events until the page or the server goes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        queue = self._workspace.feed.subscribe()
        closing = asyncio.create_task(self._calls.closing.wait())
        upcoming: asyncio.Task[dict[str, Any]] | None = None
        try:
            await response.prepare(request)
            await response.write(b": here\n\n")
            while not closing.done():
                upcoming = asyncio.create_task(queue.get())
                await asyncio.wait({upcoming, closing}, timeout=self.alive_every, return_when=asyncio.FIRST_COMPLETED)
                if upcoming.done():
                    event = upcoming.result()
                    event = event | self._status() if event["type"] == "status" else event
                    await response.write(f"data: {json.dumps(event)}\n\n".encode())
                else:
                    upcoming.cancel()
                    await response.write(b": alive\n\n")
        except ConnectionError:
            pass  # the page has gone
        finally:
            closing.cancel()
            if upcoming is not None:
                upcoming.cancel()
            self._workspace.feed.unsubscribe(queue)
        return response

    async def command(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        error = await self._interactions.command(
            body["channel"], body["user"], str(body.get("text", "")), thread_ts=body.get("thread_ts")
        )
        return _answer(error)

    async def action(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        error = await self._interactions.click(
            body["channel"],
            body["user"],
            action_id=str(body.get("action_id")),
            block_id=body.get("block_id"),
            value=body.get("value"),
            message_ts=body.get("message_ts"),
            ephemeral=body.get("ephemeral"),
        )
        return _answer(error)

    async def say(self, request: web.Request) -> web.Response:
        """A person writes. What starts with a slash is a command here too, and refused in threads."""
        body = await self._body(request)
        channel, user, text, thread = body["channel"], body["user"], str(body.get("text", "")), body.get("thread_ts")
        if text.startswith("/"):
            return _answer(await self._interactions.command(channel, user, text, thread_ts=thread))
        if not text.strip():
            return _answer("no_text")
        if thread is not None and self._workspace.find(channel, thread) is None:
            return _answer("thread_not_found")
        # Slack keeps what people type with these three escaped.
        self._workspace.post(channel, user=user, text=html.escape(text, quote=False), thread_ts=thread)
        return _answer(None)

    async def delete(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        message = self._workspace.find(body["channel"], str(body.get("ts")))
        if message is None:
            return _answer("message_not_found")
        self._workspace.delete(message)
        return _answer(None)

    async def refuse(self, request: web.Request) -> web.Response:
        """`{"error": null}` ends it."""
        body = await _json(request)
        error = body.get("error")
        self.let(str(error) if error else None)
        return _answer(None)

    def let(self, error: str | None = None) -> None:
        """Refuse whatever the bot asks with this error; with `None`, let it."""
        self._calls.faults.refusing = error
        self._workspace.feed.publish({"type": "status"})

    async def home(self, request: web.Request) -> web.Response:
        """`user` opens the app's Home tab; what it shows comes with the stream."""
        body = await _json(request)
        return _answer(await self._interactions.open_home(self._user(body)))

    async def view_action(self, request: web.Request) -> web.Response:
        """A click on a modal (`view` is its id), or without one on the Home tab."""
        body = await _json(request)
        user = self._user(body)
        named = body.get("view")
        view = self._workspace.homes.get(user) if named is None else self._workspace.views.get(str(named))
        if view is None:
            return _answer("view_not_found")
        error = await self._interactions.click_view(
            user,
            view,
            action_id=str(body.get("action_id")),
            block_id=body.get("block_id"),
            value=body.get("value"),
        )
        return _answer(error)

    async def view_close(self, request: web.Request) -> web.Response:
        body = await _json(request)
        self._workspace.close_view(str(body.get("view")))
        return _answer(None)

    def _user(self, body: dict[str, Any]) -> str:
        user = str(body.get("user", self._me))
        if user not in self._workspace.users:
            raise _bad("user_not_found")
        return user

    def _status(self) -> dict[str, Any]:
        return {"connected": self._sockets.connected, "refusing": self._calls.faults.refusing}

    async def _body(self, request: web.Request) -> dict[str, Any]:
        """An object that names a channel, and a user (the page's own if it names none), who exist."""
        body = await _json(request)
        body.setdefault("user", self._me)
        for key, known in (("channel", self._workspace.channels), ("user", self._workspace.users)):
            if str(body.get(key)) not in known:
                raise _bad(f"{key}_not_found")
        return body


async def _json(request: web.Request) -> dict[str, Any]:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        # Any page open in the same browser could post here otherwise.
        raise web.HTTPForbidden(text="another origin")
    try:
        body = json.loads(await request.text())
    except ValueError:
        raise _bad("invalid_json") from None
    if not isinstance(body, dict):
        raise _bad("json_not_object")
    return body


def _bad(error: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"ok": False, "error": error}), content_type="application/json")


def _answer(error: str | None) -> web.Response:
    return web.json_response({"ok": True} if error is None else {"ok": False, "error": error})
