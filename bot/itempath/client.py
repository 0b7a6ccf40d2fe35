"""The client of one ItemPath server: Show Connection and List Connections, with everything that they offer.

A call either gives its whole answer or raises an `ItemPathError`, within its budget of seconds. What can succeed when
repeated is repeated with growing, jittered pauses; a server's `Retry-After` is obeyed, and reported instead when it
reaches beyond the budget. `connections` alone waits longer: for an answer of a slow server, as long as `timeout` allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_exponential_jitter
from yarl import URL

from bot import __version__
from bot.clock import Clock
from bot.core.connection import Connection, Snapshot
from bot.itempath.auth import ApplicationToken, Auth, Login
from bot.itempath.errors import ItemPathError, ServerError, TimedOut, TooLarge
from bot.itempath.payloads import Listing, no_such_connection, read_connection, read_count, read_listing
from bot.itempath.queries import PAGES_LIMIT, ConnectionFilter, Reading, may_be_capped, page_parameters
from bot.itempath.replies import REFUSED, Reply, refusal
from bot.itempath.transport import PARALLEL, Transport

T = TypeVar("T")

MAX_BODY = 32 * 1024 * 1024
_THREAD_FROM = 256 * 1024
"""Bytes from which a body is parsed beside the event loop, which must go on answering Slack."""
_LONGEST_PAUSE = 8.0


LEAST_LEFT = 0.2
"""Seconds that an attempt must have left to be begun."""


class _Bounds(NamedTuple):
    """When a call must end, in the event loop's time."""

    repeat: float
    """Nothing is asked again past it."""
    end: float
    """No answer is waited for past it."""


