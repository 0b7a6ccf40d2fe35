"""The Web API's front door: `/api/<method>` with forms or JSON, tokens, limits and Slack's way of answering."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.slack.access import Access
from bot.sandbox.slack.calls import Call, Calls
from bot.sandbox.slack.chat import Chat
from bot.sandbox.slack.conversations import Conversations
from bot.sandbox.slack.errors import RateLimitedError, SlackError
from bot.sandbox.slack.interactions import Triggers
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.views import Views
from bot.sandbox.slack.workspace import Workspace

Method = Callable[[Call], dict[str, Any]]
# Slack takes JSON for these alone; elsewhere a JSON body counts as no arguments at all.
_JSON = ("chat.", "views.", "apps.", "api.", "auth.", "conversations.join")


class WebApi:
    """Every method that this workspace knows."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        calls: Calls,
        access: Access,
        limits: RateLimits,
        sockets: SocketMode,
        triggers: Triggers,
        bot_token: str,
        app_token: str,
    ) -> None:
        chat, conversations, views = Chat(access), Conversations(access), Views(workspace, triggers)
        self._workspace = workspace
        self._calls = calls
        self._limits = limits
        self._sockets = sockets
        self._access = access
        self._tokens = {bot_token: "bot", app_token: "app"}
        self._methods: dict[str, Method] = {
            "chat.postMessage": chat.post_message,
            "chat.update": chat.update,
            "chat.delete": chat.delete,
            "chat.postEphemeral": chat.post_ephemeral,
            "chat.getPermalink": chat.permalink,
            "conversations.history": conversations.history,
            "conversations.replies": conversations.replies,
            "conversations.list": conversations.channels,
            "conversations.info": conversations.info,
            "conversations.join": conversations.join,
            "users.info": conversations.user,
            "views.publish": views.publish,
            "views.open": views.open,
            "views.update": views.update,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`/api/{method}`."""
        method = request.match_info["method"]
        arguments, problem = await _arguments(request, method)
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = arguments.pop("token", None)
        if scheme == "Bearer":
            token = bearer

        def run(call: Call) -> web.Response:
            if problem is not None:
                raise SlackError(problem)
            return self._calls.answer(
                self._run(request, call, token), headers={"x-oauth-scopes": ",".join(sorted(self._access.scopes))}
            )

        return await self._calls.serve(request, method, arguments, run)

    def _run(self, request: web.Request, call: Call, token: str | None) -> dict[str, Any]:
        method = call.method
        if method == "api.test":
            return {"ok": True, "args": call.arguments}
        if method not in ("auth.test", "apps.connections.open") and method not in self._methods:
            raise SlackError("unknown_method", req_method=method)
        if not token:
            raise SlackError("not_authed")
        kind = self._tokens.get(token)
        if kind is None:
            raise SlackError("invalid_auth")
        if method == "auth.test":
            return self._auth(request, kind)
        if kind != ("app" if method == "apps.connections.open" else "bot"):
            raise SlackError("not_allowed_token_type")
        wait = self._limits.take(method, self._channel(call.arguments))
        if wait is not None:
            raise RateLimitedError(wait)
        if method == "apps.connections.open":
            ticket, app = self._sockets.ticket(), self._workspace.bot.app_id
            return {"ok": True, "url": f"ws://{request.host}/link/?ticket={ticket}&app_id={app}"}
        return self._methods[method](call)

    def _auth(self, request: web.Request, kind: str) -> dict[str, Any]:
        bot, team = self._workspace.bot, self._workspace.team
        if kind == "app":
            return {"ok": True, "app_name": bot.name, "app_id": bot.app_id}
        return {
            "ok": True,
            "url": f"http://{request.host}/",
            "team": team.name,
            "team_id": team.id,
            "user": bot.name,
            "user_id": bot.user_id,
            "bot_id": bot.bot_id,
            "is_enterprise_install": False,
        }

    def _channel(self, arguments: dict[str, Any]) -> str:
        """By which name a channel's limit is counted: its id, however it was addressed."""
        given = str(arguments.get("channel", "")).removeprefix("#")
        channels = self._workspace.channels.values()
        return next((channel.id for channel in channels if channel.name == given), given)


async def _arguments(request: web.Request, method: str) -> tuple[dict[str, Any], str | None]:
    """The call's arguments from the query and the body, and the error if the body cannot be read."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text())
        except ValueError:
            return arguments, "invalid_json"
        if not isinstance(body, dict):
            return arguments, "json_not_object"
        body.pop("token", None)  # tokens are not taken from JSON bodies
        return (arguments | body if method.startswith(_JSON) else arguments), None
    return arguments | dict(await request.post()), None
