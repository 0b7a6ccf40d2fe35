"""Who is asking: an application token, or a user who logs in, refreshes, and logs in again.

From ItemPath's documentation: an application token never expires. A login gives an access token (15 minutes, unless
changed by its support) and a refresh token (30 days); how long they live is read from the token and from nowhere else.
The method of the refresh is not shown: POST is tried, and GET where the server answers 405. Refused credentials may be
answered by 404.
"""

from __future__ import annotations

import asyncio
import base64
import enum
import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from yarl import URL

from bot.clock import Clock
from bot.itempath.errors import CredentialsRefused, ItemPathError, RateLimited, TimedOut, Unreachable
from bot.itempath.payloads import Tokens, is_header_safe, read_tokens
from bot.itempath.replies import Reply, refusal

_AHEAD = 60.0
"""Seconds before its end that a token is renewed, if it lives long enough for that."""


class Origin(enum.Enum):
    """What gave a token: ItemPath's settings page, a login or a refresh."""

    GIVEN = "given"
    LOGIN = "login"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grant:
    """An access token. Two are never equal: it is told by identity which of them was refused."""

    token: str = field(repr=False)
    origin: Origin
    renew_at: float = math.inf
    """The event loop's time from which a new one is better asked for."""

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Auth(Protocol):
    """How a client comes by an access token. Deadlines are in the event loop's time."""

    async def grant(self, *, deadline: float) -> Grant:
        """The token to use now."""
        ...

    async def renew(self, refused: Grant, *, deadline: float, login: bool) -> Grant | None:
        """Another token in place of one that was refused, by a login and nothing else if `login`; `None` if no other
        can be had.
        """
        ...

    def refused(self, reply: Reply) -> CredentialsRefused:
        """What to say when nothing helped."""
        ...


