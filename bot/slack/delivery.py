"""Makes Slack show what the database says it should: posts, edits, and finds out what became of the rest.

The promise: every committed message arrives, and no duplicate stays, provided that Slack shows an accepted message.
"May have been sent" is committed before a post, "sent" after it; what stands between is looked up by its delivery key.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.slack.calls import SlackCalls
from bot.slack.pace import Pace
from bot.slack.plan import Action, Step, plan
from bot.slack.steps import Steps
from bot.slack.waits import label
from bot.slack.workspace import Workspace
from bot.store.errors import DeliveryMismatch, StoreError
from bot.store.outbox import MessageKey, Outgoing
from bot.store.store import Store
from bot.telemetry import StateLog

_log = structlog.get_logger(__name__)

LOOK_AGAIN = timedelta(seconds=5)
"""The rows are read at least so often, whoever forgot to wake the loop."""
STORE_AWAY = timedelta(seconds=1)
"""How long nothing is begun when the database does not answer: what could not be recorded should not be done."""
AFTER_FAULT = timedelta(seconds=30)
"""How long a message is left alone that met a fault of this program's."""
TURNS_REMEMBERED = 1000


@dataclass
class _Busy:
    lanes: set[str] = field(default_factory=set)
    messages: set[MessageKey] = field(default_factory=set)

    def copy(self) -> _Busy:
        return _Busy(set(self.lanes), set(self.messages))


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
        self._resting: dict[MessageKey, tuple[datetime, timedelta]] = {}
        self._rows: dict[str, list[Outgoing]] = {}
        """By thread."""
        self._read_at: datetime | None = None
        """When all of them were."""
        self._away_since: datetime | None = None
        self._stale = True
        """Whether somebody else may have changed any."""
        self._changed: set[str] = set()
        """Threads in which this loop has changed something since."""
        self._reading = StateLog(_log, "reading the messages that wait")
        self._recording = StateLog(_log, "recording what became of messages")
        self._draining = False

    def wake(self) -> None:
        self._stale = True
        self._wake.set()

    def drain(self) -> None:
        """Let `run` begin what may go at once, finish what is under way, and end."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                last = self._draining
                wake_at = await self._start_steps(tasks)
                if last:
                    # Whatever is under way is waited for; what it would allow next is left to the next start.
                    return
                await self._clock.wait(self._wake, until=wake_at)

    async def _start_steps(self, tasks: asyncio.TaskGroup) -> datetime:
        """Begin what may begin; tells when to look again."""
        # What is finished while the rows are read may be in them as it was before: it is left to the next round.
        before = self._busy.copy()
        self._wake.clear()
        if self._away_since is not None and _within(self._clock.now(), self._away_since, STORE_AWAY):
            return self._away_since + STORE_AWAY
        doing = self._recording
        try:
            if self._away_since is not None:
                # Edits and looks are read, done, and only then recorded: while the database can be read but takes
                # nothing, each would be done again every second.
                await self._store.prove()
                self._away_since = None
            doing = self._reading
            read_at = await self._read_rows()
        except StoreError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # Cancelling a read breaks the driver's connection, and that may be all that is heard of it.
                raise asyncio.CancelledError from error
            now = self._clock.now()
            doing.failed(now, str(error))
            if doing is self._recording:
                self._away_since = now
            return now + STORE_AWAY
        now = self._clock.now()
        self.pace.saw(now)
        self._resting = {key: rest for key, rest in self._resting.items() if _within(now, *rest)}
        planned = plan(
            itertools.chain.from_iterable(self._rows.values()),
            pace=self.pace,
            now=now,
            busy_lanes=before.lanes | self._busy.lanes,
            busy_messages=before.messages | self._busy.messages | self._resting.keys(),
            edited_at=self._edited_at,
        )
        for step in planned.steps:
            self._busy.lanes.add(step.lane)
            self._busy.messages.add(step.outgoing.key)
            tasks.create_task(self._take(step), name=f"delivery {step.action} {label(step.outgoing.key)}")
        wakes = [since + rest for since, rest in self._resting.values()]
        return min(filter(None, (read_at + LOOK_AGAIN, planned.wake_at, *wakes)))

    async def _read_rows(self) -> datetime:
        """All of them only after a commit of somebody else's, or when there was none for long: there may be thousands.
        What a step has changed is in its own thread. Tells when all were read.
        """
        now = self._clock.now()
        stale, self._stale = self._stale, False
        changed, self._changed = self._changed, set()
        try:
            if stale or self._read_at is None or not _within(now, self._read_at, LOOK_AGAIN):
                self._rows = _by_thread(await self._store.outbox.waiting())
                self._read_at = now
                self._reading.worked(now)
            elif changed:
                fresh = _by_thread(await self._store.outbox.waiting_in(changed))
                for thread in changed:
                    self._rows.pop(thread, None)
                self._rows |= fresh
        except StoreError:
            self._stale = True
            raise
        return self._read_at

    async def _take(self, step: Step) -> None:
        key = step.outgoing.key
        try:
            await self._steps.take(step)
            self._recording.worked(self._clock.now())
            if step.action is Action.EDIT:
                self._took_turn(key)
        except DeliveryMismatch as error:
            _log.warning("a message changed meanwhile", message=label(key), error=str(error))
            self._resting[key] = (self._clock.now(), STORE_AWAY)
        except StoreError as error:
            # What happened in Slack is not recorded: the row still says "maybe", and will be looked up.
            self._away_since = self._clock.now()
            self._recording.failed(self._away_since, str(error))
        except Exception:  # noqa: BLE001
            # Whatever is wrong with one message, the others go on.
            _log.exception("a message met a fault of this program", message=label(key))
            self._resting[key] = (self._clock.now(), AFTER_FAULT)
        finally:
            self._busy.lanes.discard(step.lane)
            self._busy.messages.discard(key)
            self._changed.add(key.thread)
            self._wake.set()

    def _took_turn(self, key: MessageKey) -> None:
        """Edits take turns: who was edited longest ago is next."""
        self._edited_at.pop(key, None)
        self._edited_at[key] = self._clock.now()
        if len(self._edited_at) > TURNS_REMEMBERED:
            del self._edited_at[next(iter(self._edited_at))]


def _by_thread(rows: Iterable[Outgoing]) -> dict[str, list[Outgoing]]:
    found: dict[str, list[Outgoing]] = {}
    for row in rows:
        found.setdefault(row.message.thread, []).append(row)
    return found


def _within(now: datetime, since: datetime, span: timedelta) -> bool:
    """Also false when the clock was set back behind `since`."""
    return since <= now < since + span
