"""Acknowledging: somebody takes care of what a thread tells. It belongs to the thread and ends with it."""

from __future__ import annotations

from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, EpisodeKind, MessageKind, Role, Thread
from bot.core.state import Acknowledge, AckOutcome, AckReply


def acknowledge(draft: Draft, cause: Acknowledge) -> AckReply:
    thread = _thread(draft, cause)
    if thread is None:
        return AckReply(outcome=AckOutcome.ENDED if cause.thread else AckOutcome.NOTHING_OPEN)
    if not thread.open:
        return AckReply(outcome=AckOutcome.ENDED, thread=thread.id)
    if thread.ack_by is not None:
        return AckReply(outcome=AckOutcome.ALREADY, by=thread.ack_by, at=thread.ack_at, thread=thread.id)
    draft.touch(thread.id, ack_by=cause.by, ack_at=draft.now)
    who = cause.by.as_json()
    draft.tell(thread.id, Role.REPLY, MessageKind.ACKNOWLEDGED, {"by": who, "at": draft.now.isoformat()})
    # Sites that are lost together share a thread: there it is one event, of this site.
    for connection in dict.fromkeys(episode.connection for episode in draft.episodes_in(thread.id) if episode.open):
        draft.log(EventKind.ACKNOWLEDGED, reason="by_person", connection=connection, thread=thread.id, data={"by": who})
    return AckReply(outcome=AckOutcome.DONE, by=cause.by, at=draft.now, thread=thread.id)


def _thread(draft: Draft, cause: Acknowledge) -> Thread | None:
    if cause.thread is not None:
        return draft.threads.get(cause.thread)
    kinds = (EpisodeKind.BLIND,) if cause.connection == SITE else (EpisodeKind.OUTAGE, EpisodeKind.ERROR)
    for kind in kinds:
        episode = draft.open_episode(cause.connection or SITE, kind)
        if episode is not None and episode.thread is not None:
            return draft.threads[episode.thread]
    return None
