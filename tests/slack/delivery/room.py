"""A delivery between a real database and a local Slack, and short ways to say what is to be told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.clock import Clock
from bot.core.connection import Connection
from bot.core.incidents import (
    Closing,
    Episode,
    EpisodeKind,
    Message,
    MessageKind,
    Phase,
    Role,
    Thread,
    ThreadKind,
    Why,
)
from bot.core.state import Decision, Overtaken, Revision
from bot.sandbox.slack.server import LocalSlack
from bot.slack.calls import SlackCalls
from bot.slack.delivery import Delivery
from bot.slack.workspace import Workspace
from bot.store.outbox import DeliveryState, MessageKey, Outgoing
from bot.store.store import Store
from bot.telemetry import Metrics

T = TypeVar("T")
CHANNEL = "C0ALERTS"
SECOND = "C0SECOND"
ROLES = ["root", "reply", "broadcast"]
ADOPT_WAIT = timedelta(seconds=3)


def key(thread: int, n: int = 0) -> MessageKey:
    return MessageKey(thread=f"default/{thread}", n=n)


@dataclass
class Room:
    slack: LocalSlack
    store: Store
    bell: asyncio.Event
    """Set by each commit."""
    clock: Clock
    calls: SlackCalls
    workspace: Workspace
    metrics: Metrics
    delivery: Delivery = field(init=False)
    adopt_wait: timedelta = ADOPT_WAIT

    def __post_init__(self) -> None:
        self.delivery = self.another(self.workspace)

    def another(self, workspace: Workspace | None = None) -> Delivery:
        """As after a restart: the same database, nothing remembered."""
        return Delivery(
            store=self.store,
            calls=self.calls,
            workspace=workspace or Workspace(self.calls, self.store),
            clock=self.clock,
            adopt_wait=self.adopt_wait,
            interactive=True,
        )

    @contextlib.asynccontextmanager
    async def running(self, delivery: Delivery | None = None) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task((delivery or self.delivery).run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    # What is to be told

    async def commit(self, **what: Any) -> None:
        """One decision, and the loop is woken as the poller wakes it."""
        now = self.clock.now()
        async with self.store.tick("default", now=now, lately=timedelta(0)) as tick:
            await tick.apply(Decision(site=tick.state.site, **what), now)
        self.delivery.wake()

    async def announce(self, *numbers: int, channel: str = CHANNEL, kind: ThreadKind = ThreadKind.OUTAGE) -> None:
        """A root for each number, all in one commit."""
        now = self.clock.now()
        await self.commit(
            threads=tuple(a_thread(n, now, channel=channel, kind=kind) for n in numbers),
            episodes=tuple(an_episode(n, now) for n in numbers if kind is ThreadKind.OUTAGE),
            messages=tuple(a_root(n, kind) for n in numbers),
        )

    async def recover(self, n: int, *, reply: int = 1, revision: int = 2) -> None:
        """The root's edit, and a broadcast that is moot if the root is first shown recovered."""
        now = self.clock.now()
        view = await self.store.thread(f"default/{n}")
        assert view is not None
        thread = replace(view.thread, phase=Phase.CLOSED, closed=now, revision=revision)
        episode = replace(view.episodes[-1], end=now, end_why=Why.SEEN, closing=Closing.RECOVERED)
        params = {"episode": episode.id, "error": None}
        told = Message(
            thread=thread.id,
            n=reply,
            role=Role.BROADCAST,
            kind=MessageKind.RECOVERED,
            params=params,
            moot_from=revision,
        )
        await self.commit(
            threads=(thread,),
            episodes=(episode,),
            messages=(told,),
            revisions=(Revision(thread=thread.id, n=0, revision=revision, closing=True),),
            overtaken=(Overtaken(thread=thread.id, revision=revision),),
        )

    async def fall_again(self, n: int) -> None:
        """Told by the root that there is."""
        now = self.clock.now()
        view = await self.store.thread(f"default/{n}")
        assert view is not None
        thread = replace(view.thread, phase=Phase.FLAPPING, closed=None)
        await self.commit(threads=(thread,), episodes=(replace(an_episode(n, now), id=f"default#{n}-again"),))

    async def revise(self, *numbers: int, revision: int = 2) -> None:
        await self.commit(revisions=tuple(Revision(thread=f"default/{n}", n=0, revision=revision) for n in numbers))

    async def remind(self, n: int, *, reply: int = 1) -> None:
        """A broadcast."""
        await self.commit(messages=(a_reply(n, reply, role=Role.BROADCAST),))

    async def reroute(self, *numbers: int, channel: str) -> None:
        """Committed, and nobody is woken."""
        now = self.clock.now()
        threads = [view.thread for n in numbers if (view := await self.store.thread(f"default/{n}")) is not None]
        async with self.store.tick("default", now=now, lately=timedelta(0)) as tick:
            moved = tuple(replace(thread, channel=channel) for thread in threads)
            await tick.apply(Decision(site=tick.state.site, threads=moved), now)

    async def say(self, n: int, *replies: int) -> None:
        """Plain replies."""
        await self.commit(messages=tuple(a_reply(n, reply) for reply in replies))

    # What came of it

    def shown(self, channel: str = CHANNEL) -> list[str]:
        """Everything of the bot's that stands in the channel, oldest first: `thread.n`, with `'` for each new generation."""
        return [name for message in self.slack.messages(channel) if (name := self.name(message)) is not None]

    def name(self, message: Mapping[str, Any]) -> str | None:
        found = (message.get("metadata") or {}).get("event_payload", {}).get("key")
        return None if found is None else named(found)

    async def until_shown(self, *names: str, channel: str = CHANNEL, within: float = 30.0) -> None:
        """Waits until exactly these stand in the channel."""
        with contextlib.suppress(TimeoutError):
            await self.slack.wait_for(lambda: self.shown(channel) == list(names), within=within)
        assert self.shown(channel) == list(names)

    async def until(self, condition: Callable[[], Any], *, within: float = 30.0) -> Any:
        return await self.slack.wait_for(condition, within=within)

    async def row(self, which: MessageKey) -> Outgoing:
        found = await self.store.outbox.row(which)
        assert found is not None
        return found

    async def until_row(
        self, which: MessageKey, condition: Callable[[Outgoing], Any], *, within: float = 30.0
    ) -> Outgoing:
        async def found() -> Outgoing | None:
            row = await self.row(which)
            return row if condition(row) else None

        return await self._until_committed(found, within=within)

    async def until_settled(self, *, within: float = 30.0) -> None:
        """Until nothing waits any more but for twins."""

        async def settled() -> bool:
            return not (await self.store.outbox.pending()).count

        await self._until_committed(settled, within=within)

    async def _until_committed(self, found: Callable[[], Awaitable[T | None]], *, within: float) -> T:
        """Asked again after each commit."""
        async with asyncio.timeout(within):
            while True:
                self.bell.clear()
                if answer := await found():
                    return answer
                await self.bell.wait()

    def posts(self) -> list[str]:
        """Every attempt to post, by name."""
        return [
            named(call.arguments["metadata"]["event_payload"]["key"]) for call in self.slack.made("chat.postMessage")
        ]

    def post_times(self, channel: str = CHANNEL) -> list[datetime]:
        """When each message was taken, in the workspace's time."""
        return [
            datetime.fromtimestamp(float(message["ts"]), tz=self.clock.now().tzinfo)
            for message in self.slack.messages(channel)
        ]

    def text(self, which: MessageKey, channel: str = CHANNEL) -> str:
        wanted = f"{which.thread.partition('/')[2]}.{which.n}"
        (found,) = [m for m in self.slack.messages(channel) if (self.name(m) or "").rstrip("'") == wanted]
        text: str = found["text"]
        return text


