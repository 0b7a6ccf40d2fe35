"""A sample of `make torture`: real processes, really killed."""

from __future__ import annotations

from pathlib import Path

from tests.crash.torture import CHANGES, torture

SEED = 5


async def test_real_bots_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    tally = await torture(histories=1, seed=SEED, folder=tmp_path, say=False)

    assert tally.kills.total() == CHANGES
    assert (tally.lost, tally.doubled) == (0, 0)
