"""The lines about routes: which connections go where, as the bot itself will decide."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.check.lines import Line, Verdict
from bot.check.preflight import preflight
from bot.check.routes import check_routes
from bot.core.connection import Connection, Snapshot, UnreadableRow
from bot.settings import Route, Settings, SiteSettings
from tests.check.world import World

NOTHING = "compare its patterns with `connections`; `*` stands for anything"


def settings(*routes: Route, homes: dict[str, str] | None = None) -> Settings:
    sites = homes or {"vienna": "#alerts"}
    return Settings(
        sites=tuple(
            SiteSettings.model_validate({"name": name, "url": "http://127.0.0.1", "token": "t", "channel": channel})
            for name, channel in sites.items()
        ),
        routes=routes,
    )


def snapshot(*names: str, kind: str = "PLC") -> Snapshot:
    rows = tuple(Connection(id=str(n), name=name, type=kind, status=1) for n, name in enumerate(names, start=1))
    return Snapshot(connections=rows)


def told(lines: list[Line]) -> list[str]:
    return [str(line) for line in lines]


def test_without_routes_there_is_nothing_to_say() -> None:
    assert check_routes(settings(), {"vienna": snapshot("PowerPick")}) == []


def test_each_route_is_counted_and_ten_of_it_are_named_and_so_is_the_rest() -> None:
    """Who has more sees how many more."""
    names = [f"Lift {n:03}" for n in range(450)] + [f"Shuttle {n}" for n in range(2)] + ["Web"] * 48
    routes = (Route(name="lift*", channel="#lifts", mention="here"), Route(name="SHUTTLE*"))
    lines = check_routes(settings(*routes), {"vienna": snapshot(*names)})
    lifts = ", ".join(f"vienna/{n + 1} Lift {n:03}" for n in range(10))
    webs = ", ".join(f"vienna/{n} Web" for n in range(453, 463))
    assert told(lines) == [
        f"ok       route 1 (name lift*): 450 connections to #lifts, pinging here: {lifts} and 440 more",
        "ok       route 2 (name SHUTTLE*): 2 connections to the site's own channel: vienna/451 Shuttle 0, vienna/452 Shuttle 1",
        f"ok       without a route: 48 connections to #alerts: {webs} and 38 more",
    ]


def test_a_route_that_matches_nothing_is_a_warning() -> None:
    (line, rest) = check_routes(settings(Route(name="Powerpik*")), {"vienna": snapshot("PowerPick")})
    assert line.verdict is Verdict.WARNING
    assert line.said == "it matches no connection"
    assert rest.said == "1 connection to #alerts: vienna/1 PowerPick"


def test_a_route_that_stands_behind_a_wider_one_is_a_warning_and_says_behind_which() -> None:
    routes = (Route(type="PLC", channel="#plc"), Route(name="Lift*", channel="#lifts"), Route(name="Lift 2"))
    _, second, third, rest = check_routes(settings(*routes), {"vienna": snapshot("Lift 1", "Lift 2")})
    assert second.verdict is Verdict.WARNING
    assert second.said == "nothing is left for it: route 1 takes all 2 that it matches"
    assert third.said == "nothing is left for it: route 1 takes the one that it matches"
    assert rest.said == "0 connections to #alerts"


def test_what_cannot_be_read_is_not_said_to_match_nothing() -> None:
    routes = (Route(name="Lift*"), Route(site="gra?"), Route(site="vienna", name="Powerpik"))
    both = settings(*routes, homes={"vienna": "#alerts", "graz": "#graz"})
    assert told(check_routes(both, {"vienna": snapshot("Lift 1"), "graz": None})) == [
        "unknown  routes: counted without site graz",
        "ok       route 1 (name Lift*): 1 connection to the site's own channel: vienna/1 Lift 1",
        "unknown  route 2 (site gra?): it matches nothing that was read, and site graz cannot be read",
        f"warning  route 3 (site vienna, name Powerpik): it matches no connection → {NOTHING}",
        "ok       without a route: 0 connections to the channels of their sites",
    ]

    lines = check_routes(both, {"vienna": None, "graz": None})
    assert [line.verdict for line in lines] == [Verdict.UNKNOWN] * 3
    assert "2 sites cannot be read" in lines[0].said


async def test_the_check_tells_them_after_the_sites(world: World) -> None:
    routed = world.settings().model_copy(update={"routes": (Route(name="Power*", site="vienna"),)})
    lines = [line async for line in preflight(routed, now=lambda: datetime.now(UTC))]
    assert [line.what for line in lines][1:4] == [
        "site vienna",
        "route 1 (site vienna, name Power*)",
        "without a route",
    ]


def test_what_cannot_be_understood_goes_where_no_route_says() -> None:
    odd = Snapshot(
        connections=(), unreadable=(UnreadableRow(id="7", problem="name"), UnreadableRow(id=None, problem="id"))
    )
    warned, rest = check_routes(settings(Route()), {"vienna": odd})
    assert warned.what == "route 1 (everything)"
    assert rest.said == "2 connections to #alerts: vienna/7, vienna/?"
