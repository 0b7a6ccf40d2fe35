"""What the delivery holds in its hands: a message, what became of it so far, and where its root stands."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.core.incidents import Message, Role, ThreadKind, ThreadView

NO_SUCH_CHANNEL = "channel_not_found"
"""Slack's word for a channel that there is not, or not for this bot."""


class DeliveryState(enum.StrEnum):
    NEW = "new"
    """Never tried, or definitely not accepted."""
    MAYBE = "maybe"
    """May have been sent; its fate must be looked up."""
    SENT = "sent"
    """Slack has it, and `ts` is known."""
    HELD = "held"
    """Refused for a reason that does not pass by itself; retried slowly."""
    MOOT = "moot"
    """Overtaken before it was sent."""


class Form(enum.StrEnum):
    """How a message is written; the next one when Slack calls one malformed."""

    FULL = "full"
    SIMPLE = "simple"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKey:
    thread: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    message: Message
    closing: bool
    """Its edit ends something: such edits go first when Slack is slow."""
    channel: str
    """The thread's, as configured: an id or `#name`."""
    thread_kind: ThreadKind
    thread_open: bool
    created_at: datetime
    state: DeliveryState
    generation: int
    """How often it was given up and posted anew; part of the delivery key."""
    channel_id: str | None = None
    ts: str | None = None
    first_revision: int | None = None
    """The revision in which it was last tried as a new post."""
    shown_revision: int | None = None
    form: Form = Form.FULL
    """The one to use: the full one until Slack calls it malformed."""
    due_at: datetime | None = None
    """Not before; `None`: at once."""
    first_tried_at: datetime | None = None
    """When the first attempt of this generation began: no copy of it in Slack is older."""
    tried_at: datetime | None = None
    """When the latest attempt as a new post began."""
    attempts: int = 0
    """Without success so far: as a new post, or else as an edit."""
    looks: int = 0
    """How often its fate was looked up since."""
    maybe_sent_before: bool = False
    """An earlier attempt was looked up and not found; it may still turn up."""
    twin_at: datetime | None = None
    """When to look for a duplicate; `None`: none is suspected."""
    error: str | None = None
    replaces: str | None = None
    """Where the post stands that this one takes the place of; empty when Slack does not tell, `None` for the first one."""
    root_ts: str | None
    root_channel_id: str | None
    root_state: DeliveryState
    root_first_revision: int | None

    @property
    def key(self) -> MessageKey:
        return MessageKey(thread=self.message.thread, n=self.message.n)

    @property
    def moot(self) -> bool:
        """Its root told it already when it was first shown."""
        since, first = self.message.moot_from, self.root_first_revision
        if self.message.role is Role.ROOT or self.root_state is not DeliveryState.SENT:
            return False
        return since is not None and first is not None and first >= since

    def delivery_key(self, install_id: str) -> str:
        """What the post carries in its metadata, so that it is known again."""
        return f"{install_id}/{self.message.thread}/{self.message.n}/{self.generation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A message and what it shows, read at one moment."""

    outgoing: Outgoing
    view: ThreadView


class Refusal(NamedTuple):
    channel: str
    """As configured."""
    error: str
    messages: int
    """How many messages wait for this reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """How much is not yet as it should be in Slack."""

    count: int
    oldest: datetime | None
    """When the oldest message that Slack does not have was decided on; `None` when only edits wait, or nothing."""
    errors: tuple[Refusal, ...] = ()
