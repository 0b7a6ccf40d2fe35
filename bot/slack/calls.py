"""The one way to Slack's Web API: the real slack-sdk, one attempt a call, answers turned into values or typed errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import Ambiguous, NotSent, RateLimited, SlackError, from_answer

TIMEOUT = 10.0
"""Seconds for one call. Slack answers in well under a second; what takes longer is looked up rather than waited for."""

DEFAULT_RETRY_AFTER = 30.0
"""Seconds to wait after a 429 without a readable `Retry-After`."""


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
        self._api_url = api_url
        self._counts = counts
        self._timeout = timeout
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None
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
        if self._session is not None:
            await self._session.close()

    def _count(self, method: str, outcome: str) -> None:
        if self._counts is not None:
            self._counts.message(method, outcome)

    async def _attempt(self, method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        as_query = arguments.pop("_as_query", False)
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if as_query:
                response = await self._client().api_call(method, http_verb="GET", params=given)
            else:
                response = await self._client().api_call(method, json=given)
        except SlackApiError as error:
            raise _typed(error) from None
        except SlackClientError as error:
            raise Ambiguous(type(error).__name__) from None
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL):
            raise NotSent("unreachable") from None
        except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError):
            raise Ambiguous("no_answer") from None
        except (AttributeError, TypeError, ValueError):
            # The SDK stumbles over JSON that is no object.
            raise Ambiguous("unreadable_answer") from None
        granted = response.headers.get("x-oauth-scopes")
        if granted is not None:
            self.scopes = frozenset(granted.replace(",", " ").split())
        data = response.data
        if not isinstance(data, dict):
            raise Ambiguous("unreadable_answer")
        return data

    def _client(self) -> AsyncWebClient:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout), trust_env=self._trust_env
            )
        return AsyncWebClient(
            token=self._token,
            base_url=self._api_url,
            session=self._session,
            # Only the delivery retries: the default handler repeats a post after a dropped connection.
            retry_handlers=[],
            logger=_QUIET,
        )


_QUIET = logging.getLogger("bot.slack.sdk")
# At DEBUG the SDK logs every request and answer whole.
_QUIET.setLevel(logging.INFO)


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
        if data["error"] == "ratelimited":
            return RateLimited(_retry_after(headers))
        return from_answer(data["error"], needed=data.get("needed"))
    return Ambiguous("unreadable_answer")


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(0.0, float(value))
            except ValueError:
                break
    return DEFAULT_RETRY_AFTER
