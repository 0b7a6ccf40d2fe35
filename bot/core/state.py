"""What is remembered of a site, what may happen to it, and what a decision changes."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.core.connection import Connection, Failure, Log, LogKey, Snapshot, State
from bot.core.events import Event
from bot.core.incidents import Episode, Message, Mute, Person, Silence, Thread, Why

LOGS_REMEMBERED = 8
"""How many of a connection's latest logs are known again. Only the newest is ever shown by ItemPath, so a few suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A flip that awaits its confirmation by further reads."""

    state: State
    polls: int
    """How many reads have shown it."""
    since: datetime
    """The first of them."""
    why: Why
    not_before: datetime | None
    errors: tuple[Log, ...] = ()
    """New error logs that came meanwhile; they join the flip, or stand alone if it is not confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRecord:
    """One connection of a site as it is remembered."""

    site: str
    id: str
    row: Connection | None
    """As it was last read; `None` when no read of it ever succeeded."""
    known: State = State.UNKNOWN
    """The last known state."""
    since: datetime | None = None
    """Since when the known state holds, by the bot's own sightings."""
    seen_at: datetime | None = None
    """When the known state was last confirmed; `None`: by the site's last good read."""
    pending: Pending | None = None
    logs_seen: tuple[LogKey, ...] = ()
    """Oldest first."""
    absent_reads: int = 0
    """How many complete reads in a row did not list it."""
    problem: str | None = None
    """Why the latest read of its row failed; `None` when it did not."""
    flips: tuple[datetime, ...] = ()
    """When its known state changed, as far as that still decides on flapping."""
    stale: bool = False
    """ItemPath itself has not checked it for longer than `stale_after`."""

    def state(self, *, blind: bool) -> State:
        """What can be said of it now."""
        if blind or self.stale or self.problem is not None or self.absent_reads or self.row is None:
            return State.UNKNOWN
        return State.UNKNOWN if self.row.state is State.UNKNOWN else self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecord:
    """One ItemPath server as it is remembered."""

    name: str
    baseline_at: datetime | None = None
    tried_at: datetime | None = None
    """The last poll, good or failed."""
    good_at: datetime | None = None
    """The last good poll."""
    fails: int = 0
    """Failed polls in a row."""
    failing_since: datetime | None = None
    """The first of them."""
    nameless: int = 0
    """Rows of the last read that could not be understood and had no id either."""
    serial: int = 0
    """Numbers episodes and threads of this site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """What `decide` looks at."""

    site: SiteRecord
    connections: Mapping[str, ConnectionRecord] = field(default_factory=dict)
    episodes: Mapping[str, Episode] = field(default_factory=dict)
    """Every open episode of the site; what ended within `Policy.lately`; the latest of each connection in `threads`."""
    threads: Mapping[str, Thread] = field(default_factory=dict)
    """Every open thread; every thread in `unposted`; those of what ended lately. Also the open threads about peers that
    cannot be read, with their episodes: several sites may share one."""
    mutes: tuple[Mute, ...] = ()
    """Those of the site that are not over."""
    peers_mutes: tuple[Mute, ...] = ()
    """Those of whole peers: their blindness may stand in a root of this site's."""
    unposted: frozenset[str] = frozenset()
    """Threads whose root Slack does not have, as far as anybody can tell. They follow a corrected route."""
    unsent_reminders: frozenset[str] = frozenset()
    """Threads with a reminder that Slack does not have yet."""
    alive_at: datetime | None = None
    """The latest poll of any site that shares this site's channel: when somebody was last told the truth there."""


