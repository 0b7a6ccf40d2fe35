"""A story is what ItemPath says and what people do, by the second; a bot lives through it, once or in many lives."""

from __future__ import annotations

import asyncio
import enum
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.core.connection import Connection, Log, Snapshot
from bot.core.incidents import Person
from bot.core.policy import Policy
from bot.core.state import Acknowledge, Muting, Unmuting
from bot.itempath.errors import ItemPathError
from bot.store.store import Store
from tests.crash.clock import Virtual
from tests.crash.life import POST, Life
from tests.crash.workspace import CHANNEL, Channels, Saved

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=15)
POLICY = Policy(
    site="default",
    home=CHANNEL,
    interval=INTERVAL,
    flap_window=timedelta(seconds=90),
    group_over=3,
    group_window=timedelta(seconds=30),
    remind_every=None,
)
ANN = Person(id="U0ALICE", name="alice")
EACH = "12345678"
"""The connections of the site: ids of one letter each, here and wherever several are named."""
BETWEEN_THE_LOOKS, AFTER_BOTH = 2.0, 8.0
"""Seconds after which a post arrives that was under way: it is adopted, or it is a twin."""
AT_REST = timedelta(minutes=10)
"""Longer than it takes until nothing waits any more, twins included."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What ItemPath says from a moment on."""

    at: int
    """Seconds after the beginning."""
    down: str = ""
    errors: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """The id and the text of the latest log of connections."""
    watched: str = EACH
    names: Mapping[str, str] = field(default_factory=dict)
    answers: bool = True

    def read(self) -> Snapshot:
        if not self.answers:
            raise ItemPathError("ItemPath does not answer.")
        return Snapshot(connections=tuple(map(self._row, self.watched)))

    def _row(self, id_: str) -> Connection:
        number, error = self.errors.get(id_, (0, ""))
        return Connection(
            id=id_,
            name=self.names.get(id_, f"Connection {id_}"),
            status=int(id_ not in self.down),
            latest_log=Log(id=str(number), error=error) if number else None,
        )


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a person does, and how somebody who got no answer sees whether it was done."""

    at: int
    cause: Callable[[datetime], Acknowledge | Muting | Unmuting]
    """Of the moment it is done."""
    done: Callable[[Store, datetime], Any]


@dataclass(frozen=True, kw_only=True)
class Story:
    scenes: tuple[Scene, ...]
    until: int
    """Seconds; then the bot is only waited for."""
    deeds: tuple[Deed, ...] = ()
    policy: Policy = POLICY
    from_nothing: bool = False
    """Else the sites are watched already, and all of them is up."""
    beside: Mapping[str, tuple[Scene, ...]] = field(default_factory=dict)
    """What is to be read at other sites of the channel, by their names."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The world as a dead bot leaves it: what the next one finds."""

    step: str = "nothing yet"
    """What the bot died at."""
    at: datetime = START
    database: bytes | None = None
    workspace: Saved | None = None
    deeds: tuple[Done, ...]
    """How far each is."""
    under_way: Mapping[str, Any] | None = None
    """A post that Slack has not taken yet."""

    def begin(self, story: Story) -> Moment:
        """As the moment at which `story` begins."""
        return replace(self, at=START, deeds=(Done.NO,) * len(story.deeds))