def named(delivery_key: str) -> str:
    _, thread, n, generation = delivery_key.rsplit("/", 3)
    return f"{thread}.{n}{chr(39) * int(generation)}"


def calls_at(room: Room, method: str) -> list[float]:
    """When each was taken, in the workspace's time."""
    return [call.at for call in room.slack.made(method)]


async def tell(room: Room, role: str) -> tuple[Callable[[dict[str, Any]], bool], list[str]]:
    """Something to be told in that role; which post it is, and what is to stand in the channel in the end."""
    await room.announce(1)
    if role == "root":
        return about(1), ["1.0"]
    await (room.say(1, 1) if role == "reply" else room.remind(1))
    return about(1, 1), ["1.0", "1.1"]


def about(thread: int, n: int = 0) -> Callable[[dict[str, Any]], bool]:
    """For faults: the posts of one message."""

    def matches(arguments: dict[str, Any]) -> bool:
        payload = arguments.get("metadata", {}).get("event_payload", {})
        return bool(payload) and named(payload["key"]).rstrip("'") == f"{thread}.{n}"

    return matches


def in_channel(channel: str) -> Callable[[dict[str, Any]], bool]:
    """For faults: what is said there."""
    return lambda arguments: arguments.get("channel") == channel


def a_thread(n: int, at: datetime, *, channel: str = CHANNEL, kind: ThreadKind = ThreadKind.OUTAGE) -> Thread:
    return Thread(id=f"default/{n}", site="default", kind=kind, channel=channel, opened=at)


def an_episode(n: int, at: datetime) -> Episode:
    return Episode(
        id=f"default#{n}",
        site="default",
        connection=str(n),
        kind=EpisodeKind.OUTAGE,
        start=at,
        why=Why.SEEN,
        row=Connection(id=str(n), name=f"Connection {n}", status=0),
        thread=f"default/{n}",
    )


def a_root(n: int, kind: ThreadKind = ThreadKind.OUTAGE) -> Message:
    params: dict[str, Any] = {}
    if kind is ThreadKind.AWAY:
        params = {"from": "2026-11-24T10:00:00+00:00", "to": "2026-11-24T11:00:00+00:00"}
    return Message(thread=f"default/{n}", n=0, role=Role.ROOT, kind=MessageKind.ROOT, params=params)


def a_reply(n: int, reply: int, *, role: Role = Role.REPLY) -> Message:
    return Message(thread=f"default/{n}", n=reply, role=role, kind=MessageKind.REMINDER, params={"number": reply})


SENT = DeliveryState.SENT
MAYBE = DeliveryState.MAYBE
HELD = DeliveryState.HELD
NEW = DeliveryState.NEW
MOOT = DeliveryState.MOOT


def in_state(state: DeliveryState) -> Callable[[Outgoing], bool]:
    return lambda row: row.state is state
