"""The lines about an ItemPath server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from bot.check.lines import Line, Verdict
from bot.check.sites import check_site
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import example_site
from bot.sandbox.itempath_faults import Fault
from bot.settings import SiteSettings

NOW = datetime(2026, 5, 7, 13, 30, tzinfo=UTC)


async def ask(site: SimulatedItemPath, **settings: object) -> list[Line]:
    given = {"name": "vienna", "url": site.url, "token": SecretStr(site.token), "timeout": timedelta(seconds=5)}
    lines, _ = await check_site(SiteSettings.model_validate(given | settings), now=lambda: NOW)
    return lines


def quiet(name: str = "vienna") -> SimulatedItemPath:
    """A site whose times are those of the API's page, around `NOW`."""
    return example_site(name, check_every=None, now=lambda: NOW)


async def test_a_site_that_answers_is_counted_by_state() -> None:
    async with quiet() as site:
        (line,) = await ask(site)
        assert line.verdict is Verdict.OK
        assert line.said == f"2 connections at {site.url}: 1 up, 1 down, 0 unknown"


async def test_a_login_is_tried_as_it_will_be_used() -> None:
    async with example_site("vienna", now=lambda: NOW, check_every=None, username="bot", password="secret") as site:
        given = {"token": None, "username": "bot", "password": SecretStr("secret")}
        (line,) = await ask(site, **given)
        assert line.verdict is Verdict.OK
        (line,) = await ask(site, **given | {"password": SecretStr("wrong-password")})
        assert line.verdict is Verdict.WRONG
        assert "wrong-password" not in str(line)


async def test_a_refused_token_is_wrong_and_says_what_to_do() -> None:
    async with quiet() as site:
        (line,) = await ask(site, token=SecretStr("another-token"))
        assert line.verdict is Verdict.WRONG
        assert site.url in line.said
        assert "token" in line.remedy
        assert "another-token" not in str(line)


async def test_an_unreachable_site_is_wrong() -> None:
    async with quiet() as site:
        await site.set_fault(Fault.UNREACHABLE)
        (line,) = await ask(site)
        assert line.verdict is Verdict.WRONG
        assert "ItemPath runs" in line.remedy


async def test_no_connection_at_all_is_worth_a_look_at_the_users_rights() -> None:
    async with SimulatedItemPath("empty") as site:
        (line,) = await ask(site)
        assert line.verdict is Verdict.WARNING
        assert "may see connections" in line.remedy


@pytest.mark.parametrize(("row", "named"), [({"id": 9, "name": {}}, "9, "), ({"name": "no id"}, "without an id")])
async def test_a_row_that_cannot_be_understood_is_told_and_counted_as_unknown(row: object, named: str) -> None:
    async with quiet() as site:
        site.extra_rows.append(row)
        line, odd = await ask(site)
        assert line.said.endswith("1 unknown")
        assert odd.verdict is Verdict.WARNING
        assert named in odd.said


@pytest.mark.parametrize(("zone", "ahead"), [("UTC", True), ("Europe/Vienna", False)])
async def test_times_from_the_future_point_to_the_zone(zone: str, ahead: bool) -> None:
    """A server in Vienna writes 15:30 when it is 13:30 UTC."""
    async with example_site("vienna", now=lambda: NOW, zone=ZoneInfo("Europe/Vienna")) as site:
        site.write_log(1)
        told = [line for line in await ask(site, timezone=zone) if line.verdict is Verdict.WARNING]
        assert [("timezone" in line.remedy, "2 h ahead" in line.said) for line in told] == [(True, True)] * ahead
