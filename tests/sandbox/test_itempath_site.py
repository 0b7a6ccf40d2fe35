"""The simulated installation itself: logs, statuses, times and what listeners hear."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.itempath_examples import API_PAGE, EXAMPLE_SITES, example_site
from bot.sandbox.itempath_site import FIELDS, Call, ItemPathSite, Quirks
from tests.sandbox.hands import START, Hands


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def site(hands: Hands) -> ItemPathSite:
    return ItemPathSite("berlin", connections=API_PAGE, now=hands)


def row(site: ItemPathSite, connection: int) -> dict[str, Any]:
    return next(row for row in site.rows() if row["id"] == connection)


def test_the_sample_of_the_api_page_comes_out_as_it_went_in(site: ItemPathSite) -> None:
    assert site.rows() == list(API_PAGE)


def test_a_flip_moves_the_times_and_writes_no_log(site: ItemPathSite, hands: Hands) -> None:
    before = row(site, 1)["latestLog"]
    hands.at += timedelta(seconds=30)
    site.set_status(1, 0)

    assert row(site, 1)["status"] == 0
    assert row(site, 1)["latestConnection"] == "2026-05-07T12:00:30.000000"
    assert row(site, 1)["lastCheck"] == "2026-05-07T12:00:30.000000"
    assert row(site, 1)["latestLog"] == before


def test_an_unknown_status_is_no_connection_event(site: ItemPathSite) -> None:
    before = row(site, 1)["latestConnection"]
    site.set_status(1, None)

    assert row(site, 1)["status"] is None
    assert row(site, 1)["latestConnection"] == before


def test_log_ids_are_global_and_go_on_from_the_seed(site: ItemPathSite) -> None:
    first = site.write_error(2, "HTTP 503 from the ERP")
    second = site.write_log(1)

    assert (first, second) == (11, 12)
    assert row(site, 2)["latestLog"]["error"] == "HTTP 503 from the ERP"
    assert row(site, 2)["latestLog"]["status"] == 0
    assert row(site, 2)["latestLog"]["creationDate"] == "2026-05-07T12:00:00.000000"
    assert row(site, 1)["latestLog"]["error"] is None
    assert site.row(2)["latestLog"].keys() == API_PAGE[0]["latestLog"].keys()


def test_tests_of_connections_advance_their_times_but_only_where_they_can(site: ItemPathSite, hands: Hands) -> None:
    """A dead connection is tested but not connected; one that cannot be tested keeps its times for ever."""
    deaf = site.add(name="Deaf", isTestable=False)
    hands.at += timedelta(seconds=59)
    assert row(site, 1)["lastCheck"] == API_PAGE[0]["lastCheck"]
    hands.at += timedelta(seconds=80)

    assert row(site, 1)["lastCheck"] == row(site, 1)["latestConnection"] == "2026-05-07T12:02:00.000000"
    assert row(site, 2)["lastCheck"] == "2026-05-07T12:02:00.000000"
    assert row(site, 2)["latestConnection"] == API_PAGE[1]["latestConnection"]
    assert row(site, int(deaf))["lastCheck"] == "2026-05-07T12:00:00.000000"
    site.set_status(deaf, 0)
    assert row(site, int(deaf))["lastCheck"] == "2026-05-07T12:00:00.000000"


def test_tests_may_write_logs_that_hide_an_error(hands: Hands) -> None:
    site = ItemPathSite("berlin", connections=API_PAGE, now=hands, quirks=Quirks(checks_write_logs=True))
    site.write_error(1, "lost")
    hands.at += timedelta(minutes=1)

    assert row(site, 1)["latestLog"]["error"] is None


def test_a_site_may_never_test(hands: Hands) -> None:
    site = ItemPathSite("berlin", connections=API_PAGE, now=hands, check_every=None)
    hands.at += timedelta(days=1)

    assert site.rows() == list(API_PAGE)


def test_times_are_naive_in_the_sites_zone(hands: Hands) -> None:
    site = ItemPathSite("berlin", now=hands, zone=ZoneInfo("Europe/Berlin"))
    site.add(name="one")

    assert row(site, 1)["creationDate"] == "2026-05-07T14:00:00.000000"


def test_connections_are_added_changed_and_removed(site: ItemPathSite) -> None:
    new = site.add(name="PLC", type="PLC")
    site.add(id="6f1c-a", name="by uuid")
    site.change(new, name="PLC 2", passwordExists=None, oddity=[1])
    site.remove(1)

    assert new == 3
    assert tuple(row(site, 3))[: len(FIELDS)] == FIELDS
    assert row(site, 3)["name"] == "PLC 2"
    assert row(site, 3)["oddity"] == [1]
    assert [each["id"] for each in site.rows()] == [2, 3, "6f1c-a"]
    assert site.add(name="next") == 4


def test_an_id_is_taken_once_whatever_its_type(site: ItemPathSite) -> None:
    with pytest.raises(ValueError, match="there is a connection 2 already"):
        site.add(id="2")


def test_an_absent_connection_cannot_be_changed(site: ItemPathSite) -> None:
    with pytest.raises(LookupError, match="no connection 9"):
        site.set_status(9, 0)


def test_what_is_read_is_a_copy(site: ItemPathSite) -> None:
    site.rows()[0]["status"] = 0

    assert site.row(1)["status"] == 1
    assert API_PAGE[0]["status"] == 1


def test_rotation_moves_the_first_rows_to_the_end(site: ItemPathSite) -> None:
    site.rotate()

    assert [each["id"] for each in site.rows()] == [2, 1]


def test_listeners_hear_every_change_and_may_leave_meanwhile(site: ItemPathSite) -> None:
    heard: list[str] = []

    def once(_: ItemPathSite) -> None:
        heard.append("once")
        site.listeners.remove(once)

    site.listeners += [once, lambda changed: heard.append(changed.name)]
    site.set_status(1, 0)
    site.write_log(1)

    assert heard == ["once", "berlin", "berlin"]


async def test_polled_waits_for_so_many_further_first_pages(site: ItemPathSite) -> None:
    def arrive(path: str, **query: str) -> None:
        site.arrived(Call(method="GET", path=path, query=tuple(query.items()), peer="x"))

    arrive("/api/connections")
    waiting = asyncio.ensure_future(site.polled(2))
    await asyncio.sleep(0)
    arrive("/api/connections", page="0")
    arrive("/api/connections", page="1")
    arrive("/api/connections", countOnly="true")
    arrive("/api/connections/1")
    await asyncio.sleep(0)
    assert not waiting.done()
    arrive("/api/connections", limit="5")
    await waiting

    assert site.polls == 3
    assert site.calls == 6
    assert site.counts["GET /api/connections/1"] == 1
    assert site.requests[-1].query == (("limit", "5"),)


@pytest.mark.parametrize("name", [*EXAMPLE_SITES, "elsewhere"])
def test_every_example_begins_with_the_two_connections_of_the_api_page(name: str) -> None:
    site = example_site(name, now=lambda: START)

    rows = site.rows()
    assert rows[:2] == list(API_PAGE)
    assert [each["id"] for each in rows] == list(range(1, len(rows) + 1))
    assert (len(rows) > 2) is (name in EXAMPLE_SITES)
    assert all(set(each) == set(FIELDS) for each in rows)


def test_without_a_clock_of_its_own_a_site_lives_in_the_present() -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    site = ItemPathSite("berlin")
    site.add(name="one")

    assert before <= datetime.fromisoformat(row(site, 1)["creationDate"]) <= datetime.now(UTC).replace(tzinfo=None)
