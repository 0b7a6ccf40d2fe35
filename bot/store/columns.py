"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """Aware UTC in and out, to the microsecond. SQLite has no such type: there it is text of fixed width, which sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is nobody's time")
        value = value.astimezone(UTC)
        return value.isoformat(timespec="microseconds") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


class ForeignText(TypeDecorator[str]):
    """Text from outside, kept whatever it holds.

    PostgreSQL refuses NUL and both databases refuse lone surrogates, and one such id would cost the whole site. Text
    that has them, or the backslash that marks them, is kept escaped; comparisons go through the same door.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if "\\" in value or "\x00" in value or not _encodable(value):
            return value.encode("unicode_escape").decode("ascii")
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or "\\" not in value:
            return value
        return value.encode("ascii").decode("unicode_escape")


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


Document = JSON(none_as_null=True)
"""JSON as text (not `jsonb`, which refuses NUL), written by `dumps`."""


def dumps(value: Any) -> str:
    """ASCII, so that any text can be kept; raises `ValueError` on NaN, which is not JSON."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


_decode = json.JSONDecoder().raw_decode


def loads(text: str) -> Any:
    """What `dumps` wrote; there is nothing around it to look for. Raises `ValueError`."""
    return _decode(text)[0]
