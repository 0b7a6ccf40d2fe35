"""Bodies of ItemPath's replies → values of the core, or a typed error. No network here.

Shapes are those of ItemPath's page on connections, plus what its other pages and its own inconsistencies make likely:
both spellings of a key, an id that is a uuid or an integer, a list that stands bare or wrapped. `fields` reads the
single values. A row that cannot be understood costs itself: it is an `UnreadableRow` and not an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.core.connection import Connection, Log, Snapshot, UnreadableRow
from bot.itempath.errors import NotFound, NotItemPath, TooLarge, excerpt
from bot.itempath.fields import Amount, Detail, Flag, Id, Integer, Recent, Seconds, Text, Time, read_id

ROWS_LIMIT = 50_000
"""Rows of one read. ItemPath servers have about ten connections."""
VALUES_LIMIT = 500_000
"""Values in one reply: twenty thousand whole rows. `[{},{},…` takes thirty times its own size once it is parsed, and
keeps the event loop waiting for seconds."""
LISTED_TWICE = "listed twice with different content"
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class _Foreign(BaseModel):
    """A foreign object: keys in any spelling that differs only by case or by the `lastest` of the API page."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _spell(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise PydanticCustomError("shape", "not an object")
        keys = {str(field.alias or name).lower(): field.alias or name for name, field in cls.model_fields.items()}
        found: dict[str, Any] = {}
        # Sorted, because the order of the fields must not decide which of two spellings counts.
        for key in sorted(raw):
            name = keys.get(key.lower().replace("lastest", "latest"))
            if name and raw[key] is not None and (key == name or name not in found):
                found[name] = raw[key]
        return found


class _Log(_Foreign):
    id: Text = None
    at: Time = Field(None, alias="creationDate")
    status: Integer = None
    description: Detail = None
    error: Detail = None
    app_id: Text = Field(None, alias="appId")
    integration_id: Text = Field(None, alias="integrationId")
    workflow_id: Text = Field(None, alias="workflowId")
    task_id: Text = Field(None, alias="taskId")
    seconds: Seconds = Field(None, alias="time")

    def value(self) -> Log:
        # A log without an id is still told from others by its time and error.
        return Log(**{**dict(self), "id": self.id or ""})


class _Row(_Foreign):
    id: Id = Field("", validate_default=True)
    name: Text = None
    app_id: Text = Field(None, alias="appId")
    url: Text = None
    type: Text = None
    authentication: Text = None
    username: Text = None
    password_exists: Flag = Field(None, alias="passwordExists")
    token_exists: Flag = Field(None, alias="tokenExists")
    is_testable: Flag = Field(None, alias="isTestable")
    status: Integer = None
    latest_connection: Recent = Field(None, alias="latestConnection")
    created: Time = Field(None, alias="creationDate")
    latest_log: _Log | None = Field(None, alias="latestLog")
    last_check: Recent = Field(None, alias="lastCheck")
    integration_count: Amount = Field(None, alias="integrationCount")

    @field_validator("latest_log", mode="before")
    @classmethod
    def _no_log(cls, raw: Any) -> Any:
        return raw or None

    def value(self) -> Connection:
        log = self.latest_log.value() if self.latest_log else None
        log = None if log == Log(id="") else log  # nothing is said in it
        return Connection(**{**dict(self), "name": self.name or self.id, "latest_log": log})


