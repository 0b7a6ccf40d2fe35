"""Values to JSON and back, field by field and without loss.

What is read may have been written by an older or a newer program: a missing field takes its default, an unknown one is
ignored. Decoders raise `LookupError`, `ValueError` or `TypeError` on what no program of ours can have written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.core.connection import Connection, Failure, Log, LogKey, State
from bot.core.incidents import Family, Person, Silence, SilentPart, Why
from bot.core.state import Pending

Fields = Mapping[str, Any]


def encode_moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat()


_moment = datetime.fromisoformat


def decode_moment(value: str | None) -> datetime | None:
    return None if value is None else _moment(value)


def encode_moments(values: Iterable[datetime]) -> list[str]:
    return [value.astimezone(UTC).isoformat() for value in values]


def decode_moments(values: Iterable[str]) -> tuple[datetime, ...]:
    return tuple(map(_moment, values))


def encode_log_key(key: LogKey) -> list[Any]:
    """As `[id, at, error]`: there are eight for each connection, read in every tick."""
    return [key.id, encode_moment(key.at), key.error]


def decode_log_key(value: list[Any]) -> LogKey:
    at = value[1]
    return LogKey(id=value[0], at=None if at is None else _moment(at), error=value[2])


def encode_log(log: Log) -> dict[str, Any]:
    return {
        "id": log.id,
        "at": encode_moment(log.at),
        "status": log.status,
        "description": log.description,
        "error": log.error,
        "app_id": log.app_id,
        "integration_id": log.integration_id,
        "workflow_id": log.workflow_id,
        "task_id": log.task_id,
        # JSON has no infinity, and no call took so long.
        "seconds": log.seconds if log.seconds is not None and math.isfinite(log.seconds) else None,
    }


def decode_log(value: Fields) -> Log:
    get = value.get
    return Log(
        id=value["id"],
        at=decode_moment(get("at")),
        status=get("status"),
        description=get("description"),
        error=get("error"),
        app_id=get("app_id"),
        integration_id=get("integration_id"),
        workflow_id=get("workflow_id"),
        task_id=get("task_id"),
        seconds=get("seconds"),
    )


def encode_connection(row: Connection) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "app_id": row.app_id,
        "url": row.url,
        "type": row.type,
        "authentication": row.authentication,
        "username": row.username,
        "password_exists": row.password_exists,
        "token_exists": row.token_exists,
        "is_testable": row.is_testable,
        "status": row.status,
        "latest_connection": encode_moment(row.latest_connection),
        "created": encode_moment(row.created),
        "latest_log": None if row.latest_log is None else encode_log(row.latest_log),
        "last_check": encode_moment(row.last_check),
        "integration_count": row.integration_count,
    }


def decode_connection(value: Fields) -> Connection:
    get = value.get
    log = get("latest_log")
    return Connection(
        id=value["id"],
        name=value["name"],
        app_id=get("app_id"),
        url=get("url"),
        type=get("type"),
        authentication=get("authentication"),
        username=get("username"),
        password_exists=get("password_exists"),
        token_exists=get("token_exists"),
        is_testable=get("is_testable"),
        status=get("status"),
        latest_connection=decode_moment(get("latest_connection")),
        created=decode_moment(get("created")),
        latest_log=None if log is None else decode_log(log),
        last_check=decode_moment(get("last_check")),
        integration_count=get("integration_count"),
    )


def encode_failure(failure: Failure) -> dict[str, Any]:
    return {"kind": failure.kind, "message": failure.message, "advice": failure.advice}


def decode_failure(value: Fields) -> Failure:
    return Failure(kind=value["kind"], message=value["message"], advice=value["advice"])


def encode_person(person: Person) -> dict[str, Any]:
    return person.as_json()


def decode_person(value: Fields) -> Person:
    return Person(id=value["id"], name=value["name"])


def encode_silence(silence: Silence) -> dict[str, Any]:
    return {
        "until": encode_moment(silence.until),
        "reason": silence.reason,
        "by": None if silence.by is None else encode_person(silence.by),
    }


def encode_silent_part(part: SilentPart) -> dict[str, Any]:
    return {"silence": encode_silence(part.silence), "connections": list(part.connections)}


def decode_silent_part(value: Fields) -> SilentPart:
    return SilentPart(silence=decode_silence(value["silence"]), connections=tuple(value["connections"]))


def decode_silence(value: Fields) -> Silence:
    by = value.get("by")
    return Silence(until=_moment(value["until"]), reason=value["reason"], by=None if by is None else decode_person(by))


def encode_family(family: Family) -> dict[str, Any]:
    return {
        "fingerprint": family.fingerprint,
        "log": encode_log(family.log),
        "count": family.count,
        "first_at": encode_moment(family.first_at),
        "last_at": encode_moment(family.last_at),
        "message": family.message,
    }


def decode_family(value: Fields) -> Family:
    return Family(
        fingerprint=value["fingerprint"],
        log=decode_log(value["log"]),
        count=value["count"],
        first_at=_moment(value["first_at"]),
        last_at=_moment(value["last_at"]),
        message=value["message"],
    )


def encode_pending(pending: Pending) -> dict[str, Any]:
    return {
        "state": pending.state.value,
        "polls": pending.polls,
        "since": encode_moment(pending.since),
        "why": pending.why.value,
        "not_before": encode_moment(pending.not_before),
        "errors": [encode_log(log) for log in pending.errors],
    }


def decode_pending(value: Fields) -> Pending:
    return Pending(
        state=State(value["state"]),
        polls=value["polls"],
        since=_moment(value["since"]),
        why=Why(value["why"]),
        not_before=decode_moment(value.get("not_before")),
        errors=tuple(decode_log(log) for log in value.get("errors", ())),
    )
