"""Whom does an escalation call, and is there anybody at all?"""

from __future__ import annotations

from bot.check.lines import Line, warning
from bot.check.routes import named
from bot.settings.models import Route, Settings
from bot.settings.policy import policy_of
from bot.settings.values import format_duration

_REMEDY = (
    "set escalate_to or mention there, perhaps in a last [[routes]] without patterns; without either it is posted in the "
    "channel and pings nobody"
)


def check_escalation(settings: Settings) -> list[Line]:
    """A warning where `escalate_after` is set and nobody is named to be called; else nothing."""
    after = settings.alerts.escalate_after
    if after is None:
        return []
    silent = [named(n, route) for n, route in enumerate(settings.routes, start=1) if not _calls(route)]
    policies = [policy_of(settings, site) for site in settings.sites]
    if not all(any(rule.matches_site(policy.site) for rule in policy.routes) for policy in policies):
        silent.append("what no route takes" if settings.routes else "anything, as there are no routes")
    if not silent:
        return []
    said = f"after {format_duration(after)} it calls nobody by name for {', '.join(silent)}"
    return [warning("escalate_after", said, _REMEDY)]


def _calls(route: Route) -> bool:
    return bool(route.escalate_to or route.mention)