class ItemPathClient:
    """One keep-alive session with one server. Used within one event loop; `close` it, or use `async with`."""

    def __init__(
        self,
        *,
        url: str,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timezone: str = "UTC",
        ca_file: str | Path | None = None,
        verify_tls: bool = True,
        timeout: float = 10.0,
        budget: float = 30.0,
        attempts: int = 4,
        backoff: float = 0.5,
        max_body: int = MAX_BODY,
        user_agent: str = f"itempath-alert-bot/{__version__}",
        trust_env: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """`url` with or without a trailing `/` or `/api`; a `token`, or else `username` and `password`.

        `timezone` is the IANA zone of ItemPath's naive times. Seconds: `timeout` for one exchange, `budget` for one
        call with all its repetitions (the poll interval is a good one; see `connections`), `backoff` for the first pause. `attempts` bounds
        each request, `max_body` is in bytes after decompression. `ca_file` is trusted beside the system's authorities.
        `trust_env` honours proxies named in the environment. Raises `ValueError` for settings that cannot work.
        """
        base = api_of(url)
        clock = clock or Clock()
        self._api = base
        self._list = base.join(URL("connections"))
        self._zone = _zone(timezone)
        self._clock = clock
        self._timeout = timeout
        self._budget = budget
        self._attempts = attempts
        self._wait = wait_exponential_jitter(multiplier=backoff, max=_LONGEST_PAUSE, jitter=backoff)
        self._questions = asyncio.Semaphore(PARALLEL - 1)
        """Held by whoever asks for one connection: a crowd of them must not keep a poll waiting."""
        self._transport = Transport(
            base=base,
            ca_file=ca_file,
            verify_tls=verify_tls,
            timeout=timeout,
            max_body=max_body,
            user_agent=user_agent,
            trust_env=trust_env,
            clock=clock,
        )
        self._auth: Auth
        if token:
            self._auth = ApplicationToken(token)
        elif username and password:
            self._auth = Login(transport=self._transport, api=base, username=username, password=password, clock=clock)
        else:
            raise ValueError("a token, or a username and a password, is needed")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def connections(self, filter: ConnectionFilter | None = None, *, budget: float | None = None) -> Snapshot:  # noqa: A002 - the API's own word
        """All connections: one request, and more only where the number of rows may be the server's cap.

        Where several pages were needed, their ids are held against a count, and on a disagreement everything is read
        once more. A count that disagrees with the same ids twice is the count's own affair; ids that will not hold
        still are an error, for a partial read must not be compared.

        Past `budget` nothing is asked again, but a budget shorter than `timeout` does not make a slow server unreadable.
        """
        query = (filter or ConnectionFilter()).parameters()
        bounds = self._bounds(budget, least=self._timeout)
        reading = await self._read_on(query, bounds)
        if reading.grew and not await self._agrees(reading, query, bounds):
            before, reading = reading, await self._read_on(query, bounds)
            if reading.ids != before.ids and not await self._agrees(reading, query, bounds):
                raise ServerError(
                    "ItemPath's list of connections changed while it was being read, twice.",
                    advice="Nothing to do if this passes; otherwise look for what keeps changing connections.",
                    url=str(self._list),
                )
        return reading.snapshot

    async def page(
        self,
        filter: ConnectionFilter | None = None,  # noqa: A002 - the API's own word
        *,
        order_by: Sequence[str] = (),
        page: int | None = None,
        limit: int | None = None,
        budget: float | None = None,
    ) -> Snapshot:
        """One reply to List Connections, rows in the server's order. Raises `ValueError` for impossible arguments."""
        query = (filter or ConnectionFilter()).parameters()
        query += page_parameters(order_by=order_by, page=page, limit=limit)
        return (await self._listing(query, self._bounds(budget))).snapshot

    async def count(self, filter: ConnectionFilter | None = None, *, budget: float | None = None) -> int:  # noqa: A002 - the API's own word
        return await self._count((filter or ConnectionFilter()).parameters(), self._bounds(budget))

    async def connection(self, id: str, *, budget: float | None = None) -> Connection:  # noqa: A002 - the API's own word
        """One connection. Raises `NotFound` when there is none with this id."""
        # Proxies may resolve dots even when they are escaped, and would ask for another resource. No id has them.
        if not id.strip() or {".", ".."} & set(id.replace("\\", "/").split("/")):
            raise no_such_connection(id, url=str(self._list))
        escaped = quote(id, safe="", errors="replace")
        url = URL(f"{self._list}/{escaped}", encoded=True)
        bounds = self._bounds(budget)
        async with self._questions:
            reply = await self._ask(url, bounds)
        if reply.status == 404:
            raise no_such_connection(id, url=reply.url, status=404)
        return await self._parsed(
            lambda: read_connection(
                reply.body,
                id=id,
                zone=self._zone,
                now=self._clock.now(),
                url=reply.url,
                content_type=reply.content_type,
            ),
            reply,
            bounds,
        )

    def _bounds(self, budget: float | None, *, least: float = 0.0) -> _Bounds:
        now = asyncio.get_running_loop().time()
        budget = self._budget if budget is None else budget
        return _Bounds(repeat=now + budget, end=now + max(budget, least))

    async def _read_on(self, query: list[tuple[str, str]], bounds: _Bounds) -> Reading:
        reading = Reading(first=await self._listing(query, bounds))
        if may_be_capped(reading.first.rows):
            page = 1
            while reading.add(
                await self._listing([*query, *page_parameters(page=page, limit=reading.page_size)], bounds)
            ):
                page += 1
                if page > PAGES_LIMIT:
                    raise TooLarge(f"The list of connections has more than {PAGES_LIMIT} pages.", url=str(self._list))
        return reading

    async def _agrees(self, reading: Reading, query: list[tuple[str, str]], bounds: _Bounds) -> bool:
        try:
            return await self._count(query, bounds) == len(reading.ids)
        except ItemPathError as error:
            if not error.permanent:
                raise
            return True  # a server that cannot count does not disagree

    async def _listing(self, query: list[tuple[str, str]], bounds: _Bounds) -> Listing:
        reply = await self._get(query, bounds)
        return await self._parsed(
            lambda: read_listing(
                reply.body, zone=self._zone, now=self._clock.now(), url=reply.url, content_type=reply.content_type
            ),
            reply,
            bounds,
        )

    async def _count(self, query: list[tuple[str, str]], bounds: _Bounds) -> int:
        reply = await self._get([*query, ("countOnly", "true")], bounds)
        return read_count(reply.body, url=reply.url, content_type=reply.content_type)

    async def _get(self, query: list[tuple[str, str]], bounds: _Bounds) -> Reply:
        url = self._list.with_query(query)
        reply = await self._ask(url, bounds)
        error = refusal(reply)
        if error is not None:
            raise error
        return reply

    async def _authorised(self, url: URL, deadline: float) -> Reply:
        """One attempt: ask; when the token is refused, refresh once, then log in once, then report.

        A 404 is handed back, for its meaning depends on what was asked for.
        """
        grant = await self._auth.grant(deadline=deadline)
        reply = await self._transport.exchange("GET", url, deadline=deadline, headers=grant.headers)
        for login in (False, True):
            if reply.status not in REFUSED:
                break
            renewed = await self._auth.renew(grant, deadline=deadline, login=login)
            if renewed is None:
                break
            grant = renewed
            reply = await self._transport.exchange("GET", url, deadline=deadline, headers=grant.headers)
        if reply.status in REFUSED:
            raise self._auth.refused(reply)
        error = refusal(reply)
        if error is not None and reply.status != 404:
            raise error
        return reply

    async def _ask(self, url: URL, bounds: _Bounds) -> Reply:
        """All attempts."""
        loop = asyncio.get_running_loop()

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, ItemPathError) else None
            return max(self._wait(state), asked or 0.0)

        def stop(state: RetryCallState) -> bool:
            # An attempt without time for an answer would only put its own time-out in the place of the real reason.
            too_late = loop.time() + state.upcoming_sleep + LEAST_LEFT >= bounds.repeat
            return state.attempt_number >= self._attempts or too_late

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ItemPathError) and not error.permanent),
            wait=wait,
            stop=stop,
            reraise=True,
        )
        return await retrying(self._authorised, url, bounds.end)

    async def _parsed(self, parse: Callable[[], T], reply: Reply, bounds: _Bounds) -> T:
        if len(reply.body) < _THREAD_FROM:
            return parse()
        try:
            async with asyncio.timeout_at(bounds.end):
                return await asyncio.to_thread(parse)
        except TimeoutError:
            raise TimedOut("The reply is too large to be understood in time.", url=reply.url) from None


def api_of(url: str) -> URL:
    """`https://host`, `https://host/` and `https://host/api/` → `https://host/api/`. Raises `ValueError`."""
    try:
        given = URL(url.strip())
    except ValueError:
        raise ValueError("the address is no URL") from None
    if given.scheme not in ("http", "https") or not given.host:
        raise ValueError("the address must begin with http:// or https:// and name a host")
    if given.user is not None or given.password is not None:
        raise ValueError("the address must hold no username and no password")
    path = given.raw_path.rstrip("/").removesuffix("/api")
    return given.origin().with_path(f"{path}/api/", encoded=True)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone") from None
