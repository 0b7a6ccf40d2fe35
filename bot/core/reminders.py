"""Reminders: what is still down after a while and in nobody's hands is said again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, MessageKind, Phase, Role, Thread
from bot.core.silence import silence


def remind(draft: Draft) -> None:
    """One broadcast for each thread whose time has come, never a second while the first is unsent."""
    for thread in list(draft.threads.values()):
        if not _waits(draft, thread):
            if thread.id in draft.heard_again:
                # Whatever keeps it from being seen: it is said once it can be.
                draft.threads[thread.id] = replace(thread, remind_at=draft.now)
            continue
        if thread.id in draft.heard_again:
            _remind(draft, draft.threads[thread.id], reason="mute_ended")
        elif _is_due(draft, thread.remind_at) and draft.policy.remind_every is not None:
            _remind(draft, draft.threads[thread.id], reason="still_down")
        if _is_due(draft, thread.escalate_at):
            _escalate(draft, draft.threads[thread.id])


def next_due(draft: Draft) -> datetime | None:
    """When the next of them is due, as far as it does not wait for something to be seen first."""
    every = draft.policy.remind_every
    waiting = [thread for thread in draft.threads.values() if _waits(draft, thread)]
    times = [thread.escalate_at for thread in waiting]
    times += [thread.remind_at for thread in waiting if every is not None]
    return min((at for at in times if at is not None), default=None)


def _is_due(draft: Draft, at: datetime | None) -> bool:
    return at is not None and at <= draft.now


def _remind(draft: Draft, thread: Thread, *, reason: str) -> None:
    again = draft.remind_from_now()
    if thread.id in draft.reminded:
        draft.threads[thread.id] = replace(thread, remind_at=again)
        return
    number = thread.reminders + 1
    draft.tell(thread.id, Role.BROADCAST, MessageKind.REMINDER, {"number": number})
    draft.threads[thread.id] = replace(draft.threads[thread.id], reminders=number, remind_at=again)
    draft.reminded.add(thread.id)
    draft.log(EventKind.REMINDED, reason=reason, thread=thread.id, data={"number": number})


def _escalate(draft: Draft, thread: Thread) -> None:
    draft.tell(thread.id, Role.BROADCAST, MessageKind.ESCALATED, {})
    draft.threads[thread.id] = replace(draft.threads[thread.id], escalate_at=None)
    draft.log(EventKind.ESCALATED, reason="nobody_acknowledged", thread=thread.id)


def _waits(draft: Draft, thread: Thread) -> bool:
    """A thread that may be reminded of now: nobody has it, and what it tells can be seen to be so, and may be said."""
    return (
        thread.site == draft.site.name
        and thread.phase is Phase.OPEN
        and thread.ack_by is None
        and any(
            _is_down(draft, episode) and silence(draft, episode.connection) is None
            for episode in draft.episodes_in(thread.id)
        )
    )


def _is_down(draft: Draft, episode: Episode) -> bool:
    if not episode.open:
        return False
    if episode.connection == SITE:
        return True
    record = draft.connections.get(episode.connection)
    return record is not None and record.state(blind=not draft.sees) is State.DOWN
