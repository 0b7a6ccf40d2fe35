"""The same error with other numbers, ids, addresses or times is the same."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.families import LOOKED_AT, fingerprint, masked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Timeout after 30 s", "timeout after 31 s."),
        ("order ORD-17A rejected", "order ORD-18B rejected"),
        ("id 7f3c1a2e-0b4d-4c1a-9f3e-2a1b3c4d5e6f missing", "id 00000000-1111-2222-3333-444455556666 missing"),
        ("no route to 10.0.0.1", "no route to 192.168.17.254"),
        ("no route to 10.0.0.1:1433", "no route to 10.0.0.2:1434"),
        ("no route to fe80::1", "no route to 2001:db8:0:1::17"),
        ("GET https://a.example.com/orders failed", "GET https://b.example.com:8443/orders failed"),
        ("cannot reach sql1.lan.example:1433", "cannot reach db.example:1433"),
        ("at 2026-05-07T13:30:00.602998 refused", "at 2026-05-08 01:00:59Z refused"),
        ("failed at 13:30:01", "failed at 9:05"),
        ("failed at 1:30 PM", "failed at 11:05 am"),
        ("failed Thu, 07 May 2026 13:30:00", "failed Fri, 8 May 2026 01:02:03"),
        ("object 0x7ffee1 leaked", "object 0x00bada leaked"),
        ("mac 00:1b:44:11:3a:b7 unknown", "mac aa:bb:cc:dd:ee:ff unknown"),
        ("connection\n  lost", "connection lost"),
        ("HTTP 500 from ERP", "HTTP 503 from ERP"),
        ("12 of 40 rows", "13 of 41 rows"),
    ],
)
def test_what_varies_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("login failed for user", "login failed for role"),
        ("connection refused", "connection reset"),
        ("std::bad_alloc in pump", "std::bad_cast in pump"),
        ("may contain nuts", "may contain bolts"),
    ],
)
def test_what_says_something_else_is_another_family(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


@given(st.text(st.characters(max_codepoint=127)))
def test_case_and_white_space_around_it_decide_nothing(text: str) -> None:
    assert masked(f"  {text.upper()} \n") == masked(text.lower())


@given(st.text(alphabet="abc -_:./", max_size=200), st.integers(0, 10**9), st.integers(0, 10**9))
def test_any_two_numbers_are_the_same_number(text: str, one: int, other: int) -> None:
    assert masked(f"{text} {one} rows") == masked(f"{text} {other} rows")


def test_a_long_error_costs_no_more_than_its_head() -> None:
    assert masked("x" * LOOKED_AT + "a") == masked("x" * LOOKED_AT + "b")


@pytest.mark.parametrize("text", ["-" * 100_000, "a:" * 50_000, "a." * 50_000, "1" * 100_000, "mon " * 25_000])
def test_hostile_text_is_masked_in_one_go(text: str) -> None:
    assert len(masked(text)) <= 2 * LOOKED_AT


@pytest.mark.parametrize("run", ["a-", "1.", "ab:", "a.b."])
def test_a_long_error_takes_no_longer_than_its_length(run: str) -> None:
    """At their square, a hundred errors of many hyphens would hold up the bot for a minute."""
    started = time.process_time()
    for number in range(100):
        masked(f"{run * LOOKED_AT}{number}")

    assert time.process_time() - started < 5
