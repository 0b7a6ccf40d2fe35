"""Whether the bot can speak: asked now and then, so that `/status` knows it before something has to be said."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, RateLimited, Refused, Scope, SlackError, advice
from bot.slack.pace import WORKSPACE
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError
from bot.telemetry import StateLog

_log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
AFTER_TROUBLE = timedelta(seconds=10)


class Reach:
    """Asks who the bot is, and whether it is in every channel."""

    def __init__(self, *, calls: SlackCalls, workspace: Workspace, channels: Sequence[str], clock: Clock) -> None:
        self._calls = calls
        self._workspace = workspace
        self._channels = channels
        self._clock = clock
        self._state = StateLog(_log, "speaking in slack")
        self.problems: tuple[str, ...] | None = None
        """What is in the way, in words; `None` until Slack was asked for the first time."""
        self._known: dict[str, str | None] = {}
        """What was last found out about the workspace and each channel: in the way, or nothing."""
        self._asked_to_wait = 0.0
        """Seconds: Slack said so when it was last asked."""

    async def run(self) -> None:
        while True:
            await self.ask()
            wait = AFTER_TROUBLE if self.problems else EVERY
            await self._clock.sleep(max(wait.total_seconds(), self._asked_to_wait))

    async def ask(self) -> None:
        self._asked_to_wait = 0.0
        self.problems = tuple(await self._problems())
        if self.problems:
            self._state.failed(self._clock.now(), "; ".join(self.problems))
        else:
            self._state.worked(self._clock.now())

    async def _problems(self) -> list[str]:
        self._workspace.forget()
        problem = await self._problem(WORKSPACE, self._workspace.identity())
        if problem is not None:
            return [problem]
        asked = [await self._problem(channel, self._ask_channel(channel)) for channel in self._channels]
        return [problem for problem in asked if problem is not None]

    async def _problem(self, what: str, question: Awaitable[object]) -> str | None:
        problem = None
        try:
            await question
        except RateLimited as error:
            self._asked_to_wait = max(self._asked_to_wait, error.retry_after)
            # Who asks too often is not told that he may not speak: what was known stands.
            return self._known.get(what, _words(what, error))
        except SlackError as error:
            if not (what != WORKSPACE and isinstance(error, Refused) and error.scope is Scope.METHOD):
                problem = _words(what, error)
        except StoreError:
            # The database is told of elsewhere; Slack has answered.
            pass
        self._known[what] = problem
        return problem

    async def _ask_channel(self, channel: str) -> None:
        channel_id = await self._workspace.channel_id(channel)
        answer = await self._calls.read("conversations.info", channel=channel_id)
        known = answer.get("channel")
        if not isinstance(known, dict):
            raise Ambiguous("unreadable_answer")
        if known.get("is_archived"):
            raise Refused("is_archived", scope=Scope.CHANNEL)
        if known.get("is_member") is False:
            raise Refused("not_in_channel", scope=Scope.CHANNEL)


def _words(what: str, error: SlackError) -> str:
    told = advice(error.error)
    return f"{what}: {told.meaning} ({error.error}); {told.remedy}"
