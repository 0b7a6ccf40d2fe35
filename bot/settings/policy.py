"""What the settings mean for one site: the values that the decision takes, and what its client does."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from bot.core.maintenance import Window
from bot.core.policy import Policy, RouteRule
from bot.settings.models import Settings, SiteSettings


class Access(TypedDict):
    """How a site is reached, as `ItemPathClient` takes it."""

    url: str
    token: str | None
    username: str | None
    password: str | None
    timezone: str
    ca_file: Path | None
    verify_tls: bool


def access_of(site: SiteSettings) -> Access:
    return Access(
        url=site.url,
        token=site.token.get_secret_value() if site.token else None,
        username=site.username,
        password=site.password.get_secret_value() if site.password else None,
        timezone=str(site.timezone),
        ca_file=site.ca_file,
        verify_tls=site.verify_tls,
    )


def policy_of(settings: Settings, site: SiteSettings) -> Policy:
    alerts = settings.alerts
    return Policy(
        site=site.name,
        home=site.channel,
        interval=site.poll_interval,
        confirm_polls=alerts.confirm_polls,
        unreachable_after=alerts.unreachable_after,
        remind_every=alerts.remind_every,
        escalate_after=alerts.escalate_after,
        flap_threshold=alerts.flap_threshold,
        flap_window=alerts.flap_window,
        group_over=alerts.group_over,
        group_window=alerts.group_window,
        stale_after=alerts.stale_after,
        maintenance=windows_of(settings),
        sites_in_channel=1 + len(peers_of(settings, site)),
        routes=tuple(
            RouteRule(
                site=route.site,
                name=route.name,
                type=route.type,
                app_id=route.app_id,
                authentication=route.authentication,
                channel=route.channel,
                mention=route.mention,
                escalate_to=route.escalate_to,
            )
            for route in settings.routes
        ),
    )


def windows_of(settings: Settings) -> tuple[Window, ...]:
    """Every maintenance window, of all sites: each knows which it covers."""
    return tuple(
        Window(
            site=planned.site,
            name=planned.name,
            reason=planned.reason,
            start=planned.start,
            end=planned.end,
            schedule=planned.schedule,
            duration=planned.duration,
            zone=planned.timezone,
        )
        for planned in settings.maintenance
    )


def peers_of(settings: Settings, site: SiteSettings) -> tuple[str, ...]:
    """The other sites whose messages go to the same channel."""
    return tuple(s.name for s in settings.sites if s.channel == site.channel and s.name != site.name)


def channels_of(settings: Settings) -> tuple[str, ...]:
    """Every channel that something may be posted to, each once."""
    homes = [site.channel for site in settings.sites]
    routes = [route.channel for route in settings.routes if route.channel is not None]
    return tuple(dict.fromkeys([*homes, *routes]))
