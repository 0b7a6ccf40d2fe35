"""Error logs: a new one on a connection that stays up has its own root; on one that is down it joins the thread."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.connection import Connection, Log, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.families import fingerprint
from bot.core.incidents import Closing, Episode, EpisodeKind, Family, MessageKind, Phase, Role, Thread, ThreadKind, Why
from bot.core.policy import REOPEN_WITHIN
from bot.core.silence import silence
from bot.core.state import LOGS_REMEMBERED, ConnectionRecord

ROOT_TOO_OLD = timedelta(days=1)
"""An older root is out of everybody's sight: what comes back then has a new one."""


def note(draft: Draft, record: ConnectionRecord, row: Connection) -> ConnectionRecord:
    """Deal with the row's latest log, if it is new, on a connection that does not flip in this read."""
    before = record.logs_seen
    record, new_error = take(record, row)
    if new_error is not None:
        error(draft, record, row, new_error)
    elif record.logs_seen != before:
        _clean(draft, row)
    return record


def take(record: ConnectionRecord, row: Connection) -> tuple[ConnectionRecord, Log | None]:
    """Remember the latest log as seen; the log itself if it is new and has an error."""
    log = row.latest_log
    if log is None or log.key in record.logs_seen:
        return record, None
    seen = (*record.logs_seen, log.key)[-LOGS_REMEMBERED:]
    return replace(record, logs_seen=seen), log if log.has_error else None


def error(draft: Draft, record: ConnectionRecord, row: Connection, log: Log) -> None:
    """A new error log on a connection whose known state stays."""
    if record.known is State.DOWN:
        _while_down(draft, row, log)
        return
    family = fingerprint(log.error or "")
    episode = draft.open_episode(row.id, EpisodeKind.ERROR)
    if episode is not None:
        _again(draft, episode, row, log)
    elif (ended := _ended_lately(draft, row.id, family)) is not None:
        _reopen(draft, *ended, row, log)
    else:
        episode = draft.open_new_episode(
            row.id,
            EpisodeKind.ERROR,
            start=draft.now,
            why=Why.SEEN,
            row=row,
            families=(_first(draft, family, log, message=0),),
        )
        thread = _tell(draft, episode, row)
        _log_error(draft, row, log, reason="muted" if thread is None else "new_error", thread=thread)


def _tell(draft: Draft, episode: Episode, row: Connection) -> str | None:
    """A root for the error, unless something keeps the connection silent; the thread's id."""
    if silence(draft, row.id) is not None:
        return None
    thread = draft.open_thread(ThreadKind.ERROR, draft.policy.route(row))
    draft.announce(episode, thread.id, told_at=draft.now)
    return thread.id


def _while_down(draft: Draft, row: Connection, log: Log) -> None:
    episode = draft.open_episode(row.id, EpisodeKind.OUTAGE)
    if episode is None:  # pragma: no cover
        raise AssertionError(f"{row.id} is known as down, but no outage of it is open")
    _again(draft, episode, row, log)


def _again(draft: Draft, episode: Episode, row: Connection, log: Log) -> None:
    """An error on something that has an open episode: count it where its family is told, or tell a new family."""
    name = fingerprint(log.error or "")
    known = next((f for f in episode.families if f.fingerprint == name), None)
    thread = None if episode.thread is None else draft.threads[episode.thread]
    # One of many in a group: what it logs is kept, and adds to no one's reading.
    told = None if thread is None or thread.kind is ThreadKind.GROUP else thread.id
    if known is not None:
        family = replace(known, log=log, count=known.count + 1, last_at=draft.now)
        families = tuple(family if f is known else f for f in episode.families)
    else:
        message = 0 if told is None else _tell_family(draft, episode, told, name)
        family = _first(draft, name, log, message=message)
        families = (*episode.families, family)
    episode = draft.episodes[episode.id] = replace(episode, row=row, families=families)
    reason = "new_family" if known is None else "counted"
    if told is None:
        reason = "grouped" if thread is not None else "muted"
        if thread is None and episode.kind is EpisodeKind.ERROR and (told := _tell(draft, episode, row)) is not None:
            reason = "mute_ended"
    elif known is not None and known.message != 0:
        draft.revise(told, known.message, family.count)
    elif known is not None or episode.kind is EpisodeKind.ERROR:
        # An error's root tells its first family, and how many others its thread has.
        draft.touch(told)
    _log_error(draft, row, log, reason=reason, thread=told)


def _tell_family(draft: Draft, episode: Episode, thread: str, name: str) -> int:
    params = {"episode": episode.id, "fingerprint": name}
    return draft.tell(thread, Role.REPLY, MessageKind.ERROR, params)


def _reopen(draft: Draft, episode: Episode, thread: Thread, row: Connection, log: Log) -> None:
    reopened = replace(episode, end=None, end_why=None, end_not_before=None, closing=None)
    draft.episodes[episode.id] = reopened
    # An acknowledgement ended with the thread that it was for.
    draft.touch(thread.id, phase=Phase.OPEN, closed=None, ack_by=None, ack_at=None)
    _again(draft, reopened, row, log)


def _ended_lately(draft: Draft, connection: str, family: str) -> tuple[Episode, Thread] | None:
    """The error episode, if any, that this family reopens, and its thread."""

    def reopens(episode: Episode, thread: Thread) -> bool:
        return (
            episode.kind is EpisodeKind.ERROR
            and episode.closing is Closing.RECOVERED
            and episode.end is not None
            and draft.now - episode.end <= REOPEN_WITHIN
            and any(f.fingerprint == family for f in episode.families)
            and draft.now - thread.opened < ROOT_TOO_OLD
        )

    told = [(e, draft.threads[e.thread]) for e in draft.episodes_of(connection) if e.thread in draft.threads]
    candidates = [(episode, thread) for episode, thread in told if reopens(episode, thread)]
    return max(candidates, key=lambda pair: pair[0].start, default=None)


def _clean(draft: Draft, row: Connection) -> None:
    """A newer log without an error: what was wrong is over."""
    if (episode := draft.open_episode(row.id, EpisodeKind.ERROR)) is not None:
        draft.close_episode(episode, Closing.RECOVERED, why=Why.SEEN)
        draft.log(EventKind.ERROR_OVER, reason="clean_log", connection=row.id, thread=episode.thread)


def _first(draft: Draft, name: str, log: Log, *, message: int) -> Family:
    return Family(fingerprint=name, log=log, count=1, first_at=draft.now, last_at=draft.now, message=message)


def _log_error(draft: Draft, row: Connection, log: Log, *, reason: str, thread: str | None) -> None:
    muted = silence(draft, row.id) if reason == "muted" else None
    data = {"log": log.id, "error": log.error}
    draft.log(EventKind.ERROR, reason=reason, connection=row.id, thread=thread, data=data, muted=muted)
