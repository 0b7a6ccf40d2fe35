"""What the settings mean for one site: the values that the decision takes."""

from __future__ import annotations

from bot.core.policy import Policy, RouteRule
from bot.settings.models import Settings, SiteSettings


def policy_of(settings: Settings, site: SiteSettings) -> Policy:
    alerts = settings.alerts
    return Policy(
        site=site.name,
        home=site.channel,
        interval=site.poll_interval,
        confirm_polls=alerts.confirm_polls,
        unreachable_after=alerts.unreachable_after,
        remind_every=alerts.remind_every,
        stale_after=alerts.stale_after,
        routes=tuple(
            RouteRule(
                site=route.site,
                name=route.name,
                type=route.type,
                app_id=route.app_id,
                authentication=route.authentication,
                channel=route.channel,
                mention=route.mention,
            )
            for route in settings.routes
        ),
    )


def peers_of(settings: Settings, site: SiteSettings) -> tuple[str, ...]:
    """The other sites whose messages go to the same channel."""
    return tuple(s.name for s in settings.sites if s.channel == site.channel and s.name != site.name)


def channels_of(settings: Settings) -> tuple[str, ...]:
    """Every channel that something may be posted to, each once."""
    homes = [site.channel for site in settings.sites]
    routes = [route.channel for route in settings.routes if route.channel is not None]
    return tuple(dict.fromkeys([*homes, *routes]))
