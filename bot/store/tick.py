"""One tick's transaction: what is remembered of a site comes out of it, and what was decided goes into it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, delete, insert, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.incidents import Role, Thread
from bot.core.state import Decision, SiteRecord, SiteState
from bot.store import rows
from bot.store.engine import Database
from bot.store.errors import understood
from bot.store.loading import load
from bot.store.outgoing import DeliveryState, Form
from bot.store.tables import UNSENT, connection, episode, event, message, mute, site, thread

_REMOVE = delete(connection).where(connection.c.site == bindparam("of"), connection.c.id == bindparam("gone"))
_REVISE = (
    update(message)
    .where(message.c.thread == bindparam("of"), message.c.n == bindparam("number"))
    .values(revision=bindparam("wanted"), closing=bindparam("closes"))
)
_PERHAPS_THERE = or_(message.c.maybe_sent_before, message.c.state == DeliveryState.MAYBE.value)
_REDIRECT = (
    # What held a root up was its former channel's. What was perhaps sent there is not looked for here.
    update(message)
    .where(message.c.thread == bindparam("of"), message.c.n == 0, UNSENT)
    .values(
        state=DeliveryState.NEW.value,
        generation=message.c.generation + case((_PERHAPS_THERE, 1), else_=0),
        maybe_sent_before=False,
        first_tried_at=None,
        tried_at=None,
        due_at=None,
        error=None,
        looks=0,
    )
)
_OVERTAKE = (
    update(message)
    .where(
        message.c.thread == bindparam("of"),
        message.c.role != Role.ROOT.value,
        message.c.state == DeliveryState.NEW.value,
        message.c.moot_from.is_(None),
    )
    .values(moot_from=bindparam("shown"))
)


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
        now: datetime,
        lately: timedelta,
    ) -> Tick:
        """Takes the rows of the site (making it when it is new) and of its peers first: ticks that could touch the same
        thread follow each other.
        """
        fresh = rows.site_values(SiteRecord(name=name))
        await transaction.execute(database.insert(site).on_conflict_do_nothing(), fresh)
        with understood(str(database.address)):
            return cls(database, transaction, await load(transaction, name, peers=peers, now=now, lately=lately))

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
            _REMOVE,
            [{"of": decision.site.name, "gone": id_} for id_ in decision.removed],
        )
        await self._each(upsert(connection), [rows.record_values(record) for record in decision.connections])
        await self._each(upsert(thread), [rows.thread_values(value) for value in decision.threads])
        await self._each(_REDIRECT, [{"of": value.id} for value in decision.threads if self._goes_elsewhere(value)])
        # Ended ones first: a connection that falls again in the same read has one open outage, not two.
        episodes = sorted(decision.episodes, key=lambda value: value.open)
        await self._each(upsert(episode), [rows.episode_values(value) for value in episodes])
        await self._messages(decision, now)
        await self._each(upsert(mute), [rows.mute_values(value) for value in decision.mutes])
        await self._each(insert(event), [rows.event_values(value) for value in decision.events])

    def _goes_elsewhere(self, value: Thread) -> bool:
        before = self.state.threads.get(value.id)
        return before is not None and before.channel != value.channel

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
            _REVISE,
            [{"of": r.thread, "number": r.n, "wanted": r.revision, "closes": r.closing} for r in decision.revisions],
        )
        # After the new ones: what is told by a root that closes in this very decision need not be told below it.
        await self._each(
            _OVERTAKE,
            [{"of": o.thread, "shown": o.revision} for o in decision.overtaken],
        )

    async def _each(self, statement: Any, values: list[rows.Values]) -> None:
        if values:
            await self._transaction.execute(statement, values)