# What may happen: the causes that `decide` takes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A poll succeeded."""

    snapshot: Snapshot
    resumed: bool = False
    """The first good read since the bot started: what changed, changed while it was away."""
    first: bool = False
    """The first poll since the bot started, failed ones included: nobody watched the site itself before it."""
    unrecorded: bool = False
    """Reads between the last recorded one and this one were lost, as they could not be recorded."""
    unwatched: timedelta | None = None
    """Since the last poll that this process recorded, by a clock that nobody sets; `None` for its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A poll failed."""

    failure: Failure
    unrecorded: bool = False
    """As of `Polled`."""
    unwatched: timedelta | None = None
    """As with `Polled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Somebody takes care of it."""

    by: Person
    thread: str | None = None
    """The thread whose button was pressed, or else…"""
    connection: str | None = None
    """…the id of the connection that was named (`incidents.SITE` for the site)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Muting:
    """Somebody wants silence until then, about the connections of a thread, or about the one that is named."""

    by: Person
    until: datetime
    reason: str = ""
    thread: str | None = None
    connection: str | None = None
    """A connection's id, or `incidents.EVERY` for the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmuting:
    """Somebody wants to hear again."""

    by: Person
    connection: str
    """A connection's id, or `incidents.EVERY` for the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The site is not in the settings any more."""


Cause: TypeAlias = Polled | Failed | Acknowledge | Muting | Unmuting | Due | Dropped


class AckOutcome(enum.StrEnum):
    DONE = "done"
    ALREADY = "already"
    """Somebody had acknowledged it before; `by` and `at` tell who and when."""
    ENDED = "ended"
    """The thread is closed."""
    NOTHING_OPEN = "nothing_open"
    NOT_TOLD = "not_told"
    """Something is open, and nobody was told of it yet: it is silent, or cannot be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AckReply:
    outcome: AckOutcome
    by: Person | None = None
    at: datetime | None = None
    thread: str | None = None


class MuteOutcome(enum.StrEnum):
    MUTED = "muted"
    UNMUTED = "unmuted"
    STILL_SILENT = "still_silent"
    """Unmuted, but something wider keeps it silent: a mute of the whole site, or maintenance."""
    NOT_MUTED = "not_muted"
    """There was nothing to lift; a wider silence, if there is one, is told."""
    ENDED = "ended"
    """The thread is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteReply:
    outcome: MuteOutcome
    silence: Silence | None = None
    """What keeps it silent now."""
    connections: tuple[str, ...] = ()
    """Which were muted: ids, or `incidents.EVERY`."""
    told: int = 0
    """In how many threads it was said that it is no longer muted."""


Reply: TypeAlias = AckReply | MuteReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """Replies of `thread` not yet sent are moot if the root is first shown at `revision` or later."""

    thread: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Message `n` of `thread` should now show `revision`."""

    thread: str
    n: int
    revision: int
    closing: bool = False
    """The edit ends something; such edits go first when Slack is slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What changes; committed as one. Everything not named stays as it is."""

    site: SiteRecord
    connections: tuple[ConnectionRecord, ...] = ()
    removed: tuple[str, ...] = ()
    """Ids of connections no longer watched."""
    episodes: tuple[Episode, ...] = ()
    threads: tuple[Thread, ...] = ()
    messages: tuple[Message, ...] = ()
    """New ones only."""
    revisions: tuple[Revision, ...] = ()
    """Messages decided on earlier that should now show something newer."""
    overtaken: tuple[Overtaken, ...] = ()
    events: tuple[Event, ...] = ()
    mutes: tuple[Mute, ...] = ()
    """New ones, and known ones with a new end."""
    next_due: datetime | None = None
    """When `Due` wants to be called at the latest; `None`: no timer runs."""
    reply: Reply | None = None


def after(state: SiteState, decision: Decision) -> SiteState:
    """The state that `decision` leads to, once it is committed. A store may load less of it: what is over and told."""
    connections = {i: r for i, r in state.connections.items() if i not in decision.removed}
    return replace(
        state,
        site=decision.site,
        connections=connections | {record.id: record for record in decision.connections},
        episodes={**state.episodes} | {episode.id: episode for episode in decision.episodes},
        threads={**state.threads} | {thread.id: thread for thread in decision.threads},
        mutes=tuple(({mute.id: mute for mute in state.mutes} | {mute.id: mute for mute in decision.mutes}).values()),
    )
