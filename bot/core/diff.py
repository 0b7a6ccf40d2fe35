"""What is different between a connection as it was and as it is: facts, without any judgement."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.connection import Connection
from bot.core.incidents import Json


class ChangeKind(enum.StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    """Its row can no longer be understood: its state is unknown."""
    READABLE = "readable"
    STALE = "stale"
    """ItemPath has not checked it for longer than `stale_after`: its state is unknown."""
    FRESH = "fresh"


WATCHED_FIELDS = ("name", "url", "type", "authentication", "username", "password_exists", "token_exists")
"""Fields whose change is told. The others change with every check (`last_check`) or are no one's decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    field: str
    """A name of `WATCHED_FIELDS`."""
    before: str | bool | None
    after: str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a `CHANGES` message."""

    kind: ChangeKind
    connection: str | None
    """Its id; `None` when rows without even an id came or went."""
    name: str
    fields: tuple[FieldChange, ...] = ()
    detail: str | None = None
    """Why a row is unreadable; since when ItemPath did not check (ISO); `down` when it was down as it was removed."""

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind.value,
            "connection": self.connection,
            "name": self.name,
            "fields": [{"field": f.field, "before": f.before, "after": f.after} for f in self.fields],
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Change:
        """The inverse of `as_json`; raises `KeyError` or `TypeError` on anything else."""
        fields = value["fields"]
        return cls(
            kind=ChangeKind(str(value["kind"])),
            connection=_text(value["connection"]),
            name=str(value["name"]),
            fields=tuple(
                FieldChange(field=str(f["field"]), before=_plain(f["before"]), after=_plain(f["after"]))
                for f in (fields if isinstance(fields, list) else ())
                if isinstance(f, Mapping)
            ),
            detail=_text(value["detail"]),
        )


def changed_fields(before: Connection, after: Connection) -> tuple[FieldChange, ...]:
    """The watched fields that differ, in their fixed order."""
    return tuple(
        FieldChange(field=name, before=getattr(before, name), after=getattr(after, name))
        for name in WATCHED_FIELDS
        if getattr(before, name) != getattr(after, name)
    )


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _plain(value: Json) -> str | bool | None:
    return value if isinstance(value, bool) else _text(value)
