"""The one way to Slack's Web API: the real slack-sdk, one attempt a call, answers turned into values or typed errors."""

from __future__ import annotations

import logging
import math
import socket
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import Ambiguous, NotSent, Obstacle, RateLimited, SlackError, from_answer

TIMEOUT = 10.0
"""Seconds for one call. Slack answers in well under a second; what takes longer is looked up rather than waited for."""

DEFAULT_RETRY_AFTER = 30.0
"""Seconds to wait after a 429 without a readable `Retry-After`."""
LEAST_RETRY_AFTER = 1.0
MOST_RETRY_AFTER = 3600.0
"""Slack asks for seconds, seldom for a minute. Less would be a hot loop, more is taken for a fault of something between."""


class Counts(Protocol):
    """Where outcomes are counted."""

    def message(self, method: str, outcome: str) -> None: ...


class SlackCalls:
    """One keep-alive session to Slack. Every failure is a `SlackError`; nothing is tried twice here."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        counts: Counts | None = None,
        timeout: float = TIMEOUT,
        trust_env: bool = True,
    ) -> None:
        """`trust_env`: whether proxies named in the environment are used."""
        self._token = token
        self.api_url = api_url
        self._counts = counts
        self._timeout = timeout
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self._closed = False
        self.scopes: frozenset[str] | None = None
        """What the token may do, as the latest answer that named it did; `None` while none has."""

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """The answer to `method`, such as `chat.postMessage`, called with a JSON body."""
        try:
            answer = await self._attempt(method, arguments)
        except SlackError as error:
            self._count(method, error.error)
            raise
        self._count(method, "ok")
        return answer

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """As `call`, for methods that take their arguments as a query only, such as `conversations.history`."""
        return await self.call(method, _as_query=True, **arguments)

    async def close(self) -> None:
        """Calls made afterwards are `NotSent`."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _count(self, method: str, outcome: str) -> None:
        if self._counts is not None:
            self._counts.message(method, outcome)

    async def _attempt(self, method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        as_query = arguments.pop("_as_query", False)
        given = {name: value for name, value in arguments.items() if value is not None}
        if self._closed:
            # With a closed session the SDK would open one of its own, with other settings.
            raise NotSent("closed")
        try:
            if as_query:
                response = await self._opened().api_call(method, http_verb="GET", params=given)
            else:
                response = await self._opened().api_call(method, json=given)
        except SlackApiError as error:
            raise _typed(error) from None
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
            aiohttp.InvalidURL,
        ) as error:
            # Without the error itself: a proxy's holds its address, which may hold a password.
            raise NotSent("unreachable", obstacle=_obstacle(error)) from None
        except (aiohttp.ClientError, OSError):  # TimeoutError too
            raise Ambiguous("no_answer") from None
        except Exception:  # noqa: BLE001 - the SDK stumbles over JSON that is no object, and perhaps over more
            raise Ambiguous("unreadable_answer") from None
        granted = response.headers.get("x-oauth-scopes")
        if granted is not None:
            self.scopes = frozenset(granted.replace(",", " ").split())
        data = response.data
        if not isinstance(data, dict):
            raise Ambiguous("unreadable_answer")
        return data

    def _opened(self) -> AsyncWebClient:
        if self._client is None:
            self._session = aiohttp.ClientSession(
                # A connection that does not come about in time is certainly not a message that was accepted.
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout / 2),
                trust_env=self._trust_env,
            )
            self._client = AsyncWebClient(
                token=self._token,
                base_url=self.api_url,
                session=self._session,
                # Only the delivery retries: the default handler repeats a post after a dropped connection.
                retry_handlers=[],
                logger=_QUIET,
            )
            # The SDK reads a proxy from the environment whatever it is told, and knows no NO_PROXY; the session does.
            self._client.proxy = None
        return self._client


_QUIET = logging.getLogger("bot.slack.sdk")
# At DEBUG the SDK logs every request and answer whole.
_QUIET.setLevel(logging.INFO)


def _obstacle(error: Exception) -> Obstacle:
    if isinstance(error, aiohttp.InvalidURL):
        return Obstacle.ADDRESS
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return Obstacle.PROXY
    if isinstance(error, aiohttp.ClientSSLError):
        return Obstacle.CERTIFICATE
    reason = getattr(error, "os_error", None)
    if isinstance(reason, socket.gaierror):
        return Obstacle.NAME
    return Obstacle.CLOSED if isinstance(reason, ConnectionRefusedError) else Obstacle.NETWORK


def _typed(error: SlackApiError) -> SlackError:
    """Whatever the SDK raised for an answer it did not like, by status first and Slack's word second."""
    response = error.response
    # For a body that is no JSON the SDK hands out aiohttp's response instead of its own.
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    data = getattr(response, "data", None)
    if status == 429:
        return RateLimited(_retry_after(headers))
    if status >= 500:
        return Ambiguous(f"http_{status}")
    if isinstance(data, dict) and isinstance(data.get("error"), str):
        if data["error"] in ("ratelimited", "rate_limited"):
            return RateLimited(_retry_after(headers))
        return from_answer(data["error"], needed=data.get("needed"))
    return Ambiguous("unreadable_answer" if status == 200 else f"http_{status}")


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                seconds = float(value)
            except ValueError:
                break
            if math.isfinite(seconds):
                return min(max(LEAST_RETRY_AFTER, seconds), MOST_RETRY_AFTER)
    return DEFAULT_RETRY_AFTER
