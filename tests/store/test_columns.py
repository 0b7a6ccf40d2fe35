from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.columns import ForeignText, Moment
from tests.store.samples import NOW

SQLITE: Dialect = sqlite.dialect()
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_sort_in_sqlite_as_they_do_in_time(one: datetime, other: datetime) -> None:
    column = Moment()
    stored = [column.process_bind_param(value, SQLITE) for value in (one, other)]
    assert (stored[0] < stored[1]) == (one < other)
    assert [column.process_result_value(value, SQLITE) for value in stored] == [one, other]


def test_a_moment_of_any_zone_comes_back_in_utc_to_the_microsecond() -> None:
    column = Moment()
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert column.process_bind_param(elsewhere, SQLITE) == "2026-11-24T12:00:00.123456+00:00"
    assert column.process_bind_param(elsewhere, POSTGRESQL) == NOW
    back = column.process_result_value(elsewhere, POSTGRESQL)
    assert back == NOW
    assert back.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Moment().process_bind_param(NOW.replace(tzinfo=None), SQLITE)


@given(st.text(st.characters(codec=None, exclude_categories=())), st.text())
@example("\ud800", "\\ud800")
@example("\x00", "\\x00")
def test_foreign_text_comes_back_as_it_was_and_stays_apart(one: str, other: str) -> None:
    column = ForeignText()
    stored = column.process_bind_param(one, POSTGRESQL)
    assert stored is not None
    assert "\x00" not in stored
    stored.encode()
    assert column.process_result_value(stored, POSTGRESQL) == one
    assert (stored == column.process_bind_param(other, POSTGRESQL)) == (one == other)


def test_nothing_stays_nothing() -> None:
    for column in (Moment(), ForeignText()):
        assert column.process_bind_param(None, SQLITE) is None
        assert column.process_result_value(None, SQLITE) is None


def test_plain_text_is_kept_readable() -> None:
    assert ForeignText().process_bind_param("Übung ✓", SQLITE) == "Übung ✓"
