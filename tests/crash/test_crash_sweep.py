"""The bot dies at each step of everything it does to the outside, and the channel is in the end as if it never had.

A step is each commit, before and after it, and each request to Slack: before it is sent, while it is under way (a post
then arrives seconds later), and when it is carried out but not answered. The next life finds the database and the channel
as that moment left them, and the story goes on.

What may differ from the run that never dies: moments and durations, and the words that say that something happened
"while this bot was away". Nothing else: the same roots, the same replies and broadcasts below them in the same order,
the same final forms; so nothing is lost, nothing stands there twice, and nothing in a wrong thread.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.inline import quick_database, quiet
from tests.crash.stories import STORIES
from tests.crash.story import AFTER_BOTH, BETWEEN_THE_LOOKS, Moment, Run, Scene, Story, Telling

SHARES = 4
"""In so many parts each story is swept, so that they can be swept beside each other."""
WATCHED = Story(from_nothing=True, scenes=(Scene(at=0),), until=15)


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quiet(), quick_database():
        yield


async def beginning(story: Story, folder: Path) -> Moment | None:
    if story.from_nothing:
        return None
    watched = await Telling(replace(WATCHED, beside=dict.fromkeys(story.beside, WATCHED.scenes)), folder).run()
    return watched.last.begin(story)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", STORIES)
async def test_a_death_at_any_step_changes_nothing_that_is_told(name: str, share: int, tmp_path: Path) -> None:
    story = STORIES[name]
    whole = await Telling(story, tmp_path, await beginning(story, tmp_path)).run(record=True)
    assert len(whole.steps) > 20
    for number, moment in enumerate(whole.steps):
        if number % SHARES == share:
            for late in (BETWEEN_THE_LOOKS, AFTER_BOTH) if moment.under_way else (BETWEEN_THE_LOOKS,):
                goes_on = await Telling(story, tmp_path, moment, late=late).run()
                same(goes_on, whole, f"died at step {number + 1}, {moment.step}, late {late}")


@pytest.mark.parametrize("every", [12, 13])
@pytest.mark.parametrize("name", STORIES)
async def test_a_bot_that_dies_again_and_again_gets_there_too(name: str, every: int, tmp_path: Path) -> None:
    """Each life has but a few steps, just enough to find out what became of a post, and each has two more than the last."""
    story = STORIES[name]
    begun = await beginning(story, tmp_path)
    whole = await Telling(story, tmp_path, begun).run()
    run = await Telling(story, tmp_path, begun, dies_at=every).run()
    deaths = 0
    while run.steps:
        deaths += 1
        run = await Telling(story, tmp_path, run.last, dies_at=every + 2 * deaths).run()
    assert deaths > 1
    same(run, whole, f"died {deaths} times, first at step {every}")


def same(found: Run, wanted: Run, when: str) -> None:
    if found.channel != wanted.channel:
        before, after = ([line for thread in run.channel for line in (*thread, "")] for run in (wanted, found))
        raise AssertionError("\n".join((when, *difflib.unified_diff(before, after, lineterm=""))))
