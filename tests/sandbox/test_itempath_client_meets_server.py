"""The bot's own client against the simulated ItemPath: what one says, the other understands."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.connection import State
from bot.itempath.client import ItemPathClient
from bot.itempath.errors import (
    CredentialsRefused,
    ItemPathError,
    NotFound,
    NotItemPath,
    RateLimited,
    ServerError,
    TimedOut,
    TooLarge,
    Unreachable,
)
from bot.itempath.queries import ConnectionFilter
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import API_PAGE, EXAMPLE_SITES, example_site
from bot.sandbox.itempath_faults import Fault
from tests.sandbox.hands import START, Hands

SMALL = 64 * 1024


@pytest.fixture
def hands() -> Hands:
    return Hands()


def by_token(site: SimulatedItemPath, *, attempts: int = 1, timeout: float = 5.0) -> ItemPathClient:
    return ItemPathClient(
        url=site.url, token=site.token, attempts=attempts, backoff=0.001, timeout=timeout, max_body=SMALL
    )


def by_login(site: SimulatedItemPath, password: str = "lovelace") -> ItemPathClient:
    return ItemPathClient(url=site.url, username="ada", password=password, attempts=1)


def crowd(count: int, hands: Hands) -> SimulatedItemPath:
    rows = ({"name": f"connection {number}"} for number in range(1, count + 1))
    return SimulatedItemPath("crowd", connections=rows, now=hands)


@pytest.mark.parametrize("name", EXAMPLE_SITES)
async def test_every_example_is_read_whole_on_one_connection(name: str, hands: Hands) -> None:
    async with example_site(name, now=hands) as site, by_token(site) as client:
        first = await client.connections()
        site.set_status(1, 0)
        second = await client.connections()

        assert first.unreadable == ()
        assert [int(row.id) for row in first.connections] == [row["id"] for row in site.rows()]
        assert [row.state for row in first.connections[:2]] == [State.UP, State.DOWN]
        assert second.connections[0].state is State.DOWN
        assert second.connections[0].latest_connection == START
        assert len({call.peer for call in site.requests}) == 1


async def test_the_fields_of_the_api_page_arrive(hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        site.write_error(1, "deadlock")
        row = await client.connection("1")

        assert (row.app_id, row.name, row.integration_count) == ("2", "PowerPick", 3)
        assert row.latest_log is not None
        assert (row.latest_log.id, row.latest_log.error, row.latest_log.at) == ("11", "deadlock", START)
        with pytest.raises(NotFound):
            await client.connection("99")


async def test_the_other_spelling_and_a_wrapped_list_say_the_same(hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        plain = await client.connections()
        site.quirks.attribute_spelling = True
        site.quirks.wrap = "connections"

        assert await client.connections() == plain


async def test_filters_order_and_counts_mean_the_same_on_both_sides(hands: Hands) -> None:
    async with example_site("rotterdam", now=hands) as site, by_token(site) as client:
        either = ConnectionFilter(type="[or]PLC;MSSQL")
        assert [row.id for row in (await client.page(either, order_by=["id:desc"])).connections] == ["5", "1"]
        assert await client.count(either) == 2
        between = ConnectionFilter(id=["[gt]1", "[lt]4"])
        assert [row.id for row in (await client.connections(between)).connections] == ["2", "3"]
        assert [row.id for row in (await client.page(page=1, limit=4)).connections] == ["5", "6"]
        with pytest.raises(NotItemPath):
            await client.page(order_by=["colour"])


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 60, 100, 130])
@pytest.mark.parametrize(("default_limit", "cap"), [(None, None), (25, None), (25, 25), (25, 10), (100, 50)])
async def test_a_read_is_whole_whatever_the_server_caps(
    count: int, default_limit: int | None, cap: int | None, hands: Hands
) -> None:
    async with crowd(count, hands) as site, by_token(site) as client:
        site.quirks.default_limit, site.quirks.limit_cap = default_limit, cap

        assert {int(row.id) for row in (await client.connections()).connections} == set(range(1, count + 1))


async def test_rows_that_move_once_while_paging_are_found_by_reading_again(hands: Hands) -> None:
    async with crowd(60, hands) as site, by_token(site) as client:

        def move_once() -> None:
            site.quirks.after_page = None
            site.rotate(25)

        site.quirks.default_limit = 25
        site.quirks.after_page = move_once
        snapshot = await client.connections()

        assert len(snapshot.connections) == 60
        assert site.polls == 2


async def test_a_list_that_never_holds_still_is_an_error_and_no_snapshot(hands: Hands) -> None:
    async with crowd(60, hands) as site, by_token(site) as client:

        def lose_one() -> None:
            site.remove(site.rows()[0]["id"])

        site.quirks.default_limit = 25
        site.quirks.after_page = lose_one

        with pytest.raises(ServerError):
            await client.connections()


async def test_unreadable_rows_cost_themselves_only(hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        site.extra_rows = [None, {"id": 77, "latestLog": "what"}]
        snapshot = await client.connections()

        assert len(snapshot.connections) == 5
        assert [row.id for row in snapshot.unreadable] == ["77", None]


async def test_a_login_is_refreshed_when_it_expires_and_renewed_when_that_is_over(hands: Hands) -> None:
    site = example_site("berlin", now=hands, username="ada", password="lovelace")
    async with site, by_login(site) as client:
        await client.connections()
        hands.at += timedelta(minutes=15)
        await client.connections()
        assert site.counts["POST /api/users/login"] == 1
        assert site.counts["POST /api/users/refresh"] == 1
        hands.at += timedelta(days=30)
        await client.connections()
        assert site.counts["POST /api/users/refresh"] == 2
        assert site.counts["POST /api/users/login"] == 2
        site.tokens.revoke()
        assert len((await client.connections()).connections) == 5


async def test_a_refresh_by_get_is_found_out(hands: Hands) -> None:
    site = example_site("berlin", now=hands, username="ada", password="lovelace")
    async with site, by_login(site) as client:
        site.quirks.refresh_methods = frozenset({"GET"})
        await client.connections()
        hands.at += timedelta(minutes=15)
        await client.connections()

        assert site.counts["GET /api/users/refresh"] == 1
        assert site.counts["POST /api/users/login"] == 1


@pytest.mark.parametrize("status", [404, 401])
async def test_a_wrong_password_is_refused_credentials_whatever_its_status(status: int, hands: Hands) -> None:
    site = example_site("berlin", now=hands, username="ada", password="lovelace")
    async with site, by_login(site, password="wrong") as client:
        site.quirks.bad_login_status = status

        with pytest.raises(CredentialsRefused):
            await client.connections()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.UNREACHABLE, Unreachable),
        (Fault.RESET, Unreachable),
        (Fault.CUT, Unreachable),
        (Fault.CREDENTIALS, CredentialsRefused),
        (Fault.HTML, NotItemPath),
        (Fault.TRUNCATED, NotItemPath),
        (Fault.WRONG_SHAPE, NotItemPath),
        (Fault.SERVER_ERROR, ServerError),
        (Fault.BAD_GATEWAY, ServerError),
        (Fault.UNAVAILABLE, ServerError),
        (Fault.RATE_LIMITED, RateLimited),
        (Fault.HUGE, TooLarge),
        (Fault.NO_RESOURCE, NotFound),
    ],
)
async def test_each_fault_is_its_own_error_and_passes_with_it(
    fault: Fault, error: type[ItemPathError], hands: Hands
) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        await client.connections()
        await site.set_fault(fault)
        with pytest.raises(ItemPathError) as raised:
            await client.connections()
        assert type(raised.value) is error
        assert site.token not in str(raised.value)
        await site.set_fault(None)

        assert len((await client.connections()).connections) == 5


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.BODY_HANG])
async def test_a_server_that_hangs_is_timed_out(fault: Fault, hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site, timeout=0.2) as client:
        await site.set_fault(fault)
        with pytest.raises(TimedOut):
            await client.connections()


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.RATE_LIMITED])
async def test_a_busy_servers_wish_arrives_as_data(fault: Fault, hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        site.player.retry_after = "13"
        await site.set_fault(fault)
        with pytest.raises(ItemPathError) as raised:
            await client.connections()

        assert raised.value.retry_after == 13


async def test_what_passes_within_a_poll_is_not_seen(hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site, attempts=4) as client:
        site.script(Fault.BAD_GATEWAY, Fault.RESET, Fault.CUT)

        assert len((await client.connections()).connections) == 5
        assert site.polls == 4


async def test_a_flip_is_seen_by_the_poll_that_follows_it(hands: Hands) -> None:
    async with example_site("berlin", now=hands) as site, by_token(site) as client:
        site.set_status(1, 0)
        snapshot, _ = await asyncio.gather(client.connections(), site.polled())

        assert snapshot.connections[0].state is State.DOWN
        assert API_PAGE[0]["status"] == 1
