"""One JSON value → one field of a connection, as forgiving as can be without guessing.

The rule, the same for every field: a scalar that cannot be understood is as good as none (`None`, and so a connection
whose status makes no sense is `unknown`); an object or an array where a scalar belongs is a row that is not understood,
and costs that row.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

ID_LIMIT = 200
TEXT_LIMIT = 16_384
"""Characters kept of one text. An error may drag a whole foreign page along."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_EXACT = 2**53
"""Beyond this a float no longer says which integer was meant."""
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""NUL is refused by PostgreSQL, half a surrogate pair by UTF-8."""
CLOCK_AHEAD = timedelta(minutes=5)
"""How far ItemPath's clock may be ahead of this machine's."""
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _kind(value: object) -> str:
    return "an object" if isinstance(value, dict) else "an array"


def _refuse_containers(value: object, wanted: str) -> None:
    if isinstance(value, dict | list):
        raise PydanticCustomError("shape", "{found} where {wanted} belongs", {"found": _kind(value), "wanted": wanted})


def _integral(value: float) -> bool:
    return math.isfinite(value) and value.is_integer() and abs(value) < _EXACT


def scalar_text(value: str | float | bool) -> str | None:
    """A JSON scalar as text; not-a-number is none. `null` never comes here: it is taken for a missing key."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if _integral(value) else repr(value)
    text = _UNSTORABLE.sub("\ufffd", str(value)).strip()
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def read_id(value: Any) -> str:
    """Documented as a uuid, shown as an integer: its text is the key."""
    _refuse_containers(value, "an id")
    if value is None or isinstance(value, bool) or (isinstance(value, float) and not _integral(value)):
        raise PydanticCustomError("id", "no usable id")
    text = scalar_text(value)
    if not text:
        raise PydanticCustomError("id", "no usable id")
    if len(text) > ID_LIMIT:
        raise PydanticCustomError("id", "longer than {limit} characters", {"limit": ID_LIMIT})
    return text


def _text(value: Any) -> str | None:
    _refuse_containers(value, "text")
    return scalar_text(value) or None


def _detail(value: Any) -> str | None:
    """An error or a description. Some systems answer with a structure: it is kept as JSON, its keys in order.

    `false`, `0`, `""`, `{}` and `[]` all say "none".
    """
    if not value:
        return None
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return scalar_text(value) or None


def _integer(value: Any) -> int | None:
    """Integers, their text, and booleans (`true` is 1)."""
    _refuse_containers(value, "a number")
    if isinstance(value, float):
        value = int(value) if _integral(value) else None
    if isinstance(value, str):
        value = int(value) if _INTEGER.fullmatch(value := value.strip()) else None
    if value is None or abs(value) >= 2**31:
        return None
    return int(value)


def _amount(value: Any) -> int | None:
    """`integrationCount`: documented as a date, is an integer. A date, or less than none, says nothing."""
    number = _integer(value)
    return number if number is not None and number >= 0 else None


def _seconds(value: Any) -> float | None:
    _refuse_containers(value, "a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _flag(value: Any) -> bool | None:
    _refuse_containers(value, "true or false")
    return _WORDS.get((scalar_text(value) or "").lower())


def read_time(text: str, zone: tzinfo, *, latest: datetime | None = None) -> datetime | None:
    """ISO 8601 with `Z`, an offset or neither (then the time is one of `zone`), with any number of fraction digits; or
    `MM/DD/YYYY, HH:MM:SS`, as ItemPath's login writes. Timezone-aware UTC, or `None` if it is no time.

    In autumn an hour happens twice: what is in it is read as in the first, or, given the `latest` that it can be, as in
    the second if that has come.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text, "%m/%d/%Y, %H:%M:%S")  # noqa: DTZ007 - the zone is given next
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        first, second = (moment.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:  # the first and the last day of the calendar have no neighbour in another zone
        return None
    return second if latest is not None and first < second <= latest else first


def _time(value: Any, info: ValidationInfo) -> datetime | None:
    """Always the same for the same text: a log is known again by its time."""
    _refuse_containers(value, "a time")
    context: Any = info.context
    return read_time(value, context["zone"]) if isinstance(value, str) else None


def _recent(value: Any, info: ValidationInfo) -> datetime | None:
    """A time that is held against that of the read."""
    _refuse_containers(value, "a time")
    context: Any = info.context
    latest: datetime = context["now"] + CLOCK_AHEAD
    return read_time(value, context["zone"], latest=latest) if isinstance(value, str) else None


Id = Annotated[str, BeforeValidator(read_id)]
Text = Annotated[str | None, BeforeValidator(_text)]
Detail = Annotated[str | None, BeforeValidator(_detail)]
Integer = Annotated[int | None, BeforeValidator(_integer)]
Amount = Annotated[int | None, BeforeValidator(_amount)]
Seconds = Annotated[float | None, BeforeValidator(_seconds)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Time = Annotated[datetime | None, BeforeValidator(_time)]
Recent = Annotated[datetime | None, BeforeValidator(_recent)]
