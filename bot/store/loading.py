"""What a tick is handed: as much of what is remembered as `decide` may look at, and no more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import MessageKind, Phase, ThreadKind
from bot.core.state import SiteState
from bot.store import rows
from bot.store.outgoing import DeliveryState
from bot.store.tables import UNSENT, connection, episode, message, mute, site, thread
from bot.store.views import OLDEST_FIRST, latest

_OPEN = [phase.value for phase in Phase if phase is not Phase.CLOSED]

# Slack certainly does not have it: it was never tried, or refused.
_UNPOSTED = (message.c.n == 0) & UNSENT & (message.c.state != DeliveryState.MAYBE.value) & ~message.c.maybe_sent_before


async def load(
    transaction: AsyncConnection, name: str, *, peers: Collection[str], now: datetime, lately: timedelta
) -> SiteState:
    """Takes the rows of the sites first, then reads. See `SiteState` for what is in it."""
    together = [name, *peers]
    # Each part by an index of its own, and as queries rather than as lists of ids: however long Slack was away, and
    # however much is kept, a statement stays small.
    going_on = select(episode).where(episode.c.site == name, episode.c.end.is_(None))
    over_lately = select(episode).where(episode.c.site == name, episode.c.end >= now - lately)
    told_in = (
        going_on.with_only_columns(episode.c.thread).where(episode.c.thread.is_not(None)),
        over_lately.with_only_columns(episode.c.thread).where(episode.c.thread.is_not(None)),
    )
    # In one order, as every writer does, so that none waits for one that waits for it.
    taken = await transaction.execute(
        select(site)
        .where(
            or_(
                site.c.name.in_(together),
                site.c.name.in_(select(thread.c.site).where(thread.c.id.in_(union(*told_in)))),
            )
        )
        .order_by(site.c.name)
        .with_for_update()
    )
    sites = {record.name: record for record in map(rows.site_of, rows.each(taken))}

    wanted = union(
        select(thread.c.id).where(thread.c.site == name, thread.c.phase.in_(_OPEN)),
        select(message.c.thread).where(_UNPOSTED, _in_thread_of(name)),
        *told_in,
        # Sites that are lost together share a root.
        select(thread.c.id).where(
            thread.c.site.in_(peers), thread.c.phase.in_(_OPEN), thread.c.kind == ThreadKind.SITE.value
        ),
    )
    matters = union(
        going_on.with_only_columns(episode.c.id),
        over_lately.with_only_columns(episode.c.id),
        latest(episode.c.thread.in_(wanted)),
    )
    unposted, reminders = await _undelivered(transaction, name)
    records = await transaction.execute(select(connection).where(connection.c.site == name))
    threads = await transaction.execute(select(thread).where(thread.c.id.in_(wanted)))
    episodes = await transaction.execute(select(episode).where(episode.c.id.in_(matters)).order_by(*OLDEST_FIRST))
    mutes = await transaction.execute(
        select(mute).where(mute.c.site == name, mute.c.end > now).order_by(mute.c.start, mute.c.id)
    )
    return SiteState(
        site=sites[name],
        connections={value.id: value for value in map(rows.record_of, rows.each(records))},
        episodes={value.id: value for value in map(rows.episode_of, rows.each(episodes))},
        threads={value.id: value for value in map(rows.thread_of, rows.each(threads))},
        mutes=tuple(map(rows.mute_of, rows.each(mutes))),
        unposted=unposted,
        unsent_reminders=reminders,
        alive_at=max((at for of, record in sites.items() if of in together and (at := record.tried_at)), default=None),
    )


def _in_thread_of(name: str) -> ColumnElement[bool]:
    """Not a join: SQLite would begin with all the threads that are kept, instead of the few messages that wait."""
    return exists().where(thread.c.id == message.c.thread, thread.c.site == name)


async def _undelivered(transaction: AsyncConnection, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The site's threads whose root Slack certainly does not have, and those with a reminder that it may not have."""
    found = await transaction.execute(
        select(message.c.thread, message.c.kind, message.c.state, message.c.maybe_sent_before).where(
            UNSENT, _in_thread_of(name), or_(message.c.n == 0, message.c.kind == MessageKind.REMINDER.value)
        )
    )
    unposted: set[str] = set()
    reminders: set[str] = set()
    for row in found:
        if row.kind == MessageKind.REMINDER:
            reminders.add(row.thread)
        elif row.state != DeliveryState.MAYBE and not row.maybe_sent_before:
            unposted.add(row.thread)
    return frozenset(unposted), frozenset(reminders)
