"""Takes what people do within Slack's three seconds, whatever it takes to answer them.

Slack shows a person an error if an acknowledgement takes more than three seconds
(https://docs.slack.dev/interactivity/handling-user-interaction). So an answer that is ready in time goes with it, and
every other follows through its `response_url`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import structlog

from bot.slack.commands import replies
from bot.slack.commands.handlers import Handlers
from bot.slack.commands.people import Reached, response_url
from bot.slack.commands.replies import Answer
from bot.slack.ingress.responses import Responses

_log = structlog.get_logger(__name__)

T = TypeVar("T")

READY_WITHIN = 2.5
"""Seconds for an answer that goes with its acknowledgement; the rest of the three is for the way back."""
AT_MOST = 60.0
"""Seconds after which nobody waits for an answer any more."""
GRACE = 3.0
"""Seconds for what is under way when the bot stops; all of it has ten."""


class Reception:
    """Owns every task that answers a person."""

    def __init__(
        self,
        *,
        handlers: Handlers,
        responses: Responses,
        ready_within: float = READY_WITHIN,
        at_most: float = AT_MOST,
    ) -> None:
        """Both in real seconds: people and Slack wait in them."""
        self._handlers = handlers
        self._responses = responses
        self._ready_within = ready_within
        self._at_most = at_most
        self._tasks: set[asyncio.Task[Any]] = set()

    async def command(self, payload: Mapping[str, Any]) -> Answer | None:
        """What the acknowledgement of a slash command carries; `None` when the answer follows later."""
        task = self._start(self._answered(self._handlers.command(payload)), "command")
        try:
            await asyncio.wait({task}, timeout=self._ready_within)
        except asyncio.CancelledError:
            # Slack hung up; its response_url still takes the answer.
            self._start(self._answer_later(payload, task), "late answer")
            raise
        if task.done():
            return task.result()
        self._start(self._answer_later(payload, task), "late answer")
        return None

    def action(self, payload: Mapping[str, Any]) -> None:
        """A click: acknowledged at once, handled in a task of its own."""
        self._start(self._acted(payload), "click")

    def event(self, payload: Mapping[str, Any]) -> None:
        """Something of the Events API: acknowledged at once, like a click. Nobody waits for an answer."""
        self._start(self._heard(payload), "event")

    def follow_up(self, payload: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """An answer that could not go with its acknowledgement."""
        self._start(self._responses.post(response_url(payload), answer), "follow-up")

    async def close(self, *, grace: float = GRACE) -> None:
        """Let what is under way end, and end what does not; then the way out is closed."""
        deadline = asyncio.get_running_loop().time() + grace
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        for task in self._tasks:
            _log.warning("an answer was given up because the bot stops", task=task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._responses.close()

    def _start(self, coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(coroutine, name=f"slack {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answered(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Whatever happens, a person is answered."""
        try:
            async with asyncio.timeout(self._at_most):
                return await work
        except TimeoutError:
            _log.warning("a command took too long", seconds=self._at_most)
            return _TOO_LONG
        except Exception:  # noqa: BLE001 - whatever went wrong, somebody waits for an answer
            _log.exception("a command failed")
            return _FAILED

    async def _answer_later(self, payload: Mapping[str, Any], task: asyncio.Task[Answer]) -> None:
        await self._responses.post(response_url(payload), await task)

    async def _acted(self, payload: Mapping[str, Any]) -> None:
        failed = False

        async def respond(answer: Mapping[str, Any], *, repeatable: bool = True) -> Reached:
            nonlocal failed
            if failed:
                # Slack is in trouble, and this says what that did. It may take minutes: nobody waits for it here.
                post = self._responses.post(response_url(payload), answer, repeatable=repeatable, patient=True)
                self._start(post, "word of a failure")
                return Reached.UNKNOWN
            reached = await self._responses.post(response_url(payload), answer, repeatable=repeatable)
            failed = not reached
            return reached

        try:
            async with asyncio.timeout(self._at_most):
                await self._handlers.action(payload, respond)
        except TimeoutError:
            _log.warning("a click took too long", seconds=self._at_most)
            await respond(_TOO_LONG)
        except Exception:  # noqa: BLE001 - whatever went wrong, somebody waits for an answer
            _log.exception("a click failed")
            await respond(_FAILED)

    async def _heard(self, payload: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._at_most):
                await self._handlers.event(payload)
        except TimeoutError:
            _log.warning("an event took too long", seconds=self._at_most)
        except Exception:  # noqa: BLE001 - it costs this event, and no more
            _log.exception("an event failed")


_TOO_LONG = replies.sentence(
    "This took too long, so the bot gave up", "It may have been done all the same: please check before you try again."
)
_FAILED = replies.sentence("Something went wrong in the bot", "Its log says what. Please try again.")
