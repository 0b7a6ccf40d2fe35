from __future__ import annotations

import asyncio
import signal
import sys

from bot.store.errors import DatabaseBusy
from bot.store.store import Store
from tests.store.samples import NOW, commit, root, thread

CHILD = """
import asyncio, sys
from dataclasses import replace
from bot.core.state import Decision
from bot.store.store import Store
from tests.store.samples import LATELY, NOW, root, thread

async def main():
    store = await Store.open(sys.argv[1], write=True)
    for n in (1, 2):
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            decision = Decision(
                site=replace(tick.state.site, serial=n), threads=(thread(n),), messages=(root(f"default/{n}"),)
            )
            await tick.apply(decision, NOW)
            if n == 2:
                print("in the middle of the second", flush=True)
                await asyncio.Event().wait()

asyncio.run(main())
"""


async def reopened(url: str) -> Store:
    """A server needs a moment to see that a process is gone; SQLite's lock is free at once."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await Store.open(url, write=True)
            except DatabaseBusy:
                if url.startswith("sqlite"):
                    raise
                await asyncio.sleep(0.02)


async def test_a_bot_killed_within_a_transaction_leaves_what_was_committed_and_nothing_else(url: str) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, url, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"in the middle of the second\n"
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL

    store = await reopened(url)
    try:
        assert [site.serial for site in await store.sites()] == [1]
        assert list(await store.threads(["default/1", "default/2"])) == ["default/1"]
        assert [o.key.thread for o in await store.outbox.waiting()] == ["default/1"]
        # The next bot goes on where that one stood.
        await commit(store, now=NOW, threads=(thread(2),), messages=(root("default/2"),))
        assert len(await store.outbox.waiting()) == 2
    finally:
        await store.close()
