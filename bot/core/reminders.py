"""Reminders: what is still down after a while and in nobody's hands is said again. What holds one back is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, Json, MessageKind, Person, Phase, Role, Silence, Thread, ThreadKind
from bot.core.silence import silence_of


class Hold(NamedTuple):
    """Why a thread is not to be reminded of now."""

    reason: str
    by: Person | None = None
    """Who has acknowledged it."""
    muted: Silence | None = None


def remind(draft: Draft) -> None:
    """One broadcast for each thread whose time has come, never a second while the first is unsent."""
    every, after = draft.policy.remind_every, draft.policy.escalate_after
    for told in _open(draft):
        thread = _timed(draft, told)
        hold = _hold(draft, thread)
        if hold is not None:
            draft.threads[thread.id] = thread
            _record(draft, thread, hold)
            continue
        if thread.owed and draft.is_told_aloud(thread.id):
            thread = replace(thread, owed=False)
        if thread.owed:
            thread = _remind(draft, thread, reason="mute_ended")
        elif every is not None and _is_due(draft, thread.remind_at):
            thread = _remind(draft, thread, reason="still_down")
        if after is not None and _is_due(draft, thread.escalate_at):
            thread = _escalate(draft, thread)
        draft.threads[thread.id] = thread


def next_due(draft: Draft) -> datetime | None:
    """When the next of them is due, as far as it does not wait for something to be seen first."""
    every, after = draft.policy.remind_every, draft.policy.escalate_after
    waiting = [thread for thread in _open(draft) if _hold(draft, thread) is None]
    times = [thread.remind_at for thread in waiting if every is not None]
    times += [thread.escalate_at for thread in waiting if after is not None]
    return min((at for at in times if at is not None), default=None)


def _open(draft: Draft) -> list[Thread]:
    """What may have to be said again: errors are not, nor is what flaps before it has held."""
    return [
        thread
        for thread in draft.threads.values()
        if thread.site == draft.site.name and thread.phase is Phase.OPEN and thread.kind is not ThreadKind.ERROR
    ]


def _timed(draft: Draft, thread: Thread) -> Thread:
    """With times no farther away than the settings of today allow, which may have been others when it was told."""
    remind_at = _within(draft, thread.remind_at, draft.policy.remind_every)
    escalate_at = thread.escalate_at
    if thread.escalated_at is None:
        escalate_at = _within(draft, escalate_at, draft.policy.escalate_after)
    return replace(thread, remind_at=remind_at, escalate_at=escalate_at)


def _within(draft: Draft, at: datetime | None, span: timedelta | None) -> datetime | None:
    """What is farther away than a whole `span` was put off by other settings, or by a clock that was ahead."""
    if span is None:
        return at
    return min(at or draft.now + span, draft.now + span)


def _is_due(draft: Draft, at: datetime | None) -> bool:
    return at is not None and at <= draft.now


def _remind(draft: Draft, thread: Thread, *, reason: str) -> Thread:
    every = draft.policy.remind_every
    thread = replace(thread, owed=False, remind_at=None if every is None else draft.now + every)
    if thread.id in draft.reminded:
        draft.log(EventKind.NOT_REMINDED, reason="earlier_unsent", thread=thread.id)
        return thread
    thread = replace(thread, reminders=thread.reminders + 1)
    thread = _say(draft, thread, MessageKind.REMINDER, {"number": thread.reminders})
    draft.reminded.add(thread.id)
    draft.log(EventKind.REMINDED, reason=reason, thread=thread.id, data={"number": thread.reminders})
    return thread


def _escalate(draft: Draft, thread: Thread) -> Thread:
    thread = _say(draft, replace(thread, escalate_at=None, escalated_at=draft.now), MessageKind.ESCALATED, {})
    draft.log(EventKind.ESCALATED, reason="nobody_acknowledged", thread=thread.id)
    return thread


def _say(draft: Draft, thread: Thread, kind: MessageKind, params: Mapping[str, Json]) -> Thread:
    draft.threads[thread.id] = thread
    draft.tell(thread.id, Role.BROADCAST, kind, params)
    return draft.threads[thread.id]


def _hold(draft: Draft, thread: Thread) -> Hold | None:
    """What keeps a thread from being reminded of: somebody has it, or what it tells cannot be seen or may not be said."""
    if thread.ack_by is not None:
        return Hold("acknowledged", by=thread.ack_by)
    down = [episode for episode in draft.episodes_in(thread.id) if _is_down(draft, episode)]
    if not down:
        return Hold("not_seen")
    silences = [found for episode in down if (found := silence_of(draft, episode)) is not None]
    if len(silences) < len(down):
        return None
    return Hold("muted", muted=min(silences, key=lambda found: found.until))


def _record(draft: Draft, thread: Thread, hold: Hold) -> None:
    """What would be said now but for that: one event for each, whatever the number of polls meanwhile."""
    every = draft.policy.remind_every
    data: dict[str, Json] = {} if hold.by is None else {"by": hold.by.as_json()}
    kinds = []
    before = draft.before.threads.get(thread.id)
    now_owed = thread.owed and (before is None or not before.owed)
    if now_owed or (every is not None and _has_come(draft, thread.remind_at, every=every)):
        kinds.append(EventKind.NOT_REMINDED)
    if draft.policy.escalate_after is not None and _has_come(draft, thread.escalate_at):
        kinds.append(EventKind.NOT_ESCALATED)
    for kind in kinds:
        draft.log(kind, reason=hold.reason, thread=thread.id, data=data, muted=hold.muted)


def _has_come(draft: Draft, at: datetime | None, *, every: timedelta | None = None) -> bool:
    """Whether it came between the poll before and this one, or one that would have followed it `every` so often did.

    What is held back keeps its time, so that it is said when nothing holds it any more. Between polls none comes: a timer
    or a person leaves the time of the last poll as it is.
    """
    polled, before = draft.site.tried_at, draft.before.site.tried_at
    if at is None or polled is None or before is None or polled < at:
        return False
    latest = at if every is None else at + (polled - at) // every * every
    return before < latest


def _is_down(draft: Draft, episode: Episode) -> bool:
    if not episode.open:
        return False
    if episode.connection == SITE:
        return True
    record = draft.connections.get(episode.connection)
    return record is not None and record.state(blind=not draft.sees) is State.DOWN
