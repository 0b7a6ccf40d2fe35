"""Cron schedules of `[[maintenance]]`: five fields, as crontab(5) describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The minutes that a schedule names, in the zone of its window."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    """Days of the month."""
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday, 6 is Saturday."""
    either_day: bool
    """Whether a day matches by month *or* by week: so it is when both fields are restricted (crontab(5), note)."""

    def names(self, day: date) -> bool:
        """Whether the schedule has a minute on that day."""
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        on_day = by_month or by_week if self.either_day else by_month and by_week
        return day.month in self.months and on_day

    def last_start(self, now: datetime, *, within: timedelta, zone: tzinfo) -> datetime | None:
        """The latest minute of the schedule in `(now - within, now]`, in UTC; `None` when there is none.

        An hour that the zone skips counts from the same moment on; one that it has twice starts with the first.
        """
        day = now.astimezone(zone).date()
        while day >= (now - within).astimezone(zone).date():
            if self.names(day):
                starts = (
                    datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)
                    for hour in self.hours
                    for minute in self.minutes
                )
                latest = max((start for start in starts if now - within < start <= now), default=None)
                if latest is not None:
                    return latest
            day -= timedelta(days=1)
        return None


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    base: int = 0
    """The number of the first name."""


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of the week", 0, 7, _WEEKDAYS),
)


def parse_cron(text: str) -> Cron:
    """Five fields: minute, hour, day of the month, month, day of the week. `ValueError` says which one is wrong."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"a schedule has five fields (minute hour day month weekday), this one has {len(fields)}; "
            "write e.g. '0 2 * * sun' for Sundays at 02:00"
        )
    minutes, hours, days, months, weekdays = (_field(f, t) for f, t in zip(_FIELDS, fields, strict=True))
    by_week_too = not fields[4].startswith("*")
    if not by_week_too and all(_LONGEST.get(month, 31) < min(days) for month in months):
        raise ValueError("this day never comes in that month; mend the third or the fourth field")
    return Cron(
        text=text,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=by_week_too and not fields[2].startswith("*"),
    )


def _field(field: _Field, text: str) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        values.update(_part(field, part))
    return frozenset(values)


def _part(field: _Field, text: str) -> range:
    wrong = f"the {field.name} is not understood; allowed are {field.low}-{field.high}, *, a-b, */n and lists of them"
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(wrong)
    step = int(match["step"] or 1)
    if match["all"]:
        first, last = field.low, field.high
    else:
        first = _number(field, match["first"], wrong)
        # crontab(5) leaves `a/n` open; every cron reads it as "from a on".
        last = first if not match["step"] else field.high
        if match["last"]:
            last = _number(field, match["last"], wrong)
    if step < 1 or not field.low <= first <= last <= field.high:
        raise ValueError(wrong)
    return range(first, last + 1, step)


def _number(field: _Field, text: str, wrong: str) -> int:
    if text.lower() in field.names:
        return field.base + field.names.index(text.lower())
    if not text.isdigit():
        raise ValueError(wrong)
    return int(text)
