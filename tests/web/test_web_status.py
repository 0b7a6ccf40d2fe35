"""`/status`: what the bot sees, and every reason why that is not all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

import bot.web
from bot.store.outbox import MessageKey
from tests.web.conftest import INTERVAL, NOW, REFUSED, Bench


async def test_status_is_200_with_every_site_seen_and_every_channel_open(bench: Bench) -> None:
    await bench.poll()
    status, told = await bench.get("/status")

    assert status == 200
    assert told["reasons"] == []
    assert told["sites"] == [
        {
            "name": "berlin",
            "ok": True,
            "last_good_poll": NOW.isoformat(),
            "poll_interval_seconds": 30.0,
            "trouble": None,
            "why": None,
        }
    ]
    assert told["slack"] == {"ok": True, "problems": [], "socket_mode": None, "request_url": False}


async def test_a_site_unseen_for_more_than_three_intervals_is_a_reason(bench: Bench) -> None:
    await bench.poll()
    bench.clock.at = NOW + 3 * INTERVAL
    assert (await bench.get("/status"))[0] == 200

    bench.clock.at += timedelta(milliseconds=1)
    bench.site.trouble = REFUSED
    status, told = await bench.get("/status")
    assert status == 503
    assert told["reasons"] == [
        "site berlin: last read at 2026-11-24T03:00:00+00:00; The connection was refused. Start it."
    ]
    assert told["sites"][0]["trouble"] == {
        "kind": "unreachable",
        "message": "The connection was refused.",
        "advice": "Start it.",
    }


async def test_a_site_that_was_never_read_is_a_reason(bench: Bench) -> None:
    status, told = await bench.get("/status")

    assert status == 503
    assert told["reasons"] == ["site berlin: never read"]


async def test_what_slack_says_is_a_reason_and_so_is_not_having_asked(bench: Bench) -> None:
    await bench.poll()
    bench.speaks.problems = None
    assert (await bench.get("/status"))[1]["reasons"] == ["slack: not asked yet"]

    bench.speaks.problems = ("workspace: Slack does not accept the bot token (invalid_auth); copy it again",)
    status, told = await bench.get("/status")
    assert status == 503
    assert told["reasons"] == [
        "slack: workspace: Slack does not accept the bot token (invalid_auth); copy it again",
    ]
    assert told["slack"]["ok"] is False


@pytest.mark.parametrize(("error", "reasons"), [("is_archived", 1), ("ratelimited", 0)])
async def test_a_refused_message_is_a_reason_unless_slack_only_asks_to_wait(
    bench: Bench, error: str, reasons: int
) -> None:
    await bench.poll()
    key = MessageKey(thread="berlin/1", n=0)
    claim = await bench.store.outbox.claim(key, now=NOW)
    assert claim is not None
    await bench.store.outbox.refused(key, generation=0, error=error, due_at=NOW + INTERVAL, held=True)
    status, told = await bench.get("/status")

    assert status == (503 if reasons else 200)
    assert told["reasons"] == [f"slack: 1 message for #ops not taken: {error}"] * reasons
    assert told["messages"]["waiting"] == 1
    assert told["messages"]["oldest"] == NOW.isoformat()
    (refused,) = told["messages"]["refused"]
    assert refused["remedy"]


@pytest.mark.parametrize(("waits", "status"), [(timedelta(minutes=5), 200), (timedelta(minutes=5, seconds=1), 503)])
async def test_a_message_that_slack_makes_wait_for_minutes_is_a_reason(
    bench: Bench, waits: timedelta, status: int
) -> None:
    """`Retry-After` may be an hour: a channel that stays silent so long is not one that the bot can speak in."""
    await bench.poll()
    key = MessageKey(thread="berlin/1", n=0)
    assert await bench.store.outbox.claim(key, now=NOW)
    await bench.store.outbox.refused(key, generation=0, error="ratelimited", due_at=NOW + INTERVAL, held=False)
    bench.clock.at += waits
    await bench.poll()

    assert (await bench.get("/status"))[0] == status


async def test_while_the_database_is_away_nothing_is_known_of_any_site(bench: Bench) -> None:
    await bench.poll()
    await bench.store.close()
    bench.lock.with_suffix("").rename(bench.lock.with_suffix(".moved"))
    status, told = await bench.get("/status")

    assert status == 503
    assert [reason.partition(":")[0] for reason in told["reasons"]] == ["database"]
    assert told["sites"][0]["why"] == "not known while the database does not answer"
    assert (await bench.get("/metrics"))[0] == 200


async def test_a_database_that_hangs_is_a_reason_and_not_a_probe_without_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.web, "ANSWERS_WITHIN", 0.05)
    monkeypatch.setattr(bench.store, "ping", asyncio.Event().wait)

    assert await bench.get("/readyz") == (
        503,
        {"ok": False, "reasons": ["database: no answer within 0.05 seconds"]},
    )
