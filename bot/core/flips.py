"""Flips: a connection goes down or comes up, as soon as enough reads in a row have shown it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import logs
from bot.core.connection import Connection, Log, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.families import fingerprint
from bot.core.incidents import Closing, EpisodeKind, Family, MessageKind, Role, ThreadKind, Why
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
    record, error = logs.take(record, row)
    errors = pending.errors if error is None else (*pending.errors, error)
    if pending.state is State.DOWN:
        _went_down(draft, row, replace(pending, errors=errors))
    else:
        _went_up(draft, row, replace(pending, errors=errors))
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


def _went_down(draft: Draft, row: Connection, flip: Pending) -> None:
    if (error := draft.open_episode(row.id, EpisodeKind.ERROR)) is not None:
        draft.close_episode(error, Closing.NOW_DOWN, why=Why.SEEN)
        draft.log(EventKind.ERROR_OVER, reason="now_down", connection=row.id, thread=error.thread)
    thread = draft.open_thread(ThreadKind.OUTAGE, draft.policy.route(row), remind=True)
    draft.open_new_episode(
        row.id,
        EpisodeKind.OUTAGE,
        start=flip.since,
        why=flip.why,
        not_before=flip.not_before,
        row=row,
        families=_families(draft, flip.errors),
        thread=thread.id,
    )
    draft.log(EventKind.WENT_DOWN, reason=flip.why.value, connection=row.id, thread=thread.id)


def _went_up(draft: Draft, row: Connection, flip: Pending) -> None:
    episode = draft.open_episode(row.id, EpisodeKind.OUTAGE)
    if episode is None:  # pragma: no cover
        raise AssertionError(f"{row.id} is known as down, but no outage of it is open")
    draft.episodes[episode.id] = replace(episode, row=row)
    thread = draft.close_episode(
        draft.episodes[episode.id], Closing.RECOVERED, why=flip.why, not_before=flip.not_before, end=flip.since
    )
    if thread is not None:
        draft.tell(
            thread.id,
            Role.BROADCAST,
            MessageKind.RECOVERED,
            {"episode": episode.id, "error": flip.errors[-1].error if flip.errors else None},
            moot_from=thread.revision,
        )
    reason = flip.why.value if thread is not None else "outage_not_announced"
    draft.log(EventKind.WENT_UP, reason=reason, connection=row.id, thread=episode.thread)


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
