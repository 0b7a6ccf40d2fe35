"""What a process costs: to start it, and to keep connections in mind.

`python -m tests.benchmarks.processes N` watches so many connections for some polls and prints the most memory that it
has taken, in bytes.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot.clock import Clock
from bot.core.connection import Snapshot
from bot.poller import Poller
from bot.store.store import Store
from bot.telemetry import Metrics
from tests.benchmarks.figure import TIMES, Figure
from tests.benchmarks.site import POLICY, listing, read

FEW, MANY = 1, 4000
POLLS = 5


def processes() -> Iterator[Figure]:
    yield Figure(
        name="--help",
        value=_started("-m", "bot", "--help"),
        floor_name="python -c pass",
        floor=_started("-c", "pass"),
    )
    few, many = (float(_output(number)) for number in (FEW, MANY))
    yield Figure(
        name=f"memory at its peak for each of {MANY} connections",
        value=(many - few) / (MANY - FEW) / 1024,
        floor_name="its JSON",
        floor=len(listing(MANY)) / MANY / 1024,
        unit="KiB",
    )


def _started(*arguments: str) -> float:
    """Milliseconds of processor time."""
    found = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(found)


def _output(number: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.processes", str(number)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]


class _Site:
    def __init__(self, number: int) -> None:
        self._number = number

    async def connections(self, *, budget: float | None = None) -> Snapshot:
        return Snapshot(connections=read(listing(self._number)))


async def _watch(number: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{Path(folder) / 'bot.db'}", write=True)
        poller = Poller(
            client=_Site(number),
            store=store,
            policy=POLICY,
            peers=(),
            clock=Clock(),
            metrics=Metrics(version="benchmark"),
            committed=lambda: None,
        )
        for _ in range(POLLS):
            await poller.poll()
            assert poller.trouble is None
        await store.close()
    return _peak()


def _peak() -> int:
    """Of memory, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        # Elsewhere than on Linux; of those systems macOS counts bytes.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    # Not `ru_maxrss`: that begins with what the process that started this one has taken.
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(_watch(int(sys.argv[1])))}\n")
