"""A PostgreSQL server that is ended and started again while the bot runs, as its poller meets it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.core.events import EventKind
from bot.core.incidents import Why
from bot.core.policy import Policy
from bot.poller import UNRECORDED, Poller
from bot.store.store import Store
from bot.telemetry import Metrics
from tests.poller.conftest import INTERVAL, START, Jumping, Source, snapshot
from tests.store.wire import Wire


@pytest.mark.postgres
async def test_a_server_that_was_away_for_long_is_one_message_and_what_flipped_meanwhile_is_marked(wire: Wire) -> None:
    """Nothing has to be started again but the server; the log says each change once."""
    await wire.begin()
    store = await Store.open(wire.url, write=True)
    clock = Jumping()
    poller = Poller(
        client=Source(clock, [snapshot(1), snapshot(0)]),
        store=store,
        policy=Policy(site="default", home="#ops", interval=INTERVAL),
        peers=(),
        clock=clock,
        metrics=Metrics(version="test"),
        committed=lambda: None,
    )
    await poller.poll()
    await wire.end()
    with capture_logs() as logs:
        for _ in range(12):
            clock.at += INTERVAL
            await poller.poll()
            assert poller.trouble is not None
            assert poller.trouble.kind == UNRECORDED
        await wire.begin()
        clock.at += INTERVAL
        await poller.poll()

    assert poller.trouble is None
    said = [entry["event"] for entry in logs if entry["event"].startswith("recording")]
    assert said[0] == "recording what was read fails"
    assert said[-1] == "recording what was read recovered"
    assert len(said) <= 3
    kinds = sorted(stored.event.kind for stored in await store.events())
    assert kinds == sorted([EventKind.BASELINE, EventKind.AWAY, EventKind.WENT_DOWN])
    (episode,) = await store.episodes()
    assert (episode.why, episode.not_before, episode.start) == (Why.WHILE_UNRECORDED, START, clock.at)
    await store.close()
