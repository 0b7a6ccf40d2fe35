"""The loop of one site: fetch, decide, commit; then wait for the next poll or the next timer, whichever comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.core.connection import Failure, Snapshot, State
from bot.core.decide import decide
from bot.core.events import Event
from bot.core.incidents import EpisodeKind
from bot.core.policy import Policy
from bot.core.state import (
    Acknowledge,
    Cause,
    ConnectionRecord,
    Decision,
    Due,
    Failed,
    Muting,
    Polled,
    Reply,
    SiteState,
    Unmuting,
    after,
)
from bot.itempath.errors import ItemPathError
from bot.store.errors import StoreError
from bot.store.store import Store
from bot.telemetry import Metrics, StateLog

_log = structlog.get_logger(__name__)

STORE_AWAY = timedelta(seconds=1)
"""How soon a commit that failed is tried again. ItemPath is not asked again for it: that happens on the beat only."""

UNRECORDED = "database"
"""Kind of the trouble when the database does not take what was read; `polls_total` counts it by this name."""


class Reads(Protocol):
    """What the poller asks of an ItemPath client."""

    async def connections(self, *, budget: float | None = None) -> Snapshot: ...


@dataclass(frozen=True, slots=True)
class _Read:
    """What a poll brought, and when: that moment is the `now` of its decision, however often the commit is tried."""

    cause: Polled | Failed
    at: datetime
    steady_at: float
    """The same moment by the clock that nobody sets."""
    seconds: float


class Poller:
    """Keeps the memory of one site true. Everything that happens to a site goes through `decide` here."""

    def __init__(
        self,
        *,
        client: Reads,
        store: Store,
        policy: Policy,
        peers: tuple[str, ...],
        clock: Clock,
        metrics: Metrics,
        committed: Callable[[], None],
    ) -> None:
        """`peers` are the sites whose messages go to the same channel; `committed` is called after each commit."""
        self._client = client
        self._store = store
        self._policy = policy
        self._peers = peers
        self._clock = clock
        self._metrics = metrics
        self._committed = committed
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._in_line = asyncio.Lock()
        """Where people wait for each other, so that a poll or a timer never waits for more than one of them."""
        self._resumed = True
        self._first = True
        self._blind = False
        self._unwritten: _Read | None = None
        """A poll's result that the database did not take."""
        self._missed = False
        """A poll's result was given up since the last good one, as it could not be recorded before the next."""
        self._recorded_at: float | None = None
        """The last poll whose result it did take, by the clock that nobody sets."""
        self._next_due: datetime | None = None
        self._reading = StateLog(_log, "reading the connections", site=policy.site)
        self._writing = StateLog(_log, "recording what was read", site=policy.site)
        self._deciding = StateLog(_log, "deciding on what was read", site=policy.site)
        self.trouble: Failure | None = None
        """What kept the last poll from being a good and recorded one, if something did."""

    @property
    def site(self) -> str:
        return self._policy.site

    @property
    def interval(self) -> timedelta:
        return self._policy.interval

    async def run(self) -> None:
        """Until `stop`. Polls start on a fixed beat; one that takes longer than the interval skips beats."""
        next_poll = self._clock.now()
        while not self._stopping.is_set():
            now = self._clock.now()
            if now >= next_poll:
                await self.poll()
                next_poll = _beat(next_poll, self.interval, self._clock.now())
            elif self._unwritten is not None:
                await self._write(self._unwritten)
            elif self._next_due is not None and now >= self._next_due:
                await self._due(now)
            # A clock that was set back must not keep the site unwatched until it has caught up.
            next_poll = min(next_poll, self._clock.now() + self.interval)
            await self._wait(next_poll)

    def stop(self) -> None:
        """Let `run` end; what is being read or written is finished first."""
        self._stopping.set()
        self._changed.set()

    async def poll(self) -> None:
        """One read and its commit. What the database does not take is kept, and superseded by the next read."""
        self._missed |= self._unwritten is not None
        read = await self._fetch()
        outcome = await self._write(read)
        # What is not recorded is not seen: a monitor of the last success must not be told that all is well.
        good_at = read.at if outcome == "ok" else None
        self._metrics.polled(self.site, outcome, seconds=read.seconds, good_at=good_at)

    async def act(self, cause: Acknowledge | Muting | Unmuting) -> Reply | None:
        """A person's doing, decided and committed like everything else. Raises `StoreError`."""
        async with self._in_line:
            decision = await self._decide(cause, now=self._clock.now())
        self._changed.set()
        return decision.reply

    async def _fetch(self) -> _Read:
        started = self._clock.steady()
        unwatched = None if self._recorded_at is None else timedelta(seconds=started - self._recorded_at)
        # What was missed before the first good read is put down to the bot's having been away.
        unrecorded = self._missed and not self._resumed
        cause: Polled | Failed
        try:
            snapshot = await self._client.connections(budget=self.interval.total_seconds())
        except ItemPathError as error:
            at = self._clock.now()
            cause = Failed(failure=error.failure, unrecorded=unrecorded, unwatched=unwatched)
            self._reading.failed(at, error.message, kind=error.kind, advice=error.advice)
        else:
            at = self._clock.now()
            cause = Polled(
                snapshot=snapshot,
                resumed=self._resumed,
                first=self._first,
                unrecorded=unrecorded,
                unwatched=unwatched,
            )
            self._reading.worked(at)
        steady_at = self._clock.steady()
        return _Read(cause, at, steady_at, seconds=steady_at - started)

    async def _write(self, read: _Read) -> str:
        """Decide and commit; how that went, in a word for the metrics.

        A fault of the bot itself costs this site this poll, loudly, and no other site anything.
        """
        now = self._clock.now()
        self._unwritten = None
        try:
            await self._decide(read.cause, now=read.at)
        except StoreError as error:
            self._unwritten = read
            self._writing.failed(now, str(error))
            self.trouble = Failure(kind=UNRECORDED, message=error.problem, advice=error.advice)
            return UNRECORDED
        except Exception as error:  # noqa: BLE001 - whatever it is, the next poll may be spared of it
            self._faulty(error, now)
            self._missed = True
            return "bot"
        self._writing.worked(now)
        self._deciding.worked(now)
        self._first = False
        self._recorded_at = read.steady_at
        if isinstance(read.cause, Failed):
            self.trouble = read.cause.failure
            return self.trouble.kind
        self.trouble = None
        self._resumed = self._missed = False
        return "ok"

    def _faulty(self, error: Exception, now: datetime) -> None:
        kind = type(error).__name__
        if self.trouble is None or self.trouble.kind != "bot":
            _log.error("a poll ended in a fault of the bot", site=self.site, exc_info=error)
        self._deciding.failed(now, kind)
        self._next_due = None
        self.trouble = Failure(
            kind="bot",
            message=f"A fault of the bot ({kind}) kept what was read from being recorded.",
            advice="Report it with the traceback that the bot has logged.",
        )

    async def _due(self, now: datetime) -> None:
        """A timer has come. Whatever goes wrong with it, the next poll does its work again."""
        if self._resumed and not self._blind:
            # Until the site has been read once, a reminder may be of something long over.
            self._next_due = None
            return
        try:
            await self._decide(Due(), now=now)
        except StoreError as error:
            self._writing.failed(now, str(error))
            self._next_due = now + STORE_AWAY
        except Exception as error:  # noqa: BLE001 - as with a poll
            self._faulty(error, now)

    async def _decide(self, cause: Cause, *, now: datetime) -> Decision:
        # The database keeps the decisions of a site apart anyway; the lock keeps what follows a commit in their order.
        async with self._one_at_a_time:
            async with self._store.tick(self.site, peers=self._peers, now=now, lately=self._policy.lately) as tick:
                decision = decide(tick.state, cause, now=now, policy=self._policy)
                await tick.apply(decision, now=now)
            self._next_due = decision.next_due
            state = after(tick.state, decision)
            for event in decision.events:
                record = state.connections.get(event.connection) or tick.state.connections.get(event.connection)
                _log.info(event.kind.value.replace("_", " "), **_said(event, record))
            self._measure(state)
            # A thread alone, too: what waits may have to go to another channel.
            if decision.messages or decision.revisions or decision.threads:
                self._committed()
            return decision

    def _measure(self, state: SiteState) -> None:
        # A root that several sites share brings episodes of others along.
        ours = [e for e in state.episodes.values() if e.open and e.site == self.site]
        self._blind = any(e.kind is EpisodeKind.BLIND for e in ours)
        states = Counter(record.state(blind=self._blind) for record in state.connections.values())
        self._metrics.connections(
            self.site, up=states[State.UP], down=states[State.DOWN], unknown=states[State.UNKNOWN]
        )
        self._metrics.incidents_open(self.site, len(ours))

    async def _wait(self, next_poll: datetime) -> None:
        until = next_poll if self._next_due is None else min(next_poll, self._next_due)
        if self._unwritten is not None:
            until = min(next_poll, self._clock.now() + STORE_AWAY)
        self._changed.clear()
        if not self._stopping.is_set():
            await self._clock.wait(self._changed, until=until)


def _beat(last: datetime, interval: timedelta, now: datetime) -> datetime:
    """The first beat after `now`: polls keep their rhythm, and one that took too long skips beats instead of piling up."""
    return last + interval * max(1, -((last - now) // interval))


def _said(event: Event, record: ConnectionRecord | None) -> dict[str, object]:
    fields = {
        "site": event.site,
        "connection": event.connection,
        "name": record.row.name if record and record.row else "",
        "reason": event.reason,
        "thread": event.thread,
    }
    return {name: value for name, value in fields.items() if value}
