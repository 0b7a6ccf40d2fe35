"""Every recorded reply, and what it must be read as."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.connection import Connection, Log, State, UnreadableRow
from bot.itempath.errors import NotFound, NotItemPath
from bot.itempath.payloads import (
    LISTED_TWICE,
    Listing,
    Tokens,
    read_connection,
    read_count,
    read_listing,
    read_tokens,
)

SAMPLES = Path(__file__).parents[1] / "samples"
Sample = Callable[[str], bytes]
NOW = datetime(2026, 5, 7, 14, 0, tzinfo=UTC)

POWERPICK = Connection(
    id="1",
    name="PowerPick",
    app_id="2",
    url="https://warehouse.example.com",
    type="MSSQL",
    authentication="Basic Authentication",
    username="warehouse_user",
    password_exists=True,
    token_exists=False,
    is_testable=True,
    status=1,
    latest_connection=datetime(2026, 5, 7, 13, 30, 0, 602998, tzinfo=UTC),
    created=datetime(2026, 5, 1, 10, 12, 45, tzinfo=UTC),
    latest_log=Log(
        id="10",
        at=datetime(2026, 5, 7, 13, 30, 0, 603010, tzinfo=UTC),
        status=1,
        description="Connection test complete",
        app_id="2",
        seconds=0.42,
    ),
    last_check=datetime(2026, 5, 7, 13, 30, 0, 603010, tzinfo=UTC),
    integration_count=3,
)
WEB_SERVICES = Connection(
    id="2",
    name="Web Services",
    app_id="2",
    url="https://api.example.com",
    type="REST",
    authentication="HMAC Authentication",
    username="api-user",
    password_exists=False,
    token_exists=True,
    is_testable=True,
    status=0,
    latest_connection=datetime(2026, 5, 6, 8, 15, 12, 120000, tzinfo=UTC),
    created=datetime(2026, 5, 2, 9, tzinfo=UTC),
    last_check=datetime(2026, 5, 7, 8, 16, tzinfo=UTC),
    integration_count=1,
)
BARE = Connection(id="7", name="7")

LISTS: dict[str, tuple[Connection | UnreadableRow, ...]] = {
    "list": (POWERPICK, WEB_SERVICES),
    "list-wrapped": (POWERPICK, WEB_SERVICES),
    "list-wrapped-with-more": (POWERPICK, WEB_SERVICES),
    "list-under-another-key": (POWERPICK, WEB_SERVICES),
    "list-empty": (),
    "byte-order-mark": (POWERPICK, WEB_SERVICES),
    "utf-16": (POWERPICK, WEB_SERVICES),
    "both-spellings": (POWERPICK,),
    "unknown-keys": (POWERPICK,),
    "row-twice": (POWERPICK, WEB_SERVICES),
    "row-twice-different": (WEB_SERVICES, UnreadableRow(id="1", problem=LISTED_TWICE)),
    "sparse": (BARE,),
    "addresses": (
        Connection(id="0", name="n", url="10.0.0.5:1433"),
        Connection(id="1", name="n", url="/srv/plc"),
        Connection(id="2", name="n", url="the PLC in hall 3"),
        Connection(id="3", name="n", url=None),
        Connection(id="4", name="n", url="42"),
    ),
    "log-error-structured": (
        Connection(
            id="1",
            name="1",
            status=1,
            latest_log=Log(
                id="11",
                at=datetime(2026, 5, 7, 13, 30, tzinfo=UTC),
                error='{"code": 500, "message": "refused"}',
                description='["push", "orders"]',
            ),
        ),
    ),
    "log-empty": (
        Connection(id="1", name="1"),
        Connection(id="2", name="2"),
        Connection(id="3", name="3"),
        Connection(id="4", name="4", latest_log=Log(id="", error="no id, but an error")),
    ),
    "nulls": (BARE,),
    "invalid-utf-8": (Connection(id="1", name="Regal \ufffdber Halle 3", status=1),),
    "unstorable-text": (Connection(id="1", name="a\ufffdb\ufffdc", status=0),),
    "not-a-number": (
        Connection(id="1", name="1", latest_log=Log(id="4", error="slow")),
        UnreadableRow(id=None, problem="id: no usable id"),
    ),
    "one-bad-row": (
        POWERPICK,
        UnreadableRow(id="2", problem="latestLog: not an object"),
        UnreadableRow(id="3", problem="status: an object where a number belongs"),
        UnreadableRow(id="5", problem="latestLog.creationDate: an object where a time belongs"),
        UnreadableRow(id=None, problem="id: no usable id"),
        UnreadableRow(id=None, problem="not an object"),
        UnreadableRow(id=None, problem="id: an array where an id belongs"),
    ),
}
NO_LISTS = {
    "list-of-errors": "no list of connections",
    "list-of-something-else": "None of the 2 rows",
    "message-instead-of-list": "no list of connections",
    "login-page": "web page",
    "proxy-error": "web page",
    "empty": "empty",
    "cut-off": "not JSON, or not the whole",
    "token-expired": "no list of connections",
    "token-malformed": "no list of connections",
}
OTHERS = {
    "show",
    "show-wrapped",
    "show-in-array",
    "show-nothing",
    "id-uuid",
    "spelling-of-the-documentation",
    "status-oddities",
    "times",
    "count-object",
    "count-object-with-more",
    "count-bare",
    "login",
    "refresh",
    "login-without-token",
}


def listing(body: bytes, zone: str = "UTC") -> Listing:
    return read_listing(body, zone=ZoneInfo(zone), now=NOW)


def test_every_recorded_reply_has_a_rule() -> None:
    assert {path.name for path in SAMPLES.iterdir() if path.is_dir()} == {*LISTS, *NO_LISTS, *OTHERS}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_is_read_row_by_row(case: str, sample: Sample) -> None:
    snapshot = listing(sample(case)).snapshot
    assert snapshot.connections + snapshot.unreadable == LISTS[case]


@pytest.mark.parametrize("case", NO_LISTS)
def test_what_is_no_list_of_connections_is_an_error_that_says_so(case: str, sample: Sample) -> None:
    with pytest.raises(NotItemPath, match=NO_LISTS[case]):
        listing(sample(case))


@pytest.mark.parametrize("case", ["show", "show-wrapped", "show-in-array"])
def test_one_connection_is_read_bare_or_wrapped(case: str, sample: Sample) -> None:
    assert read_connection(sample(case), id="1", zone=UTC, now=NOW) == POWERPICK


def test_a_reply_with_nothing_in_it_is_a_connection_not_found(sample: Sample) -> None:
    with pytest.raises(NotFound, match="no connection with the id '99'"):
        read_connection(sample("show-nothing"), id="99", zone=UTC, now=NOW)


def test_an_id_may_be_a_uuid(sample: Sample) -> None:
    assert set(listing(sample("id-uuid")).by_id) == {"0d9a7c5e-3c0b-4c39-9f5a-2f6f5a1c7e11"}


def test_the_documentation_spells_two_keys_otherwise_and_calls_the_count_a_date(sample: Sample) -> None:
    (connection,) = listing(sample("spelling-of-the-documentation")).snapshot.connections
    assert connection.app_id == "2"
    assert connection.latest_connection == POWERPICK.latest_connection
    assert connection.integration_count is None


def test_a_status_is_a_number_its_text_or_a_boolean_and_anything_else_is_unknown(sample: Sample) -> None:
    connections = listing(sample("status-oddities")).snapshot.connections
    assert [each.status for each in connections] == [1, 0, 1, 0, 1, 0, 1, None, 2, -1, None, None, None, None]
    assert {each.state for each in connections[7:]} == {State.UNKNOWN}


@pytest.mark.parametrize(("zone", "offset"), [("UTC", 0), ("America/Toronto", 4), ("Asia/Tokyo", -9)])
def test_a_time_without_offset_is_one_of_the_sites_zone(zone: str, offset: int, sample: Sample) -> None:
    base = datetime(2026, 5, 7, 13, 30, tzinfo=UTC)
    here = base + timedelta(hours=offset)
    assert [each.last_check for each in listing(sample("times"), zone).snapshot.connections] == [
        here + timedelta(microseconds=603010),
        here,
        here + timedelta(microseconds=600000),
        base + timedelta(microseconds=603000),
        base + timedelta(microseconds=603010),
        here,
        here,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("case", ["count-object", "count-object-with-more", "count-bare"])
def test_a_count_is_the_one_integer_in_the_reply(case: str, sample: Sample) -> None:
    assert read_count(sample(case)) == 2


def test_a_list_instead_of_a_count_is_no_count(sample: Sample) -> None:
    with pytest.raises(NotItemPath, match="no count"):
        read_count(sample("list"))


def test_a_login_gives_two_tokens_and_a_refresh_one(sample: Sample) -> None:
    assert read_tokens(sample("login")) == Tokens(access="header.payload.signature", refresh="header.refresh.signature")
    assert read_tokens(sample("refresh")) == Tokens(access="header.newer.signature", refresh=None)


def test_a_login_without_a_token_is_not_understood(sample: Sample) -> None:
    with pytest.raises(NotItemPath, match="no usable access token"):
        read_tokens(sample("login-without-token"))


def test_the_two_printed_replies_stand_as_they_are_printed(sample: Sample) -> None:
    """The first of the list is the one that is shown."""
    assert json.loads(sample("list"))[0] == json.loads(sample("show"))
