"""`POST /slack/events`: signed requests of Slack, for apps with a request URL instead of Socket Mode.

Sources: Slack's pages on verifying requests, on slash commands, on interactivity and on the Events API.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_sdk.signature import Clock as StampClock
from slack_sdk.signature import SignatureVerifier

from bot.slack.ingress.reception import Reception

_log = structlog.get_logger(__name__)

MAX_BODY = 512 * 1024
"""Bytes. A click brings the message that it is on, which is far smaller."""
BODY_WITHIN = 10.0
"""Seconds for the body to arrive."""
TOLD_EVERY = 60.0
"""Seconds between two words in the log about what was refused."""
SIGNED_WITHIN = 60 * 5
"""Seconds for which Slack's verifier takes a signature for good."""
MAX_FIELDS = 100


class _Stamp(StampClock):
    """The bot's clock as the verifier wants it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class HttpIngress:
    def __init__(self, *, signing_secret: str, reception: Reception, now: Callable[[], float]) -> None:
        """`now`: seconds since the epoch, for the age of a signature. Real ones: Slack signs with them."""
        self._verifier = SignatureVerifier(signing_secret, clock=_Stamp(now))
        self._reception = reception
        self._now = now
        self._refused_since_told = 0
        self._told_at: float | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """200 for what is Slack's, with the answer if there is one by then; 401 for what may not be; 400 for nonsense.

        A repetition (`X-Slack-Retry-Num`) is handled like any other: acknowledging twice changes nothing.
        """
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _read(request)
        except TimeoutError:
            return _refused(408, "The body did not arrive in time.")
        except (ConnectionError, web.RequestPayloadError):
            # Of whatever did not arrive whole the signature is wrong; and a stranger must not fill the log.
            body = b""
        if body is None:
            return _refused(413, f"The body is larger than {MAX_BODY} bytes.")
        if not self._genuine(body, request.headers):
            self._tell(request)
            return _refused(401, "The signature is missing, wrong, or more than five minutes old.")
        if request.content_type == "application/json":
            return self._event(body)
        if request.content_type == "application/x-www-form-urlencoded":
            return await self._form(body)
        return _refused(400, "Neither a form nor JSON.")

    def _genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (ValueError, TypeError, OverflowError):
            # The verifier takes numbers, ASCII and UTF-8 for granted.
            return False

    def _tell(self, request: web.Request) -> None:
        """The log hears why, as it may be the settings' fault; and not of each, as strangers may send them by thousands."""
        self._refused_since_told += 1
        now = self._now()
        if self._told_at is not None and 0 <= now - self._told_at < TOLD_EVERY:
            return
        _log.warning(
            "refused requests that are not signed as Slack signs",
            reason=_why_not(request.headers, now),
            remote=request.remote,
            times=self._refused_since_told,
        )
        self._refused_since_told, self._told_at = 0, now

    def _event(self, body: bytes) -> web.Response:
        """Slack tries again what is not acknowledged within three seconds."""
        payload = _object(body)
        if payload is None:
            return _refused(400, "The body is no JSON object.")
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": str(payload.get("challenge", ""))})
        self._reception.event(payload)
        return web.Response()

    async def _form(self, body: bytes) -> web.Response:
        try:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError:
            return _refused(400, "The form has too many fields.")
        if "payload" in fields:
            payload = _object(fields["payload"])
            if payload is None:
                return _refused(400, "`payload` is no JSON object.")
            self._reception.action(payload)
            return web.Response()
        if "command" in fields:
            answer = await self._reception.command(fields)
            return web.Response() if answer is None else web.json_response(answer)
        if "ssl_check" in fields:
            return web.Response()
        return _refused(400, "Neither a command nor an interaction.")


def _why_not(headers: Mapping[str, str], now: float) -> str:
    """What an operator has to look at; nothing of the request itself."""
    stamp = headers.get("X-Slack-Request-Timestamp", "")
    if not stamp or not headers.get("X-Slack-Signature"):
        return "without a signature: not from Slack, or something on the way takes the X-Slack- headers away"
    if stamp.isascii() and stamp.isdecimal() and len(stamp) < 15 and abs(now - int(stamp)) > SIGNED_WITHIN:
        return "signed more than five minutes ago: sent again by somebody, or this machine's clock is wrong"
    return "another signature: not from Slack, or SLACK_SIGNING_SECRET is not that of this app"


async def _read(request: web.Request) -> bytes | None:
    """`None` when it is too large. Read by hand, so that the limit is the same in every application."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refused(status: int, why: str) -> web.Response:
    return web.Response(status=status, text=why + "\n")
