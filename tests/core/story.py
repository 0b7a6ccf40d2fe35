"""A site's life in a few words: polls go in, decisions come out, and the memory is carried along as a store would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.connection import Connection, Failure, Log, Snapshot, UnreadableRow
from bot.core.decide import decide
from bot.core.events import Event, EventKind
from bot.core.incidents import Episode, EpisodeKind, Message, MessageKind, Person, Role, Thread
from bot.core.policy import Policy
from bot.core.state import (
    Acknowledge,
    AckReply,
    Cause,
    Decision,
    Due,
    Failed,
    MuteReply,
    Muting,
    Polled,
    Revision,
    SiteRecord,
    SiteState,
    Unmuting,
    after,
)

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=30)
DANA = Person(id="U1", name="dana")
REFUSED = Failure(kind="unreachable", message="connection refused", advice="start it")
NO_LOGIN = Failure(kind="credentials", message="wrong token", advice="set another")


def up(ref: str = "1", **fields: Any) -> Connection:
    return Connection(**{"id": ref, "name": f"Connection {ref}", "status": 1, "integration_count": 3, **fields})


def down(ref: str = "1", **fields: Any) -> Connection:
    return up(ref, **{"status": 0, **fields})


def rows(total: int, fallen: Iterable[int] = ()) -> list[Connection]:
    """So many, numbered from 1; those that are named are down."""
    gone = set(fallen)
    return [(down if n in gone else up)(str(n)) for n in range(1, total + 1)]


def unknown(ref: str = "1", **fields: Any) -> Connection:
    return up(ref, **{"status": None, **fields})


def failing(text: str, ref: str = "7") -> Log:
    return Log(id=ref, error=text, description="Connection test failed")


def clean(ref: str = "8") -> Log:
    return Log(id=ref, error=None, description="Connection test complete")


class Story:
    """One site. Each step is one poll interval later, and returns what was decided."""

    def __init__(self, *rows: Connection, baseline: bool = True, **policy: Any) -> None:
        self.policy = Policy(**{"site": "default", "home": "#ops", "interval": INTERVAL, **policy})
        self.now = START
        self.state = SiteState(site=SiteRecord(name="default"))
        self.sent: list[Message] = []
        self.events: list[Event] = []
        self.unposted: set[str] = set()
        self.last: Decision
        if baseline:
            self.poll(*rows)
            self.sent.clear()
            self.events.clear()

    def poll(self, *rows: Connection, unreadable: tuple[UnreadableRow, ...] = (), **more: Any) -> Decision:
        return self.step(Polled(snapshot=Snapshot(connections=rows, unreadable=unreadable), **more))

    def fail(self, failure: Failure = REFUSED) -> Decision:
        return self.step(Failed(failure=failure))

    def ack(self, *, by: Person = DANA, **target: str) -> AckReply:
        reply = self.step(Acknowledge(by=by, **target)).reply
        assert isinstance(reply, AckReply)
        return reply

    def mute(self, connection: str | None = None, *, by: Person = DANA, reason: str = "", **more: Any) -> MuteReply:
        """For an hour, unless `hours` says otherwise; of a connection, or of the `thread` that is given."""
        until = self.now + INTERVAL + timedelta(hours=more.pop("hours", 1))
        reply = self.step(Muting(by=by, until=until, reason=reason, connection=connection, **more)).reply
        assert isinstance(reply, MuteReply)
        return reply

    def unmute(self, connection: str, *, by: Person = DANA) -> MuteReply:
        reply = self.step(Unmuting(by=by, connection=connection)).reply
        assert isinstance(reply, MuteReply)
        return reply

    def due(self) -> Decision:
        return self.step(Due())

    def wait(self, **span: float) -> None:
        """So long every poll shows the same."""
        self.now += timedelta(**span)
        site = self.state.site
        good_at = site.good_at if site.fails else self.now
        self.state = replace(self.state, site=replace(site, tried_at=self.now, good_at=good_at))

    def sleep(self, **span: float) -> None:
        """So long the bot is not running."""
        self.now += timedelta(**span)

    def step(self, cause: Cause) -> Decision:
        self.now += INTERVAL
        tried = self.state.site.tried_at
        self.state = replace(self.state, alive_at=tried, unposted=frozenset(self.unposted))
        self.last = decision = decide(self.state, cause, now=self.now, policy=self.policy)
        self.state = after(self.state, decision)
        self.sent += decision.messages
        self.events += decision.events
        return decision

    # What came of it

    @property
    def roots(self) -> list[Thread]:
        return [self.state.threads[m.thread] for m in self.sent if m.role is Role.ROOT]

    def told(self, kind: MessageKind) -> list[Message]:
        return [m for m in self.sent if m.kind is kind]

    @property
    def broadcasts(self) -> list[Message]:
        return [m for m in self.sent if m.role is Role.BROADCAST]

    def happened(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    def episodes(self, kind: EpisodeKind) -> list[Episode]:
        return [e for e in self.state.episodes.values() if e.kind is kind]

    def episode(self, kind: EpisodeKind) -> Episode:
        [episode] = self.episodes(kind)
        return episode

    @property
    def edited_roots(self) -> list[Revision]:
        return [r for r in self.last.revisions if r.n == 0]


def is_quiet(decision: Decision) -> bool:
    """Nothing reaches the channel, and nothing is remembered as having happened."""
    return not (decision.messages or decision.revisions or decision.events or decision.episodes or decision.threads)
