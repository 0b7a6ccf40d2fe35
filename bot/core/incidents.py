"""Episodes, threads and messages: what happened, the conversation about it, and what the channel should show.

An *episode* is what happened: a downtime, an error, a blindness. A *thread* is a conversation in Slack about one or
many episodes. A *message* is one post in a thread: message 0 is its root. Keeping them apart is what makes baselines,
groups and mutes simple.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.core.connection import Connection, Failure, Log

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

SITE = ""
"""Stands where a connection's id would, when the episode or the event is about the site itself."""
EVERY = "*"
"""Stands where a connection's id would, when a mute is about the whole site."""


class EpisodeKind(enum.StrEnum):
    OUTAGE = "outage"
    ERROR = "error"
    BLIND = "blind"
    """The site cannot be read."""


class Why(enum.StrEnum):
    """How the bot came to know of a change, and so how exactly it knows when it happened."""

    SEEN = "seen"
    """Two reads in a row showed it."""
    BASELINE = "baseline"
    """It was so when the bot first looked."""
    ADDED = "added"
    """It was so when the connection appeared."""
    FIRST_KNOWN = "first_known"
    """It was so when ItemPath first said anything about the state."""
    WHILE_BLIND = "while_blind"
    """It happened while the site could not be read: between `not_before` and `start`."""
    WHILE_AWAY = "while_away"
    """It happened while the bot was not running: between `not_before` and `start`."""
    WHILE_UNRECORDED = "while_unrecorded"
    """It happened while the bot's database took nothing: between `not_before` and `start`."""

    @property
    def vague(self) -> bool:
        """The change happened somewhere between two far moments; say both."""
        return self in (Why.WHILE_BLIND, Why.WHILE_AWAY, Why.WHILE_UNRECORDED)


