"""Flapping: what changes too often has one message that says so, and one in the end that says what it came to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.groups import others
from bot.core.incidents import Episode, EpisodeKind, MessageKind, Phase, Thread, ThreadKind
from bot.core.silence import silence_of_all, voice
from bot.core.state import ConnectionRecord


def counted(draft: Draft, record: ConnectionRecord) -> tuple[datetime, ...]:
    """The flips of a connection that still count, with the one of this moment."""
    since = draft.now - draft.policy.flap_window
    return (*(at for at in record.flips if at > since), draft.now)


def root_of(draft: Draft, connection: str, flips: tuple[datetime, ...]) -> Thread | None:
    """The root that tells a connection's flips by edits only: its latest, if it is flapping or begins to now.

    `None` for one that has no root of its own: in a group or a baseline it is one of many.
    """
    told = [e for e in draft.episodes_of(connection) if e.kind is EpisodeKind.OUTAGE and e.thread in draft.threads]
    latest = max(told, key=lambda e: e.start, default=None)
    if latest is None or latest.thread is None:
        return None
    thread = draft.threads[latest.thread]
    begins = thread.phase is Phase.FLAPPING or len(flips) >= draft.policy.flap_threshold
    return thread if thread.kind is ThreadKind.OUTAGE and begins else None


def flipped(draft: Draft, thread: Thread, connection: str, flips: tuple[datetime, ...]) -> None:
    """One more change; what it came to is not to be said before it has held for a while."""
    if thread.phase is not Phase.FLAPPING:
        data = {"changes": len(flips)}
        draft.log(EventKind.FLAPPING, reason="flips", connection=connection, thread=thread.id, data=data)
    reopened = not thread.open
    draft.touch(
        thread.id,
        phase=Phase.FLAPPING,
        closed=None,
        changes=thread.changes + 1 if thread.phase is Phase.FLAPPING else len(flips),
        settle_at=draft.now + draft.policy.settle_after,
        remind_at=None,
        escalate_at=None,
        escalated_at=None,
        # An acknowledgement ended with the thread that it was for.
        ack_by=None if reopened else thread.ack_by,
        ack_at=None if reopened else thread.ack_at,
    )


def settle(draft: Draft) -> None:
    """Say what has held long enough. What was not read is not known to have held."""
    if not draft.sees:
        return
    for thread in list(draft.threads.values()):
        if thread.site != draft.site.name or thread.phase is not Phase.FLAPPING:
            continue
        if thread.settle_at is None or thread.settle_at > draft.now:
            continue
        latest = list(draft.episodes_in(thread.id))
        if any(_is_unknown(draft, episode) for episode in latest if episode.open):
            continue
        _settle(draft, thread, latest)


def next_settling(draft: Draft) -> datetime | None:
    if not draft.sees:
        return None
    times = [
        t.settle_at
        for t in draft.threads.values()
        if t.settle_at is not None and t.settle_at > draft.now and t.site == draft.site.name
    ]
    return min(times, default=None)


def _settle(draft: Draft, thread: Thread, episodes: list[Episode]) -> None:
    down = [episode for episode in episodes if episode.open]
    moot_from = None
    if down:
        draft.touch(
            thread.id,
            phase=Phase.OPEN,
            settle_at=None,
            flips=(),
            told_down=len(down),
        )
    else:
        moot_from = draft.close_thread(thread.id).revision
    came_to = {"down": len(down), "changes": thread.changes}
    beside = others(draft, thread.id) if thread.kind is ThreadKind.GROUP else {}
    muted = silence_of_all(draft, episodes)
    draft.tell(thread.id, voice(muted), MessageKind.SETTLED, {**came_to, **beside}, moot_from=moot_from)
    draft.log(EventKind.SETTLED, reason="held", thread=thread.id, data=came_to, muted=muted)
    for connection in {episode.connection for episode in episodes}:
        if (record := draft.connections.get(connection)) is not None:
            # What it came to has been said; the next flips are counted anew.
            draft.put(replace(record, flips=()))


def _is_unknown(draft: Draft, episode: Episode) -> bool:
    record = draft.connections.get(episode.connection)
    return record is not None and record.state(blind=False) is State.UNKNOWN
