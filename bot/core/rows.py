"""A snapshot compared with what is remembered, row by row: what appeared, what changed, what is gone."""

from __future__ import annotations

from dataclasses import replace

from bot.core import flips, logs
from bot.core.connection import Connection, Snapshot, State
from bot.core.diff import Change, ChangeKind, changed_fields
from bot.core.draft import Draft
from bot.core.incidents import Closing, EpisodeKind, Why
from bot.core.notices import Notices
from bot.core.sight import Sighting
from bot.core.state import ConnectionRecord

REMOVED_AFTER = 2
"""Complete reads in a row without a connection, until it counts as removed: one read may have raced with an edit."""


def compare(draft: Draft, snapshot: Snapshot, sighting: Sighting) -> None:
    """`snapshot` in order."""
    notices = Notices(draft)
    for row in snapshot.connections:
        record = draft.connections.get(row.id)
        if record is None:
            _added(draft, notices, row)
        else:
            _read(draft, notices, record, row, sighting)
    for bad in snapshot.unreadable:
        if bad.id is not None:
            _unreadable(draft, notices, bad.id, bad.problem, sighting)
    _nameless(draft, notices, snapshot)
    _absent(draft, notices, snapshot, sighting)
    notices.send()


def in_order(snapshot: Snapshot) -> Snapshot:
    """By id, numbers as numbers: the order in which ItemPath lists rows decides nothing."""
    return Snapshot(
        connections=tuple(sorted(snapshot.connections, key=lambda row: (len(row.id), row.id))),
        unreadable=tuple(sorted(snapshot.unreadable, key=lambda bad: (len(bad.id or ""), bad.id or "", bad.problem))),
    )


def fresh_record(draft: Draft, row: Connection) -> ConnectionRecord:
    """A connection seen for the first time: its latest log counts as seen."""
    stale = is_stale(draft, row)
    known = State.UNKNOWN if stale else row.state
    return ConnectionRecord(
        site=draft.site.name,
        id=row.id,
        row=row,
        known=known,
        since=None if known is State.UNKNOWN else draft.now,
        logs_seen=() if row.latest_log is None else (row.latest_log.key,),
        stale=stale,
    )


def unreadable_record(draft: Draft, connection: str, problem: str) -> ConnectionRecord:
    """A connection of which no more than the id was ever understood."""
    return ConnectionRecord(site=draft.site.name, id=connection, row=None, problem=problem)


def is_stale(draft: Draft, row: Connection) -> bool:
    """ItemPath itself has not checked it for too long, although it could."""
    limit = draft.policy.stale_after
    return bool(limit and row.is_testable and row.last_check and draft.now - row.last_check > limit)


def _added(draft: Draft, notices: Notices, row: Connection) -> None:
    record = fresh_record(draft, row)
    if record.known is not State.DOWN:
        draft.put(record)
        notices.add(row, ChangeKind.ADDED)
        return
    # Down as it appears: an outage like any other, confirmed like any other. Until it is, it is news that it appeared.
    record = replace(record, known=State.UNKNOWN, since=None)
    record = flips.judge(draft, record, row, why=Why.ADDED, not_before=None)
    draft.put(record)
    if record.known is not State.DOWN:
        notices.add(row, ChangeKind.ADDED)


def _read(draft: Draft, notices: Notices, record: ConnectionRecord, row: Connection, sighting: Sighting) -> None:
    if record.problem is not None:
        notices.add(row, ChangeKind.READABLE)
    if record.row is None:
        # Never understood before: like an added one, its latest log counts as seen.
        record = replace(record, logs_seen=() if row.latest_log is None else (row.latest_log.key,))
    elif fields := changed_fields(record.row, row):
        notices.add(row, ChangeKind.CHANGED, fields=fields)
        _rename(draft, row)
    stale = is_stale(draft, row)
    if stale != record.stale:
        checked = row.last_check.isoformat() if row.last_check else None
        notices.add(row, ChangeKind.STALE if stale else ChangeKind.FRESH, detail=checked)
    confirmed_at = sighting.confirmed_at(record)
    record = replace(record, row=row, problem=None, stale=stale, absent_reads=0)
    if stale or row.state is State.UNKNOWN:
        # Unknown neither confirms nor denies: what was known stays, with the time it was last seen.
        record = replace(record, seen_at=confirmed_at)
        draft.put(logs.note(draft, record, row))
        return
    first = record.known is State.UNKNOWN
    draft.put(
        flips.judge(
            draft,
            record,
            row,
            why=Why.FIRST_KNOWN if first else sighting.why,
            not_before=None if first else confirmed_at,
        )
    )


def _rename(draft: Draft, row: Connection) -> None:
    """What is open about a connection shows it under its present name and address."""
    for episode in list(draft.episodes_of(row.id)):
        if episode.open:
            draft.episodes[episode.id] = replace(episode, row=row)
            if episode.thread is not None:
                draft.touch(episode.thread)


def _unreadable(draft: Draft, notices: Notices, connection: str, problem: str, sighting: Sighting) -> None:
    record = draft.connections.get(connection)
    if record is None:
        record = unreadable_record(draft, connection, problem)
        change = Change(kind=ChangeKind.UNREADABLE, connection=connection, name=connection, detail=problem)
        notices.add_unknown(change)
    elif record.problem is None and record.row is not None:
        notices.add(record.row, ChangeKind.UNREADABLE, detail=problem)
    draft.put(replace(record, problem=problem, absent_reads=0, seen_at=sighting.confirmed_at(record)))


def _nameless(draft: Draft, notices: Notices, snapshot: Snapshot) -> None:
    """Rows without even an id: told when there first are some, and when there are none any more."""
    problems = [bad.problem for bad in snapshot.unreadable if bad.id is None]
    if bool(problems) != bool(draft.site.nameless):
        kind = ChangeKind.UNREADABLE if problems else ChangeKind.READABLE
        count = len(problems) or draft.site.nameless
        notices.add_unknown(
            Change(kind=kind, connection=None, name=str(count), detail=problems[0] if problems else None)
        )
    draft.site = replace(draft.site, nameless=len(problems))


def _absent(draft: Draft, notices: Notices, snapshot: Snapshot, sighting: Sighting) -> None:
    if draft.site.nameless:
        # Any of the connections that are missing may be the row that could not be understood.
        return
    listed = {row.id for row in snapshot.connections} | {bad.id for bad in snapshot.unreadable}
    for record in [r for i, r in draft.connections.items() if i not in listed]:
        absent_reads = record.absent_reads + 1
        if absent_reads < REMOVED_AFTER:
            draft.put(replace(record, absent_reads=absent_reads, seen_at=sighting.confirmed_at(record)))
            continue
        detail = State.DOWN.value if record.known is State.DOWN else None
        if record.row is None:
            notices.add_unknown(Change(kind=ChangeKind.REMOVED, connection=record.id, name=record.id))
        else:
            notices.add(record.row, ChangeKind.REMOVED, detail=detail)
        for kind in (EpisodeKind.OUTAGE, EpisodeKind.ERROR):
            if (episode := draft.open_episode(record.id, kind)) is not None:
                draft.close_episode(
                    episode, Closing.NOT_WATCHED, why=Why.SEEN, not_before=sighting.confirmed_at(record)
                )
        draft.forget(record.id)
