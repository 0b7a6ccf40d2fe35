"""The delivery's side of the messages: what was tried, what Slack has, what is to be done next.

What a message says is written by decisions only (`tick`), what became of it by these methods only, so neither overwrites
the other. "May have been sent" is committed before a message is sent (`claim`), "sent" after (`sent`), and what stands
between is looked up.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import views
from bot.store.engine import Database
from bot.store.errors import DeliveryMismatch
from bot.store.outgoing import Claim, DeliveryState, Form, MessageKey, Outgoing, Pending, Refusal
from bot.store.tables import UNSENT, UNSHOWN, message, site, thread

__all__ = ["Claim", "DeliveryState", "Form", "MessageKey", "Outbox", "Outgoing", "Pending", "Refusal"]

_NEW, _MAYBE, _SENT, _HELD, _MOOT = (state.value for state in DeliveryState)
_Condition = ColumnElement[bool]


class Outbox:
    """Every method is one transaction. All raise `StoreError`; those that report an outcome raise `DeliveryMismatch`
    when the message is not as the caller believes, and then change nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading

    async def waiting(self) -> tuple[Outgoing, ...]:
        """Everything that the delivery has to do: by creation, thread and number."""
        async with self._database.read() as connection:
            return await views.waiting(connection, self._where)

    async def waiting_in(self, threads: Collection[str]) -> tuple[Outgoing, ...]:
        """The part of `waiting` that is about these threads."""
        async with self._database.read() as connection:
            return await views.waiting(connection, self._where, threads)

    async def look(self, key: MessageKey) -> Claim | None:
        """A message and what it should show, as of one moment, to edit it; `None` when there is no such message.

        Raises `DatabaseLost` when another bot has taken over: an edit of what is no longer so would not be noticed.
        """
        async with self._database.read(held=True) as connection:
            return await self._claim_of(connection, key)

    async def row(self, key: MessageKey) -> Outgoing | None:
        """As `look`, without what it should show: that of a group is hundreds of rows."""
        async with self._database.read(held=True) as connection:
            return await views.outgoing(connection, self._where, key)

    async def pending(self) -> Pending:
        """How much is not yet as it should be in Slack."""
        behind = or_(UNSENT, UNSHOWN)
        async with self._database.read() as connection:
            oldest = func.min(case((UNSENT, message.c.created_at)))
            counted = (await connection.execute(select(func.count(), oldest).where(behind))).one()
            errors = await connection.execute(
                select(thread.c.channel, message.c.error, func.count().label("messages"))
                .join(thread, thread.c.id == message.c.thread)
                .where(behind, message.c.error.is_not(None))
                .group_by(thread.c.channel, message.c.error)
                .order_by(thread.c.channel, message.c.error)
            )
            refusals = tuple(Refusal(channel=row.channel, error=row.error, messages=row.messages) for row in errors)
        return Pending(count=counted[0], oldest=counted[1], errors=refusals)

    # Sending

    async def claim(self, key: MessageKey, *, now: datetime, channel: str | None = None) -> Claim | None:
        """Commit that it may have been sent, and tell what to send; `None` when it is not to be sent (any more), or goes
        elsewhere than to `channel` meanwhile.

        A reply that its root has told already becomes `MOOT` here.
        """
        async with self._database.write() as connection:
            await _take_site(connection, key)
            outgoing = await views.outgoing(connection, self._where, key)
            if outgoing is None or outgoing.state not in (DeliveryState.NEW, DeliveryState.HELD):
                return None
            if channel not in (None, outgoing.channel):
                return None
            values: dict[str, Any] = {
                "state": _MAYBE,
                "first_tried_at": outgoing.first_tried_at or now,
                "tried_at": now,
                "due_at": None,
                "looks": 0,
                "attempts": outgoing.attempts + 1,
                "first_revision": outgoing.message.revision,
            }
            if moot := outgoing.moot:
                values = {"state": _MOOT, "due_at": None}
            await connection.execute(update(message).where(_is(key)).values(values))
            return None if moot else await self._claim_of(connection, key)

    async def sent(
        self,
        key: MessageKey,
        *,
        generation: int,
        channel_id: str,
        ts: str,
        now: datetime,
        twin_at: datetime | None = None,
    ) -> None:
        """Slack has it, in the revision that was claimed.

        A message that was believed absent once and sent again may turn up twice: `twin_at` (or else `now`) is when to
        look for that. It means nothing for the others.
        """
        suspected = literal(twin_at or now, message.c.twin_at.type)
        await self._change(
            key,
            and_(message.c.generation == generation, message.c.state.in_([_MAYBE, _NEW])),
            state=_SENT,
            channel_id=channel_id,
            ts=ts,
            # One that turns up without having been claimed shows nobody knows what: 0 is older than everything.
            first_revision=func.coalesce(message.c.first_revision, 0),
            shown_revision=func.coalesce(message.c.first_revision, 0),
            twin_at=case((message.c.maybe_sent_before, suspected)),
            **_DONE,
        )

    async def refused(
        self,
        key: MessageKey,
        *,
        generation: int,
        error: str,
        due_at: datetime | None,
        held: bool,
        channel: str | None = None,
    ) -> None:
        """Definitely not accepted in `channel`, where it still goes. `held`: for a reason that will not pass by itself."""
        there = exists().where(thread.c.id == key.thread, thread.c.channel == func.coalesce(channel, thread.c.channel))
        await self._change(
            key,
            and_(message.c.generation == generation, message.c.state.in_([_NEW, _MAYBE, _HELD]), there),
            state=_HELD if held else _NEW,
            site_first=True,
            error=error,
            due_at=due_at,
        )

    async def unsure(
        self, key: MessageKey, *, generation: int, error: str, due_at: datetime | None, looked: bool = True
    ) -> None:
        """Its fate is not known; `looked`: although Slack answered a look-up."""
        await self._change(
            key,
            and_(message.c.generation == generation, message.c.state == _MAYBE),
            looks=message.c.looks + int(looked),
            error=error,
            due_at=due_at,
        )

    async def absent(self, key: MessageKey, *, generation: int, due_at: datetime | None = None) -> None:
        """Looked up, and Slack does not have it: to be sent again (`None`: at once), and watched for a twin then."""
        await self._change(
            key,
            and_(message.c.generation == generation, message.c.state == _MAYBE),
            state=_NEW,
            due_at=due_at,
            maybe_sent_before=True,
        )

    # Editing

    async def shown(self, key: MessageKey, *, generation: int, revision: int) -> None:
        """An edit arrived."""
        await self._change(key, _sent(generation), shown_revision=revision, **_DONE)

    async def edit_refused(self, key: MessageKey, *, generation: int, error: str, due_at: datetime | None) -> None:
        """An edit did not arrive; it is tried again."""
        await self._change(key, _sent(generation), error=error, due_at=due_at, attempts=message.c.attempts + 1)

    async def simpler(self, key: MessageKey, *, form: Form) -> None:
        """Slack called it malformed, and so did not take it: this form from now on, at once."""
        await self._change(
            key,
            message.c.state.in_([_NEW, _MAYBE, _HELD, _SENT]),
            state=case((message.c.state == _SENT, _SENT), else_=_NEW),
            form=form.value,
            due_at=None,
        )

    async def repost(self, key: MessageKey, *, replaces: str) -> None:
        """What Slack has can no longer be edited: it becomes a new message in its current form. `replaces` is the address
        of what Slack has; empty when there is none.
        """
        await self._change(
            key,
            message.c.state == _SENT,
            state=_NEW,
            # Another delivery key, so that the old post is not found and taken for the new one.
            generation=message.c.generation + 1,
            channel_id=None,
            ts=None,
            first_revision=None,
            shown_revision=None,
            maybe_sent_before=False,
            first_tried_at=None,
            tried_at=None,
            twin_at=None,
            replaces=replaces,
            **_DONE,
        )

    async def twin_looked(self, key: MessageKey, *, next_at: datetime | None) -> None:
        """Looked for a duplicate; `None` when that was the last time."""
        await self._change(key, message.c.state == _SENT, twin_at=next_at)

    # Parts

    @property
    def _where(self) -> str:
        return str(self._database.address)

    async def _change(self, key: MessageKey, condition: _Condition, *, site_first: bool = False, **values: Any) -> None:
        """`site_first`: for a condition on more than the message itself."""
        async with self._database.write() as connection:
            if site_first:
                await _take_site(connection, key)
            changed = await connection.execute(update(message).where(_is(key), condition).values(values))
        if changed.rowcount != 1:
            raise DeliveryMismatch(
                f"Message {key.n} of thread {key.thread} is not in the state that the delivery expected.",
                "It is read anew; if this repeats, it is a fault of the bot.",
            )

    async def _claim_of(self, connection: AsyncConnection, key: MessageKey) -> Claim | None:
        outgoing = await views.outgoing(connection, self._where, key)
        if outgoing is None:
            return None
        view = await views.thread_view(connection, self._where, key.thread, telling=outgoing.message)
        return None if view is None else Claim(outgoing=outgoing, view=view)


_DONE: dict[str, Any] = {"error": None, "due_at": None, "attempts": 0, "looks": 0}


async def _take_site(connection: AsyncConnection, key: MessageKey) -> None:
    """As a tick does, first of all: then no decision falls between a message and its thread. Without it PostgreSQL would
    let a statement wait for the message's row, and then read the thread as it was before it waited.
    """
    of = select(thread.c.site).where(thread.c.id == key.thread).scalar_subquery()
    await connection.execute(select(site.c.name).where(site.c.name == of).with_for_update())


def _is(key: MessageKey) -> _Condition:
    return and_(message.c.thread == key.thread, message.c.n == key.n)


def _sent(generation: int) -> _Condition:
    return and_(message.c.generation == generation, message.c.state == _SENT)
