"""Events: what the bot saw and did, with a named reason. History, audit and `incidents` read them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.incidents import Json


class EventKind(enum.StrEnum):
    BASELINE = "baseline"
    WENT_DOWN = "went_down"
    WENT_UP = "went_up"
    ERROR = "error"
    ERROR_OVER = "error_over"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    READABLE = "readable"
    STALE = "stale"
    """ItemPath itself has not checked the connection for too long."""
    FRESH = "fresh"
    SIGHT_LOST = "sight_lost"
    SIGHT_REGAINED = "sight_regained"
    AWAY = "away"
    ANNOUNCED = "announced"
    """What had been kept silent is told, as its mute has ended."""
    FLAPPING = "flapping"
    SETTLED = "settled"
    GROUP_OVER = "group_over"
    GROUP_GREW = "group_grew"
    GROUP_REOPENED = "group_reopened"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    NOT_REMINDED = "not_reminded"
    """The time for it has come, and something holds it back."""
    NOT_ESCALATED = "not_escalated"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    site: str
    connection: str
    """The connection's id, or `incidents.SITE`."""
    at: datetime
    kind: EventKind
    reason: str
    """Why the channel was told, or why not: a name such as `seen`, `grouped`, `muted`. The README lists them all."""
    data: Mapping[str, Json] = field(default_factory=dict)
    thread: str | None = None