class Done(enum.Enum):
    NO = enum.auto()
    NOT_ANSWERED = enum.auto()
    YES = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a life."""

    channel: tuple[tuple[str, ...], ...]
    """Threads as `told`, in an order of no account."""
    steps: tuple[Moment, ...]
    """Where it could have died; `channel` is what stood there in the end."""
    last: Moment


class Reading:
    """A site, as an ItemPath client."""

    def __init__(self, scenes: tuple[Scene, ...], clock: Virtual) -> None:
        self._scenes = scenes
        self._clock = clock

    async def connections(self, *, budget: float | None = None) -> Snapshot:
        now = self._clock.now()
        return [scene for scene in self._scenes if _moment(scene.at) <= now][-1].read()


def _moment(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


class Telling:
    """One life in a story."""

    def __init__(
        self,
        story: Story,
        folder: Path,
        begins: Moment | None = None,
        *,
        dies_at: int | None = None,
        late: float = BETWEEN_THE_LOOKS,
        server: str | None = None,
    ) -> None:
        """`dies_at` which step, from 1; `None`: when the story is over and all of it is told. What was under way as it
        begins arrives `late`, in seconds.

        `server` is the URL of a database that stays from life to life: what it holds cannot be put back. So whoever dies
        there stops at that very step, and everything else at the next step that it comes to. Else it is a file in `folder`.
        """
        self._story = story
        self._begins = begins or Moment(deeds=(Done.NO,) * len(story.deeds))
        self._dies_at = dies_at
        self._late = late
        self._deeds = list(self._begins.deeds)
        self._sites = {story.policy.site: story.scenes, **story.beside}
        self._clock = Virtual(self._begins.at)
        self._channels = Channels(self._clock, self._begins.workspace)
        self._server = server
        self._database = folder / "bot.db"
        for left in folder.glob("bot.db*"):
            left.unlink()
        if self._begins.database is not None:
            self._database.write_bytes(self._begins.database)
        self._steps: list[Moment] = []
        self._died = asyncio.Event()
        self._saving: sqlite3.Connection | None = None
        self._record = False
        self._count = 0

    async def run(self, *, record: bool = False) -> Run:
        """`record` where it could die at each of its steps."""
        self._record = record
        life = await Life.begin(
            self._server or f"sqlite:///{self._database}",
            step=self._step,
            sources={site: Reading(scenes, self._clock) for site, scenes in self._sites.items()},
            policy=self._story.policy,
            clock=self._clock,
            channels=self._channels,
        )
        with closing(sqlite3.connect(":memory:" if self._server else self._database)) as self._saving:
            others = [life.does(self._does(life, number)) for number in range(len(self._deeds))]
            if self._begins.under_way is not None:
                others.append(life.does(self._arrives(self._begins.under_way)))
            whole = life.does(self._comes_to_rest(life, others))
            await self._clock.rest(asyncio.wait({whole, life.does(self._dies())}, return_when=asyncio.FIRST_COMPLETED))
            last = self._steps[-1] if self._died.is_set() else self._now("the end", None)
            messages = self._channels.messages()
            await life.end()
        return Run(channel=told(messages), steps=tuple(self._steps), last=last)

    def _step(self, what: str, under_way: Mapping[str, Any] | None) -> None:
        if self._server and self._died.is_set():
            raise asyncio.CancelledError
        self._count += 1
        dies = self._count == self._dies_at
        if dies or self._record:
            self._steps.append(self._now(what, under_way))
        if dies:
            self._died.set()
            if self._server:
                raise asyncio.CancelledError

    def _now(self, what: str, under_way: Mapping[str, Any] | None) -> Moment:
        assert self._saving is not None
        return Moment(
            step=what,
            at=self._clock.now(),
            # What is committed, though a transaction is open.
            database=None if self._server else self._saving.serialize(),
            workspace=self._channels.saved(),
            deeds=tuple(self._deeds),
            under_way=under_way,
        )

    async def _dies(self) -> None:
        await self._clock.wait(self._died, until=None)

    async def _comes_to_rest(self, life: Life, others: list[asyncio.Task[None]]) -> None:
        """When the story is over, it has been read twice more, and nothing waits any more, twins included."""
        over = max(_moment(self._story.until), self._clock.now() + 2 * INTERVAL)
        await self._clock.sleep((over - self._clock.now()).total_seconds())
        assert all(task.done() for task in others)
        for poller in life.pollers.values():
            poller.stop()
        while await life.store.outbox.waiting():
            assert self._clock.now() < over + AT_REST, "something waits for ever"
            await self._clock.sleep(10)

    async def _does(self, life: Life, number: int) -> None:
        deed, done = self._story.deeds[number], self._deeds[number]
        if done is Done.YES:
            return
        if done is Done.NO:
            await self._clock.sleep(max(0.0, (_moment(deed.at) - self._clock.now()).total_seconds()))
        else:
            # Whoever got no answer looks whether it was done, and else does it again.
            await self._clock.sleep(2)
        self._deeds[number] = Done.NOT_ANSWERED
        now = self._clock.now()
        if done is Done.NO or not await deed.done(life.store, now):
            await life.pollers[self._story.policy.site].act(deed.cause(now))
        self._deeds[number] = Done.YES

    async def _arrives(self, post: Mapping[str, Any]) -> None:
        await self._clock.sleep(self._late)
        self._channels.take(POST, post, limited=False)


_SPAN = r"(?:less than 1 s|\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?)"
_TIME = r"(?:<!date[^>]*>|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)"
_DIFFERS = (
    (re.compile(_TIME), "<time>"),
    (re.compile(rf"(?:at least |at most |about )?{_SPAN}"), "<span>"),
    (re.compile(r"went down between <time> and <time>, while this bot was away"), "down since <time>"),
    (
        re.compile(
            r"The first (?:fell|down since) <time>(?:, the latest <time>|; the latest was first seen down <time>)?"
        ),
        "The first down since <time>",
    ),
    (re.compile(r" It (?:was )?(?:down since|ended between) <time>(?: and <time>, while this bot was away)?\."), ""),
)


def masked(text: str) -> str:
    """Without what may differ when the bot died in between: moments, durations, and that something happened meanwhile."""
    for pattern, instead in _DIFFERS:
        text = pattern.sub(instead, text)
    return text


def told(messages: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """Each thread as a reader sees it: its root, then its replies as they stand; all that is written in them."""
    threads = []
    for root in messages:
        if root.get("thread_ts", root["ts"]) == root["ts"]:
            replies = [m for m in messages if m.get("thread_ts") == root["ts"] and m["ts"] != root["ts"]]
            threads.append(tuple(_line(message) for message in (root, *replies)))
    return tuple(sorted(threads))


def _line(message: dict[str, Any]) -> str:
    kind = message.get("subtype", "reply" if message.get("thread_ts", message["ts"]) != message["ts"] else "root")
    blocks = ("".join(_words(block)) for block in message.get("blocks", ()))
    return masked(" ¦ ".join((kind, message["text"], *blocks)))


def _words(blocks: Any) -> Iterator[str]:
    """Every text in blocks, wherever it is."""
    if isinstance(blocks, str):
        yield blocks
    elif isinstance(blocks, Mapping):
        for key in ("text", "fields", "elements", "accessory", "rows", "value", "timestamp"):
            yield from _words(blocks.get(key, ()))
    elif isinstance(blocks, int):
        yield "<time>"
    else:
        for block in blocks:
            yield from _words(block)
