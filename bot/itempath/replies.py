"""One HTTP reply as plain data, and what its status means. No network here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.itempath.errors import (
    CredentialsRefused,
    ItemPathError,
    NotFound,
    NotItemPath,
    RateLimited,
    RequestRefused,
    ServerError,
    TimedOut,
    excerpt,
)

REFUSED = (401, 422)
"""A token that is expired or malformed: what asks for a new one. ItemPath does not document the bodies, so the status
alone counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply, its body decompressed."""

    status: int
    url: str
    """Without query and credentials."""
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    location: str = ""
    """Where a redirect leads, without query and credentials."""
    retry_after: float | None = None
    """Seconds the server asks to wait."""


def read_retry_after(value: str | None, *, date: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds, never negative; RFC 9110 allows seconds or an HTTP date.

    A date is compared with the reply's own `Date` where there is one, so a wrong clock on either side does not matter.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        until = _http_date(value)
        if until is None:
            return None
        seconds = (until - (_http_date(date) or now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def refusal(reply: Reply) -> ItemPathError | None:  # noqa: PLR0911 - a table reads best as one
    """What a reply's status says went wrong; `None` for a 200.

    401 and 422 are only final once new credentials were tried: that is for the caller to know.
    """
    status, url = reply.status, reply.url
    if status == 200:
        return None
    if status < 300:
        return NotItemPath(f"The server answered {status}, without a body to read.", url=url, status=status)
    if status < 400:
        return _redirected(reply)
    if status in (401, 403, *REFUSED):
        return _credentials(reply)
    if status == 404:
        return NotFound(
            "The server has no connections resource (404): this ItemPath is too old to have connections, or the address"
            " is not that of ItemPath.",
            advice="Check the address; if it is right, ask for an update of ItemPath.",
            url=url,
            status=status,
        )
    if status == 408:
        return TimedOut("The server gave up waiting for the request (408).", url=url, status=status)
    if status == 429:
        wait = "" if reply.retry_after is None else f" and asks to wait {reply.retry_after:.0f} s"
        return RateLimited(
            f"The server says that it is asked too often (429){wait}.",
            url=url,
            status=status,
            retry_after=reply.retry_after,
        )
    if status < 500:
        return RequestRefused(f"The server refused the request ({status}).", url=url, status=status)
    return ServerError(
        f"ItemPath, or the proxy before it, failed ({status}).", url=url, status=status, retry_after=reply.retry_after
    )


def _redirected(reply: Reply) -> NotItemPath:
    where = excerpt(reply.location, limit=200) or "nowhere"
    advice = "Set the site's `url` to where ItemPath itself answers."
    if "login" in where.lower() or "auth" in where.lower():
        advice = "This looks like a login page before ItemPath: let the bot pass it, or set `url` to ItemPath itself."
    return NotItemPath(
        f"The server redirects to {where} instead of answering ({reply.status}).",
        advice=advice,
        url=reply.url,
        status=reply.status,
    )


def _credentials(reply: Reply) -> CredentialsRefused:
    if reply.status == 403:
        return CredentialsRefused(
            "ItemPath knows who is asking, but does not allow reading connections (403).",
            advice="Give this user or application the right to see connections in ItemPath.",
            url=reply.url,
            status=reply.status,
        )
    return CredentialsRefused(f"ItemPath refused the token ({reply.status}).", url=reply.url, status=reply.status)
