"""The loop of one site: fetch, decide, commit; then wait for the next poll or the next timer, whichever comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.core.connection import Failure, Snapshot, State
from bot.core.decide import decide
from bot.core.events import Event
from bot.core.incidents import EpisodeKind
from bot.core.policy import Policy
from bot.core.state import Acknowledge, AckReply, Cause, Due, Failed, Polled, SiteState, after
from bot.itempath.errors import ItemPathError
from bot.store.errors import StoreError
from bot.store.store import Store
from bot.telemetry import Metrics, StateLog

_log = structlog.get_logger(__name__)

STORE_AWAY = timedelta(seconds=1)
"""How soon a poll whose result could not be committed is tried again, if the poll interval is not shorter."""


class Reads(Protocol):
    """What the poller asks of an ItemPath client."""

    async def connections(self, *, budget: float | None = None) -> Snapshot: ...


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
        self._resumed = True
        self._next_due: datetime | None = None
        self._reading = StateLog(_log, "reading the connections", site=policy.site)
        self._writing = StateLog(_log, "recording what was read", site=policy.site)
        self.trouble: Failure | None = None
        """Why the last poll failed, if it did."""

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
                done = await self._guarded(now)
                now = self._clock.now()
                if done:
                    next_poll = _beat(next_poll, self._policy.interval, now)
                else:
                    next_poll = now + min(STORE_AWAY, self._policy.interval)
            elif self._next_due is not None and now >= self._next_due:
                await self._due(now)
            await self._wait(next_poll)

    def stop(self) -> None:
        self._stopping.set()
        self._changed.set()

    async def tick(self, now: datetime) -> bool:
        """One poll and its commit. False if the result could not be committed and should be got again."""
        cause = await self._fetch()
        try:
            await self._decide(cause, now=now)
        except StoreError as error:
            self._writing.failed(self._clock.now(), str(error))
            return False
        self._writing.worked(self._clock.now())
        if isinstance(cause, Polled):
            self._resumed = False
        return True

    async def _guarded(self, now: datetime) -> bool:
        """A fault of the bot itself costs this site this poll, loudly, and no other site anything."""
        try:
            return await self.tick(now)
        except Exception:  # noqa: BLE001 - whatever it is, the next poll may be spared of it
            _log.exception("a poll ended in a fault of the bot", site=self.site)
            return True

    async def acknowledge(self, cause: Acknowledge) -> AckReply | None:
        """A person's doing, decided and committed like everything else. Raises `StoreError`."""
        reply = await self._decide(cause, now=self._clock.now())
        self._changed.set()
        return reply

    async def _due(self, now: datetime) -> None:
        if self._resumed:
            # Until the site has been read once, a reminder may be of something long over.
            self._next_due = None
            return
        with suppress(StoreError):
            await self._decide(Due(), now=now)

    async def _fetch(self) -> Cause:
        started = self._clock.now()
        try:
            snapshot = await self._client.connections(budget=self._policy.interval.total_seconds())
        except ItemPathError as error:
            failure = error.failure
            now = self._clock.now()
            self._metrics.polled(self.site, failure.kind, seconds=(now - started).total_seconds())
            self._reading.failed(now, failure.message, kind=failure.kind, advice=failure.advice)
            self.trouble = failure
            return Failed(failure=failure)
        now = self._clock.now()
        self._metrics.polled(self.site, "ok", seconds=(now - started).total_seconds(), good_at=now)
        self._reading.worked(now)
        self.trouble = None
        return Polled(snapshot=snapshot, resumed=self._resumed)

    async def _decide(self, cause: Cause, *, now: datetime) -> AckReply | None:
        async with self._store.tick(self.site, peers=self._peers, now=now) as tick:
            decision = decide(tick.state, cause, now=now, policy=self._policy)
            await tick.apply(decision, now=now)
        self._next_due = decision.next_due
        for event in decision.events:
            _log.info(event.kind.value.replace("_", " "), **_said(event))
        self._measure(after(tick.state, decision))
        if decision.messages or decision.revisions:
            self._committed()
        return decision.reply

    def _measure(self, state: SiteState) -> None:
        blind = any(e.open and e.kind is EpisodeKind.BLIND for e in state.episodes.values())
        states = Counter(record.state(blind=blind) for record in state.connections.values())
        self._metrics.connections(
            self.site, up=states[State.UP], down=states[State.DOWN], unknown=states[State.UNKNOWN]
        )
        self._metrics.incidents_open(self.site, sum(e.open for e in state.episodes.values()))

    async def _wait(self, next_poll: datetime) -> None:
        until = next_poll if self._next_due is None else min(next_poll, self._next_due)
        self._changed.clear()
        if not self._stopping.is_set():
            await self._clock.wait(self._changed, until=until)


def _beat(last: datetime, interval: timedelta, now: datetime) -> datetime:
    """The first beat after `now`: polls keep their rhythm, and one that took too long skips beats instead of piling up."""
    return last + interval * max(1, -((last - now) // interval))


def _said(event: Event) -> dict[str, object]:
    fields = {"site": event.site, "connection": event.connection, "reason": event.reason, "thread": event.thread}
    return {name: value for name, value in fields.items() if value}
