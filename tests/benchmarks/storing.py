"""What is committed: one poll in which all fall, in one transaction."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from bot.core.decide import decide
from bot.store.store import Store
from tests.benchmarks.figure import TIMES, Figure, cpu, cpu_async
from tests.benchmarks.site import POLICY, SITE, START, polled

ROWS = 500
LATER = START + POLICY.interval
TABLES = ("site", "connection", "thread", "episode", "message", "event")


async def storing(folder: Path) -> AsyncIterator[Figure]:
    before, after = folder / "before.db", folder / "after.db"
    store = await Store.open(f"sqlite:///{before}", write=True)
    async with store.tick(SITE, now=START, lately=POLICY.lately) as tick:
        await tick.apply(decide(tick.state, polled(ROWS), now=START, policy=POLICY), now=START)
    await store.close()
    copies = iter([_copy(before, folder / f"{n}.db") for n in range(2 * TIMES)])
    cause = polled(ROWS, status=0)
    seconds = []
    for _ in range(TIMES):
        store = await Store.open(f"sqlite:///{next(copies)}", write=True)

        async def fall(store: Store = store) -> None:
            async with store.tick(SITE, now=LATER, lately=POLICY.lately) as tick:
                await tick.apply(decide(tick.state, cause, now=LATER, policy=POLICY), now=LATER)

        seconds.append(await cpu_async(fall, times=1))
        path = store._database.address.path
        await store.close()
        assert path is not None
        shutil.copy(path, after)
    rows = _rows(after)
    yield Figure(
        name=f"a tick in which {ROWS} fall: read, decide, commit",
        value=min(seconds),
        floor_name=f"sqlite3: read and write the same {sum(len(each) for each, _ in rows.values())} rows",
        floor=cpu(lambda: _bare(next(copies), rows), times=TIMES),
    )


def _copy(path: Path, to: Path) -> Path:
    shutil.copy(path, to)
    return to


def _rows(path: Path) -> dict[str, tuple[list[tuple[object, ...]], int]]:
    """Of each table: its rows, and how many columns it has."""
    with closing(sqlite3.connect(path)) as connection:
        found = {}
        for table in TABLES:
            cursor = connection.execute(f"SELECT * FROM {table}")
            found[table] = (cursor.fetchall(), len(cursor.description))
        return found


def _bare(path: Path, rows: dict[str, tuple[list[tuple[object, ...]], int]]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, (values, columns) in rows.items():
            connection.execute(f"SELECT * FROM {table}").fetchall()
            marks = ",".join("?" * columns)
            connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)
