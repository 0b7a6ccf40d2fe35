"""Reminders: what is still down after a while and in nobody's hands is said again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, MessageKind, Role, Thread


def remind(draft: Draft) -> None:
    """One broadcast for each thread whose time has come, never a second while the first is unsent."""
    for thread in list(draft.threads.values()):
        if not _waits(draft, thread) or thread.remind_at is None or thread.remind_at > draft.now:
            continue
        if thread.id in draft.reminded:
            draft.threads[thread.id] = replace(thread, remind_at=draft.remind_from_now())
            continue
        number = thread.reminders + 1
        draft.tell(thread.id, Role.BROADCAST, MessageKind.REMINDER, {"number": number})
        draft.threads[thread.id] = replace(
            draft.threads[thread.id], reminders=number, remind_at=draft.remind_from_now()
        )
        draft.reminded.add(thread.id)
        draft.log(EventKind.REMINDED, reason="still_down", thread=thread.id, data={"number": number})


def next_due(draft: Draft) -> datetime | None:
    """When the next reminder is due, as far as it does not wait for something to be seen first."""
    times = [t.remind_at for t in draft.threads.values() if t.remind_at is not None and _waits(draft, t)]
    return min(times, default=None)


def _waits(draft: Draft, thread: Thread) -> bool:
    """A thread that may be reminded of now: open, nobody has it, and what it tells can be seen to be so."""
    return (
        thread.open
        and thread.ack_by is None
        and draft.policy.remind_every is not None
        and any(_is_down(draft, episode) for episode in draft.episodes_in(thread.id))
    )


def _is_down(draft: Draft, episode: Episode) -> bool:
    if not episode.open:
        return False
    if episode.connection == SITE:
        return True
    record = draft.connections.get(episode.connection)
    return record is not None and record.state(blind=draft.blind is not None) is State.DOWN
