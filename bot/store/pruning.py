"""Forgetting what is old, over, and told (`keep_events`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import Phase
from bot.store.tables import WAITING, episode, event, message, mute, site, thread


async def prune(transaction: AsyncConnection, before: datetime) -> int:
    """Events; mutes; closed threads with all their messages and episodes; episodes told nowhere. Returns the rows.

    A thread stays as long as the delivery has anything to do in it, and as long as an episode in it goes on.
    """
    # The sites' rows first, in one order, as every writer does: no tick works on a thread that is being forgotten.
    await transaction.execute(select(site.c.name).order_by(site.c.name).with_for_update())
    unfinished = exists().where(episode.c.thread == thread.c.id, or_(episode.c.end.is_(None), episode.c.end >= before))
    undelivered = exists().where(message.c.thread == thread.c.id, WAITING)
    closed = and_(thread.c.phase == Phase.CLOSED.value, thread.c.closed < before)
    found = await transaction.execute(select(thread.c.id).where(closed, ~unfinished, ~undelivered))
    ids = [id_ for (id_,) in found]

    forgotten = await _delete(transaction, event, event.c.at < before)
    forgotten += await _delete(transaction, mute, mute.c.end < before)
    forgotten += await _delete(transaction, episode, and_(episode.c.thread.is_(None), episode.c.end < before))
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        forgotten += await _delete(transaction, message, message.c.thread.in_(some))
        forgotten += await _delete(transaction, episode, episode.c.thread.in_(some))
        forgotten += await _delete(transaction, thread, thread.c.id.in_(some))
    return forgotten


_AT_ONCE = 500
"""Threads for each statement."""


async def _delete(transaction: AsyncConnection, table: Any, condition: ColumnElement[bool]) -> int:
    return (await transaction.execute(delete(table).where(condition))).rowcount
