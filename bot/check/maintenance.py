"""Will every maintenance window ever keep anything quiet?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.check.lines import Line, Verdict, numbered, warning
from bot.check.routes import COMPARE, named_sites
from bot.core.connection import Snapshot
from bot.core.maintenance import Window, glob
from bot.settings.models import Settings
from bot.settings.policy import windows_of


def check_maintenance(settings: Settings, snapshots: Mapping[str, Snapshot | None], now: datetime) -> list[Line]:
    """A line for each window that is over, or covers none of what was read. `snapshots` by site, `None` where one cannot
    be read.
    """
    lines = (_line(number, window, snapshots, now) for number, window in enumerate(windows_of(settings), start=1))
    return [line for line in lines if line is not None]


def _line(number: int, window: Window, snapshots: Mapping[str, Snapshot | None], now: datetime) -> Line | None:
    what = numbered("maintenance", number, {"site": window.site, "name": window.name})
    if window.end is not None and window.end <= now:
        over = f"{window.end.astimezone(window.zone):%Y-%m-%d %H:%M} ({window.zone})"
        return warning(what, f"it was over at {over}", "correct its start and end, or remove it")
    if window.name is None:
        return None
    sites = {name: snapshot for name, snapshot in snapshots.items() if glob(window.site, name)}
    rows = ((name, row) for name, snapshot in sites.items() if snapshot is not None for row in snapshot.connections)
    if any(window.covers(site, row.name) for site, row in rows):
        return None
    if unread := [name for name, snapshot in sites.items() if snapshot is None]:
        said = f"it covers nothing that was read, and {named_sites(unread)} cannot be read"
        return Line(what=what, verdict=Verdict.UNKNOWN, said=said)
    return warning(what, "it covers no connection", COMPARE)
