"""What a tick is handed: as much of what is remembered as `decide` may look at, and no more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import EVERY, MessageKind, Phase, ThreadKind
from bot.core.state import SiteState
from bot.store import rows
from bot.store.outgoing import NO_SUCH_CHANNEL, DeliveryState
from bot.store.tables import UNSENT, connection, episode, message, mute, site, thread
from bot.store.views import OLDEST_FIRST, latest

_OPEN = [phase.value for phase in Phase if phase is not Phase.CLOSED]

# The statements stand here, with places for what they are about: to build them anew costs as much as to ask them.

_NAME = bindparam("name", type_=site.c.name.type)
_PEERS = bindparam("peers", type_=site.c.name.type, expanding=True)

# Slack does not have it, as far as anybody can tell: it was never tried, or refused; in the end, at least, after an answer
# that told nothing; or what became of it cannot be looked up, as there is no such channel.
_UNPOSTED = (
    (message.c.n == 0)
    & UNSENT
    & or_(
        (message.c.state == DeliveryState.NEW.value) & ~message.c.maybe_sent_before,
        message.c.state == DeliveryState.HELD.value,
        (message.c.state == DeliveryState.MAYBE.value)
        & (message.c.error == NO_SUCH_CHANNEL)
        # Looked for in vain, and not under way.
        & message.c.due_at.is_not(None),
    )
)
# Not a join: SQLite would begin with all the threads that are kept, instead of the few messages that wait.
_IN_ITS_THREADS = exists().where(thread.c.id == message.c.thread, thread.c.site == _NAME)

# Each part by an index of its own, and as queries rather than as lists of ids: however long Slack was away, and however
# much is kept, a statement stays small.
_GOING_ON = select(episode).where(episode.c.site == _NAME, episode.c.end.is_(None))
_OVER_LATELY = select(episode).where(episode.c.site == _NAME, episode.c.end >= bindparam("since"))
_TOLD_IN = tuple(
    part.with_only_columns(episode.c.thread).where(episode.c.thread.is_not(None)) for part in (_GOING_ON, _OVER_LATELY)
)
# In one order, as every writer does, so that none waits for one that waits for it.
_TAKEN = (
    select(site)
    .where(
        or_(
            site.c.name == _NAME,
            site.c.name.in_(_PEERS),
            site.c.name.in_(select(thread.c.site).where(thread.c.id.in_(union(*_TOLD_IN)))),
        )
    )
    .order_by(site.c.name)
    .with_for_update()
)
_WANTED = union(
    select(thread.c.id).where(thread.c.site == _NAME, thread.c.phase.in_(_OPEN)),
    select(message.c.thread).where(_UNPOSTED, _IN_ITS_THREADS),
    *_TOLD_IN,
    # Sites that are lost together share a root.
    select(thread.c.id).where(
        thread.c.site.in_(_PEERS), thread.c.phase.in_(_OPEN), thread.c.kind == ThreadKind.SITE.value
    ),
)
_MATTERS = union(
    _GOING_ON.with_only_columns(episode.c.id),
    _OVER_LATELY.with_only_columns(episode.c.id),
    latest(episode.c.thread.in_(_WANTED)),
)
_UNDELIVERED = select(message.c.thread, message.c.kind, _UNPOSTED.label("unposted")).where(
    UNSENT, _IN_ITS_THREADS, or_(message.c.n == 0, message.c.kind == MessageKind.REMINDER.value)
)
_RECORDS = select(connection).where(connection.c.site == _NAME)
_THREADS = select(thread).where(thread.c.id.in_(_WANTED))
_EPISODES = select(episode).where(episode.c.id.in_(_MATTERS)).order_by(*OLDEST_FIRST)
_MUTES = (
    select(mute)
    .where(
        or_(mute.c.site == _NAME, mute.c.site.in_(_PEERS) & (mute.c.connection == EVERY)),
        mute.c.end > bindparam("now"),
    )
    .order_by(mute.c.start, mute.c.id)
)


async def load(
    transaction: AsyncConnection, name: str, *, peers: Collection[str], now: datetime, lately: timedelta
) -> SiteState:
    """Takes the rows of the sites first, then reads. See `SiteState` for what is in it."""
    together = [name, *peers]
    asked = {"name": name, "peers": list(peers), "since": now - lately}
    taken = await transaction.execute(_TAKEN, asked)
    sites = {record.name: record for record in map(rows.site_of, rows.each(taken))}
    unposted, reminders = await _undelivered(transaction, name)
    records = await transaction.execute(_RECORDS, {"name": name})
    threads = await transaction.execute(_THREADS, asked)
    episodes = await transaction.execute(_EPISODES, asked)
    found = await transaction.execute(_MUTES, asked | {"now": now})
    mutes = tuple(map(rows.mute_of, rows.each(found)))
    return SiteState(
        site=sites[name],
        connections={value.id: value for value in map(rows.record_of, rows.each(records))},
        episodes={value.id: value for value in map(rows.episode_of, rows.each(episodes))},
        threads={value.id: value for value in map(rows.thread_of, rows.each(threads))},
        mutes=tuple(value for value in mutes if value.site == name),
        peers_mutes=tuple(value for value in mutes if value.site != name),
        unposted=unposted,
        unsent_reminders=reminders,
        alive_at=max((at for of, record in sites.items() if of in together and (at := record.tried_at)), default=None),
    )


async def _undelivered(transaction: AsyncConnection, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The site's threads whose root Slack does not have, and those with a reminder that it may not have."""
    found = await transaction.execute(_UNDELIVERED, {"name": name})
    unposted: set[str] = set()
    reminders: set[str] = set()
    for row in found:
        if row.kind == MessageKind.REMINDER:
            reminders.add(row.thread)
        elif row.unposted:
            unposted.add(row.thread)
    return frozenset(unposted), frozenset(reminders)
