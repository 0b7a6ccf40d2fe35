"""Values with every field filled, and short ways to make the usual ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.core.connection import Connection, Failure, Log, LogKey, State
from bot.core.incidents import (
    Closing,
    Episode,
    EpisodeKind,
    Family,
    Message,
    MessageKind,
    Mute,
    Person,
    Phase,
    Role,
    Silence,
    SilentPart,
    Thread,
    ThreadKind,
    Why,
)
from bot.core.state import ConnectionRecord, Decision, Pending, SiteState
from bot.store import schema
from bot.store.outbox import MessageKey
from bot.store.store import Store

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LATELY = timedelta(minutes=30)

LOG = Log(
    id="77",
    at=NOW - SECOND,
    status=500,
    description="POST /orders",
    error='timeout \x00 after 5 s \ud800 \\ "ü"',
    app_id="app",
    integration_id="int",
    workflow_id="flow",
    task_id="task",
    seconds=5.25,
)
ROW = Connection(
    id="1",
    name="WMS <!channel> ✓",
    app_id="app",
    url="https://wms.example/api",
    type="rest",
    authentication="basic",
    username="svc",
    password_exists=True,
    token_exists=False,
    is_testable=True,
    status=0,
    latest_connection=NOW - MINUTE,
    created=NOW - DAY,
    latest_log=LOG,
    last_check=NOW,
    integration_count=12,
)
RECORD = ConnectionRecord(
    site="default",
    id="1",
    row=ROW,
    known=State.UP,
    since=NOW - DAY,
    seen_at=NOW - MINUTE,
    pending=Pending(state=State.DOWN, polls=1, since=NOW, why=Why.WHILE_AWAY, not_before=NOW - MINUTE, errors=(LOG,)),
    logs_seen=(LogKey(id="76", at=None, error=""), LOG.key),
    absent_reads=1,
    problem="`status` is neither 0 nor 1",
    flips=(NOW - DAY, NOW - MINUTE),
    stale=True,
)
THREAD = Thread(
    id="default/1",
    site="default",
    kind=ThreadKind.OUTAGE,
    channel="#alerts",
    opened=NOW - DAY,
    mentions=("here", "U2"),
    escalate_to=("S1",),
    phase=Phase.CLOSED,
    closed=NOW,
    ack_by=Person(id="U1", name="Ann"),
    ack_at=NOW - MINUTE,
    remind_at=NOW + MINUTE,
    reminders=2,
    escalate_at=NOW + 2 * MINUTE,
    escalated_at=NOW - 3 * MINUTE,
    settle_at=NOW + 3 * MINUTE,
    changes=5,
    flips=(NOW - MINUTE, NOW),
    joined_at=NOW - SECOND,
    told_down=6,
    watched=7,
    elsewhere=8,
    unsaid=9,
    lists=(2, 3),
    silence=Silence(until=NOW + DAY, reason="moving \x00\ud800", by=Person(id="U3", name="Bo")),
    silences=(
        SilentPart(
            silence=Silence(until=NOW + DAY, reason="moving", by=Person(id="U3", name="Bo")), connections=("1",)
        ),
        SilentPart(silence=Silence(until=NOW + 2 * DAY, reason=""), connections=("2", "3")),
    ),
    owed=True,
    revision=3,
    next_n=4,
)
EPISODE = Episode(
    id="default#2",
    site="default",
    connection="1",
    kind=EpisodeKind.OUTAGE,
    start=NOW - MINUTE,
    why=Why.WHILE_BLIND,
    not_before=NOW - DAY,
    end=NOW,
    end_why=Why.WHILE_AWAY,
    end_not_before=NOW - SECOND,
    closing=Closing.RECOVERED,
    row=ROW,
    families=(Family(fingerprint="f", log=LOG, count=3, first_at=NOW - MINUTE, last_at=NOW, message=2),),
    failure=Failure(kind="timeout", message="No answer.", advice="Look."),
    thread="default/1",
    told_at=NOW - 2 * SECOND,
)
MUTE = Mute(
    id="default!3",
    site="default",
    connection="1",
    by=Person(id="U1", name="Ann"),
    reason="moving \x00\ud800",
    start=NOW - MINUTE,
    end=NOW + MINUTE,
)


def thread(n: int, *, site: str = "default", **fields: Any) -> Thread:
    defaults: dict[str, Any] = {"kind": ThreadKind.OUTAGE, "channel": "C1", "opened": NOW}
    return Thread(id=f"{site}/{n}", site=site, **(defaults | fields))


def closed(n: int, at: datetime = NOW, **fields: Any) -> Thread:
    return thread(n, phase=Phase.CLOSED, closed=at, **fields)


def episode(n: int, *, site: str = "default", **fields: Any) -> Episode:
    defaults: dict[str, Any] = {"connection": str(n), "kind": EpisodeKind.OUTAGE, "start": NOW, "why": Why.SEEN}
    return Episode(id=f"{site}#{n}", site=site, **(defaults | fields))


def root(of: str) -> Message:
    return Message(thread=of, n=0, role=Role.ROOT, kind=MessageKind.ROOT)


def reply(of: str, n: int, *, kind: MessageKind = MessageKind.RECOVERED, moot_from: int | None = None) -> Message:
    return Message(
        thread=of, n=n, role=Role.BROADCAST, kind=kind, params={"episode": "e", "error": None}, moot_from=moot_from
    )


async def post(store: Store, thread_id: str, n: int = 0) -> None:
    """The message gets to Slack."""
    key = MessageKey(thread=thread_id, n=n)
    assert await store.outbox.claim(key, now=NOW) is not None
    await store.outbox.sent(key, generation=0, channel_id="C1", ts="1.1", now=NOW)


async def state_of(
    store: Store, site: str = "default", *, peers: tuple[str, ...] = (), now: datetime = NOW
) -> SiteState:
    """What a tick is handed."""
    async with store.tick(site, peers=peers, now=now, lately=LATELY) as tick:
        return tick.state


async def commit(
    store: Store, *, site: str = "default", now: datetime = NOW, tried: datetime = NOW, **what: Any
) -> None:
    """One tick that decides `what`."""
    async with store.tick(site, now=now, lately=LATELY) as tick:
        await tick.apply(Decision(site=replace(tick.state.site, tried_at=tried), **what), now)


async def set_version(url: str, version: str) -> None:
    """As a bot of another version leaves its tables."""
    store = await Store.open(url, write=True)
    async with store._database.write() as connection:
        await connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = :v"), {"v": version})
    await store.close()
