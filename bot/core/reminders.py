"""Reminders: what is still down after a while and in nobody's hands is said again. What holds one back is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, Json, MessageKind, Phase, Role, Thread, ThreadKind
from bot.core.silence import silence


class Hold(NamedTuple):
    """Why a thread is not to be reminded of now."""

    reason: str
    data: dict[str, Json]


def remind(draft: Draft) -> None:
    """One broadcast for each thread whose time has come, never a second while the first is unsent."""
    for told in _open(draft):
        thread = draft.threads[told.id] = _timed(draft, told)
        hold = _hold(draft, thread)
        if hold is not None:
            if thread.id in draft.heard_again:
                # Whatever keeps it from being seen: it is said once it can be.
                draft.threads[thread.id] = replace(thread, remind_at=draft.now)
            _record(draft, draft.threads[thread.id], hold)
            continue
        if thread.id in draft.heard_again:
            _remind(draft, draft.threads[thread.id], reason="mute_ended")
        elif _is_due(draft, thread.remind_at) and draft.policy.remind_every is not None:
            _remind(draft, draft.threads[thread.id], reason="still_down")
        if _is_due(draft, thread.escalate_at) and draft.policy.escalate_after is not None:
            _escalate(draft, draft.threads[thread.id])


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
    """With the times that it has by the settings of today, which may have been others when it was told."""
    remind_at = _within(draft, thread.remind_at, draft.policy.remind_every)
    escalate_at = thread.escalate_at
    if thread.escalated_at is None:
        escalate_at = _within(draft, escalate_at, draft.policy.escalate_after)
    return replace(thread, remind_at=remind_at, escalate_at=escalate_at)


def _within(draft: Draft, at: datetime | None, span: timedelta | None) -> datetime | None:
    """No farther away than a whole `span`: what is was put off by other settings, or by a clock that was ahead."""
    if span is None:
        return at
    return min(at or draft.now + span, draft.now + span)


def _is_due(draft: Draft, at: datetime | None) -> bool:
    return at is not None and at <= draft.now


def _remind(draft: Draft, thread: Thread, *, reason: str) -> None:
    again = _within(draft, None, draft.policy.remind_every)
    if thread.id in draft.reminded:
        draft.threads[thread.id] = replace(thread, remind_at=again)
        draft.log(EventKind.NOT_REMINDED, reason="earlier_unsent", thread=thread.id)
        return
    number = thread.reminders + 1
    draft.tell(thread.id, Role.BROADCAST, MessageKind.REMINDER, {"number": number})
    draft.threads[thread.id] = replace(draft.threads[thread.id], reminders=number, remind_at=again)
    draft.reminded.add(thread.id)
    draft.log(EventKind.REMINDED, reason=reason, thread=thread.id, data={"number": number})


def _escalate(draft: Draft, thread: Thread) -> None:
    draft.tell(thread.id, Role.BROADCAST, MessageKind.ESCALATED, {})
    draft.threads[thread.id] = replace(draft.threads[thread.id], escalate_at=None, escalated_at=draft.now)
    draft.log(EventKind.ESCALATED, reason="nobody_acknowledged", thread=thread.id)


def _hold(draft: Draft, thread: Thread) -> Hold | None:
    """What keeps a thread from being reminded of: somebody has it, or what it tells cannot be seen or may not be said."""
    if thread.ack_by is not None:
        return Hold("acknowledged", {"by": thread.ack_by.as_json()})
    down = [episode for episode in draft.episodes_in(thread.id) if _is_down(draft, episode)]
    if not down:
        return Hold("not_seen", {})
    silences = [found for episode in down if (found := silence(draft, episode.connection)) is not None]
    if len(silences) < len(down):
        return None
    return Hold("muted", min(silences, key=lambda found: found.until).because)


def _record(draft: Draft, thread: Thread, hold: Hold) -> None:
    """What would be said now but for that: one event for each, whatever the number of polls meanwhile."""
    every = draft.policy.remind_every
    if every is not None and _has_come(draft, thread.remind_at, every=every):
        draft.log(EventKind.NOT_REMINDED, reason=hold.reason, thread=thread.id, data=hold.data)
    if draft.policy.escalate_after is not None and _has_come(draft, thread.escalate_at):
        draft.log(EventKind.NOT_ESCALATED, reason=hold.reason, thread=thread.id, data=hold.data)


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
