"""One ItemPath installation in memory: its connections, logs, credentials and habits.

A *row* is a connection as the API shows it (https://docs.itempath.com, "Connections"): a dict that the mutators change in
place and that tests may spoil in any way a server could.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from bot.clock import Clock
from bot.sandbox.itempath_faults import Fault, Player, Step
from bot.sandbox.itempath_query import Row
from bot.sandbox.itempath_tokens import TokenIssuer

Resource = Literal["connections", "users"]
FIELDS = (
    "id",
    "appId",
    "name",
    "url",
    "passwordExists",
    "tokenExists",
    "isTestable",
    "authentication",
    "type",
    "username",
    "status",
    "latestConnection",
    "creationDate",
    "latestLog",
    "integrationCount",
    "lastCheck",
)
"""The keys of a row in the order of the API's sample."""

_ATTRIBUTE_SPELLINGS = {"appId": "appID", "latestConnection": "lastestConnection"}


@dataclass(slots=True, kw_only=True)
class Quirks:
    """What the documentation leaves open and servers may do differently; each may be changed at any time."""

    limit_cap: int | None = None
    """A larger `limit` is silently reduced to this."""
    default_limit: int | None = None
    """Rows of an answer when neither `page` nor `limit` was given; `None` is all."""
    wrap: str | None = None
    """The key under which lists are wrapped, as other resources do it."""
    count_body: Callable[[int], Any] = field(default=lambda count: {"count": count})
    """What `countOnly` answers."""
    attribute_spelling: bool = False
    """Spell keys like the API page's table (`appID`, `lastestConnection`) instead of its sample."""
    ignores_order: bool = False
    after_page: Callable[[], None] | None = None
    """Called when a list was answered: lets rows move between pages."""
    bad_login_status: int = 404
    refresh_methods: frozenset[str] = frozenset({"POST"})
    access_seconds: float = 15 * 60
    refresh_seconds: float = 30 * 24 * 3600
    checks_write_logs: bool = False
    """Each test of a connection writes a log, which hides the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    peer: str
    """The client's `host:port`: the same for requests on one kept-alive connection."""


