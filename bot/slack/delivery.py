"""Makes Slack show what the database says it should: posts, edits, and finds out what became of the rest.

The promise: every committed message arrives, and no duplicate stays, provided that Slack shows an accepted message.
"May have been sent" is committed before a post, "sent" after it; what stands between is looked up by its delivery key.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.slack.calls import SlackCalls
from bot.slack.pace import Pace
from bot.slack.plan import Action, Step, plan
from bot.slack.steps import Steps
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError
from bot.store.outbox import MessageKey
from bot.store.store import Store

_log = structlog.get_logger(__name__)

LOOK_AGAIN = timedelta(seconds=5)
"""The loop looks at the rows at least so often, whoever forgot to wake it."""
STORE_AWAY = timedelta(seconds=1)
"""How long to wait for a database that does not answer."""
TURNS_REMEMBERED = 1000


@dataclass
class _Busy:
    lanes: set[str] = field(default_factory=set)
    messages: set[MessageKey] = field(default_factory=set)


class Delivery:
    """The loop. `wake` it after a commit; `drain` lets it finish what it has begun, and what may go at once."""

    def __init__(
        self,
        *,
        store: Store,
        calls: SlackCalls,
        workspace: Workspace,
        clock: Clock,
        adopt_wait: timedelta,
        interactive: bool,
    ) -> None:
        self.pace = Pace()
        self._store = store
        self._clock = clock
        self._steps = Steps(
            store=store,
            calls=calls,
            workspace=workspace,
            clock=clock,
            pace=self.pace,
            adopt_wait=adopt_wait,
            interactive=interactive,
        )
        self._wake = asyncio.Event()
        self._busy = _Busy()
        self._edited_at: dict[MessageKey, datetime] = {}
        self._draining = False
        self._store_away = False

    def wake(self) -> None:
        self._wake.set()

    def drain(self) -> None:
        """Let `run` end as soon as nothing is under way and nothing may go at once."""
        self._draining = True
        self._wake.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                wake_at = await self._start_steps(tasks)
                if self._draining and not self._busy.messages:
                    return
                await self._clock.wait(self._wake, until=wake_at)

    async def _start_steps(self, tasks: asyncio.TaskGroup) -> datetime:
        now = self._clock.now()
        # What is finished while the rows are read may be in them as it was before: it is left to the next round.
        lanes, messages = set(self._busy.lanes), set(self._busy.messages)
        try:
            waiting = await self._store.outbox.waiting()
        except StoreError as error:
            if not self._store_away:
                _log.error("the database does not answer; messages wait", error=str(error))
                self._store_away = True
            return now + STORE_AWAY
        if self._store_away:
            self._store_away = False
            _log.info("the database answers again")
        planned = plan(
            waiting,
            pace=self.pace,
            now=now,
            busy_lanes=lanes | self._busy.lanes,
            busy_messages=messages | self._busy.messages,
            edited_at=self._edited_at,
        )
        for step in planned.steps:
            self._busy.lanes.add(step.lane)
            self._busy.messages.add(step.outgoing.key)
            tasks.create_task(self._take(step), name=f"delivery {step.action} {step.outgoing.key}")
        return min(planned.wake_at or now + LOOK_AGAIN, now + LOOK_AGAIN)

    async def _take(self, step: Step) -> None:
        key = step.outgoing.key
        try:
            await self._steps.take(step)
            if step.action is Action.EDIT:
                self._took_turn(key)
        except StoreError as error:
            # What happened in Slack is not recorded: the row still says "maybe", and will be looked up.
            _log.error("the outcome of a message could not be recorded", message=str(key), error=str(error))
            await self._clock.sleep(STORE_AWAY.total_seconds())
        finally:
            self._busy.lanes.discard(step.lane)
            self._busy.messages.discard(key)
            self._wake.set()

    def _took_turn(self, key: MessageKey) -> None:
        """Edits take turns: who was edited longest ago is next."""
        self._edited_at.pop(key, None)
        self._edited_at[key] = self._clock.now()
        if len(self._edited_at) > TURNS_REMEMBERED:
            del self._edited_at[next(iter(self._edited_at))]
