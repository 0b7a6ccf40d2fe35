"""Each figure of the bot's beside a floor that is measured in the same run: `make bench`.

Milliseconds differ from machine to machine, their ratios hardly. `docs/benchmarks.md` has the ratios as they were last.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from tests.benchmarks.figure import Figure
from tests.benchmarks.processes import processes
from tests.benchmarks.speaking import speaking
from tests.benchmarks.storing import storing
from tests.benchmarks.thinking import thinking
from tests.crash.inline import quiet

HEAD = ("what", "took", "floor", "took", "ratio")


def main() -> None:
    with quiet(), tempfile.TemporaryDirectory() as folder:
        figures = [
            *thinking(),
            *asyncio.run(_all(storing(Path(folder)))),
            *asyncio.run(_all(speaking(Path(folder)))),
            *processes(),
        ]
    _print([HEAD, *map(_row, figures)])


async def _all(figures: AsyncIterator[Figure]) -> list[Figure]:
    return [figure async for figure in figures]


def _row(figure: Figure) -> tuple[str, ...]:
    value, floor = (f"{number:.2f} {figure.unit}" for number in (figure.value, figure.floor))
    return (figure.name, value, figure.floor_name, floor, f"{figure.ratio:.1f}")


def _print(rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    name, value, floor_name, floor, ratio = (max(map(len, column)) for column in zip(*rows, strict=True))
    for row in rows:
        sys.stdout.write(
            f"{row[0]:<{name}}  {row[1]:>{value}}  {row[2]:<{floor_name}}  {row[3]:>{floor}}  {row[4]:>{ratio}}\n"
        )


if __name__ == "__main__":
    main()