class _Tokens(_Foreign):
    access: Text = Field(None, alias="accessToken")
    refresh: Text = Field(None, alias="refreshToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a login or a refresh gives."""

    access: str
    refresh: str | None

    def __repr__(self) -> str:
        return "Tokens(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One reply to List Connections."""

    rows: int
    """How many rows it had, readable or not, repeated or not."""
    by_id: Mapping[str, Connection | UnreadableRow]
    nameless: tuple[UnreadableRow, ...]
    """Rows of which not even the id could be read."""

    @property
    def snapshot(self) -> Snapshot:
        connections = tuple(row for row in self.by_id.values() if isinstance(row, Connection))
        unreadable = tuple(row for row in self.by_id.values() if isinstance(row, UnreadableRow))
        return Snapshot(connections=connections, unreadable=unreadable + self.nameless)


def read_json(body: bytes, *, url: str = "", content_type: str = "") -> Any:
    """The JSON of a body in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    A byte that is not valid costs its character and not the read. Raises `NotItemPath`, and `TooLarge` for more values
    than a reply of ItemPath's can hold.
    """
    if _values(body) > VALUES_LIMIT and _values(_STRING.sub(b"", body)) > VALUES_LIMIT:
        raise TooLarge(f"The reply holds more than {VALUES_LIMIT} values.", url=url)
    text = body.decode(json.detect_encoding(body), errors="replace").removeprefix("\ufeff")
    try:
        return json.loads(text)
    except RecursionError:
        raise NotItemPath("The reply is nested too deeply to be ItemPath's.", url=url) from None
    except ValueError:
        raise _not_json(text, url, content_type) from None


def _values(body: bytes) -> int:
    """About how many there are, or more: whatever is no text of a value may stand within one."""
    return sum(map(body.count, (b",", b"[", b"{")))


def _not_json(text: str, url: str, content_type: str) -> NotItemPath:
    start = text.lstrip()
    if not start:
        return NotItemPath("The reply is empty.", url=url)
    if start.startswith("<") or "html" in content_type.lower():
        return NotItemPath("The reply is a web page and not JSON: perhaps a login page or a proxy's own page.", url=url)
    return NotItemPath("The reply is not JSON, or not the whole of it.", url=url)


def read_listing(body: bytes, *, zone: tzinfo, now: datetime, url: str = "", content_type: str = "") -> Listing:
    """The reply to List Connections, read at `now`. Raises `NotItemPath` for another shape, `TooLarge` for too many rows."""
    rows = _rows(read_json(body, url=url, content_type=content_type), url)
    if len(rows) > ROWS_LIMIT:
        raise TooLarge(f"The reply lists {len(rows)} connections; more than {ROWS_LIMIT} are not read.", url=url)
    by_id: dict[str, Connection | UnreadableRow] = {}
    nameless: list[UnreadableRow] = []
    for raw in rows:
        row = read_row(raw, zone=zone, now=now)
        if row.id is None:
            nameless.append(row)  # only an unreadable row has no id
        elif by_id.setdefault(row.id, row) != row:
            by_id[row.id] = UnreadableRow(id=row.id, problem=LISTED_TWICE)
    if rows and not by_id:
        raise NotItemPath(
            f"None of the {len(rows)} rows in the reply has an id: this is no list of connections.", url=url
        )
    return Listing(rows=len(rows), by_id=by_id, nameless=tuple(nameless))


def _rows(data: Any, url: str) -> list[Any]:
    """The array itself, or the one in an object's `connections`, or the only thing in an object.

    An empty array under another key is no list of connections: `{"errors": []}` must not read as "all are gone".
    """
    if isinstance(data, dict):
        named = [data[key] for key in sorted(data) if key.lower() == "connections"]
        alone = [value for value in data.values() if len(data) == 1 and value]
        data = next(iter(named or alone), None)
    if isinstance(data, list):
        return data
    raise NotItemPath("The reply is JSON, but no list of connections.", url=url)


def read_row(raw: Any, *, zone: tzinfo, now: datetime) -> Connection | UnreadableRow:
    """One connection, or why it could not be understood."""
    try:
        return _Row.model_validate(raw, context={"zone": zone, "now": now}).value()
    except ValidationError as error:
        problem = "; ".join(
            ": ".join([*(".".join(str(part) for part in each["loc"]),) * bool(each["loc"]), each["msg"]])
            for each in error.errors(include_url=False, include_input=False)
        )
    except RecursionError:
        problem = "nested too deeply"
    return UnreadableRow(id=_salvage_id(raw), problem=problem)


def _salvage_id(raw: Any) -> str | None:
    if not isinstance(raw, dict):
        return None
    try:
        return read_id(raw.get("id"))
    except PydanticCustomError:
        return None


def read_connection(
    body: bytes,
    *,
    id: str,  # noqa: A002 - the API's own word
    zone: tzinfo,
    now: datetime,
    url: str = "",
    content_type: str = "",
) -> Connection:
    """The reply to Show Connection: the object, or the only thing in an object or an array.

    Raises `NotFound` for a reply that holds nothing, `NotItemPath` for one that is not understood.
    """
    data = read_json(body, url=url, content_type=content_type)
    if isinstance(data, dict) and len(data) == 1:
        (inner,) = data.values()
        data = inner if inner is None or isinstance(inner, dict | list) else data
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if data is None or data in ([], {}):
        raise no_such_connection(id, url=url)
    row = read_row(data, zone=zone, now=now)
    if isinstance(row, UnreadableRow):
        raise NotItemPath(f"The reply is no connection that can be understood ({row.problem}).", url=url)
    return row


def no_such_connection(id: str, *, url: str = "", status: int | None = None) -> NotFound:  # noqa: A002 - the API's own word
    return NotFound(f"ItemPath has no connection with the id {excerpt(id, limit=60)!r}.", url=url, status=status)


def read_count(body: bytes, *, url: str = "", content_type: str = "") -> int:
    """The reply to `countOnly=true`: a bare integer, or an object with one integer, whatever its key."""
    data = read_json(body, url=url, content_type=content_type)
    values = list(data.values()) if isinstance(data, dict) else [data]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) == 1 and numbers[0] >= 0:
        return numbers[0]
    raise NotItemPath("The reply is no count of connections.", url=url)


def read_tokens(body: bytes, *, url: str = "", content_type: str = "") -> Tokens:
    """The reply to a login or a refresh. Its other fields, dates in another format among them, are not needed."""
    try:
        tokens = _Tokens.model_validate(read_json(body, url=url, content_type=content_type))
    except ValidationError:
        raise NotItemPath("The reply to the login is not understood.", url=url) from None
    if tokens.access is None or not is_header_safe(tokens.access):
        raise NotItemPath("The reply to the login holds no usable access token.", url=url)
    refresh = tokens.refresh if tokens.refresh and is_header_safe(tokens.refresh) else None
    return Tokens(access=tokens.access, refresh=refresh)


def is_header_safe(token: str) -> bool:
    """A line break in a header would be a second header."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
