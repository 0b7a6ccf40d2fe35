"""Each fault that a database can have while the bot runs, with the real fault: what it costs, and what is told of it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from bot.core.connection import Connection, Log, Snapshot
from bot.core.events import EventKind
from bot.core.incidents import ThreadKind, Why
from bot.store import engine
from bot.store.store import Store
from tests.poller.conftest import START, Bench, Build

PAGE = 4096


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the store is opened: five seconds for each attempt, and one for each second, would make long tests."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.001)
    monkeypatch.setattr("bot.poller.STORE_AWAY", timedelta(seconds=11))


class Fault(ABC):
    """Something that keeps the bot from writing, from `begin` to `end`."""

    words: str
    """Of the trouble that it is."""

    def __init__(self, store: Store, path: Path) -> None:
        self.engine = store._database.engine.sync_engine
        self.path = path

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def end(self) -> None: ...


class ByPragma(Fault):
    """Of the bot's own connections, before each of their transactions."""

    broken: str
    mended: str

    def begin(self) -> None:
        self.pragma = self.broken
        event.listen(self.engine, "checkout", self._set)

    def end(self) -> None:
        self.pragma = self.mended

    def _set(self, connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {self.pragma}")
        cursor.close()


class Full(ByPragma):
    """SQLITE_FULL, as of a disk: not a page more than there are."""

    words = "cannot grow: the disk is full"
    broken = "max_page_count = 1"
    mended = "max_page_count = 1000000"


class ReadOnly(ByPragma):
    """SQLITE_READONLY."""

    words = "cannot be written"
    broken = "query_only = ON"
    mended = "query_only = OFF"


class Locked(Fault):
    """SQLITE_BUSY: another process has a transaction open."""

    words = "is locked by another program"
    code = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "other.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
        "other.close()\n"
    )

    def begin(self) -> None:
        self.other = subprocess.Popen(
            [sys.executable, "-c", self.code, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.other.stdout is not None
        assert self.other.stdout.readline() == b"locked\n"

    def end(self) -> None:
        self.other.communicate(timeout=20)


class Damaged(Fault):
    """SQLITE_CORRUPT: every page but the first is overwritten, and put back."""

    words = "is damaged"

    def begin(self) -> None:
        self._change()
        self.content = self.path.read_bytes()
        self._write(b"\xaa" * (len(self.content) - PAGE))

    def end(self) -> None:
        self._write(self.content[PAGE:])
        self._change()

    def _change(self) -> None:
        """So that the bot's connection believes nothing of what it read before, and all is in the one file."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("UPDATE meta SET value = value")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write(self, content: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(PAGE)
            file.write(content)


FAULTS = (Full, ReadOnly, Locked, Damaged)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Fault:
    made: Fault = request.param(store, tmp_path / "bot.db")
    return made


def row(status: int) -> Snapshot:
    """Down it brings so long an error that the database has to grow."""
    log = Log(id="1", at=None, status=500, error="" if status else "no answer " * 900)
    return Snapshot(connections=(Connection(id="1", name="PowerPick", status=status, latest_log=log),))


async def played(bench: Bench, fault: Fault, *, broken: int, mended: int) -> list[str]:
    """Up when it is read first, down ever after; the fault lasts from before one read to before another.

    Returns what was logged about it, and tells that the beat was kept and that nothing was recorded meanwhile.
    """
    told: list[str | None] = []

    def before(number: int) -> None:
        if number == broken:
            fault.begin()
        if number > broken + 1:
            told.append(bench.poller.trouble.message if bench.poller.trouble else None)
        if number == mended:
            fault.end()

    with capture_logs() as logs:
        await bench.run(reads=mended, before=before)
    assert bench.source.asked_at == [30 * n for n in range(mended)]
    assert [words for words in told if words is None or fault.words not in words] == []
    assert bench.sample("itempath_bot_polls_total", outcome="ok") == 2
    assert bench.sample("itempath_bot_polls_total", outcome="database") == mended - broken
    return [entry["event"] for entry in logs if entry["event"].startswith("recording")]


async def test_a_database_that_takes_nothing_for_long_is_one_message_with_its_bounds_and_nothing_is_half(
    build: Build, fault: Fault
) -> None:
    """The loop goes on, the log says it once, and what flipped meanwhile is told once and marked."""
    bench = build(row(1), row(0))
    said = await played(bench, fault, broken=2, mended=13)

    assert said == ["recording what was read fails", "recording what was read recovered"]
    kinds = [stored.event.kind for stored in await bench.store.events()]
    assert sorted(kinds) == sorted([EventKind.BASELINE, EventKind.AWAY, EventKind.WENT_DOWN])
    threads = (await bench.store.threads(f"default/{n}" for n in range(9))).values()
    away = [thread for thread in threads if thread.kind is ThreadKind.AWAY]
    assert len(away) == 1
    view = await bench.store.thread(away[0].id)
    assert view is not None
    end = START + timedelta(minutes=6)
    assert view.root.params == {"from": START.isoformat(), "to": end.isoformat(), "reason": "not_recorded"}
    (episode,) = await bench.store.episodes()
    assert (episode.why, episode.not_before, episode.start) == (Why.WHILE_UNRECORDED, START, end)


async def test_a_database_that_takes_nothing_for_a_moment_is_no_message_and_what_flipped_is_marked(
    build: Build, fault: Fault
) -> None:
    bench = build(row(1), row(0))
    await played(bench, fault, broken=2, mended=4)

    assert not await bench.happened(EventKind.AWAY)
    (episode,) = await bench.store.episodes()
    assert (episode.why, episode.not_before) == (Why.WHILE_UNRECORDED, START)


async def test_what_could_be_recorded_before_the_next_read_was_seen_as_it_happened(build: Build, store: Store) -> None:
    """Nothing was given up: the read that shows the fall is the one that is recorded, a few seconds late."""
    fault = ReadOnly(store, Path())
    bench = build(row(1), row(0))
    wait = bench.clock.wait

    async def watching(event: object, *, until: object) -> bool:
        if until == START + timedelta(seconds=52):
            fault.end()
        return await wait(event, until=until)  # type: ignore[arg-type]

    bench.clock.wait = watching  # type: ignore[method-assign]
    await bench.run(reads=3, before=lambda number: fault.begin() if number == 2 else None)

    (episode,) = await bench.store.episodes()
    assert (episode.why, episode.start) == (Why.SEEN, START + timedelta(seconds=30))
