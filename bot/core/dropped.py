"""A site that is not in the settings any more: nobody looks at it, so nothing of it can stay open."""

from __future__ import annotations

from dataclasses import replace

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.incidents import Closing, Why


def drop(draft: Draft) -> None:
    """By edits only: who took it out of the settings knows. Should it come back, what is down then is told anew."""
    for episode in [e for e in draft.episodes.values() if e.open and e.site == draft.site.name]:
        draft.close_episode(episode, Closing.NOT_WATCHED, why=Why.SEEN)
    for thread in [t for t in draft.threads.values() if t.open]:
        others = [e for e in draft.episodes_in(thread.id) if e.open]
        if others and thread.site != draft.site.name:
            continue
        for other in others:
            # In a thread of this site nobody would be reminded of it, or could acknowledge it: its own site tells it anew.
            draft.episodes[other.id] = replace(other, thread=None, told_at=None)
        # Also a group, or what flaps, which would wait to be judged.
        draft.close_thread(thread.id)
    for record in list(draft.connections.values()):
        if record.known is State.DOWN:
            draft.put(replace(record, known=State.UNKNOWN, since=None, pending=None, flips=()))
    draft.site = replace(draft.site, fails=0, failing_since=None)
