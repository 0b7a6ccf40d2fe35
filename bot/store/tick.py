"""One tick's transaction: what is remembered of a site comes out of it, and what was decided goes into it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import EpisodeKind, MessageKind, Phase, Role
from bot.core.logs import REOPEN_WITHIN
from bot.core.state import Decision, SiteRecord, SiteState
from bot.store import rows
from bot.store.engine import Database
from bot.store.errors import understood
from bot.store.outgoing import DeliveryState, Form
from bot.store.tables import UNSENT, connection, episode, event, message, site, thread


class Tick:
    """Used within its transaction only (`Store.tick`)."""

    def __init__(self, database: Database, transaction: AsyncConnection, state: SiteState) -> None:
        self.state = state
        self.applied = False
        self._database = database
        self._transaction = transaction

    @classmethod
    async def load(
        cls,
        database: Database,
        transaction: AsyncConnection,
        name: str,
        *,
        peers: Collection[str],
        now: datetime | None,
    ) -> Tick:
        """Takes the site's row first, making it when it is new: two ticks of a site follow each other."""
        fresh = rows.site_values(SiteRecord(name=name))
        await transaction.execute(database.insert(site).on_conflict_do_nothing(), fresh)
        with understood(str(database.address)):
            return cls(database, transaction, await _load(transaction, name, peers=peers, now=now))

    async def apply(self, decision: Decision, now: datetime) -> None:
        """Write all of it; each table in one go. It is committed as the tick's block ends.

        Once for each tick: afterwards `state` is no longer what is remembered. Raises `StoreError`.
        """
        if self.applied or decision.site.name != self.state.site.name:
            raise ValueError("a tick takes one decision, about its own site")
        self.applied = True
        upsert = self._database.upsert
        await self._each(upsert(site), [rows.site_values(decision.site)])
        await self._each(
            delete(connection).where(connection.c.site == bindparam("of"), connection.c.id == bindparam("gone")),
            [{"of": decision.site.name, "gone": id_} for id_ in decision.removed],
        )
        await self._each(upsert(connection), [rows.record_values(record) for record in decision.connections])
        await self._each(upsert(thread), [rows.thread_values(value) for value in decision.threads])
        # Ended ones first: a connection that falls again in the same read has one open outage, not two.
        episodes = sorted(decision.episodes, key=lambda value: value.open)
        await self._each(upsert(episode), [rows.episode_values(value) for value in episodes])
        await self._messages(decision, now)
        await self._each(insert(event), [rows.event_values(value) for value in decision.events])

    async def _messages(self, decision: Decision, now: datetime) -> None:
        await self._each(
            insert(message),
            [
                rows.message_values(value)
                | {
                    "created_at": now,
                    "state": DeliveryState.NEW.value,
                    "closing": False,
                    "generation": 0,
                    "form": Form.FULL.value,
                    "attempts": 0,
                    "looks": 0,
                    "maybe_sent_before": False,
                }
                for value in decision.messages
            ],
        )
        await self._each(
            update(message)
            .where(message.c.thread == bindparam("of"), message.c.n == bindparam("number"))
            .values(revision=bindparam("wanted"), closing=bindparam("closes")),
            [{"of": r.thread, "number": r.n, "wanted": r.revision, "closes": r.closing} for r in decision.revisions],
        )
        # After the new ones: what is told by a root that closes in this very decision need not be told below it.
        await self._each(
            update(message)
            .where(
                message.c.thread == bindparam("of"),
                message.c.role != Role.ROOT.value,
                message.c.state == DeliveryState.NEW.value,
                message.c.moot_from.is_(None),
            )
            .values(moot_from=bindparam("shown")),
            [{"of": o.thread, "shown": o.revision} for o in decision.overtaken],
        )

    async def _each(self, statement: Any, values: list[rows.Values]) -> None:
        if values:
            await self._transaction.execute(statement, values)


async def _load(transaction: AsyncConnection, name: str, *, peers: Collection[str], now: datetime | None) -> SiteState:
    taken = await transaction.execute(select(site).where(site.c.name == name).with_for_update())
    record = rows.site_of(taken.one())
    records = await transaction.execute(select(connection).where(connection.c.site == name))

    matters: ColumnElement[bool] = episode.c.end.is_(None)
    # Counted from the last poll, which no `now` precedes: perhaps more than is asked for, never less.
    moment = now or record.tried_at
    if moment is not None:
        lately = episode.c.end >= moment - REOPEN_WITHIN
        matters = or_(matters, (episode.c.kind == EpisodeKind.ERROR.value) & lately)

    undelivered = await transaction.execute(
        select(message.c.thread, message.c.kind, message.c.state, message.c.maybe_sent_before)
        .join(thread, thread.c.id == message.c.thread)
        .where(thread.c.site == name, UNSENT, message.c.kind.in_([MessageKind.ROOT.value, MessageKind.REMINDER.value]))
    )
    unposted: set[str] = set()
    reminders: set[str] = set()
    for row in undelivered:
        if row.kind == MessageKind.REMINDER:
            reminders.add(row.thread)
        elif row.state != DeliveryState.MAYBE and not row.maybe_sent_before:
            unposted.add(row.thread)

    # As conditions and not as lists of ids: however long Slack was away, they do not outgrow a statement.
    never_posted = (
        (message.c.n == 0) & UNSENT & (message.c.state != DeliveryState.MAYBE.value) & ~message.c.maybe_sent_before
    )
    wanted = (thread.c.site == name) & or_(
        thread.c.phase == Phase.OPEN.value,
        thread.c.id.in_(select(message.c.thread).where(never_posted)),
        thread.c.id.in_(select(episode.c.thread).where(episode.c.site == name, matters)),
    )
    threads = await transaction.execute(select(thread).where(wanted))
    episodes = await transaction.execute(
        select(episode)
        .where(episode.c.site == name, or_(matters, episode.c.thread.in_(select(thread.c.id).where(wanted))))
        .order_by(episode.c.start, func.length(episode.c.id), episode.c.id)
    )
    alive_at = await transaction.scalar(select(func.max(site.c.tried_at)).where(site.c.name.in_([name, *peers])))
    return SiteState(
        site=record,
        connections={row.id: rows.record_of(row) for row in records},
        episodes={row.id: rows.episode_of(row) for row in episodes},
        threads={row.id: rows.thread_of(row) for row in threads},
        unposted=frozenset(unposted),
        unsent_reminders=frozenset(reminders),
        alive_at=alive_at,
    )
