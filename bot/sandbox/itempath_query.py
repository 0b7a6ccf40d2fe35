"""Filters, order and pages of ItemPath's lists, as its documentation describes them.

Filters are query parameters whose value an operator may precede: `[not]`, `[or]a;b`, `[nor]a;b`, `[gt]`, `[lt]`, `[like]`,
`[notlike]`. A key may repeat; all of its conditions must hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multidict import MultiMapping

Row = dict[str, Any]
ORDER_KEYS = ("orderby", "orderBy", "OrderBy", "Orderby")
FILTER_KEYS = ("id", "name", "appId", "type", "authentication")
LARGEST_LIMIT = 1000

_INTEGERS = ("id", "appId")
_OPERATOR = re.compile(r"\[(not|or|nor|gt|lt|like|notlike)\](.*)", re.DOTALL)


class QueryRefused(Exception):
    """A parameter that cannot be understood; the text is what a 400 says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of the list is asked for. `limit` `None` is everything."""

    page: int = 0
    limit: int | None = None

    def of(self, rows: Sequence[Any]) -> list[Any]:
        if self.limit is None:
            return list(rows)
        return list(rows[self.page * self.limit : (self.page + 1) * self.limit])


def matching(rows: Iterable[Row], query: MultiMapping[str]) -> list[Row]:
    """The rows that every filter lets through, in the order given. Raises `QueryRefused`."""
    conditions = [(key, value) for key in FILTER_KEYS for value in query.getall(key, [])]
    return [row for row in rows if all(_holds(key, value, row.get(key)) for key, value in conditions)]


def ordered(rows: Iterable[Row], query: MultiMapping[str], *, fields: Iterable[str]) -> list[Row]:
    """The rows sorted by `orderby` in any of its spellings; nulls come first. Raises `QueryRefused`."""
    found = list(rows)
    text = next((query[key] for key in ORDER_KEYS if key in query), "")
    known = set(fields)
    # Sorting is stable: the least important field goes first.
    for term in reversed([term.strip() for term in text.split(",") if term.strip()]):
        field, _, direction = term.partition(":")
        if field not in known:
            raise QueryRefused(f"Cannot order by '{field}'")
        if direction.lower() not in {"", "asc", "desc"}:
            raise QueryRefused(f"Unknown direction '{direction}'")
        found.sort(key=lambda row, field=field: _rank(row.get(field)), reverse=direction.lower() == "desc")  # type: ignore[misc]
    return found


def count_only(query: Mapping[str, str]) -> bool:
    """Whether a count is asked for ("boolean-like string"). Raises `QueryRefused`."""
    text = query.get("countOnly", "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise QueryRefused("'countOnly' must be true or false")
    return text in {"true", "1"}


def wanted_slice(query: Mapping[str, str], *, cap: int | None, default_limit: int | None) -> Slice:
    """The page asked for. Raises `QueryRefused`.

    A page without a limit returns everything. `cap` is what a server silently makes of a larger limit; `default_limit`
    is what it takes when neither page nor limit is given.
    """
    page = _number("page", query["page"], least=0) if "page" in query else None
    limit = _number("limit", query["limit"], least=1) if "limit" in query else None
    if limit is None:
        return Slice(limit=default_limit if page is None else None)
    if cap is not None:
        limit = min(limit, cap)
    if limit > LARGEST_LIMIT:
        raise QueryRefused(f"'limit' must be between 1 and {LARGEST_LIMIT}")
    return Slice(page=page or 0, limit=limit)


def _holds(key: str, condition: str, value: Any) -> bool:
    """Whether one filter lets a row's value through."""
    operator, operand = "is", condition
    if match := _OPERATOR.fullmatch(condition):
        operator, operand = match.groups()
    match operator:
        case "is" | "not":
            return (_same(key, operand, value)) is (operator == "is")
        case "or" | "nor":
            return any(_same(key, one, value) for one in operand.split(";")) is (operator == "or")
        case "like" | "notlike":
            return _like(operand, value) is (operator == "like")
        case _:
            return _beyond(key, operand, value, upwards=operator == "gt")


def _same(key: str, operand: str, value: Any) -> bool:
    if key == "appId":
        _number(key, operand, least=None)
    # An id may be a uuid, so whatever is not equal as text is simply not there.
    return value is not None and str(value) == operand


def _beyond(key: str, operand: str, value: Any, *, upwards: bool) -> bool:
    if key in _INTEGERS:
        bound = _number(key, operand, least=None)
        return isinstance(value, int) and (value > bound if upwards else value < bound)
    return isinstance(value, str) and (value > operand if upwards else value < operand)


def _like(operand: str, value: Any) -> bool:
    """SQL's LIKE without regard to case; a text without `%` may stand anywhere."""
    pattern = operand if "%" in operand else f"%{operand}%"
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    return value is not None and bool(re.fullmatch(expression, str(value), re.IGNORECASE | re.DOTALL))


def _number(key: str, text: str, *, least: int | None) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise QueryRefused(f"'{key}' must be an integer")
    number = int(text)
    if least is not None and number < least:
        raise QueryRefused(f"'{key}' must be at least {least}")
    return number


def _rank(value: Any) -> tuple[int, Any]:
    """A key under which nulls, numbers and texts can be sorted together."""
    if value is None:
        return (0, 0)
    if isinstance(value, int | float):
        return (1, value)
    return (2, str(value))
