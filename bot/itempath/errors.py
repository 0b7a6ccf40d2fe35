"""What can go wrong between this bot and an ItemPath server, as a typed tree.

Every error says in words what happened and what an operator can do, and carries as data what a program needs: whether
another attempt can help, the status, how long the server asks to be left alone. No error holds a token, a password or
a request; what little foreign text a message has (an id, an address, a verdict of TLS) has been through `excerpt`, and
bodies are never quoted.
"""

from __future__ import annotations

import re
from typing import ClassVar

from bot.core.connection import Failure

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
# Read once from the start of a run of letters on: a run full of `eyJ` would cost its square.
_TOKEN = re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]++(?:\.[\w-]*){1,2}|(?i:bearer)\s+\S+")
_EXCERPT = 120
_MASK = "***"


def excerpt(text: str, *, limit: int = _EXCERPT) -> str:
    """Foreign text made fit for a message: one short line, no control characters, nothing that looks like a token."""
    # Masking works on the whole text, cutting comes last: a secret cut in half is not recognised any more.
    text = " ".join(_TOKEN.sub(_MASK, _CONTROL.sub(" ", text)).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ItemPathError(Exception):
    """Something that kept ItemPath from being read. `str()` is one sentence without secrets."""

    kind: ClassVar[str] = "server_error"
    """The kind of `core.connection.Failure`."""
    default_advice: ClassVar[str] = "Look into ItemPath's own log."
    lasting: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        url: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        permanent: bool | None = None,
    ) -> None:
        """`url` has neither credentials nor a query; `retry_after` is in seconds."""
        super().__init__(message)
        self.message = message
        self.advice = advice or self.default_advice
        self.url = url
        self.status = status
        self.retry_after = retry_after
        self.permanent = self.lasting if permanent is None else permanent
        """The same request, repeated at once, cannot succeed."""

    @property
    def failure(self) -> Failure:
        return Failure(kind=self.kind, message=self.message, advice=self.advice)


class Unreachable(ItemPathError):
    """No answer, because no connection could be made or it broke off."""

    kind = "unreachable"
    default_advice = "Check that the server runs and that this machine may reach it."


class TimedOut(ItemPathError):
    """No answer, or not the whole of it, in time."""

    kind = "timeout"
    default_advice = "Check the server's load and the network; a slow server may need a longer `timeout`."


class CredentialsRefused(ItemPathError):
    """ItemPath does not accept who is asking, or does not let them read connections."""

    kind = "credentials"
    default_advice = (
        "Check the application token, or the username and password, and that this user may see connections."
    )
    lasting = True


class NotFound(ItemPathError):
    """The server answers, but what was asked for is not there."""

    kind = "not_found"
    default_advice = "Check the id."
    lasting = True


class NotItemPath(ItemPathError):
    """What answers is not ItemPath's API, or speaks it in a way that is not understood."""

    kind = "not_itempath"
    default_advice = "Check that the address is that of ItemPath itself, with or without /api."
    lasting = True


class RequestRefused(NotItemPath):
    """The server understood the request and refused it as wrong."""

    default_advice = "Check the address and the filters; the version of ItemPath may not know a parameter."


class TooLarge(ItemPathError):
    """More came than a list of connections can be."""

    kind = "too_large"
    default_advice = "Check that the address is that of ItemPath itself and not of something that streams for ever."
    lasting = True


class RateLimited(ItemPathError):
    """The server asks to be left alone for a while."""

    kind = "rate_limited"
    default_advice = "Poll less often (`poll_interval`), or raise the limit at the proxy before ItemPath."


class ServerError(ItemPathError):
    """ItemPath, or the proxy before it, failed."""

    kind = "server_error"
    default_advice = "Look into the log of ItemPath and of the proxy before it; restart ItemPath if this lasts."
