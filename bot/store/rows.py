"""Values to table rows and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Result

from bot.core.connection import State
from bot.core.events import Event, EventKind
from bot.core.incidents import (
    Closing,
    Episode,
    EpisodeKind,
    Message,
    MessageKind,
    Mute,
    Phase,
    Role,
    Thread,
    ThreadKind,
    Why,
)
from bot.core.state import ConnectionRecord, SiteRecord
from bot.store import codec

Values = dict[str, Any]
_In = TypeVar("_In")
_Out = TypeVar("_Out")


def each(result: Result[Any]) -> Iterator[Values]:
    """Rows by the names of their columns. Of thousands, asking SQLAlchemy's for each field costs more than the rest."""
    names = tuple(result.keys())
    return (dict(zip(names, row, strict=True)) for row in result)


def _opt(convert: Callable[[_In], _Out], value: _In | None) -> _Out | None:
    return None if value is None else convert(value)


def site_values(site: SiteRecord) -> Values:
    return {
        "name": site.name,
        "baseline_at": site.baseline_at,
        "tried_at": site.tried_at,
        "good_at": site.good_at,
        "fails": site.fails,
        "failing_since": site.failing_since,
        "nameless": site.nameless,
        "serial": site.serial,
    }


def site_of(row: Values) -> SiteRecord:
    return SiteRecord(
        name=row["name"],
        baseline_at=row["baseline_at"],
        tried_at=row["tried_at"],
        good_at=row["good_at"],
        fails=row["fails"],
        failing_since=row["failing_since"],
        nameless=row["nameless"],
        serial=row["serial"],
    )


def record_values(record: ConnectionRecord) -> Values:
    return {
        "site": record.site,
        "id": record.id,
        "row": _opt(codec.encode_connection, record.row),
        "known": record.known.value,
        "since": record.since,
        "seen_at": record.seen_at,
        "pending": _opt(codec.encode_pending, record.pending),
        "logs_seen": [codec.encode_log_key(key) for key in record.logs_seen],
        "absent_reads": record.absent_reads,
        "problem": record.problem,
        "flips": codec.encode_moments(record.flips),
        "stale": record.stale,
    }


def record_of(row: Values) -> ConnectionRecord:
    return ConnectionRecord(
        site=row["site"],
        id=row["id"],
        row=_opt(codec.decode_connection, row["row"]),
        known=State(row["known"]),
        since=row["since"],
        seen_at=row["seen_at"],
        pending=_opt(codec.decode_pending, row["pending"]),
        logs_seen=tuple(map(codec.decode_log_key, row["logs_seen"])),
        absent_reads=row["absent_reads"],
        problem=row["problem"],
        flips=codec.decode_moments(row["flips"]),
        stale=row["stale"],
    )


def thread_values(thread: Thread) -> Values:
    return {
        "id": thread.id,
        "site": thread.site,
        "kind": thread.kind.value,
        "channel": thread.channel,
        "opened": thread.opened,
        "mentions": list(thread.mentions),
        "escalate_to": list(thread.escalate_to),
        "phase": thread.phase.value,
        "closed": thread.closed,
        "ack_by": _opt(codec.encode_person, thread.ack_by),
        "ack_at": thread.ack_at,
        "remind_at": thread.remind_at,
        "reminders": thread.reminders,
        "escalate_at": thread.escalate_at,
        "escalated_at": thread.escalated_at,
        "settle_at": thread.settle_at,
        "changes": thread.changes,
        "flips": codec.encode_moments(thread.flips),
        "joined_at": thread.joined_at,
        "told_down": thread.told_down,
        "watched": thread.watched,
        "elsewhere": thread.elsewhere,
        "unsaid": thread.unsaid,
        "lists": list(thread.lists),
        "silence": _opt(codec.encode_silence, thread.silence),
        "silences": [codec.encode_silent_part(part) for part in thread.silences],
        "owed": thread.owed,
        "revision": thread.revision,
        "next_n": thread.next_n,
    }


