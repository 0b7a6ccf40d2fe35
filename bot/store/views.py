"""Readings that several rooms of the store share, each within a transaction of the caller."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import Message, Phase, ThreadKind, ThreadView
from bot.store import rows
from bot.store.errors import understood
from bot.store.outgoing import DeliveryState, Form, MessageKey, Outgoing
from bot.store.tables import WAITING, episode, message, thread

# Ids end in a serial: of two that began together the shorter, then the lesser, is the older.
OLDEST_FIRST = (episode.c.start, func.length(episode.c.id), episode.c.id)
NEWEST_FIRST = tuple(column.desc() for column in OLDEST_FIRST)

_root = message.alias("root")

_OUTGOING: Select[Any] = (
    select(
        message,
        thread.c.channel.label("channel"),
        thread.c.kind.label("thread_kind"),
        thread.c.phase.label("thread_phase"),
        _root.c.ts.label("root_ts"),
        _root.c.channel_id.label("root_channel_id"),
        _root.c.state.label("root_state"),
        _root.c.first_revision.label("root_first_revision"),
    )
    .join(thread, thread.c.id == message.c.thread)
    .join(_root, (_root.c.thread == message.c.thread) & (_root.c.n == 0))
    .order_by(message.c.created_at, message.c.thread, message.c.n)
)


_WAITING = _OUTGOING.where(WAITING)
_WAITING_IN = _WAITING.where(message.c.thread.in_(bindparam("threads", type_=message.c.thread.type, expanding=True)))
_ONE = _OUTGOING.where(message.c.thread == bindparam("of"), message.c.n == bindparam("number"))


async def waiting(
    connection: AsyncConnection, where: str, threads: Collection[str] | None = None
) -> tuple[Outgoing, ...]:
    """Everything that the delivery has to do, in these threads or in all."""
    statement, about = (_WAITING, {}) if threads is None else (_WAITING_IN, {"threads": list(threads)})
    with understood(where):
        return tuple(map(_outgoing, rows.each(await connection.execute(statement, about))))


async def outgoing(connection: AsyncConnection, where: str, key: MessageKey) -> Outgoing | None:
    with understood(where):
        found = rows.each(await connection.execute(_ONE, {"of": key.thread, "number": key.n}))
        return next(map(_outgoing, found), None)


def latest(condition: ColumnElement[bool]) -> Select[tuple[str]]:
    """Ids of episodes: of those that meet the condition, the latest of each connection in each thread.

    A flapping group has thousands, and how its members stand is told by their latest.
    """
    each = (episode.c.thread, episode.c.site, episode.c.connection)
    nth = func.row_number().over(partition_by=each, order_by=NEWEST_FIRST).label("nth")
    ranked = select(episode.c.id, nth).where(condition).subquery()
    return select(ranked.c.id).where(ranked.c.nth == 1)


_THREAD = select(thread).where(thread.c.id == bindparam("of"))
_ROOT = select(message).where(message.c.thread == bindparam("of"), message.c.n == 0)
_EPISODE = select(episode).where(episode.c.id == bindparam("told"), episode.c.thread == bindparam("of"))
_EPISODES = select(episode).where(episode.c.id.in_(latest(episode.c.thread == bindparam("of")))).order_by(*OLDEST_FIRST)


async def thread_view(
    connection: AsyncConnection, where: str, thread_id: str, *, telling: Message | None = None
) -> ThreadView | None:
    """`telling`: the message that is to be rendered. What it tells may be over, and told late."""
    told = None if telling is None else telling.params.get("episode")
    with understood(where):
        found = await connection.execute(_THREAD, {"of": thread_id})
        root = await connection.execute(_ROOT, {"of": thread_id})
        episodes = await connection.execute(_EPISODES, {"of": thread_id})
        row, root_row = next(rows.each(found), None), next(rows.each(root), None)
        if row is None or root_row is None:
            return None
        latest_ones = tuple(map(rows.episode_of, rows.each(episodes)))
        earlier = None
        if told is not None and told not in {e.id for e in latest_ones}:
            found = await connection.execute(_EPISODE, {"of": thread_id, "told": told})
            earlier = next(map(rows.episode_of, rows.each(found)), None)
        return ThreadView(
            thread=rows.thread_of(row), root=rows.message_of(root_row), episodes=latest_ones, earlier=earlier
        )


def _outgoing(row: rows.Values) -> Outgoing:
    return Outgoing(
        message=rows.message_of(row),
        closing=row["closing"],
        channel=row["channel"],
        thread_kind=ThreadKind(row["thread_kind"]),
        thread_open=row["thread_phase"] != Phase.CLOSED,
        created_at=row["created_at"],
        state=DeliveryState(row["state"]),
        generation=row["generation"],
        channel_id=row["channel_id"],
        ts=row["ts"],
        first_revision=row["first_revision"],
        shown_revision=row["shown_revision"],
        form=Form(row["form"]),
        due_at=row["due_at"],
        first_tried_at=row["first_tried_at"],
        tried_at=row["tried_at"],
        attempts=row["attempts"],
        looks=row["looks"],
        maybe_sent_before=row["maybe_sent_before"],
        twin_at=row["twin_at"],
        error=row["error"],
        replaces=row["replaces"],
        root_ts=row["root_ts"],
        root_channel_id=row["root_channel_id"],
        root_state=DeliveryState(row["root_state"]),
        root_first_revision=row["root_first_revision"],
    )
