"""Slack is away for hours while thousands of things change: what it shows in the end is how it is, told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.connection import Connection, Log, Snapshot
from tests.crash.clock import Virtual
from tests.crash.inline import quick_database, quiet
from tests.crash.life import Life
from tests.crash.story import POLICY as STORIES_POLICY
from tests.crash.story import START
from tests.crash.workspace import Channels

CONNECTIONS = 60
"""More than may be edited in a minute."""
POLLS_AWAY = 34
POLICY = replace(STORIES_POLICY, interval=timedelta(minutes=5))
"""Nearly three hours; two thousand changes."""
CLOSED = frozenset(map(str, range(31, CONNECTIONS + 1)))
"""Their errors end while Slack is away."""
SHORT = "99"
"""Falls and rises while Slack is away."""


class Noise:
    """An ItemPath on which every connection reports the same error anew at each poll."""

    def __init__(self, clock: Virtual) -> None:
        self.clock = clock
        self.polls = 0
        self.away_from = 10**9

    async def connections(self, *, budget: float | None = None) -> Snapshot:
        self.polls += 1
        away = self.polls - self.away_from
        over = away >= POLLS_AWAY
        rows = [
            Connection(
                id=id_,
                name=f"Connection {id_}",
                status=1,
                latest_log=None
                if self.polls == 1
                else Log(id=str(self.polls), error="" if over and id_ in CLOSED else f"refused after {self.polls} s"),
            )
            for id_ in map(str, range(1, CONNECTIONS + 1))
        ]
        short = Connection(id=SHORT, name="Short", status=int(not 10 <= away < 20))
        return Snapshot(connections=(*rows, short))


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quiet(), quick_database():
        yield


async def test_after_hours_edits_have_collapsed_closures_go_first_and_all_keep_within_slacks_limits(
    tmp_path: Path,
) -> None:
    clock = Virtual(START)
    channels, noise = Channels(clock), Noise(clock)
    life = await Life.begin(
        f"sqlite:///{tmp_path / 'bot.db'}",
        step=lambda *_: None,
        sources={POLICY.site: noise},
        policy=POLICY,
        clock=clock,
        channels=channels,
    )

    async def hours() -> None:
        await clock.sleep(3 * POLICY.interval.total_seconds())
        assert len(channels.messages()) == CONNECTIONS + 1
        channels.away = True
        noise.away_from = noise.polls
        while noise.polls < noise.away_from + POLLS_AWAY + 2:
            await clock.sleep(POLICY.interval.total_seconds())
        life.pollers[POLICY.site].stop()
        # Longer than any wait while Slack is out of reach.
        await clock.sleep(60)
        channels.calls.clear()
        channels.away = False
        while (await life.store.outbox.pending()).count:
            await clock.sleep(10)

    await clock.rest(life.does(hours()))
    await life.end()

    calls = [call for call in channels.calls if call.outcome != "unreachable"]
    assert {call.outcome for call in calls} == {"ok"}, "a limit of Slack's was not kept"
    edited = [call.ts for call in calls if call.method == "chat.update"]
    assert len(edited) == len(set(edited)) == CONNECTIONS, "each message is edited once, however often it changed"
    texts = {message["ts"]: message["text"] for message in channels.messages()}
    closed = [not texts[ts].startswith("🟠") for ts in edited]
    assert closed == sorted(closed, reverse=True)
    assert sum(closed) == len(CLOSED)
    # An outage that came and went meanwhile is one message, and says that it is over.
    (short,) = [text for text in texts.values() if "Short" in text]
    assert "is up again" in short
