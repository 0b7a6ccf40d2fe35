"""Connections that came, went, changed, or can no longer be understood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.diff import Change, ChangeKind, FieldChange
from bot.core.incidents import Json
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.phrases import reference, sentences
from bot.slack.messages.post import NOTICE_SIGN, Post
from bot.slack.wording import count

LISTED = 15
ROOM = 4500
"""Fifteen connections with all their fields changed would not fit: lines are taken while their characters stay below."""
VALUE_LIMIT = 80
_NUMBER = re.compile(r"[0-9]{1,9}")

_WORDS = {
    ChangeKind.ADDED: ("\N{HEAVY PLUS SIGN}", "added"),
    ChangeKind.REMOVED: ("\N{HEAVY MINUS SIGN}", "removed"),
    ChangeKind.CHANGED: ("📝", "changed"),
    ChangeKind.UNREADABLE: ("🟣", "not understood"),
    ChangeKind.READABLE: ("🔵", "understood again"),
    ChangeKind.STALE: ("🟣", "not checked by ItemPath"),
    ChangeKind.FRESH: ("🔵", "checked again"),
}
_BECAME = {
    ChangeKind.UNREADABLE: "cannot be understood",
    ChangeKind.READABLE: "can be understood again",
    ChangeKind.STALE: "not checked by ItemPath for a long time",
    ChangeKind.FRESH: "checked by ItemPath again",
}
"""What became of a connection that nobody changed."""
_UNKNOWN: Line = ("The state of those marked 🟣 is unknown meanwhile.",)
_LABELS = {"url": "address", "password_exists": "password", "token_exists": "token"}


def changes(site: str, params: Mapping[str, Json]) -> Post:
    """`params` as `MessageKind.ROOT` describes them for `CHANGES`."""
    listed = [Change.from_json(change) for change in _mappings(params["changes"])]
    counts = [
        f"{sum(change.kind is kind for change in listed):,} {word}"
        for kind, (_, word) in _WORDS.items()
        if any(change.kind is kind for change in listed)
    ]
    lines = _as_many_as_fit([_line(site, change) for change in listed])
    if (more := len(listed) - len(lines)) > 0:
        lines.append((f"and {more:,} more",))
    unknown = any(change.kind in (ChangeKind.UNREADABLE, ChangeKind.STALE) for change in listed)
    what = _what(listed)
    return Post(
        sign=NOTICE_SIGN,
        headline=(Foreign(site, style="bold"), f": {what or _changes(listed)}"),
        body=(
            _meaning(listed) if what else sentences((", ".join(counts) or "none", "."), _UNKNOWN if unknown else ()),
        ),
        items=tuple(lines),
    )


def _changes(listed: Sequence[Change]) -> str:
    of_rows = all(change.kind in (ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.CHANGED) for change in listed)
    return f"{count(len(listed), 'change')} in {'ItemPath' if of_rows else 'what ItemPath tells'}"


def _what(listed: Sequence[Change]) -> str | None:
    """What happened, where it is one thing and nobody changed anything; else `None`."""
    kinds = {change.kind for change in listed}
    became = _BECAME.get(kinds.pop()) if len(kinds) == 1 else None
    if became is None:
        return None
    nameless = [change for change in listed if change.connection is None]
    if len(nameless) == len(listed) and became == _BECAME[ChangeKind.READABLE]:
        return "every row has an id again"
    number = sum(_rows(change) for change in listed)
    return f"{count(number, 'row' if nameless else 'connection')} {became}"


def _meaning(listed: Sequence[Change]) -> Line:
    """What comes of what happened to them all, as a sentence."""
    if listed[0].kind in (ChangeKind.UNREADABLE, ChangeKind.STALE):
        return _UNKNOWN
    if all(change.connection is None for change in listed):
        return ("What ItemPath does not list any more counts as removed again.",)
    return ("Changes of their state are told again.",) if len(listed) > 1 else ("Changes of its state are told again.",)


def _rows(change: Change) -> int:
    """Of rows without an id there is only a number, which stands in the name's place."""
    return int(change.name) if change.connection is None and _NUMBER.fullmatch(change.name) else 1


def _mappings(value: Json) -> list[Mapping[str, Json]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _as_many_as_fit(lines: Sequence[Line]) -> list[Line]:
    taken: list[Line] = []
    room = ROOM
    for line in lines[:LISTED]:
        room -= sum(min(len(s.text), s.limit) if isinstance(s, Foreign) else 30 for s in line)
        if taken and room < 0:
            break
        taken.append(line)
    return taken


def _line(site: str, change: Change) -> Line:
    mark, word = _WORDS[change.kind]
    if change.connection is None:
        return _nameless(change, mark, word)
    who: Line = (Foreign(change.name, style="bold"), " ", reference(site, change.connection))
    return (f"{mark} {word}: ", *who, *_detail(change))


def _nameless(change: Change, mark: str, word: str) -> Line:
    """Which connections these are, nobody can know: so none is missed while there are any."""
    number = _rows(change)
    rows = f"{count(number, 'row')} without an id"
    if change.kind is ChangeKind.READABLE:
        return (f"{mark} no more rows without an id: there {'was' if number == 1 else 'were'} {number:,}",)
    return (f"{mark} {word}: {rows}", *_detail(change), " (nothing counts as removed meanwhile)")


def _detail(change: Change) -> Line:
    if change.kind is ChangeKind.CHANGED:
        return tuple(span for number, field in enumerate(change.fields) for span in _field(field, first=number == 0))
    if change.detail is None:
        return ()
    if change.kind is ChangeKind.REMOVED:
        return (", it was ", Foreign(change.detail))
    if change.kind in (ChangeKind.STALE, ChangeKind.FRESH):
        return (", last ", datetime.fromisoformat(change.detail))
    return (": ", Foreign(change.detail, 200))


def _field(field: FieldChange, *, first: bool) -> Line:
    label = _LABELS.get(field.field, field.field)
    return (", " if not first else ": ", f"{label} from ", _value(field.before), " to ", _value(field.after))


def _value(value: str | bool | None) -> str | Foreign:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "stored" if value else "none"
    return Foreign(value, VALUE_LIMIT, style="code")
