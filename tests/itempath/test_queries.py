"""What List Connections can be asked, and when a read over several pages is complete."""

from __future__ import annotations

import pytest

from bot.core.connection import Connection, UnreadableRow
from bot.itempath.payloads import Listing
from bot.itempath.queries import ConnectionFilter, Reading, may_be_capped, page_parameters


def listing(*ids: int, status: int = 1, nameless: int = 0) -> Listing:
    return Listing(
        rows=len(ids) + nameless,
        by_id={str(each): Connection(id=str(each), name="n", status=status) for each in ids},
        nameless=(UnreadableRow(id=None, problem="no id"),) * nameless,
    )


def test_every_filter_is_a_query_parameter_and_may_repeat() -> None:
    everything = ConnectionFilter(
        id="[gt]3", name=["[like]Power", "[not]PowerPick"], app_id="2", type="[or]REST;MSSQL", authentication="[nor]a;b"
    )
    assert everything.parameters() == [
        ("id", "[gt]3"),
        ("name", "[like]Power"),
        ("name", "[not]PowerPick"),
        ("appId", "2"),
        ("type", "[or]REST;MSSQL"),
        ("authentication", "[nor]a;b"),
    ]
    assert ConnectionFilter().parameters() == []


def test_order_page_and_limit_are_sent_in_one_spelling() -> None:
    assert page_parameters(order_by=["name", "id:desc", "type:asc"], page=0, limit=25) == [
        ("orderby", "name,id:desc,type:asc"),
        ("page", "0"),
        ("limit", "25"),
    ]
    assert page_parameters(limit=5) == [("limit", "5")]
    assert page_parameters() == []


@pytest.mark.parametrize("order", ["", "name:up", "a,b", "name desc", "name:desc:asc"])
def test_an_order_that_the_api_would_misread_is_refused(order: str) -> None:
    with pytest.raises(ValueError, match="no order"):
        page_parameters(order_by=[order])


@pytest.mark.parametrize(
    ("page", "limit", "words"), [(-1, 1, "first page"), (0, None, "needs a limit"), (0, 0, "at least")]
)
def test_a_page_that_the_api_would_misread_is_refused(page: int, limit: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        page_parameters(page=page, limit=limit)


@pytest.mark.parametrize(
    ("rows", "capped"),
    [(0, False), (10, False), (24, False), (25, True), (50, True), (99, False), (100, True), (101, True)],
)
def test_a_multiple_of_25_and_100_and_more_may_be_a_cap(rows: int, capped: bool) -> None:
    assert may_be_capped(rows) is capped


def test_reading_ends_at_a_page_that_brings_no_new_id() -> None:
    reading = Reading(first=listing(1, 2))
    assert reading.add(listing(3, 4))
    assert reading.add(listing(4, 5))
    assert not reading.add(listing(4, 3))
    assert reading.ids == {"1", "2", "3", "4", "5"}
    assert reading.grew


def test_a_server_that_does_not_page_is_seen_at_once() -> None:
    reading = Reading(first=listing(1, 2, nameless=1))
    assert not reading.add(listing(2, 1, nameless=1))
    assert len(reading.snapshot.unreadable) == 1
    assert not reading.grew


def test_pages_may_be_smaller_than_the_first_reply() -> None:
    """A server that gives 4 rows unasked, but 2 for a page: its page 1 is known, and yet not the end."""
    reading = Reading(first=listing(1, 2, 3, 4))
    assert reading.add(listing(3, 4))
    assert reading.add(listing(5, 6))
    assert not reading.add(listing())
    assert len(reading.ids) == 6


def test_of_a_row_that_is_read_twice_the_later_one_counts() -> None:
    reading = Reading(first=listing(1, 2))
    reading.add(listing(2, 3, status=0))
    assert {each.id: each.status for each in reading.snapshot.connections} == {"1": 1, "2": 0, "3": 0}


def test_rows_without_an_id_are_kept_from_every_page() -> None:
    reading = Reading(first=listing(1, nameless=1))
    assert reading.page_size == 2
    reading.add(listing(2, nameless=1))
    assert len(reading.snapshot.unreadable) == 2