def thread_of(row: Values) -> Thread:
    return Thread(
        id=row["id"],
        site=row["site"],
        kind=ThreadKind(row["kind"]),
        channel=row["channel"],
        opened=row["opened"],
        mentions=tuple(row["mentions"]),
        escalate_to=tuple(row["escalate_to"]),
        phase=Phase(row["phase"]),
        closed=row["closed"],
        ack_by=_opt(codec.decode_person, row["ack_by"]),
        ack_at=row["ack_at"],
        remind_at=row["remind_at"],
        reminders=row["reminders"],
        escalate_at=row["escalate_at"],
        escalated_at=row["escalated_at"],
        settle_at=row["settle_at"],
        changes=row["changes"],
        flips=codec.decode_moments(row["flips"]),
        joined_at=row["joined_at"],
        told_down=row["told_down"],
        watched=row["watched"],
        elsewhere=row["elsewhere"],
        unsaid=row["unsaid"],
        lists=tuple(row["lists"]),
        silence=_opt(codec.decode_silence, row["silence"]),
        silences=tuple(map(codec.decode_silent_part, row["silences"] or ())),
        owed=row["owed"],
        revision=row["revision"],
        next_n=row["next_n"],
    )


def episode_values(episode: Episode) -> Values:
    return {
        "id": episode.id,
        "site": episode.site,
        "connection": episode.connection,
        "kind": episode.kind.value,
        "start": episode.start,
        "why": episode.why.value,
        "not_before": episode.not_before,
        "end": episode.end,
        "end_why": _opt(str, episode.end_why),
        "end_not_before": episode.end_not_before,
        "closing": _opt(str, episode.closing),
        "row": _opt(codec.encode_connection, episode.row),
        "families": [codec.encode_family(family) for family in episode.families],
        "failure": _opt(codec.encode_failure, episode.failure),
        "thread": episode.thread,
        "told_at": episode.told_at,
    }


def episode_of(row: Values) -> Episode:
    return Episode(
        id=row["id"],
        site=row["site"],
        connection=row["connection"],
        kind=EpisodeKind(row["kind"]),
        start=row["start"],
        why=Why(row["why"]),
        not_before=row["not_before"],
        end=row["end"],
        end_why=_opt(Why, row["end_why"]),
        end_not_before=row["end_not_before"],
        closing=_opt(Closing, row["closing"]),
        row=_opt(codec.decode_connection, row["row"]),
        families=tuple(map(codec.decode_family, row["families"])),
        failure=_opt(codec.decode_failure, row["failure"]),
        thread=row["thread"],
        told_at=row["told_at"],
    )


def mute_values(mute: Mute) -> Values:
    return {
        "id": mute.id,
        "site": mute.site,
        "connection": mute.connection,
        "by": codec.encode_person(mute.by),
        "reason": mute.reason,
        "start": mute.start,
        "end": mute.end,
    }


def mute_of(row: Values) -> Mute:
    return Mute(
        id=row["id"],
        site=row["site"],
        connection=row["connection"],
        by=codec.decode_person(row["by"]),
        reason=row["reason"],
        start=row["start"],
        end=row["end"],
    )


def message_values(message: Message) -> Values:
    """Of a message just decided on; the delivery's columns are `outbox`'s."""
    return {
        "thread": message.thread,
        "n": message.n,
        "role": message.role.value,
        "kind": message.kind.value,
        "revision": message.revision,
        "params": dict(message.params),
        "moot_from": message.moot_from,
    }


def message_of(row: Values) -> Message:
    return Message(
        thread=row["thread"],
        n=row["n"],
        role=Role(row["role"]),
        kind=MessageKind(row["kind"]),
        revision=row["revision"],
        params=row["params"],
        moot_from=row["moot_from"],
    )


def event_values(event: Event) -> Values:
    return {
        "site": event.site,
        "connection": event.connection,
        "at": event.at,
        "kind": event.kind.value,
        "reason": event.reason,
        "data": dict(event.data),
        "thread": event.thread,
    }


def event_of(row: Values) -> Event:
    return Event(
        site=row["site"],
        connection=row["connection"],
        at=row["at"],
        kind=EventKind(row["kind"]),
        reason=row["reason"],
        data=row["data"],
        thread=row["thread"],
    )
