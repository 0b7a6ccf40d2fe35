"""Can every ItemPath server be read, and does what it says make sense?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.check.lines import Line, warning, wrong
from bot.core.connection import Snapshot, State
from bot.itempath.client import ItemPathClient
from bot.itempath.errors import ItemPathError
from bot.settings.models import SiteSettings
from bot.settings.policy import access_of
from bot.slack.wording import count, duration

AHEAD = timedelta(minutes=5)
"""Clocks differ by less; zones by more."""
ATTEMPTS = 2
"""Somebody waits for the answer: one lost packet is forgiven, a server that is down is not waited for."""


def client_of(site: SiteSettings) -> ItemPathClient:
    """A client for somebody who waits: it gives up sooner than the service does. To be closed."""
    timeout = site.timeout.total_seconds()
    return ItemPathClient(
        **access_of(site),
        timeout=timeout,
        budget=2 * timeout,
        attempts=ATTEMPTS,
    )


async def check_site(site: SiteSettings, *, now: Callable[[], datetime]) -> tuple[list[Line], Snapshot | None]:
    """The lines, and what was read: `None` if nothing could be."""
    what = f"site {site.name}"
    async with client_of(site) as client:
        try:
            snapshot = await client.connections()
        except ItemPathError as error:
            return [wrong(what, f"{error.message} ({site.url})", error.advice)], None
    states = Counter(row.state for row in snapshot.connections)
    states[State.UNKNOWN] += len(snapshot.unreadable)
    told = ", ".join(f"{states[state]} {state}" for state in State)
    lines = [Line(what=what, said=f"{count(states.total(), 'connection')} at {site.url}: {told}")]
    if not states.total():
        lines = [warning(what, f"no connection at {site.url}", "check that the bot's user may see connections")]
    if snapshot.unreadable:
        first = snapshot.unreadable[0]
        lines.append(
            warning(
                what,
                f"{count(len(snapshot.unreadable), 'row')} cannot be understood, the first: "
                f"{first.id or 'without an id'}, {first.problem}",
                "it is watched as unknown; look at it in ItemPath",
            )
        )
    ahead = _newest(snapshot, now()) - now()
    if ahead > AHEAD:
        lines.append(
            warning(
                what,
                f"its newest time lies {duration(ahead)} ahead of this machine's clock",
                f"ItemPath's times carry no zone and were read as {site.timezone}: set `timezone` to the zone of that "
                "server, or put a clock right",
            )
        )
    return lines, snapshot


def _newest(snapshot: Snapshot, now: datetime) -> datetime:
    times = [
        at
        for row in snapshot.connections
        for at in (row.last_check, row.latest_connection, row.latest_log.at if row.latest_log else None)
        if at is not None
    ]
    return max(times, default=now)
