"""Acknowledging: somebody takes care of what a thread tells. It belongs to the thread and ends with it."""

from __future__ import annotations

from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Episode, EpisodeKind, MessageKind, Phase, Role, Thread
from bot.core.state import Acknowledge, AckOutcome, AckReply


def acknowledge(draft: Draft, cause: Acknowledge) -> AckReply:
    thread = _thread(draft, cause)
    if thread is None:
        return AckReply(outcome=AckOutcome.ENDED if cause.thread else _why_nothing(draft, cause))
    if not thread.open:
        return AckReply(outcome=AckOutcome.ENDED, thread=thread.id)
    if thread.ack_by is not None:
        return AckReply(outcome=AckOutcome.ALREADY, by=thread.ack_by, at=thread.ack_at, thread=thread.id)
    draft.touch(thread.id, ack_by=cause.by, ack_at=draft.now)
    who = cause.by.as_json()
    draft.tell(thread.id, Role.REPLY, MessageKind.ACKNOWLEDGED, {"by": who, "at": draft.now.isoformat()})
    # Sites that are lost together share a thread: there it is one event, of this site.
    for connection in dict.fromkeys(episode.connection for episode in draft.going_on(thread)):
        draft.log(EventKind.ACKNOWLEDGED, reason="by_person", connection=connection, thread=thread.id, data={"by": who})
    return AckReply(outcome=AckOutcome.DONE, by=cause.by, at=draft.now, thread=thread.id)


def _thread(draft: Draft, cause: Acknowledge) -> Thread | None:
    if cause.thread is not None:
        return draft.threads.get(cause.thread)
    told = [e for e in _open(draft, cause) if e.thread is not None]
    outages = [e.thread for e in told if e.kind is not EpisodeKind.ERROR]
    flapping = [
        thread.id
        for thread in draft.threads.values()
        if thread.phase is Phase.FLAPPING and thread.site == draft.site.name
        if any(e.connection == cause.connection for e in draft.going_on(thread))
    ]
    errors = [e.thread for e in told if e.kind is EpisodeKind.ERROR]
    threads = [draft.threads[found] for found in (*outages, *flapping, *errors) if found is not None]
    # What somebody has already comes last: the same words again may be meant for the other.
    return min(threads, key=lambda thread: thread.ack_by is not None, default=None)


def _why_nothing(draft: Draft, cause: Acknowledge) -> AckOutcome:
    return AckOutcome.NOT_TOLD if _open(draft, cause) else AckOutcome.NOTHING_OPEN


def _open(draft: Draft, cause: Acknowledge) -> list[Episode]:
    """What is open of the connection, or of the site; the worst first."""
    kinds = (EpisodeKind.BLIND,) if cause.connection == SITE else (EpisodeKind.OUTAGE, EpisodeKind.ERROR)
    each = (draft.open_episode(cause.connection or SITE, kind) for kind in kinds)
    return [episode for episode in each if episode is not None]
