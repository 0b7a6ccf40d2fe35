"""Planned maintenance: windows of the settings in which nothing new is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase

from bot.core.cron import Cron
from bot.core.incidents import Silence


def glob(pattern: str | None, value: str | None) -> bool:
    """Whether a pattern of the settings fits, without regard to case; `None` fits everything."""
    return pattern is None or fnmatchcase((value or "").casefold(), pattern.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One `[[maintenance]]` entry: either from `start` to `end`, or for `duration` from each minute of `schedule` on."""

    site: str | None = None
    name: str | None = None
    """Glob on the connection's name; a window with one says nothing about the site itself."""
    reason: str = ""
    start: datetime | None = None
    end: datetime | None = None
    schedule: Cron | None = None
    duration: timedelta | None = None
    zone: tzinfo = UTC

    def until(self, now: datetime) -> datetime | None:
        """When it ends, if it is open now."""
        if self.start is not None and self.end is not None:
            return self.end if self.start <= now < self.end else None
        if self.schedule is None or self.duration is None:
            return None
        started = self.schedule.last_start(now, within=self.duration, zone=self.zone)
        return None if started is None else started + self.duration

    def covers(self, site: str, name: str | None) -> bool:
        """Whether it is about a connection of that name, or about the site itself (`None`)."""
        return glob(self.site, site) and (self.name is None or (name is not None and glob(self.name, name)))

    def silence(self, until: datetime) -> Silence:
        return Silence(until=until, reason=self.reason or "planned maintenance")
