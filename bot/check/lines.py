"""What a check has found out, one line each."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from bot.slack.wording import clean


class Verdict(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    """The bot works, with something less than it could have."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Not asked, because of something wrong that another line tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    what: str
    """What was asked: `database`, `site vienna`, `channel #alerts`."""
    verdict: Verdict = Verdict.OK
    said: str
    """What was found, in words."""
    remedy: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        """One line, whatever a server said."""
        text = f"{self.what}: {self.said} → {self.remedy}" if self.remedy else f"{self.what}: {self.said}"
        return f"{self.verdict:<7}  {clean(text)}"


def warning(what: str, said: str, remedy: str) -> Line:
    return Line(what=what, verdict=Verdict.WARNING, said=said, remedy=remedy)


def wrong(what: str, said: str, remedy: str) -> Line:
    return Line(what=what, verdict=Verdict.WRONG, said=said, remedy=remedy)


def unasked(what: str, why: str) -> Line:
    return Line(what=what, verdict=Verdict.UNKNOWN, said=f"not asked: {why}")


def numbered(what: str, number: int, patterns: Mapping[str, str | None]) -> str:
    """One of several by its number, from 1 on, and by what it asks for: `route 2 (site plant*, type MSSQL)`."""
    asked = ", ".join(f"{key} {pattern}" for key, pattern in patterns.items() if pattern is not None)
    return f"{what} {number} ({asked or 'everything'})"
