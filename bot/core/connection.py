"""What ItemPath says about one connection, and about all of them at one moment.

The values are what every other room agrees on: `itempath/` makes them from replies, `store/` keeps them, `core/` compares
them. Field meanings are those of ItemPath's page on connections; anything that page leaves open is `None`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class State(enum.StrEnum):
    """What is known of a connection. `UNKNOWN` opens, closes and flips nothing."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A log is the same log when its id, time and error are the same."""

    id: str
    at: datetime | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The newest log entry of a connection (`latestLog`)."""

    id: str
    at: datetime | None = None
    """When ItemPath wrote it; timezone-aware UTC."""
    status: int | None = None
    description: str | None = None
    error: str | None = None
    """What went wrong; `None` or blank when nothing did."""
    app_id: str | None = None
    integration_id: str | None = None
    workflow_id: str | None = None
    task_id: str | None = None
    seconds: float | None = None
    """How long the logged call took (`time`)."""

    @property
    def key(self) -> LogKey:
        return LogKey(id=self.id, at=self.at, error=self.error or "")

    @property
    def has_error(self) -> bool:
        return bool(self.error and self.error.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One row of `GET api/connections`. All times are timezone-aware UTC."""

    id: str
    """ItemPath's id as text: documented as a uuid, shown as an integer."""
    name: str
    app_id: str | None = None
    url: str | None = None
    """The address as ItemPath has it: a URL, a host, a path or anything else."""
    type: str | None = None
    authentication: str | None = None
    username: str | None = None
    password_exists: bool | None = None
    token_exists: bool | None = None
    is_testable: bool | None = None
    status: int | None = None
    """1 is up, 0 is down; anything else is not known to mean either."""
    latest_connection: datetime | None = None
    created: datetime | None = None
    latest_log: Log | None = None
    last_check: datetime | None = None
    integration_count: int | None = None
    """How many recurring tasks use this connection: what stops when it is down."""

    @property
    def state(self) -> State:
        if self.status == 1:
            return State.UP
        if self.status == 0:
            return State.DOWN
        return State.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
    """A row that could not be understood. It costs itself only."""

    id: str | None
    """Its id, when at least that could be read."""
    problem: str
    """Which field was wrong and how, in words; never a whole foreign body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One complete read of a site's connections. A partial read is never a snapshot but an error."""

    connections: tuple[Connection, ...]
    """Each id once."""
    unreadable: tuple[UnreadableRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a site could not be read: data to decide on, and words for a person."""

    kind: str
    """One of `unreachable`, `timeout`, `credentials`, `not_found`, `not_itempath`, `too_large`, `rate_limited`,
    `server_error`."""
    message: str
    """What happened, as one sentence without secrets."""
    advice: str
    """What an operator can do about it, as one sentence."""
