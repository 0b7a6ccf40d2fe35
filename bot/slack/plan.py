"""What the delivery may do at this moment, and in which order. Rows, pace and time in, steps out.

Order (contract, "Delivery"): a root before its replies, replies in order; in a channel incident roots first, then
broadcasts, then the rest, each by age; closing edits before others.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.incidents import Role, ThreadKind
from bot.slack.pace import EDIT, LONGEST, LOOK, WORKSPACE, Pace
from bot.store.outbox import DeliveryState, MessageKey, Outgoing

INCIDENTS = frozenset({ThreadKind.OUTAGE, ThreadKind.GROUP, ThreadKind.ERROR, ThreadKind.SITE, ThreadKind.BASELINE})


CANNOT_RENDER = "cannot_render"
"""Why a message waits that this program could not put into words."""


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
    lane: str
    """One step at a time in each lane: the posts of a channel; everything else waits for its own message only."""


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
    edited_at: Mapping[MessageKey, datetime] | None = None,
) -> Plan:
    """The steps that may start now, at most one a lane and message; `edited_at` lets edits take turns.

    What is limited for the whole workspace is spent from `pace` here.
    """
    turns = edited_at or {}
    steps: list[Step] = []
    wakes: list[datetime] = []
    lanes, messages = set(busy_lanes), set(busy_messages)
    # Whether Slack can be spoken to again is found out with one call, not with all that wait.
    probing = pace.doubtful(WORKSPACE)
    for step, due in sorted(_candidates(waiting, pace, now), key=lambda pair: _rank(pair[0], turns)):
        if step.outgoing.key in messages or step.lane in lanes:
            # It will be planned again when that is finished.
            continue
        at = max(due, _may_start(step, pace, now))
        if at > now:
            wakes.append(at)
            continue
        if probing and lanes:
            continue
        if step.action is not Action.POST:
            pace.spend(EDIT if step.action is Action.EDIT else LOOK, now)
        lanes.add(step.lane)
        messages.add(step.outgoing.key)
        steps.append(step)
    return Plan(steps=tuple(steps), wake_at=min(wakes, default=None))


def _candidates(waiting: Iterable[Outgoing], pace: Pace, now: datetime) -> Iterator[tuple[Step, datetime]]:
    """Every step that the rows want, and when it is due."""
    unfinished: set[str] = set()
    for outgoing in sorted(waiting, key=lambda o: (o.message.thread, o.message.n)):
        thread = outgoing.message.thread
        match outgoing.state:
            case DeliveryState.MAYBE:
                unfinished.add(thread)
                yield _step(Action.LOOK, outgoing, pace), _due(outgoing.due_at, now)
            case DeliveryState.NEW | DeliveryState.HELD:
                in_turn = thread not in unfinished
                if outgoing.error != CANNOT_RENDER:
                    # A fault of this program's: what follows it must not wait until that is mended.
                    unfinished.add(thread)
                if in_turn and (outgoing.message.role is Role.ROOT or outgoing.root_ts is not None):
                    yield _step(Action.POST, outgoing, pace), _due(outgoing.due_at, now)
            case DeliveryState.SENT:
                if outgoing.shown_revision is not None and outgoing.shown_revision < outgoing.message.revision:
                    yield _step(Action.EDIT, outgoing, pace), _due(outgoing.due_at, now)
                if outgoing.twin_at is not None:
                    yield _step(Action.TWIN, outgoing, pace), _due(outgoing.twin_at, now)


def _step(action: Action, outgoing: Outgoing, pace: Pace) -> Step:
    key = outgoing.key
    own = pace.channel(outgoing.channel) if action is Action.POST else f"{key.thread}#{key.n}"
    return Step(action=action, outgoing=outgoing, lane=f"{action}:{own}")


def _due(at: datetime | None, now: datetime) -> datetime:
    # Farther away than anything waits: the clock has been set back since.
    return now if at is None or at > now + LONGEST else at


def _may_start(step: Step, pace: Pace, now: datetime) -> datetime:
    channel = step.outgoing.channel
    match step.action:
        case Action.POST:
            return pace.post_at(channel, now)
        case Action.EDIT:
            return pace.edit_at(channel, now)
        case _:
            return pace.look_at(channel, now)


def _rank(step: Step, turns: Mapping[MessageKey, datetime]) -> tuple[object, ...]:
    outgoing = step.outgoing
    match step.action:
        case Action.EDIT:
            last = turns.get(outgoing.key)
            first = (0 if outgoing.closing else 1, 0.0 if last is None else last.timestamp())
        case Action.TWIN:
            # After everything else: what may be missing is looked for before what may be there twice.
            first = (3, 0.0)
        case _:
            first = (_importance(outgoing), 0.0)
    # Threads of one moment were opened in the order of their serials, the greatest impact first: 9 before 10.
    thread = outgoing.message.thread
    return (*first, outgoing.created_at, len(thread), thread, outgoing.message.n)


def _importance(outgoing: Outgoing) -> int:
    if outgoing.message.role is Role.ROOT and outgoing.thread_kind in INCIDENTS:
        return 0
    return 1 if outgoing.message.role is Role.BROADCAST else 2
