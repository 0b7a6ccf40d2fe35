"""What the delivery may do at this moment, and in which order. Pure: rows, pace and time in, steps out.

Order (contract, "Delivery"): a root before its replies, replies in order; in a channel incident roots first, then
broadcasts, then the rest, each by age; closing edits before others.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.incidents import Role, ThreadKind
from bot.slack.pace import Pace
from bot.store.outbox import DeliveryState, MessageKey, Outgoing

INCIDENTS = frozenset({ThreadKind.OUTAGE, ThreadKind.ERROR, ThreadKind.SITE, ThreadKind.BASELINE})


class Action(enum.StrEnum):
    POST = "post"
    EDIT = "edit"
    LOOK = "look"
    """Find out what became of a post that never answered."""
    TWIN = "twin"
    """Look for a second copy of a post that was sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    action: Action
    outgoing: Outgoing

    @property
    def lane(self) -> str:
        """One step at a time in each lane: posts of a channel, look-ups of a channel, and edits of a channel."""
        return f"{self.action}:{self.outgoing.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    steps: tuple[Step, ...]
    """To be started now, together."""
    wake_at: datetime | None
    """When there is more to do, if nothing else happens."""


def plan(
    waiting: Iterable[Outgoing],
    *,
    pace: Pace,
    now: datetime,
    busy_lanes: Collection[str] = (),
    busy_messages: Collection[MessageKey] = (),
    edited_at: dict[MessageKey, datetime] | None = None,
) -> Plan:
    """The steps that may start now, at most one a lane; `edited_at` lets edits take turns."""
    turns = edited_at or {}
    steps: list[Step] = []
    wakes: list[datetime] = []
    lanes = set(busy_lanes)
    for step, at in sorted(_candidates(waiting, pace, now), key=lambda pair: _rank(pair[0], turns)):
        if step.outgoing.key in busy_messages or step.lane in lanes:
            # It will be planned again when that is finished.
            continue
        if at > now:
            wakes.append(at)
            continue
        if step.action is Action.EDIT:
            if pace.edit_at(step.outgoing.channel, now) > now:
                wakes.append(pace.edit_at(step.outgoing.channel, now))
                continue
            pace.edits.spend(now)
        lanes.add(step.lane)
        steps.append(step)
    return Plan(steps=tuple(steps), wake_at=min(wakes, default=None))


def _candidates(waiting: Iterable[Outgoing], pace: Pace, now: datetime) -> Iterable[tuple[Step, datetime]]:
    """Every step that the rows want, and when it may start at the earliest."""
    unfinished: set[str] = set()
    for outgoing in sorted(waiting, key=lambda o: (o.message.thread, o.message.n)):
        thread = outgoing.message.thread
        due = outgoing.due_at or now
        channel = outgoing.channel
        match outgoing.state:
            case DeliveryState.MAYBE:
                unfinished.add(thread)
                yield Step(action=Action.LOOK, outgoing=outgoing), max(due, pace.look_at(channel, now))
            case DeliveryState.NEW | DeliveryState.HELD:
                in_turn = thread not in unfinished
                unfinished.add(thread)
                if in_turn and (outgoing.message.role is Role.ROOT or outgoing.root_ts is not None):
                    yield Step(action=Action.POST, outgoing=outgoing), max(due, pace.post_at(channel, now))
            case DeliveryState.SENT:
                if outgoing.shown_revision is not None and outgoing.shown_revision < outgoing.message.revision:
                    yield Step(action=Action.EDIT, outgoing=outgoing), max(due, pace.edit_at(channel, now))
                if outgoing.twin_at is not None:
                    yield (
                        Step(action=Action.TWIN, outgoing=outgoing),
                        max(outgoing.twin_at, pace.look_at(channel, now)),
                    )
            case DeliveryState.MOOT:
                pass


def _rank(step: Step, turns: dict[MessageKey, datetime]) -> tuple[object, ...]:
    outgoing = step.outgoing
    if step.action is Action.EDIT:
        last = turns.get(outgoing.key)
        first = (0 if outgoing.closing else 1, 0.0 if last is None else last.timestamp())
    else:
        first = (_importance(outgoing), 0.0)
    return (*first, outgoing.created_at, outgoing.message.thread, outgoing.message.n)


def _importance(outgoing: Outgoing) -> int:
    if outgoing.message.role is Role.ROOT and outgoing.thread_kind in INCIDENTS:
        return 0
    return 1 if outgoing.message.role is Role.BROADCAST else 2
