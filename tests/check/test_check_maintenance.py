"""The lines about maintenance windows: those that keep nothing quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.check.lines import Line
from bot.check.maintenance import check_maintenance
from bot.check.preflight import preflight
from bot.core.connection import Connection, Snapshot
from bot.settings import Maintenance, Settings, SiteSettings
from tests.check.world import World

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
NOTHING = "it covers no connection → compare its patterns with `connections`; `*` stands for anything"


def weekly(**covered: str) -> Maintenance:
    return Maintenance.model_validate({"schedule": "0 2 * * sun", "duration": "3h", **covered})


def once(start: str, end: str) -> Maintenance:
    return Maintenance.model_validate({"start": start, "end": end, "timezone": "Europe/Vienna"})


def told(*windows: Maintenance, **names: str | None) -> list[str]:
    """For sites with one connection of that name each; `None`: the site cannot be read."""
    site = {"url": "http://127.0.0.1", "token": "t", "channel": "#alerts"}
    settings = Settings(
        sites=tuple(SiteSettings.model_validate({"name": name, **site}) for name in names), maintenance=windows
    )
    snapshots = {
        site: None if name is None else Snapshot(connections=(Connection(id="1", name=name, status=1),))
        for site, name in names.items()
    }
    lines: list[Line] = check_maintenance(settings, snapshots, NOW)
    return [str(line) for line in lines]


def test_windows_that_cover_something_now_or_later_need_no_word() -> None:
    later = once("2026-12-24T18:00:00", "2026-12-27T06:00:00")
    assert told(later, weekly(), weekly(site="vienna"), weekly(name="power*"), vienna="PowerPick") == []


def test_a_name_that_no_connection_of_its_sites_has_is_a_warning() -> None:
    assert told(weekly(name="PowerPik*"), weekly(site="graz", name="power*"), vienna="PowerPick", graz="SAP") == [
        f"warning  maintenance 1 (name PowerPik*): {NOTHING}",
        f"warning  maintenance 2 (site graz, name power*): {NOTHING}",
    ]


def test_a_window_that_is_over_is_a_warning_that_says_when_in_its_own_zone() -> None:
    running, over = (
        once("2026-12-24T12:00:00", "2026-12-24T13:01:00"),
        once("2026-12-24T12:00:00", "2026-12-24T13:00:00"),
    )
    (line,) = told(running, over, vienna="PowerPick")
    assert line.startswith("warning  maintenance 2 (everything): it was over at 2026-12-24 13:00 (Europe/Vienna) → ")


def test_what_cannot_be_read_is_not_said_to_be_covered_by_nothing() -> None:
    assert told(weekly(name="SAP"), weekly(site="vienna", name="SAP"), vienna="PowerPick", graz=None) == [
        "unknown  maintenance 1 (name SAP): it covers nothing that was read, and site graz cannot be read",
        f"warning  maintenance 2 (site vienna, name SAP): {NOTHING}",
    ]


async def test_the_check_looks_at_the_windows(world: World) -> None:
    configured = world.settings().model_copy(update={"maintenance": (weekly(name="PowerPik*"),)})
    lines = [line async for line in preflight(configured, now=lambda: NOW + timedelta(days=1))]
    assert f"warning  maintenance 1 (name PowerPik*): {NOTHING}" in map(str, lines)
