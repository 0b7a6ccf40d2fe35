"""Whether an escalation would call anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.check.escalation import check_escalation
from bot.check.lines import Verdict
from bot.settings import AlertSettings, Route, Settings, SiteSettings
from tests.check.world import World


def settings(*routes: Route, after: timedelta | None = timedelta(minutes=15)) -> Settings:
    site = {"url": "http://127.0.0.1", "token": "t", "channel": "#alerts"}
    sites = tuple(SiteSettings.model_validate({"name": name, **site}) for name in ("graz", "vienna"))
    return Settings(sites=sites, routes=routes, alerts=AlertSettings(escalate_after=after))


@pytest.mark.parametrize(
    "routes",
    [
        (Route(mention="here"),),
        (Route(name="SAP*", mention="here"), Route(escalate_to="S0BOSS")),
        (Route(site="graz", mention="here"), Route(site="v*", escalate_to="S0BOSS")),
    ],
)
def test_where_everybody_has_somebody_there_is_nothing_to_say(routes: tuple[Route, ...]) -> None:
    assert check_escalation(settings(*routes)) == []


def test_without_an_escalation_nobody_is_missed() -> None:
    assert check_escalation(settings(Route(name="SAP*"), after=None)) == []


@pytest.mark.parametrize(
    ("routes", "whom"),
    [
        ((), "anything, as there are no routes"),
        ((Route(name="SAP*"), Route(mention="here")), "route 1 (name SAP*)"),
        ((Route(name="SAP*", mention="here"),), "what no route takes"),
        ((Route(site="graz", mention="here"),), "what no route takes"),
        ((Route(channel="#ops"),), "route 1 (everything)"),
        ((Route(type="PLC"), Route(site="graz", mention="here")), "route 1 (type PLC), what no route takes"),
    ],
)
def test_an_escalation_that_calls_nobody_is_a_warning(routes: tuple[Route, ...], whom: str) -> None:
    (line,) = check_escalation(settings(*routes))
    assert (line.what, line.verdict) == ("escalate_after", Verdict.WARNING)
    assert line.said == f"after 15m it calls nobody by name for {whom}"
    assert "escalate_to" in line.remedy
    assert "pings nobody" in line.remedy


async def test_the_check_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.settings().model_copy(update={"alerts": AlertSettings(escalate_after=timedelta(minutes=15))})
    monkeypatch.setattr(World, "settings", lambda _: made)
    assert (await world.about("escalate_after")).verdict is Verdict.WARNING
