"""Filters, order and pages, as ItemPath documents them for its lists."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import MultiDict

from bot.sandbox.itempath_query import ORDER_KEYS, QueryRefused, count_only, matching, ordered, wanted_slice

ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "PowerPick", "appId": 2, "type": "MSSQL", "authentication": "Basic Authentication"},
    {"id": 2, "name": "Web Services", "appId": 2, "type": "REST", "authentication": "HMAC Authentication"},
    {"id": 3, "name": "SAP (100% live)", "appId": 3, "type": "REST", "authentication": None},
    {"id": "6f1c-a", "name": "Zebra", "appId": None, "type": "PLC", "authentication": "None"},
]


def ids(*query: tuple[str, str]) -> list[Any]:
    return [row["id"] for row in matching(ROWS, MultiDict(query))]


def order(*query: tuple[str, str], fields: tuple[str, ...] = ("id", "name", "appId", "type")) -> list[Any]:
    return [row["id"] for row in ordered(ROWS, MultiDict(query), fields=fields)]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("id", "2", [2]),
        ("id", "6f1c-a", ["6f1c-a"]),
        ("id", "99", []),
        ("name", "PowerPick", [1]),
        ("name", "powerpick", []),
        ("name", "[not]PowerPick", [2, 3, "6f1c-a"]),
        ("name", "[or]PowerPick;Zebra", [1, "6f1c-a"]),
        ("name", "[nor]PowerPick;Zebra", [2, 3]),
        ("name", "[like]e", [1, 2, 3, "6f1c-a"]),
        ("name", "[like]POWER", [1]),
        ("name", "[like]%s", [2]),
        ("name", "[like]p%k", [1]),
        ("name", "[notlike]e", []),
        ("name", "[notlike]web", [1, 3, "6f1c-a"]),
        ("name", "[gt]Q", [2, 3, "6f1c-a"]),
        ("name", "[lt]Q", [1]),
        ("name", "[unknown]Q", []),
        ("id", "[gt]1", [2, 3]),
        ("id", "[lt]3", [1, 2]),
        ("appId", "2", [1, 2]),
        ("appId", "[not]2", [3, "6f1c-a"]),
        ("appId", "[or]3;4", [3]),
        ("appId", "[gt]2", [3]),
        ("type", "REST", [2, 3]),
        ("authentication", "HMAC Authentication", [2]),
        ("authentication", "[like]auth", [1, 2]),
        ("authentication", "[gt]A", [1, 2, "6f1c-a"]),
        ("status", "0", [1, 2, 3, "6f1c-a"]),
    ],
)
def test_filters_and_their_operators(key: str, value: str, found: list[Any]) -> None:
    """Unknown keys are no filters: the status cannot be filtered on."""
    assert ids((key, value)) == found


def test_different_keys_and_a_repeated_key_all_have_to_hold() -> None:
    assert ids(("type", "REST"), ("appId", "2")) == [2]
    assert ids(("id", "[gt]1"), ("id", "[lt]3")) == [2]


@pytest.mark.parametrize(("key", "value"), [("appId", "two"), ("appId", "[or]2;x"), ("id", "[gt]x"), ("appId", "1.5")])
def test_an_integer_filter_refuses_what_is_no_integer(key: str, value: str) -> None:
    with pytest.raises(QueryRefused, match=f"'{key}' must be an integer"):
        ids((key, value))


@pytest.mark.parametrize("spelling", ORDER_KEYS)
def test_all_four_spellings_order(spelling: str) -> None:
    assert order((spelling, "name:desc")) == ["6f1c-a", 2, 3, 1]
    assert order((spelling, "name")) == [1, 3, 2, "6f1c-a"]


def test_several_fields_order_in_the_order_given_and_nulls_come_first() -> None:
    assert order(("orderby", "type:asc, name:DESC,")) == [1, "6f1c-a", 2, 3]
    assert order(("orderby", "appId")) == ["6f1c-a", 1, 2, 3]
    assert order(("orderby", "id")) == [1, 2, 3, "6f1c-a"]


def test_no_order_keeps_the_servers() -> None:
    assert order() == [1, 2, 3, "6f1c-a"]


@pytest.mark.parametrize("term", ["colour", "latestLog", "name:sideways", ":desc"])
def test_an_order_that_does_not_exist_is_refused(term: str) -> None:
    with pytest.raises(QueryRefused):
        order(("orderby", term))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, list(range(10))),
        ({"limit": "3"}, [0, 1, 2]),
        ({"limit": "3", "page": "1"}, [3, 4, 5]),
        ({"limit": "3", "page": "3"}, [9]),
        ({"limit": "3", "page": "4"}, []),
        ({"page": "2"}, list(range(10))),
        ({"limit": "1000"}, list(range(10))),
    ],
)
def test_pages_are_zero_based_and_a_page_without_limit_returns_everything(
    query: dict[str, str], expected: list[int]
) -> None:
    assert wanted_slice(query, cap=None, default_limit=None).of(range(10)) == expected


def test_a_cap_silently_shrinks_a_larger_limit_and_the_pages_with_it() -> None:
    assert wanted_slice({"limit": "5000", "page": "1"}, cap=4, default_limit=None).of(range(10)) == [4, 5, 6, 7]
    assert wanted_slice({"limit": "2"}, cap=4, default_limit=None).of(range(10)) == [0, 1]


def test_a_default_limit_holds_only_when_neither_page_nor_limit_is_given() -> None:
    assert wanted_slice({}, cap=None, default_limit=4).of(range(10)) == [0, 1, 2, 3]
    assert wanted_slice({"page": "0"}, cap=None, default_limit=4).of(range(10)) == list(range(10))


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "1001"}, {"limit": "many"}, {"limit": "5", "page": "-1"}, {"page": "x"}, {"limit": ""}],
)
def test_limits_and_pages_out_of_range_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(QueryRefused):
        wanted_slice(query, cap=None, default_limit=None)


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False)]
)
def test_count_only_is_boolean_like(text: str, expected: bool) -> None:
    assert count_only({"countOnly": text}) is expected


def test_count_only_refuses_other_words() -> None:
    assert count_only({}) is False
    with pytest.raises(QueryRefused):
        count_only({"countOnly": "yes please"})
