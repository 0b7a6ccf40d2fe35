"""Flips: a connection goes down or comes up, as soon as enough reads in a row have shown it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import flapping, logs
from bot.core.connection import Connection, Log, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.families import fingerprint
from bot.core.incidents import Closing, EpisodeKind, Family, MessageKind, Phase, ThreadKind, Why
from bot.core.silence import silence_of_all, voice
from bot.core.state import ConnectionRecord, Pending


def judge(
    draft: Draft, record: ConnectionRecord, row: Connection, *, why: Why, not_before: datetime | None
) -> ConnectionRecord:
    """A read that says up or down, against what is known; the record as it is afterwards.

    `not_before` is when the known state was last confirmed. Error logs go where their connection's state puts them:
    into the flip, to wait for it, or to stand alone.
    """
    if row.state is record.known:
        return _unchanged(draft, record, row)
    if record.pending is not None and record.pending.state is row.state:
        pending = replace(record.pending, polls=record.pending.polls + 1)
    else:
        errors = () if record.pending is None else record.pending.errors
        pending = Pending(state=row.state, polls=1, since=draft.now, why=why, not_before=not_before, errors=errors)
    record = replace(record, pending=pending, seen_at=pending.not_before)
    if pending.polls < draft.policy.confirm_polls:
        return _waiting(draft, record, row, pending)
    if record.known is State.UNKNOWN and pending.state is State.UP:
        # Never known before: that it is up is what everybody assumed.
        return _unchanged(draft, replace(record, known=State.UP, since=pending.since), row)
    first = record.known is State.UNKNOWN
    record, error = logs.take(record, row)
    record = replace(record, flips=() if first else flapping.counted(draft, record))
    pending = replace(pending, errors=pending.errors if error is None else (*pending.errors, error))
    if pending.state is State.DOWN:
        _went_down(draft, record, row, pending)
    else:
        _went_up(draft, record, row, pending)
    return replace(record, known=pending.state, since=pending.since, pending=None, seen_at=None)


def _unchanged(draft: Draft, record: ConnectionRecord, row: Connection) -> ConnectionRecord:
    """Nothing that people expect otherwise flipped; errors that waited for a flip stand alone."""
    waited = () if record.pending is None else record.pending.errors
    record = replace(record, pending=None, seen_at=None)
    for error in waited:
        logs.error(draft, record, row, error)
    return logs.note(draft, record, row)


def _waiting(draft: Draft, record: ConnectionRecord, row: Connection, pending: Pending) -> ConnectionRecord:
    if pending.state is not State.DOWN:
        return logs.note(draft, record, row)
    taken, error = logs.take(record, row)
    if error is None:
        return logs.note(draft, record, row)
    return replace(taken, pending=replace(pending, errors=(*pending.errors, error)))


def _went_down(draft: Draft, record: ConnectionRecord, row: Connection, flip: Pending) -> None:
    if (error := draft.open_episode(row.id, EpisodeKind.ERROR)) is not None:
        draft.close_episode(error, Closing.NOW_DOWN, why=Why.SEEN)
        draft.log(EventKind.ERROR_OVER, reason="now_down", connection=row.id, thread=error.thread)
    root = flapping.root_of(draft, row.id, record.flips)
    episode = draft.open_new_episode(
        row.id,
        EpisodeKind.OUTAGE,
        start=flip.since,
        why=flip.why,
        not_before=flip.not_before,
        row=row,
        families=_families(draft, flip.errors),
    )
    if root is None:
        # Told with all others of this decision: how many they are decides how.
        draft.fell[episode.id] = flip.why.value
        return
    draft.announce(episode, root.id, told_at=None)
    flapping.flipped(draft, root, row.id, record.flips)
    draft.log(EventKind.WENT_DOWN, reason="flapping", connection=row.id, thread=root.id)


def _went_up(draft: Draft, record: ConnectionRecord, row: Connection, flip: Pending) -> None:
    episode = draft.open_episode(row.id, EpisodeKind.OUTAGE)
    if episode is None:  # pragma: no cover
        raise AssertionError(f"{row.id} is known as down, but no outage of it is open")
    episode = draft.episodes[episode.id] = replace(episode, row=row)
    root = flapping.root_of(draft, row.id, record.flips) if episode.thread is not None else None
    if root is not None and root.id == episode.thread:
        flapping.flipped(draft, root, row.id, record.flips)
    thread = draft.close_episode(episode, Closing.RECOVERED, why=flip.why, not_before=flip.not_before, end=flip.since)
    reason = flip.why.value
    muted = None
    if thread is None:
        reason = "outage_not_announced"
    elif thread.phase is Phase.FLAPPING:
        reason = "flapping"
    elif thread.kind is ThreadKind.GROUP:
        reason = "grouped"
    else:
        error = flip.errors[-1].error if flip.errors else None
        muted = silence_of_all(draft, [episode])
        draft.tell(
            thread.id,
            voice(muted),
            MessageKind.RECOVERED,
            {"episode": episode.id, "error": error},
            moot_from=thread.revision,
        )
    draft.log(EventKind.WENT_UP, reason=reason, connection=row.id, thread=episode.thread, muted=muted)


def _families(draft: Draft, errors: tuple[Log, ...]) -> tuple[Family, ...]:
    """The errors that came with a fall; the root tells them all."""
    families: dict[str, Family] = {}
    for log in errors:
        name = fingerprint(log.error or "")
        known = families.get(name)
        families[name] = Family(
            fingerprint=name,
            log=log,
            count=1 if known is None else known.count + 1,
            first_at=draft.now if known is None else known.first_at,
            last_at=draft.now,
            message=0,
        )
    return tuple(families.values())
