"""A poller on a real database, with a clock that jumps to whatever is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import Clock
from bot.core.connection import Connection, Snapshot
from bot.core.events import EventKind
from bot.core.policy import Policy
from bot.itempath.errors import ItemPathError
from bot.poller import Poller
from bot.store.store import Store
from bot.telemetry import Metrics

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=30)


class Jumping(Clock):
    """Waiting takes no time: the moment that is waited for is there at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at = START
        self.set_by = timedelta(0)

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return (self.at - self.set_by).timestamp()

    def set(self, **by: float) -> None:
        """Somebody sets the wall clock; no time passes."""
        self.set_by += timedelta(**by)
        self.at += timedelta(**by)

    async def wait(self, event: asyncio.Event, *, until: datetime | None) -> bool:
        assert until is not None
        await asyncio.sleep(0)
        if not event.is_set():
            self.at = max(self.at, until)
        return event.is_set()


@dataclass
class Source:
    """An ItemPath as the poller sees it. `next` is played one entry for each read, the last one for ever."""

    clock: Jumping
    next: list[Snapshot | ItemPathError] = field(default_factory=list)
    takes: timedelta = timedelta(0)
    asked_at: list[float] = field(default_factory=list)
    """Seconds after the start."""
    budgets: list[float | None] = field(default_factory=list)
    on_read: Callable[[int], None] = lambda _: None
    """Called with the number of the read, from 1, before it is answered."""

    async def connections(self, *, budget: float | None = None) -> Snapshot:
        self.asked_at.append((self.clock.at - START).total_seconds())
        self.budgets.append(budget)
        self.on_read(len(self.asked_at))
        self.clock.at += self.takes
        answer = self.next.pop(0) if len(self.next) > 1 else self.next[0]
        if isinstance(answer, ItemPathError):
            raise answer
        return answer


def snapshot(*statuses: int | None) -> Snapshot:
    """Connections 1, 2, … with these statuses."""
    rows = enumerate(statuses, start=1)
    return Snapshot(connections=tuple(Connection(id=str(n), name=f"C{n}", status=status) for n, status in rows))


@dataclass
class Bench:
    poller: Poller
    store: Store
    source: Source
    clock: Jumping
    metrics: Metrics
    commits: list[datetime]
    lock: Path

    async def happened(self, kind: EventKind) -> list[datetime]:
        return [stored.event.at for stored in await self.store.events() if stored.event.kind is kind]

    def lose_database(self) -> None:
        """As when somebody removes the lock file: nothing may be written from now on."""
        self.lock.rename(self.lock.with_suffix(".away"))

    def find_database(self) -> None:
        self.lock.with_suffix(".away").rename(self.lock)

    def stop_at(self, read: int, before: Callable[[int], None] = lambda _: None) -> None:
        """The read with this number is the last; `before` is called with the number of each."""

        def on_read(number: int) -> None:
            before(number)
            if number >= read:
                self.poller.stop()

        self.source.on_read = on_read

    async def run(self, *, reads: int, before: Callable[[int], None] = lambda _: None) -> None:
        self.stop_at(reads, before)
        async with asyncio.timeout(20):
            await self.poller.run()

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"site": self.poller.site, **labels})


Build = Callable[..., Bench]


@pytest.fixture
async def store(database: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{database}", write=True)
    yield opened
    await opened.close()


@pytest.fixture
def build(store: Store, tmp_path: Path) -> Build:
    """Another poller on the same database, as after a restart; `policy` as given."""

    def made(
        *answers: Snapshot | ItemPathError, site: str = "default", peers: tuple[str, ...] = (), **policy: Any
    ) -> Bench:
        clock = Jumping()
        source = Source(clock, list(answers))
        metrics = Metrics(version="test")
        commits: list[datetime] = []
        poller = Poller(
            client=source,
            store=store,
            policy=Policy(**{"site": site, "home": "#ops", "interval": INTERVAL, **policy}),
            peers=peers,
            clock=clock,
            metrics=metrics,
            committed=lambda: commits.append(clock.at),
        )
        return Bench(poller, store, source, clock, metrics, commits, tmp_path / "bot.db.lock")

    return made
