"""`response_url`: how an app answers a command or a click, five times within half an hour."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack.access import flag
from bot.sandbox.slack.calls import Call, Calls
from bot.sandbox.slack.chat import content
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.workspace import Ephemeral, Message, Workspace

USES = 5
SECONDS = 30 * 60


@dataclass(slots=True, kw_only=True)
class Occasion:
    """What is answered: who did something, and where."""

    channel: str
    user: str
    opened: float
    command: str | None = None
    message: Message | None = None
    ephemeral: str | None = None
    used: int = 0


class Responses:
    """Hands out `response_url`s and takes what is posted to them."""

    def __init__(self, workspace: Workspace, calls: Calls, *, speed: float = 1.0) -> None:
        self._seconds = SECONDS * speed
        self._workspace = workspace
        self._calls = calls
        self._occasions: dict[str, Occasion] = {}

    def open(self, occasion: Occasion) -> str:
        """The path of the new URL."""
        token = secrets.token_hex(12)
        self._occasions[token] = occasion
        return f"/response/{token}"

    async def take(self, request: web.Request) -> web.StreamResponse:
        """`POST /response/{token}`: `ok`, or Slack's error with a status that is not 200."""
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        arguments = body if isinstance(body, dict) else {}

        def run(call: Call) -> web.Response:
            occasion = self._occasion(request.match_info["token"])
            if arguments is not body:
                raise SlackError("invalid_payload")
            call.message = self.apply(occasion, arguments)
            occasion.used += 1
            return web.Response(text="ok")

        return await self._calls.serve(request, "response_url", arguments, run, error_status=404)

    def apply(self, occasion: Occasion, answer: dict[str, Any]) -> Message | None:
        """Show the answer; the message it made or changed in the channel, if that is where it went."""
        original = occasion.message
        if original is not None and self._workspace.find(occasion.channel, original["ts"]) is not original:
            raise SlackError("message_not_found")
        if flag(answer.get("delete_original")):
            self._delete(occasion)
            return None
        fields = content(answer)
        replace = flag(answer.get("replace_original"))
        if replace and original is not None:
            self._workspace.edit(original, {"blocks": []} | fields, by=self._workspace.bot.user_id)
            return original
        if answer.get("response_type") == "in_channel":
            bot = self._workspace.bot
            return self._workspace.post(
                occasion.channel,
                user=bot.user_id,
                text=fields.pop("text", ""),
                bot_id=bot.bot_id,
                app_id=bot.app_id,
                thread_ts=answer.get("thread_ts"),
                **fields,
            )
        ephemeral = Ephemeral(
            id=(occasion.ephemeral if replace else None) or self._workspace.next_ts(),
            channel=occasion.channel,
            user=occasion.user,
            text=fields.get("text", ""),
            blocks=fields.get("blocks", []),
            attachments=fields.get("attachments", []),
            command=occasion.command,
            thread_ts=answer.get("thread_ts"),
        )
        self._workspace.whisper(ephemeral)
        if original is None:
            occasion.ephemeral = ephemeral.id
        return None

    def _occasion(self, token: str) -> Occasion:
        occasion = self._occasions.get(token)
        if occasion is None:
            raise SlackError("invalid_token")
        if self._workspace.now() - occasion.opened > self._seconds:
            raise SlackError("expired_url")
        if occasion.used >= USES:
            raise SlackError("used_url")
        return occasion

    def _delete(self, occasion: Occasion) -> None:
        if occasion.message is not None:
            self._workspace.delete(occasion.message)
        elif occasion.ephemeral is not None:
            self._workspace.unwhisper(occasion.ephemeral)
