"""The HTTP side: is it alive, is it ready, what does it see, and numbers for Prometheus; Slack's requests, if signed."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot import __version__
from bot.clock import Clock
from bot.core.connection import Failure
from bot.poller import UNRECORDED
from bot.slack.errors import advice
from bot.slack.wording import count
from bot.store.errors import StoreError
from bot.store.outbox import Pending
from bot.store.store import Store
from bot.telemetry import Metrics

_log = structlog.get_logger(__name__)
_server_log = logging.getLogger(f"{__name__}.server")

SlackRequest = Callable[[web.Request], Awaitable[web.StreamResponse]]

UNSEEN_AFTER = 3
"""Intervals without a good poll after which a site counts as not seen (contract, "HTTP")."""
ANSWERS_WITHIN = 3.0
"""Seconds for the database: whoever probes the bot gives up soon after, and would not hear the reason."""
WAITING = 128
"""Connections that may wait to be accepted."""
AT_ONCE = 100
"""Connections open at the same time; more than Slack, a monitor, a probe and Prometheus ever have. Whatever connects and
says nothing must not use up the file descriptors, without which nothing is read and nothing is sent."""
HANDLERS_END_WITHIN = 1.0
"""Seconds for requests under way when the bot stops."""
_PASSING = frozenset({"ratelimited"})
"""Errors of waiting messages that are no reason for alarm: Slack takes them in a moment…"""
_PASSES_WITHIN = timedelta(minutes=5)
"""…and when it has not, nobody reads in the channel what is wrong: somebody must be told here."""

_INDEX = f"""\
This is the ItemPath alert bot {__version__}. People meet it in Slack; here it answers machines, and operators:

/status   what it sees, and every reason why that is not all (JSON)
/healthz  whether the process is alive
/readyz   whether it is ready for commands
/metrics  numbers for Prometheus
"""


class Watched(Protocol):
    """A site as its poller sees it."""

    @property
    def site(self) -> str: ...
    @property
    def interval(self) -> timedelta: ...
    @property
    def trouble(self) -> Failure | None: ...


class Speaking(Protocol):
    """What is in the way of speaking in Slack; `None` while nobody has asked yet."""

    @property
    def problems(self) -> tuple[str, ...] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the pages take their answers from."""

    store: Store
    clock: Clock
    metrics: Metrics
    sites: Sequence[Watched]
    speaking: Speaking
    listening: Callable[[], Mapping[str, Any]]
    """How commands reach the bot, for `/status`."""
    running: Callable[[], bool]
    """Whether every loop runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a standby shows instead."""

    metrics: Metrics
    why: Callable[[], str]


