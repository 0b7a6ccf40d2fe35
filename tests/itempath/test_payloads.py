"""Bodies that no recording shows: any JSON at all, and bodies meant to break a reader."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.connection import Connection, Log, UnreadableRow
from bot.itempath.errors import ItemPathError, NotItemPath, TooLarge
from bot.itempath.fields import ID_LIMIT, TEXT_LIMIT
from bot.itempath.payloads import (
    ROWS_LIMIT,
    VALUES_LIMIT,
    Tokens,
    read_connection,
    read_count,
    read_json,
    read_listing,
    read_row,
    read_tokens,
)

NOW = datetime(2026, 5, 7, 14, 0, tzinfo=UTC)
KEYS = [
    "id",
    "appId",
    "appID",
    "name",
    "url",
    "passwordExists",
    "isTestable",
    "status",
    "latestConnection",
    "lastestConnection",
    "latestLog",
    "integrationCount",
    "lastCheck",
    "error",
    "creationDate",
    "time",
    "accessToken",
    "connections",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2026-05-07T13:30:00", "9999-12-31T23:59:59-01:00", "1", "nan", "true"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=6,
)
ROWS = st.tuples(st.integers(0, 5), st.dictionaries(st.sampled_from(KEYS[1:]), VALUES, max_size=4)).map(
    lambda row: {"id": row[0], **row[1]}
)

# A shared machine may be slow; that is no defect of the reader.
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def body(data: Any) -> bytes:
    return json.dumps(data).encode()


def row(**fields: Any) -> Connection | UnreadableRow:
    return read_row(fields, zone=UTC, now=NOW)


@patient
@given(VALUES)
def test_any_json_is_read_or_refused_but_never_breaks_the_reader(data: Any) -> None:
    for read in (
        lambda: read_listing(body(data), zone=UTC, now=NOW),
        lambda: read_connection(body(data), id="1", zone=UTC, now=NOW),
        lambda: read_count(body(data)),
        lambda: read_tokens(body(data)),
    ):
        with contextlib.suppress(ItemPathError):
            read()


@patient
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_but_never_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(NotItemPath):
        read_json(data)


@patient
@given(st.lists(ROWS, min_size=1, max_size=6), st.randoms())
def test_the_order_of_rows_and_of_fields_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = [dict(random.sample(list(row.items()), len(row))) for row in random.sample(rows, len(rows))]
    one, other = (read_listing(body(data), zone=UTC, now=NOW) for data in (rows, shuffled))
    assert one.by_id == other.by_id


@patient
@given(st.lists(VALUES, min_size=1, max_size=4))
def test_a_row_that_cannot_be_read_costs_no_other(others: list[Any]) -> None:
    good = {"id": "the good one", "name": "PowerPick", "status": 0}
    listing = read_listing(body([*others, good]), zone=UTC, now=NOW)
    assert listing.by_id["the good one"] == Connection(id="the good one", name="PowerPick", status=0)


@patient
@given(ROWS)
def test_whatever_is_read_can_be_stored(fields: dict[str, Any]) -> None:
    """Text without NUL and half surrogates, numbers of 32 bits, finite floats, times in UTC."""
    match read_row(fields, zone=UTC, now=NOW):
        case Connection() as read:
            for text in (read.id, read.name, read.url, read.latest_log and read.latest_log.error):
                assert "\0" not in (text or "").encode().decode()
            for number in (read.status, read.integration_count):
                assert number is None or abs(number) < 2**31
            for time in (read.latest_connection, read.created, read.last_check):
                assert time is None or time.tzinfo is UTC


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(NotItemPath, match="nested too deeply"):
        read_json(b"[" * depth + b"]" * depth)


def test_a_structure_too_deep_for_text_costs_its_row() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert row(id=1, latestLog={"error": nested}) == UnreadableRow(id="1", problem="nested too deeply")


def test_an_integer_without_end_is_refused() -> None:
    with pytest.raises(NotItemPath):
        read_json(b'[{"id": ' + b"9" * 10_000 + b"}]")


def test_more_values_than_any_server_has_are_refused_before_they_are_parsed() -> None:
    """Small ones, which take thirty times their own size in memory."""
    for unit in (b"{}", b"[[]]", b"1"):
        with pytest.raises(TooLarge, match=f"more than {VALUES_LIMIT} values"):
            read_json(b"[" + b",".join([unit] * (VALUES_LIMIT + 2)) + b"]")


def test_a_text_of_any_kind_is_one_value() -> None:
    text = ',[{\\"' * (VALUES_LIMIT // 2)
    assert read_json(body([text])) == [text]


def test_more_rows_than_any_server_has_are_refused_before_they_are_read() -> None:
    with pytest.raises(TooLarge, match=str(ROWS_LIMIT)):
        read_listing(body([1] * (ROWS_LIMIT + 1)), zone=UTC, now=NOW)


@pytest.mark.parametrize("id", [None, "", "  ", True, 1.5, float("inf"), {}, [], "x" * (ID_LIMIT + 1)])
def test_an_id_is_text_or_an_integer(id: Any) -> None:  # noqa: A002 - the API's own word
    read = row(id=id, name="n")
    assert isinstance(read, UnreadableRow)
    assert read.id is None


@pytest.mark.parametrize(("id", "key"), [(1, "1"), (1.0, "1"), (" a ", "a"), (0, "0"), ("a/b", "a/b")])
def test_an_id_is_keyed_by_its_text(id: Any, key: str) -> None:  # noqa: A002 - the API's own word
    assert row(id=id).id == key


@pytest.mark.parametrize("name", [None, "", "   ", float("nan")])
def test_a_connection_without_a_name_is_called_by_its_id(name: Any) -> None:
    assert row(id=3, name=name) == Connection(id="3", name="3")


@pytest.mark.parametrize(
    ("given", "read"),
    [(True, True), (1, True), ("yes", True), ("False", False), (0, False), (2, None), ("maybe", None), (None, None)],
)
def test_a_flag_is_a_boolean_or_what_is_often_written_for_one(given: Any, read: bool | None) -> None:
    assert row(id=1, isTestable=given) == Connection(id="1", name="1", is_testable=read)


@pytest.mark.parametrize(("given", "read"), [("0.5", 0.5), (2, 2.0), ("fast", None), (10**400, None), (None, None)])
def test_a_duration_is_a_finite_number(given: Any, read: float | None) -> None:
    connection = row(id=1, latestLog={"id": 1, "time": given})
    assert isinstance(connection, Connection)
    assert connection.latest_log is not None
    assert connection.latest_log.seconds == read


@pytest.mark.parametrize(("given", "read"), [(-1, None), ("12", 12), (2**31, None), (2.5, None)])
def test_less_than_no_integrations_says_nothing(given: Any, read: int | None) -> None:
    assert row(id=1, integrationCount=given) == Connection(id="1", name="1", integration_count=read)


@pytest.mark.parametrize(("given", "read"), [(2.0, "2"), (1.5, "1.5"), (False, "false")])
def test_a_scalar_where_text_belongs_is_taken_as_its_text(given: Any, read: str) -> None:
    assert row(id=1, appId=given) == Connection(id="1", name="1", app_id=read)


@pytest.mark.parametrize("nothing", [None, "", "  ", False, 0, {}, []])
def test_an_error_that_says_nothing_is_none(nothing: Any) -> None:
    connection = row(id=1, latestLog={"id": 1, "error": nothing})
    assert isinstance(connection, Connection)
    assert connection.latest_log == Log(id="1")


def test_a_text_without_end_is_cut() -> None:
    connection = row(id=1, latestLog={"error": "x" * 1_000_000})
    assert isinstance(connection, Connection)
    assert connection.latest_log is not None
    assert connection.latest_log.error is not None
    assert len(connection.latest_log.error) == TEXT_LIMIT
    assert connection.latest_log.error.endswith("…")


def test_an_unreadable_row_listed_twice_is_said_once() -> None:
    listing = read_listing(body([{"id": 1, "status": []}, {"id": 1, "status": []}]), zone=UTC, now=NOW)
    assert listing.snapshot.unreadable == (UnreadableRow(id="1", problem="status: an array where a number belongs"),)


def test_a_row_listed_three_times_with_different_content_stays_unreadable() -> None:
    listing = read_listing(
        body([{"id": 1, "status": 0}, {"id": 1, "status": 1}, {"id": 1, "status": 0}]), zone=UTC, now=NOW
    )
    assert listing.snapshot.connections == ()


def test_a_shown_row_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(NotItemPath, match="status: an array"):
        read_connection(body({"id": 1, "status": []}), id="1", zone=UTC, now=NOW)


def test_a_message_instead_of_a_connection_is_an_error() -> None:
    with pytest.raises(NotItemPath, match="id: no usable id"):
        read_connection(body({"msg": "busy"}), id="1", zone=UTC, now=NOW)


@pytest.mark.parametrize("data", [-1, True, {"a": 1, "b": 2}, {"a": "2"}, "2", None])
def test_what_is_not_one_whole_number_is_no_count(data: Any) -> None:
    with pytest.raises(NotItemPath):
        read_count(body(data))


@pytest.mark.parametrize("data", [[], 1, {"accessToken": {}}, {"accessToken": "a\r\nHost: b"}, {"accessToken": "ä"}])
def test_a_token_that_cannot_stand_in_a_header_is_not_used(data: Any) -> None:
    with pytest.raises(NotItemPath):
        read_tokens(body(data))


def test_a_refresh_token_that_cannot_stand_in_a_header_is_left_out() -> None:
    assert read_tokens(body({"accessToken": "a", "refreshToken": "b c"})) == Tokens(access="a", refresh=None)


def test_tokens_do_not_show_themselves() -> None:
    assert "secret" not in repr(Tokens(access="secret", refresh="secret"))


def test_a_type_of_content_says_web_page_where_the_text_does_not() -> None:
    with pytest.raises(NotItemPath, match="web page"):
        read_json(b"Please sign in", content_type="text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("now", "checked"),
    [
        # The clocks of Vienna show 02:15 at 00:15 and at 01:15 UTC.
        ("00:15", "00:10"),
        ("01:09", "01:10"),
        ("01:15", "01:10"),
        ("05:00", "01:10"),
    ],
)
def test_a_check_in_the_repeated_hour_was_in_the_second_of_the_two_as_soon_as_that_has_come(
    now: str, checked: str
) -> None:
    """Else everything would look unchecked for an hour. A clock may be ahead by some minutes."""
    day = "2026-10-25T"
    naive = f"{day}02:10:00"
    found = read_row(
        {"id": 1, "lastCheck": naive, "latestConnection": naive},
        zone=ZoneInfo("Europe/Vienna"),
        now=datetime.fromisoformat(f"{day}{now}:00Z"),
    )
    assert isinstance(found, Connection)
    assert found.last_check == found.latest_connection == datetime.fromisoformat(f"{day}{checked}:00Z")


@pytest.mark.parametrize("now", ["2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z"])
def test_a_log_of_the_repeated_hour_stays_the_same_log(now: str) -> None:
    found = read_row(
        {"id": 1, "latestLog": {"id": 7, "creationDate": "2026-10-25T02:10:00", "error": "refused"}},
        zone=ZoneInfo("Europe/Vienna"),
        now=datetime.fromisoformat(now),
    )
    assert isinstance(found, Connection)
    assert found.latest_log is not None
    assert found.latest_log.at == datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
