"""What the operator has decided for one site: thresholds, and where messages go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.connection import Connection
from bot.core.maintenance import Window, glob

REOPEN_WITHIN = timedelta(minutes=30)
"""The same error so soon after a clean log belongs to the same trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a message goes and whom it pings."""

    channel: str
    mentions: tuple[str, ...] = ()
    escalate_to: tuple[str, ...] = ()
    """Whom to ping when nobody acknowledges; as `mentions` unless the rule says otherwise."""


def together(channel: str, routes: Sequence[Route]) -> Route:
    """One message about many: everybody whom one of them would have called, once, in their order."""
    return Route(
        channel=channel,
        mentions=tuple(dict.fromkeys(m for route in routes for m in route.mentions)),
        escalate_to=tuple(dict.fromkeys(m for route in routes for m in route.escalate_to)),
    )


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
    escalate_to: str | None = None

    def matches(self, site: str, row: Connection) -> bool:
        return self._is_about(site) and all(
            glob(pattern, value)
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

    def route(self, home: str) -> Route:
        mentions = () if self.mention is None else (self.mention,)
        return Route(
            channel=self.channel or home,
            mentions=mentions,
            escalate_to=mentions if self.escalate_to is None else (self.escalate_to,),
        )

    def _is_about(self, site: str) -> bool:
        return glob(self.site, site)


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
    escalate_after: timedelta | None = None
    flap_threshold: int = 4
    flap_window: timedelta = timedelta(minutes=10)
    group_over: int = 5
    group_window: timedelta = timedelta(minutes=2)
    stale_after: timedelta | None = None
    maintenance: tuple[Window, ...] = ()
    sites_in_channel: int = 1
    """How many sites, this one included, have the same channel."""
    routes: tuple[RouteRule, ...] = ()

    def route(self, row: Connection | None) -> Route:
        """The first route that matches, else the site's channel: no rule can match what was never understood."""
        for rule in self.routes:
            if row is not None and rule.matches(self.site, row):
                return rule.route(self.home)
        return Route(channel=self.home)

    @property
    def site_route(self) -> Route:
        """Messages about the site itself stay in the site's channel; a route for all of it may name whom to ping."""
        for rule in self.routes:
            if rule.matches_site(self.site):
                return replace(rule.route(self.home), channel=self.home)
        return Route(channel=self.home)

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that something about this site may go to."""
        return frozenset({self.home} | {rule.channel for rule in self.routes if rule.channel is not None})

    @property
    def lately(self) -> timedelta:
        """How long what is over still matters: to reopen an error or a group, to count flips and announcements."""
        return max(REOPEN_WITHIN, self.flap_window, self.group_window)

    @property
    def settle_after(self) -> timedelta:
        """How long a state must hold to count as what a flapping thing came to."""
        return self.flap_window / 2

    @property
    def away_after(self) -> timedelta:
        """A silence longer than this is told: more than three intervals and five minutes."""
        return max(3 * self.interval, timedelta(minutes=5))