class Web:
    """The server, from `start` to `stop`; what it shows may change meanwhile."""

    def __init__(self, waiting: Waiting, *, signed: bool = False) -> None:
        """Only where requests are `signed` there is a page `POST /slack/events`."""
        self._sources: Sources | Waiting = waiting
        self._slack_request: SlackRequest | None = None
        self.app = web.Application(client_max_size=1024**2)
        self.app.router.add_get("/", self._index)
        self.app.router.add_get("/healthz", self._healthz)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/status", self._status)
        self.app.router.add_get("/metrics", self._metrics)
        if signed:
            self.app.router.add_post("/slack/events", self._slack_events)
        _server_log.addFilter(_is_ours)
        self._runner = web.AppRunner(
            self.app, access_log=None, logger=_server_log, shutdown_timeout=HANDLERS_END_WITHIN
        )
        self._server: asyncio.Server | None = None
        self.port = 0

    def show(self, sources: Sources | Waiting, *, slack_request: SlackRequest | None = None) -> None:
        """From now on. `slack_request` answers Slack's requests, where there is a page for them."""
        self._sources, self._slack_request = sources, slack_request

    async def start(self, host: str | None, port: int) -> None:
        """Listen; port 0 takes any, which `port` then tells. Raises `OSError` when the address is taken."""
        await self._runner.setup()
        # When an event says that there are connections, asyncio tries to accept as many as may wait. Without a free file
        # descriptor each of these attempts fails, and asks for another round: more and more every second. So it is told
        # of one, and the kernel of as many as are usual.
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port, backlog=1)
        for each in self._server.sockets:
            with socket.socket(fileno=os.dup(each.fileno())) as same:
                same.listen(WAITING)
        self.port = self._server.sockets[0].getsockname()[1]
        _log.info("listening", host=host or "*", port=self.port)

    def _connection(self) -> asyncio.Protocol:
        """For somebody new. Where there are too many the oldest gives way: who has a question was answered long ago."""
        server = self._runner.server
        if server is None:  # pragma: no cover
            raise AssertionError("a runner that is set up has a server")
        opened = server.connections
        if len(opened) >= AT_ONCE and opened[0].transport is not None:
            # At once, even from who does not take what it was sent.
            opened[0].transport.abort()
        return server()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    async def _index(self, _request: web.Request) -> web.Response:
        """For whoever opens the address in a browser to see whether something is there."""
        return web.Response(text=_INDEX)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "version": __version__})

    async def _readyz(self, _request: web.Request) -> web.Response:
        """Whether commands should reach this bot: a dead ItemPath or channel is no reason against it."""
        sources, reasons = self._sources, list[str]()
        if isinstance(sources, Waiting):
            return web.json_response({"ok": False, "standby": True, "reasons": [sources.why()]}, status=503)
        async with _telling(reasons):
            await sources.store.ping()
        reasons += [told for told in _untaken(sources.sites) if told not in reasons]
        if not sources.running():
            reasons.append("the loops do not run yet, or any more")
        return web.json_response({"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def _status(self, _request: web.Request) -> web.Response:
        status = await self._seen(self._sources)
        return web.json_response(status, status=200 if status["ok"] else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        sources = self._sources
        if isinstance(sources, Sources):
            # The other numbers are true without the database too; that it is away is what /readyz tells.
            async with _telling([]):
                pending = await sources.store.outbox.pending()
                sources.metrics.messages_pending(pending.count)
        body, content_type = sources.metrics.render()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _slack_events(self, request: web.Request) -> web.StreamResponse:
        if self._slack_request is None:
            # Slack tries again, and then reaches the one who can answer.
            return web.Response(status=503, text="This bot is a standby.\n")
        return await self._slack_request(request)

    async def _seen(self, sources: Sources | Waiting) -> dict[str, Any]:
        """What the bot sees, and every reason why that is not all."""
        if isinstance(sources, Waiting):
            return {"ok": False, "standby": True, "reasons": [sources.why()], "version": __version__}
        reasons: list[str] = []
        good_at: dict[str, datetime | None] | None = None
        messages: dict[str, Any] = {}
        oldest: datetime | None = None
        async with _telling(reasons):
            good_at = {record.name: record.good_at for record in await sources.store.sites()}
            pending = await sources.store.outbox.pending()
            messages, oldest = _waiting(pending), pending.oldest
        sites = [_site(watched, good_at, sources.clock.now()) for watched in sources.sites]
        if good_at is not None:
            reasons += [f"site {site['name']}: {site['why']}" for site in sites if not site["ok"]]
        speaking = sources.speaking.problems
        reasons += ["slack: not asked yet"] if speaking is None else [f"slack: {problem}" for problem in speaking]
        reasons += [
            f"slack: {count(refused['messages'], 'message')} for {refused['channel']} not taken: {refused['error']}"
            for refused in messages.get("refused", ())
            if refused["error"] not in _PASSING
            or (oldest is not None and sources.clock.now() - oldest > _PASSES_WITHIN)
        ]
        return {
            "ok": not reasons,
            "standby": False,
            "reasons": reasons,
            "version": __version__,
            "sites": sites,
            "slack": {"ok": speaking == (), "problems": list(speaking or ()), **sources.listening()},
            "messages": messages,
        }


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP was answered 400; a traceback for each would let any stranger fill the log, with what he sent."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


def _site(watched: Watched, all_good_at: Mapping[str, datetime | None] | None, now: datetime) -> dict[str, Any]:
    """`all_good_at` is `None` when the database does not tell."""
    good_at = None if all_good_at is None else all_good_at.get(watched.site)
    ok = good_at is not None and now - good_at <= UNSEEN_AFTER * watched.interval
    trouble = watched.trouble
    why = None
    if all_good_at is None:
        why = "not known while the database does not answer"
    elif not ok:
        last = "never read" if good_at is None else f"last read at {good_at.isoformat(timespec='seconds')}"
        why = f"{last}; {trouble.message} {trouble.advice}" if trouble is not None else last
    return {
        "name": watched.site,
        "ok": ok,
        "last_good_poll": good_at.isoformat() if good_at else None,
        "poll_interval_seconds": watched.interval.total_seconds(),
        "trouble": None
        if trouble is None
        else {"kind": trouble.kind, "message": trouble.message, "advice": trouble.advice},
        "why": why,
    }


def _untaken(sites: Iterable[Watched]) -> list[str]:
    """A database that answers may still take nothing: its disk is full, or it is read-only. Who writes knows."""
    troubles = (site.trouble for site in sites)
    said = (f"database: {each.message} {each.advice}" for each in troubles if each and each.kind == UNRECORDED)
    return list(dict.fromkeys(said))


@asynccontextmanager
async def _telling(reasons: list[str]) -> AsyncIterator[None]:
    """Around questions to the database: what goes wrong is a reason, not an end."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            yield
    except StoreError as error:
        reasons.append(f"database: {error}")
    except TimeoutError:
        reasons.append(f"database: no answer within {ANSWERS_WITHIN:g} seconds")


def _waiting(pending: Pending) -> dict[str, Any]:
    return {
        "waiting": pending.count,
        "oldest": pending.oldest.isoformat() if pending.oldest else None,
        "refused": [
            {"channel": r.channel, "error": r.error, "messages": r.messages, "remedy": advice(r.error).remedy}
            for r in pending.errors
        ],
    }