class Exchange(Protocol):
    """What of `Transport` is needed here."""

    async def exchange(
        self,
        method: str,
        url: URL,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> Reply: ...


class ApplicationToken:
    """A token that was made in ItemPath for an application. It cannot be renewed from here."""

    def __init__(self, token: str) -> None:
        token = token.strip()  # files end with a line break
        if not is_header_safe(token):
            raise ValueError("the token is empty, or holds characters that no token has")
        self._grant = Grant(token=token, origin=Origin.GIVEN)

    async def grant(self, *, deadline: float) -> Grant:  # noqa: ARG002 - as the protocol has it
        return self._grant

    async def renew(self, refused: Grant, *, deadline: float, login: bool) -> None:  # noqa: ARG002 - as the protocol has it
        return None

    def refused(self, reply: Reply) -> CredentialsRefused:
        return CredentialsRefused(
            f"ItemPath refused the application token ({reply.status}).",
            advice="Make a new application token in ItemPath and set ITEMPATH_TOKEN (or the site's `token_env`,"
            " `token_file`) to it.",
            url=reply.url,
            status=reply.status,
        )


class Login:
    """A user's name and password. Concurrent callers share one login, and its refusal."""

    def __init__(self, *, transport: Exchange, api: URL, username: str, password: str, clock: Clock) -> None:
        """`api` ends with `/api/`."""
        self._transport = transport
        self._login_url = api.join(URL("users/login"))
        self._refresh_url = api.join(URL("users/refresh"))
        self._username = username
        self._password = password
        self._clock = clock
        self._lock = asyncio.Lock()
        self._grant: Grant | None = None
        self._refresh_token: str | None = None
        self._refusals = 0
        self._refusal: CredentialsRefused | None = None

    async def grant(self, *, deadline: float) -> Grant:
        grant = self._grant
        if grant is not None and asyncio.get_running_loop().time() < grant.renew_at:
            return grant
        return await self._renew(grant, deadline=deadline, login=False)

    async def renew(self, refused: Grant, *, deadline: float, login: bool) -> Grant | None:
        if login and refused.origin is Origin.LOGIN:
            return None  # a login has just been of no use
        return await self._renew(refused, deadline=deadline, login=login)

    def refused(self, reply: Reply) -> CredentialsRefused:
        return CredentialsRefused(
            f"ItemPath accepts the login, but refuses the token that it gave for it ({reply.status}).",
            advice="Check that this user may use the API and see connections, and that the clocks of the servers agree.",
            url=reply.url,
            status=reply.status,
        )

    async def _renew(self, stale: Grant | None, *, deadline: float, login: bool) -> Grant:
        refusals = self._refusals
        async with self._alone(deadline):
            if self._grant is not stale and self._grant is not None:
                return self._grant
            if self._refusals != refusals and self._refusal is not None:
                # Someone else's login was refused while this one waited. Trying the same again, once for each caller,
                # is how accounts get locked.
                raise self._refusal
            tokens = None if login else await self._try_refresh(deadline)
            origin = Origin.LOGIN if tokens is None else Origin.REFRESH
            if tokens is None:
                tokens = await self._log_in(deadline)
            self._refresh_token = tokens.refresh or (self._refresh_token if origin is Origin.REFRESH else None)
            self._grant = Grant(token=tokens.access, origin=origin, renew_at=self._renew_at(tokens.access))
            return self._grant

    @asynccontextmanager
    async def _alone(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(deadline):
                await self._lock.acquire()
        except TimeoutError:
            raise TimedOut("The login takes too long.", url=str(self._login_url)) from None
        try:
            yield
        finally:
            self._lock.release()

    async def _try_refresh(self, deadline: float) -> Tokens | None:
        """`None` when there is nothing to refresh with, or the server does not do it: then a login is due."""
        if self._refresh_token is None:
            return None
        headers = {"Authorization": f"Bearer {self._refresh_token}"}
        try:
            reply = await self._transport.exchange("POST", self._refresh_url, deadline=deadline, headers=headers)
            if reply.status == 405:
                reply = await self._transport.exchange("GET", self._refresh_url, deadline=deadline, headers=headers)
            return _tokens(reply)
        except (Unreachable, TimedOut, RateLimited):
            raise
        except ItemPathError:
            return None

    async def _log_in(self, deadline: float) -> Tokens:
        reply = await self._transport.exchange(
            "POST",
            self._login_url,
            deadline=deadline,
            json={"username": self._username, "password": self._password},
        )
        if reply.status in (400, 401, 403, 404, 422):
            self._refusals += 1
            self._refusal = CredentialsRefused(
                f"ItemPath refused the username and password ({reply.status}).",
                advice="Check ITEMPATH_USERNAME and ITEMPATH_PASSWORD (or the site's `username`, `password_env`,"
                " `password_file`). ItemPath answers 404 to a wrong password; so does a server that is not ItemPath.",
                url=reply.url,
                status=reply.status,
            )
            raise self._refusal
        return _tokens(reply)

    def _renew_at(self, token: str) -> float:
        lifetime = read_lifetime(token, now=self._clock.now().timestamp())
        if lifetime is None:
            return math.inf  # then the server's 401 says when
        return asyncio.get_running_loop().time() + lifetime - min(_AHEAD, lifetime / 5)


def _tokens(reply: Reply) -> Tokens:
    # 201 is a fair answer to a POST that makes a token.
    error = None if reply.status == 201 else refusal(reply)
    if error is not None:
        raise error
    return read_tokens(reply.body, url=reply.url, content_type=reply.content_type)


def read_lifetime(token: str, *, now: float) -> float | None:
    """Seconds that a fresh JWT lives, by its own claims; not verified, for that is the server's business.

    `exp - iat` where both are there, so that a wrong clock on either side does not matter; else against `now` (seconds
    since the epoch). `None` where the token does not say, or says nonsense.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lifetime = float(claims["exp"]) - float(claims.get("iat", now))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return None
    return lifetime if 0 < lifetime < math.inf else None
