"""Answers through `response_url`: tried a few times, to Slack alone, and never seen in a log.

Whoever holds such an address may post there, five times within half an hour
(https://docs.slack.dev/interactivity/handling-user-interaction): it is treated as a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter
from yarl import URL

from bot.slack.commands.people import Reached
from bot.slack.errors import Ambiguous, Malformed, NotSent, RateLimited, Refused, Scope, SlackError, from_answer

_log = structlog.get_logger(__name__)

TIMEOUT = 5.0
"""Seconds for one attempt."""
ATTEMPTS = 3
"""Of the five that an address is good for, so that one is left to tell a person how it went."""
PATIENCE = (5.0, 30.0, 120.0, 600.0)
"""Seconds between the attempts of what a person has to hear, well within the half hour that an address is good for."""
LONGEST_PAUSE = 10.0
"""Seconds; a `Retry-After` beyond it is not waited for: nobody looks at the answer then."""
_SLACK_HOSTS = ("slack.com", "slack-gov.com")


class Responses:
    """Posts answers. Used within one event loop; `close` it."""

    def __init__(
        self,
        *,
        api_url: str,
        timeout: float = TIMEOUT,
        backoff: float = 0.5,
        patience: Sequence[float] = PATIENCE,
        trust_env: bool = True,
    ) -> None:
        """`backoff`: seconds of the first pause between two attempts; `patience`: all pauses of a patient answer.
        `trust_env`: whether proxies named in the environment are used.
        """
        self._own = URL(api_url)
        self._trust_env = trust_env
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._wait = wait_exponential_jitter(multiplier=backoff, max=LONGEST_PAUSE, jitter=backoff)
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(
        self, url: str, answer: Mapping[str, Any], *, repeatable: bool = True, patient: bool = False
    ) -> Reached:
        """What became of it. What Slack calls malformed is sent once more as text alone. Nothing is raised.

        `patient`: minutes are waited between attempts rather than seconds, for what a person has to hear in the end.
        """
        if not self._may(url):
            _log.warning("an answer was not sent: its address is none of Slack's")
            return Reached.REFUSED
        try:
            try:
                await self._tried(url, answer, repeatable=repeatable, patient=patient)
            except Malformed as error:
                _log.warning("Slack calls an answer malformed; it gets the text alone", error=error.error)
                bare = {name: value for name, value in answer.items() if name != "blocks"}
                await self._tried(url, bare, repeatable=repeatable, patient=patient)
        except SlackError as error:
            _log.warning("an answer did not reach Slack", error=error.error)
            return Reached.UNKNOWN if isinstance(error, Ambiguous) else Reached.REFUSED
        return Reached.TAKEN

    def _may(self, url: str) -> bool:
        """Slack's own hosts over https, or the host of the configured `api_url`, as safely as that one."""
        try:
            given = URL(url)
        except ValueError:
            return False
        host = (given.host or "").lower()
        if host == self._own.host and given.scheme in ("https", self._own.scheme):
            # A stand-in for Slack may answer at another port than its Web API.
            return True
        return given.scheme == "https" and host.endswith(tuple(f".{name}" for name in _SLACK_HOSTS))

    async def _tried(self, url: str, answer: Mapping[str, Any], *, repeatable: bool, patient: bool) -> None:
        longest = self._patience[-1] if patient else LONGEST_PAUSE

        def again(error: BaseException) -> bool:
            if isinstance(error, RateLimited):
                return error.retry_after <= longest
            return isinstance(error, NotSent) or (repeatable and isinstance(error, Ambiguous))

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            pause = self._patience[state.attempt_number - 1] if patient else self._wait(state)
            return max(pause, error.retry_after if isinstance(error, RateLimited) else 0.0)

        retrying = AsyncRetrying(
            retry=retry_if_exception(again),
            wait=wait,
            stop=stop_after_attempt(len(self._patience) + 1 if patient else ATTEMPTS),
            reraise=True,
        )
        await retrying(self._once, url, answer)

    async def _once(self, url: str, answer: Mapping[str, Any]) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=self._trust_env)
        try:
            async with self._session.post(url, json=dict(answer), allow_redirects=False) as response:
                body = await response.content.read(2000)
                error = _refusal(response.status, response.headers, body)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
        ):
            raise NotSent("unreachable") from None
        except (aiohttp.InvalidURL, UnicodeError):
            # A host that no name server can be asked for: the next attempt would find out no more.
            raise Refused("no_such_address", scope=Scope.MESSAGE) from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise Ambiguous("no_answer") from None
        if error is not None:
            raise error


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> SlackError | None:
    if status == 429:
        after = headers.get("Retry-After", "")
        return RateLimited(float(after) if after.isdecimal() else 1.0)
    if status >= 500:
        return Ambiguous(f"http_{status}")
    text = body.decode("utf-8", "replace").strip()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    if isinstance(said, dict):
        if said.get("ok") is not False and status == 200:
            return None
        said = said.get("error")
    elif status == 200:
        return None
    return from_answer(said) if isinstance(said, str) and said.isidentifier() else _other(status)


def _other(status: int) -> Refused:
    return Refused(f"http_{status}", scope=Scope.MESSAGE)