class ItemPathSite:
    """State and behaviour of one server, without the server."""

    def __init__(
        self,
        name: str,
        *,
        connections: Iterable[Mapping[str, Any]] = (),
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        now: Callable[[], datetime] | None = None,
        zone: tzinfo = UTC,
        check_every: timedelta | None = timedelta(minutes=1),
        quirks: Quirks | None = None,
    ) -> None:
        """`now` is the wall clock unless given. `zone` is the zone of the timestamps, which carry no offset.

        `check_every` is how often testable connections are tested (`None`: never). Without a `token` an application
        token is made; without a `username` every login is refused.
        """
        now = now or Clock().now
        self.name = name
        self.username = username
        self.password = password
        self.quirks = quirks or Quirks()
        self.tokens = TokenIssuer(now=now, application_token=token)
        self.player = Player()
        self.fault: Fault | None = None
        self.extra_rows: list[Any] = []
        """Raw JSON that lists hold after the matching connections: rows that a client may not be able to read."""
        self.listeners: list[Callable[[ItemPathSite], None]] = []
        """Called after every change, and after every request (which changes `calls`)."""
        self.counts: Counter[str] = Counter()
        """Requests by method and path, such as `GET /api/connections`."""
        self.requests: deque[Call] = deque(maxlen=1000)
        self.polls = 0
        """Reads of the list that began: first pages only, no counts, but failed ones too."""
        self._now = now
        self._zone = zone
        self._check_every = check_every
        self._checked_at = now()
        self._rows: list[Row] = []
        self._log_id = 9
        self._scripts: dict[Resource, deque[Step]] = {"connections": deque(), "users": deque()}
        self._polled = asyncio.Event()
        for row in connections:
            self.add(**row)

    @property
    def token(self) -> str:
        """The application token that this server accepts."""
        return self.tokens.application_token

    @property
    def calls(self) -> int:
        return self.counts.total()

    # -- what a person or a test changes ----------------------------------------------------------------------------

    def add(self, **fields: Any) -> int | str:
        """Add a connection with these fields over plausible defaults; its id."""
        now = self._stamp(self._now())
        taken = [row["id"] for row in self._rows if isinstance(row["id"], int)]
        row: Row = {
            "id": max(taken, default=0) + 1,
            "appId": 2,
            "name": "New connection",
            "url": "https://new.example.com",
            "passwordExists": True,
            "tokenExists": False,
            "isTestable": True,
            "authentication": "Basic Authentication",
            "type": "REST",
            "username": "itempath",
            "status": 1,
            "latestConnection": now,
            "creationDate": now,
            "latestLog": None,
            "integrationCount": 1,
            "lastCheck": now,
        } | copy.deepcopy(fields)
        if any(str(other["id"]) == str(row["id"]) for other in self._rows):
            raise ValueError(f"there is a connection {row['id']} already")
        self._rows.append(row)
        if isinstance(row["latestLog"], dict):
            self._log_id = max(self._log_id, int(row["latestLog"]["id"]))
        self._changed()
        new_id: int | str = row["id"]
        return new_id

    def remove(self, connection: int | str) -> None:
        self._rows.remove(self.row(connection))
        self._changed()

    def change(self, connection: int | str, **fields: Any) -> None:
        """Set any field to any JSON value (a new name, an address, nonsense)."""
        self.row(connection).update(fields)
        self._changed()

    def set_status(self, connection: int | str, status: Any) -> None:
        """1 is up, 0 is down, `None` is not known. A flip writes no log: ItemPath's sample of a dead connection has none."""
        row = self.row(connection)
        row["status"] = status
        stamp = self._stamp(self._now())
        if status in (0, 1):
            row["latestConnection"] = stamp
        if row.get("isTestable"):
            row["lastCheck"] = stamp
        self._changed()

    def write_error(self, connection: int | str, text: str, *, description: str = "Data push failed") -> int:
        """Write a log with an error; its id."""
        return self._log(connection, status=0, description=description, error=text)

    def write_log(self, connection: int | str, description: str = "Connection test complete") -> int:
        """Write a log without an error; its id."""
        return self._log(connection, status=1, description=description, error=None)

    def restore(self, kept: Iterable[Row]) -> None:
        """Bring connections and states back to what `rows` answered, as somebody at a real server would: what was taken
        away is made again, and an error is followed by a clean log.
        """
        wanted = {str(row["id"]): row for row in kept}
        for row in self.rows():
            # A new connection may have the id of one that was taken away.
            if wanted.get(str(row["id"]), {}).get("name") != row["name"]:
                self.remove(row["id"])
        present = {str(row["id"]): row for row in self.rows()}
        for known, row in wanted.items():
            if known not in present:
                self.add(**row | {"latestLog": None})
                continue
            if present[known]["status"] != row["status"]:
                self.set_status(known, row["status"])
            if (present[known]["latestLog"] or {}).get("error") is not None:
                self.write_log(known)

    def rotate(self, steps: int = 1) -> None:
        """Move the first rows to the end."""
        self._rows = self._rows[steps:] + self._rows[:steps]
        self._changed()

    def script(self, *steps: Step, on: Resource = "connections") -> None:
        """Answer the next requests with these, one each, before the lasting fault (`None`: without any fault).

        Every attempt of a client is a request. `UNREACHABLE` is a reset here: one request finds the server listening.
        """
        self._scripts[on].extend(steps)

    def release(self) -> None:
        """Let hanging requests go on."""
        self.player.gate.release()

    # -- what is read ------------------------------------------------------------------------------------------------

    def row(self, connection: int | str) -> Row:
        """The live row. Raises `LookupError`."""
        for row in self._rows:
            if str(row["id"]) == str(connection):
                return row
        raise LookupError(f"no connection {connection}")

    def rows(self) -> list[Row]:
        """All rows as they are at this moment, tests of connections included."""
        self._check()
        return copy.deepcopy(self._rows)

    def spelled(self, row: Row) -> Row:
        """The row with the keys that this server uses."""
        if not self.quirks.attribute_spelling:
            return row
        return {_ATTRIBUTE_SPELLINGS.get(key, key): value for key, value in row.items()}

    async def polled(self, more: int = 1) -> None:
        """Wait until `more` further polls have arrived; what was changed before is in what they are answered.

        A client that polls one after another has digested the first of two when the second arrives.
        """
        wanted = self.polls + more
        while self.polls < wanted:
            await self._polled.wait()

    # -- what the HTTP side tells ------------------------------------------------------------------------------------

    def arrived(self, call: Call) -> Step:
        """Count a request; how it is to be answered."""
        self.requests.append(call)
        self.counts[f"{call.method} {call.path}"] += 1
        query = dict(call.query)
        if call.path == "/api/connections" and query.get("page", "0") == "0" and "countOnly" not in query:
            self.polls += 1
            self._polled.set()
            self._polled = asyncio.Event()
        self._changed()
        script = self._scripts["connections" if call.path.startswith("/api/connections") else "users"]
        return script.popleft() if script else self.fault

    def _changed(self) -> None:
        for listener in tuple(self.listeners):
            listener(self)

    def _log(self, connection: int | str, *, status: int, description: str, error: str | None) -> int:
        row = self.row(connection)
        self._log_id += 1
        row["latestLog"] = {
            "id": self._log_id,
            "creationDate": self._stamp(self._now()),
            "status": status,
            "description": description,
            "error": error,
            "appId": row.get("appId"),
            "integrationId": None,
            "workflowId": None,
            "taskId": None,
            "time": 0.42,
        }
        self._changed()
        return self._log_id

    def _check(self) -> None:
        """Catch up with the tests that were due since the last look."""
        if self._check_every is None:
            return
        due = (self._now() - self._checked_at) // self._check_every
        if due < 1:
            return
        self._checked_at += due * self._check_every
        stamp = self._stamp(self._checked_at)
        for row in self._rows:
            if not row.get("isTestable"):
                continue
            row["lastCheck"] = stamp
            if row["status"] == 1:
                row["latestConnection"] = stamp
            if self.quirks.checks_write_logs:
                self.write_log(row["id"])

    def _stamp(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M:%S.%f")
