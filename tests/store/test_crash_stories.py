"""Stories of the crash sweep on PostgreSQL: the bot dies again and again, and the channel is as SQLite has it without.

Time waits for the server as it waits for every task that is at work (`tests/crash/clock.py`). What a server holds cannot
be put back to an earlier moment, so these are the lives that follow each other, not each step on its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.inline import quick_database, quiet
from tests.crash.stories import STORIES
from tests.crash.story import Run, Telling
from tests.crash.test_crash_sweep import WATCHED, beginning, same

FIRST_LIFE = 10
"""Steps; each life after it has two more, so that a post's fate is found out in the end."""
_THREAD = re.compile(r"(Acknowledge|Mute 1 h|Details)[a-z]+/\d+")


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["outage", "sites lost together"])
async def test_on_a_server_too_a_bot_that_dies_again_and_again_gets_there(
    name: str, tmp_path: Path, ready_postgres: str
) -> None:
    story = STORIES[name]
    with quiet():
        with quick_database():
            whole = await Telling(story, tmp_path, await beginning(story, tmp_path)).run()
        watched = replace(WATCHED, beside=dict.fromkeys(story.beside, WATCHED.scenes))
        last = (await Telling(watched, tmp_path, server=ready_postgres).run()).last.begin(story)
        deaths = 0
        while True:
            steps = FIRST_LIFE + 2 * deaths
            run = await Telling(story, tmp_path, last, dies_at=steps, server=ready_postgres).run()
            if not run.steps:
                break
            deaths += 1
            last = run.last
    assert deaths > 2
    same(_readable(run), _readable(whole), f"died {deaths} times on PostgreSQL")


def _readable(run: Run) -> Run:
    """Without the ids of threads in buttons: which of two sites is found to be lost first is left to the server."""
    channel = (tuple(_THREAD.sub(r"\1", line) for line in thread) for thread in run.channel)
    return replace(run, channel=tuple(sorted(channel)))