class Closing(enum.StrEnum):
    """Why an episode is over."""

    RECOVERED = "recovered"
    NOT_WATCHED = "no_longer_watched"
    NOW_DOWN = "now_down"
    """An error's connection went down; the outage has its own thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in Slack: `id` is what counts, `name` is shown (showing the id as a mention would ping)."""

    id: str
    name: str

    def as_json(self) -> dict[str, Json]:
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why nothing new is said about something, and until when."""

    until: datetime
    reason: str
    by: Person | None = None
    """Who muted it; `None`: a maintenance window of the settings."""

    @property
    def because(self) -> dict[str, Json]:
        """For the event of what was not said: who or what kept it silent, until when. A person need not give a reason."""
        by: Json = None if self.by is None else self.by.as_json()
        return {"why": self.reason, "by": by, "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentPart:
    """Some of the connections of a thread, and what keeps them silent."""

    silence: Silence
    connections: tuple[str, ...]
    """Ids, in the order in which they came into the thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A person wants to hear nothing new about a connection, or a whole site, for a while."""

    id: str
    site: str
    connection: str
    """A connection's id, or `EVERY` for the whole site."""
    by: Person
    reason: str
    start: datetime
    end: datetime
    """Moved forward when it is lifted."""

    def covers(self, connection: str, now: datetime) -> bool:
        return self.start <= now < self.end and self.connection in (connection, EVERY)

    @property
    def silence(self) -> Silence:
        return Silence(until=self.end, reason=self.reason, by=self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The same error, seen again and again with other numbers, ids, addresses or times."""

    fingerprint: str
    log: Log
    """The latest log of the family: its text is the one shown."""
    count: int
    first_at: datetime
    """When the bot first saw it."""
    last_at: datetime
    message: int
    """Number of the message that tells it in its thread: 0 is the root, else a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What happened to one connection, or to a site, from when to when."""

    id: str
    site: str
    connection: str
    """The connection's id, or `SITE`."""
    kind: EpisodeKind
    start: datetime
    """The bot's own first sighting: downtime counts from here."""
    why: Why
    not_before: datetime | None = None
    """When the opposite was last seen; `None` when it never was."""
    end: datetime | None = None
    end_why: Why | None = None
    end_not_before: datetime | None = None
    closing: Closing | None = None
    row: Connection | None = None
    """The connection as it was last read while the episode was open; `None` for a site."""
    families: tuple[Family, ...] = ()
    """Oldest first. For an outage: the errors that came with it and during it."""
    failure: Failure | None = None
    """For a blindness: the latest reason."""
    thread: str | None = None
    """Where it is told; `None` when nobody was told."""
    told_at: datetime | None = None
    """When it was announced; `None` when it was not, or only by an edit."""

    @property
    def open(self) -> bool:
        return self.end is None

    @property
    def duration(self) -> timedelta | None:
        """How long it lasted by the bot's own sightings; `None` while it goes on."""
        return None if self.end is None else max(self.end - self.start, timedelta(0))


class ThreadKind(enum.StrEnum):
    OUTAGE = "outage"
    GROUP = "group"
    """Many outages of one site that came within a short time."""
    ERROR = "error"
    BASELINE = "baseline"
    """The first message about a site; the root of what was already down then."""
    SITE = "site"
    """A site that cannot be read, or several of one channel at once."""
    CHANGES = "changes"
    """Connections added, removed, changed, or no longer readable."""
    AWAY = "away"
    """The bot itself was away and saw nothing."""


class Phase(enum.StrEnum):
    OPEN = "open"
    FLAPPING = "flapping"
    """It changes too often to say each change; what it came to is said once it holds."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation in Slack about one or many episodes."""

    id: str
    """`<site>/<serial>`."""
    site: str
    kind: ThreadKind
    channel: str
    """As configured: an id or `#name`. An open thread keeps it."""
    opened: datetime
    mentions: tuple[str, ...] = ()
    """Each `here`, `channel`, `U…` or `S…`: who is pinged by the root and by reminders."""
    escalate_to: tuple[str, ...] = ()
    """Who is pinged when nobody has acknowledged it for too long."""
    phase: Phase = Phase.OPEN
    closed: datetime | None = None
    ack_by: Person | None = None
    ack_at: datetime | None = None
    remind_at: datetime | None = None
    """While it is open and reminders are on: when the next one is due."""
    reminders: int = 0
    """How many reminders have been committed."""
    escalate_at: datetime | None = None
    """When it is escalated, once, unless somebody has acknowledged it."""
    escalated_at: datetime | None = None
    """When it was."""
    settle_at: datetime | None = None
    """While flapping: when what it came to counts as final, if nothing changes until then."""
    changes: int = 0
    """While flapping: how many changes there were since it began."""
    flips: tuple[datetime, ...] = ()
    """When a group closed and reopened, as far as that still decides on flapping."""
    joined_at: datetime | None = None
    """When the latest member joined a group."""
    told_down: int = 0
    """How many of a group were down when the channel was last notified; twice as many is news."""
    watched: int = 0
    """Of how many: the connections of a group's site, or the sites of a channel."""
    elsewhere: int = 0
    """Of a group: how many more connections of its site are down and stand in other messages."""
    unsaid: int = 0
    """Of a group: how many more are down and nobody is told, as they are silent."""
    lists: tuple[int, ...] = ()
    """Numbers of the replies that list the members a group's root cannot hold."""
    silence: Silence | None = None
    """What mutes all of it at present, or of several that which ends first; shown, and nothing more is said than edits
    and plain replies."""
    silences: tuple[SilentPart, ...] = ()
    """Where some of what is down in it is silent and some is not, or not for the same reason: each part. What ends first
    comes first."""
    owed: bool = False
    """All of it was silent and is no longer, and that it is still down has not been said since."""
    revision: int = 1
    """Grows with each change that the root should show."""
    next_n: int = 0
    """The number of the next message."""

    @property
    def open(self) -> bool:
        return self.phase is not Phase.CLOSED

    def silence_of(self, connection: str) -> Silence | None:
        """What silences one of the connections that are down in it."""
        return next((part.silence for part in self.silences if connection in part.connections), self.silence)


class Role(enum.StrEnum):
    ROOT = "root"
    BROADCAST = "broadcast"
    """A thread reply that is also shown in the channel."""
    REPLY = "reply"


class MessageKind(enum.StrEnum):
    """What a message tells. A root shows its thread as it is; a reply tells one event, named by `params`."""

    ROOT = "root"
    """`params` of a `CHANGES` root: `{"changes": [Change.as_json(), …]}`; of `AWAY`: `{"from": iso, "to": iso,
    "reason": its event's}`; of `BASELINE`: `{"watched": int, "unreadable": int, "unclear": int}`, the last being how
    many of the watched were neither up nor down; else empty."""
    RECOVERED = "recovered"
    """`{"episode": id, "error": str | None}`: an outage or a blindness is over; `error` is what the log said with it."""
    GROWN = "grown"
    """`{"down": int, "was": int, "elsewhere": int, "unsaid": int}`: twice as many of a group are down as when the channel
    was last told; how many others of the site are, as `Thread` has it."""
    REOPENED = "reopened"
    """`{"down": int, "elsewhere": int, "unsaid": int}`: a group falls again."""
    OVER = "over"
    """`{"members": int, "elsewhere": int, "unsaid": int}`: the last of a group is up again."""
    LIST = "list"
    """`{"page": int}`, from 0: members that a group's root cannot hold; edited as they come and go."""
    SETTLED = "settled"
    """`{"down": int, "changes": int}`: what a flapping connection (0 or 1 down) or group came to; of a group also
    `elsewhere` and `unsaid`."""
    ERROR = "error"
    """`{"episode": id, "fingerprint": str}`: another error family; edited as its count grows."""
    REMINDER = "reminder"
    """`{"number": int}`: still down."""
    ESCALATED = "escalated"
    """`{}`: still down, and nobody has acknowledged it for too long."""
    ACKNOWLEDGED = "acknowledged"
    """`{"by": {"id": str, "name": str}, "at": iso}`."""
    MUTED = "muted"
    """`{"by": {"id": str, "name": str}, "until": iso, "reason": str, "site": str | None, "connections": [name, …]}`: a
    whole site by its name, or connections by theirs."""
    UNMUTED = "unmuted"
    """`{"by": {"id": str, "name": str}, "site": str | None, "connections": [name, …]}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the channel should show, as far as it is decided; what it does show is the delivery's to remember."""

    thread: str
    n: int
    """0 is the root."""
    role: Role
    kind: MessageKind
    revision: int = 1
    """The wanted revision; the message is edited while what it shows is older."""
    params: Mapping[str, Json] = field(default_factory=dict)
    moot_from: int | None = None
    """Not to be sent when the root was first shown at this revision or later: the root told it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadView:
    """What a rendering looks at: a thread, its root and its episodes as they are at this moment."""

    thread: Thread
    root: Message
    episodes: tuple[Episode, ...] = ()
    """The latest of each connection in the thread, oldest first."""
    earlier: Episode | None = None
    """The one that is told by the message to be rendered, if another of its connection has come since."""
