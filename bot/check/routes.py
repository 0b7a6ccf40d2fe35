"""Which connections does each route take, and which goes where without one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.check.lines import Line, Verdict, numbered, warning
from bot.core.connection import Connection, Snapshot
from bot.core.maintenance import glob
from bot.settings.models import Route, Settings, SiteSettings
from bot.settings.policy import policy_of
from bot.slack.wording import count, literal

NAMED = 10
"""Connections that are named: enough to see whether these are the ones that were meant."""
NAME_LIMIT = 30
COMPARE = "compare its patterns with `connections`; `*` stands for anything"


@dataclass
class Share:
    """What falls to a route."""

    taken: list[str] = field(default_factory=list)
    missed: int = 0
    """It would match these too, but an earlier one does."""
    earlier: set[int] = field(default_factory=set)
    """The numbers of those."""


def check_routes(settings: Settings, snapshots: Mapping[str, Snapshot | None]) -> list[Line]:
    """A line for each route and one for what none matches; none at all without routes. `snapshots` by site, `None` where
    one cannot be read.
    """
    if not settings.routes:
        return []
    shares = {number: Share() for number in range(1, len(settings.routes) + 1)}
    rest = Share()
    for site in settings.sites:
        snapshot = snapshots[site.name]
        if snapshot is not None:
            _deal(settings, site, snapshot, shares, rest)
    unread = [name for name, snapshot in snapshots.items() if snapshot is None]
    lines = [_line(settings, number, share, unread) for number, share in shares.items()]
    if len(unread) == len(snapshots):
        return lines
    if unread:
        lines.insert(0, Line(what="routes", verdict=Verdict.UNKNOWN, said=f"counted without {named_sites(unread)}"))
    said = f"{count(len(rest.taken), 'connection')} to {_homes(settings)}{_by_name(rest.taken)}"
    return [*lines, Line(what="without a route", said=said)]


def _deal(settings: Settings, site: SiteSettings, snapshot: Snapshot, shares: Mapping[int, Share], rest: Share) -> None:
    rules = policy_of(settings, site).routes
    for row in snapshot.connections:
        matching = [number for number, rule in enumerate(rules, start=1) if rule.matches(site.name, row)]
        named = _named(site.name, row)
        if not matching:
            rest.taken.append(named)
            continue
        first, *later = matching
        shares[first].taken.append(named)
        for number in later:
            shares[number].missed += 1
            shares[number].earlier.add(first)
    # No rule can match what was never understood.
    rest.taken += [f"{site.name}/{literal(row.id or '?', NAME_LIMIT)}" for row in snapshot.unreadable]


def _line(settings: Settings, number: int, share: Share, unread: list[str]) -> Line:
    route = settings.routes[number - 1]
    what = named(number, route)
    target = route.channel or "the site's own channel"
    if share.taken:
        ping = f", pinging {route.mention}" if route.mention else ""
        said = f"{count(len(share.taken), 'connection')} to {target}{ping}{_by_name(share.taken)}"
        return Line(what=what, said=said)
    if share.missed:
        before = " and ".join(map(str, sorted(share.earlier)))
        return warning(
            what,
            f"nothing is left for it: route {before} takes {_all(share.missed)} that it matches",
            "the first route that matches decides: put the narrower one first",
        )
    if perhaps := [name for name in unread if glob(route.site, name)]:
        said = f"it matches nothing that was read, and {named_sites(perhaps)} cannot be read"
        return Line(what=what, verdict=Verdict.UNKNOWN, said=said)
    return warning(what, "it matches no connection", COMPARE)


def named(number: int, route: Route) -> str:
    """A route by its number, from 1 on, and by what it asks for."""
    patterns = {"site": route.site, "name": route.name, "type": route.type, "app_id": route.app_id}
    patterns["authentication"] = route.authentication
    return numbered("route", number, patterns)


def _all(number: int) -> str:
    return "the one" if number == 1 else f"all {number:,}"


def _homes(settings: Settings) -> str:
    homes = dict.fromkeys(site.channel for site in settings.sites)
    return next(iter(homes)) if len(homes) == 1 else "the channels of their sites"


def _by_name(taken: list[str]) -> str:
    if not taken:
        return ""
    more = len(taken) - NAMED
    return f": {', '.join(taken[:NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def _named(site: str, row: Connection) -> str:
    return f"{site}/{row.id} {literal(row.name or '', NAME_LIMIT)}".rstrip()


def named_sites(sites: list[str]) -> str:
    """Whose connections are not known."""
    return f"site {sites[0]}" if len(sites) == 1 else f"{count(len(sites), 'site')}"
