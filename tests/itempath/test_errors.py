"""What an operator reads when ItemPath cannot be read."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from bot.core.connection import Failure
from bot.itempath.errors import (
    CredentialsRefused,
    ItemPathError,
    NotFound,
    NotItemPath,
    RateLimited,
    RequestRefused,
    ServerError,
    TimedOut,
    TooLarge,
    Unreachable,
    excerpt,
)
from bot.itempath.replies import Reply, read_retry_after, refusal

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("error", "kind", "permanent"),
    [
        (Unreachable, "unreachable", False),
        (TimedOut, "timeout", False),
        (CredentialsRefused, "credentials", True),
        (NotFound, "not_found", True),
        (NotItemPath, "not_itempath", True),
        (RequestRefused, "not_itempath", True),
        (TooLarge, "too_large", True),
        (RateLimited, "rate_limited", False),
        (ServerError, "server_error", False),
    ],
)
def test_every_error_is_a_failure_of_the_core_with_advice(
    error: type[ItemPathError], kind: str, permanent: bool
) -> None:
    raised = error("What happened.")
    assert raised.failure == Failure(kind=kind, message="What happened.", advice=raised.advice)
    assert raised.advice
    assert raised.permanent is permanent
    assert error("What happened.", permanent=not permanent).permanent is not permanent


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (204, NotItemPath, "without a body"),
        (302, NotItemPath, "redirects to nowhere"),
        (401, CredentialsRefused, "refused the token"),
        (403, CredentialsRefused, "does not allow"),
        (404, NotFound, "too old to have connections"),
        (408, TimedOut, "408"),
        (418, RequestRefused, "418"),
        (422, CredentialsRefused, "refused the token"),
        (429, RateLimited, "too often"),
        (500, ServerError, "500"),
        (503, ServerError, "503"),
    ],
)
def test_a_status_is_said_in_words(status: int, kind: type[ItemPathError], words: str) -> None:
    error = refusal(Reply(status=status, url="http://h/api/connections"))
    assert type(error) is kind
    assert words in error.message
    assert error.status == status
    assert error.url == "http://h/api/connections"


def test_a_reply_of_200_is_no_refusal() -> None:
    assert refusal(Reply(status=200, url="")) is None


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_a_server_asks_for_is_data(status: int) -> None:
    error = refusal(Reply(status=status, url="", retry_after=7.0))
    assert error is not None
    assert error.retry_after == 7.0


def test_a_redirect_to_a_login_page_is_told_from_one_to_elsewhere() -> None:
    login, elsewhere = (
        refusal(Reply(status=302, url="", location=location))
        for location in ("https://sso.test/login", "https://b.test/")
    )
    assert login is not None
    assert elsewhere is not None
    assert "https://sso.test/login" in login.message
    assert "login page" in login.advice
    assert "login page" not in elsewhere.advice


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        (None, None, None),
        ("", None, None),
        ("soon", None, None),
        ("inf", None, None),
        ("nan", None, None),
        ("7", None, 7.0),
        ("1.5", None, 1.5),
        ("-3", None, 0.0),
        ("Thu, 07 May 2026 12:00:30 GMT", None, 30.0),
        ("Thu, 07 May 2026 12:00:30 -0000", None, 30.0),
        ("Thu, 07 May 2026 11:00:00 GMT", None, 0.0),
        ("Thu, 07 May 2026 09:00:20 GMT", "Thu, 07 May 2026 09:00:00 GMT", 20.0),
        ("Thu, 07 May 2026 12:00:30 GMT", "no date", 30.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_own_clock(
    value: str | None, date: str | None, seconds: float | None
) -> None:
    assert read_retry_after(value, date=date, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\x1b[31m\tand a tab", "two lines [31m and a tab"),
        (f"token {JWT} expired", "token *** expired"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("x" * 30, "x" * 19 + "…"),
        ("\u202egnp.exe", "gnp.exe"),
    ],
)
def test_foreign_text_is_one_short_line_without_secrets(text: str, shown: str) -> None:
    assert excerpt(text, limit=len(shown)) == shown


def test_a_body_never_shows_in_the_words_for_a_reply() -> None:
    assert JWT not in repr(Reply(status=200, url="", body=JWT.encode()))


@pytest.mark.parametrize("run", ["eyJ", "bearer "])
def test_a_long_text_takes_no_longer_than_its_length(run: str) -> None:
    """Whoever names things in ItemPath must not be able to hold up the bot: at their square, these take minutes."""
    started = time.process_time()
    excerpt(run * (40_000 // len(run)))

    assert time.process_time() - started < 5
