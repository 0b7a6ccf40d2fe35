"""What List Connections can be asked, and how a read goes on over several pages. No network here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.core.connection import Connection, Snapshot, UnreadableRow
from bot.itempath.payloads import Listing

PAGE_LIMIT = 1000
"""ItemPath's limit is 1 to 1000 on its other resources."""
PAGES_LIMIT = 200
_ORDER = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(:(asc|desc))?")

Values = str | Sequence[str] | None
"""One value, or several for a repeated key; each may have an operator before it: `[not]`, `[or]a;b`, `[nor]a;b`,
`[gt]`, `[lt]`, `[like]`, `[notlike]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFilter:
    """The five filters of List Connections. ItemPath does not filter on status."""

    id: Values = None
    name: Values = None
    app_id: Values = None
    type: Values = None
    authentication: Values = None

    def parameters(self) -> list[tuple[str, str]]:
        """Query parameters, for that is what they are, whatever the API page's heading says."""
        keys = (
            ("id", self.id),
            ("name", self.name),
            ("appId", self.app_id),
            ("type", self.type),
            ("authentication", self.authentication),
        )
        return [
            (key, value) for key, values in keys for value in ([values] if isinstance(values, str) else values or ())
        ]


def page_parameters(
    *, order_by: Iterable[str] = (), page: int | None = None, limit: int | None = None
) -> list[tuple[str, str]]:
    """`order_by` holds `field`, `field:asc` or `field:desc`. Raises `ValueError` for what the API would misread."""
    parameters: list[tuple[str, str]] = []
    fields = list(order_by)
    for each in fields:
        if not _ORDER.fullmatch(each):
            raise ValueError(f"{each!r} is no order: write `field`, `field:asc` or `field:desc`")
    if fields:
        parameters.append(("orderby", ",".join(fields)))
    if page is not None:
        if page < 0:
            raise ValueError("the first page is 0")
        if limit is None:
            # The server would answer with everything.
            raise ValueError("a page needs a limit")
        parameters.append(("page", str(page)))
    if limit is not None:
        if limit < 1:
            raise ValueError("the limit is at least 1")
        parameters.append(("limit", str(limit)))
    return parameters


def may_be_capped(rows: int) -> bool:
    """Whether so many rows may be all that the server gives in one reply, and not all that there are."""
    return rows >= 100 or (rows > 0 and rows % 25 == 0)


@dataclass(slots=True, kw_only=True)
class Reading:
    """One read over several pages, by id: rows may move between pages while it goes on."""

    first: Listing
    _rows: dict[str, Connection | UnreadableRow] = field(init=False)
    _nameless: list[UnreadableRow] = field(init=False)
    _paged: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._rows = dict(self.first.by_id)
        self._nameless = list(self.first.nameless)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self._rows)

    @property
    def grew(self) -> bool:
        """Whether the pages brought more than the first reply had."""
        return len(self._rows) > len(self.first.by_id)

    @property
    def page_size(self) -> int:
        return min(self.first.rows, PAGE_LIMIT)

    @property
    def snapshot(self) -> Snapshot:
        return Listing(rows=0, by_id=self._rows, nameless=tuple(self._nameless)).snapshot

    def add(self, page: Listing) -> bool:
        """Take in the next page; the later row of two is the truer one. False when there is no need for another.

        The end is a page that brings no id which earlier *pages* had not: the number of rows says nothing (a server may
        cap a limit), nor does it that the first reply had them all (pages may be smaller than it). A page equal to
        the first reply is a server that does not page.
        """
        ids = set(page.by_id)
        if ids <= self._paged or (not self._paged and ids == set(self.first.by_id)):
            return False
        self._paged |= ids
        self._rows |= page.by_id
        self._nameless += page.nameless
        return True
