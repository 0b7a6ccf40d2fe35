"""What the operator has decided for one site: thresholds, and where messages go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from bot.core.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a message goes and whom it pings."""

    channel: str
    mention: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """One `[[routes]]` entry: glob patterns, compared without regard to case; `None` matches everything."""

    site: str | None = None
    name: str | None = None
    type: str | None = None
    app_id: str | None = None
    authentication: str | None = None
    channel: str | None = None
    """`None`: the site's own channel."""
    mention: str | None = None

    def matches(self, site: str, row: Connection) -> bool:
        return self._is_about(site) and all(
            _glob(pattern, value)
            for pattern, value in (
                (self.name, row.name),
                (self.type, row.type),
                (self.app_id, row.app_id),
                (self.authentication, row.authentication),
            )
        )

    def matches_site(self, site: str) -> bool:
        """A rule speaks for a whole site only when it asks nothing of a connection."""
        asks = (self.name, self.type, self.app_id, self.authentication)
        return self._is_about(site) and all(pattern is None for pattern in asks)

    def _is_about(self, site: str) -> bool:
        return _glob(self.site, site)


def _glob(pattern: str | None, value: str | None) -> bool:
    return pattern is None or fnmatchcase((value or "").casefold(), pattern.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything about one site that `decide` takes from the settings."""

    site: str
    home: str
    """The site's channel."""
    interval: timedelta
    """How often the site is polled."""
    confirm_polls: int = 1
    unreachable_after: int = 2
    remind_every: timedelta | None = timedelta(hours=4)
    stale_after: timedelta | None = None
    routes: tuple[RouteRule, ...] = ()

    def route(self, row: Connection) -> Route:
        """The first route that matches, else the site's channel."""
        for rule in self.routes:
            if rule.matches(self.site, row):
                return Route(channel=rule.channel or self.home, mention=rule.mention)
        return Route(channel=self.home)

    @property
    def site_route(self) -> Route:
        """Messages about the site itself stay in the site's channel; a route for all of it may name whom to ping."""
        for rule in self.routes:
            if rule.matches_site(self.site):
                return Route(channel=self.home, mention=rule.mention)
        return Route(channel=self.home)

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that something about this site may go to."""
        return frozenset({self.home} | {rule.channel for rule in self.routes if rule.channel is not None})

    @property
    def away_after(self) -> timedelta:
        """A silence longer than this is told: more than three intervals and five minutes."""
        return max(3 * self.interval, timedelta(minutes=5))
