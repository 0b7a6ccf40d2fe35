"""A sample of `make torture`: real processes, really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.crash.torture import CHANGES, torture
from tests.e2e.process import ROOT, STARTS_WITHIN

SEED = 5


async def test_real_bots_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    tally = await torture(histories=1, seed=SEED, folder=tmp_path, say=False)

    assert tally.kills.total() == CHANGES
    assert str(tally) == "0 lost, 0 duplicated"


def test_who_ends_it_ends_its_bot_too(tmp_path: Path) -> None:
    """The bot holds the same pipe, which ends with the last of them."""
    command = [sys.executable, "-m", "tests.crash.torture"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + STARTS_WITHIN
        while not any(log.stat().st_size for log in tmp_path.glob("*/0/bot.log")):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)

    assert said.splitlines()[-1] == "told to end"
    assert process.returncode == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"
