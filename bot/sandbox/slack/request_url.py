"""The other way to reach an app: signed posts to its request URL (source: Slack's page on verifying requests)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.socket_mode import Reply
from bot.sandbox.slack.workspace import Workspace


class RequestUrl:
    """Sends what people do to `url`, signed with the signing secret."""

    def __init__(self, workspace: Workspace, *, signing_secret: str, ack_within: float = 3.0) -> None:
        """`ack_within`: real seconds."""
        self.url: str | None = None
        self._workspace = workspace
        self._secret = signing_secret.encode()
        self.ack_within = ack_within

    async def deliver(self, kind: str, payload: dict[str, Any]) -> Reply:
        """`operation_timeout` without an answer in time, `dispatch_failed` for anything but a 200."""
        if kind == "events_api":
            body, content_type = json.dumps(payload), "application/json"
        else:
            fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content_type = urlencode(fields), "application/x-www-form-urlencoded"
        try:
            status, text = await self.send(body, content_type)
        except TimeoutError:
            return Reply("operation_timeout")
        except aiohttp.ClientError:
            return Reply("dispatch_failed")
        if status != 200:
            return Reply("dispatch_failed")
        return Reply(None, _immediate(text))

    async def verify(self) -> bool:
        """`url_verification`, as when the URL is entered in the app's settings: whether the challenge came back."""
        challenge = secrets.token_hex(16)
        body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "sandbox"})
        try:
            status, text = await self.send(body, "application/json")
        except (TimeoutError, aiohttp.ClientError):
            return False
        return status == 200 and challenge in text

    async def send(self, body: str, content_type: str, **headers: str) -> tuple[int, str]:
        """One signed post: its status and body. `headers` (with `_` for `-`) replace those that Slack sends."""
        stamp = str(int(self._workspace.now()))
        digest = hmac.new(self._secret, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        timeout = aiohttp.ClientTimeout(total=self.ack_within)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(str(self.url), data=body.encode(), headers=sent) as response,
        ):
            return response.status, await response.text()


def _immediate(text: str) -> dict[str, Any] | None:
    """The answer that came with the acknowledgement: JSON, or a bare text, or nothing."""
    if not text.strip():
        return None
    try:
        payload = json.loads(text)
    except ValueError:
        return {"text": text}
    return payload if isinstance(payload, dict) and payload else None
