"""A site of any size, as ItemPath would list it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

from bot.core.connection import Connection, Snapshot
from bot.core.decide import decide
from bot.core.incidents import MessageKind, ThreadKind, ThreadView
from bot.core.policy import Policy
from bot.core.state import Decision, Polled, SiteRecord, SiteState, after
from bot.itempath.payloads import read_listing

SITE = "berlin"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
POLICY = Policy(site=SITE, home="C0ALERTS", interval=timedelta(seconds=30))
_ids = itertools.count(1)


def listing(number: int, *, status: int = 1) -> bytes:
    """The reply that lists so many connections, each with a log of its own."""
    return json.dumps([_row(n, status, next(_ids)) for n in range(1, number + 1)]).encode()


def _row(n: int, status: int, log: int) -> dict[str, object]:
    return {
        "id": n,
        "name": f"Pick station {n:04d}",
        "appId": "5f0c6f3c-9d8e-4a53-8f0e-0d4f4b6f2c11",
        "url": f"https://10.20.{n // 250}.{n % 250}:4840/stations/{n}",
        "type": "REST",
        "authentication": "Basic",
        "username": "itempath",
        "passwordExists": True,
        "tokenExists": False,
        "isTestable": True,
        "status": status,
        "latestConnection": "2026-11-24T02:59:31",
        "created": "2024-02-01T08:00:00",
        "integrationCount": n % 9,
        "lastCheck": "2026-11-24T02:59:31",
        "latestLog": {
            "id": log,
            "date": "2026-11-24T02:59:31",
            "status": 200 if status else 503,
            "description": f"GET https://10.20.{n // 250}.{n % 250}:4840/stations/{n}",
            "error": None if status else f"No route to host 10.20.{n // 250}.{n % 250} after {log % 30} s",
            "time": 0.25,
        },
    }


def read(body: bytes) -> tuple[Connection, ...]:
    rows = read_listing(body, zone=UTC, now=START).by_id.values()
    return tuple(row for row in rows if isinstance(row, Connection))


def polled(number: int, *, status: int = 1) -> Polled:
    return Polled(snapshot=Snapshot(connections=read(listing(number, status=status))))


def watched(number: int) -> SiteState:
    """So many, all up."""
    state = SiteState(site=SiteRecord(name=SITE))
    return after(state, decide(state, polled(number), now=START, policy=POLICY))


def fallen(number: int) -> tuple[SiteState, Decision]:
    """So many, all of which have just fallen; and how that was decided."""
    state = watched(number)
    decision = decide(state, polled(number, status=0), now=START + POLICY.interval, policy=POLICY)
    return after(state, decision), decision


def group(number: int) -> tuple[ThreadView, Decision]:
    """The thread that all of them share."""
    state, decision = fallen(number)
    (thread,) = [thread for thread in decision.threads if thread.kind is ThreadKind.GROUP]
    (root,) = [m for m in decision.messages if m.thread == thread.id and m.kind is MessageKind.ROOT]
    episodes = tuple(episode for episode in state.episodes.values() if episode.thread == thread.id)
    return ThreadView(thread=thread, root=root, episodes=episodes), decision
