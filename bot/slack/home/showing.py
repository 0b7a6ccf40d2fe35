"""Shows the board: at once to who opens it, and anew now and then to who opened it lately."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.core.maintenance import Window
from bot.slack.calls import SlackCalls
from bot.slack.errors import RateLimited, Refused, Scope, SlackError
from bot.slack.home.board import Board, gather
from bot.slack.home.view import bare, unreadable, view
from bot.store.errors import StoreError
from bot.store.store import Store
from bot.telemetry import StateLog

_log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
LATELY = timedelta(minutes=30)
"""Slack tells when somebody opens the tab, never when they leave it."""
VIEWERS = 50
"""So many are kept up to date, the latest: `views.publish` is for one person at a time."""
OLD_AFTER = timedelta(minutes=5)
"""A board on which nothing changed is shown anew then, so that its times do not look as if nothing were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What somebody has before their eyes."""

    board: Board | None
    """`None` while the database could not be read, or Slack did not take it."""
    opened_at: datetime


class Home:
    def __init__(
        self,
        *,
        store: Store,
        calls: SlackCalls,
        sites: Collection[str],
        maintenance: Sequence[Window],
        clock: Clock,
    ) -> None:
        """`sites` are the configured ones; `maintenance` all windows of the settings."""
        self._store = store
        self._calls = calls
        self._sites = sites
        self._maintenance = maintenance
        self._clock = clock
        self._viewers: dict[str, _Shown] = {}
        self._one_at_a_time = asyncio.Lock()
        self._reading = StateLog(_log, "reading the board of the Home tab")
        self._showing = StateLog(_log, "showing the Home tab")

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._clock.sleep(EVERY.total_seconds())
            await self.refresh()

    async def opened(self, user: str) -> None:
        """Somebody looks. Nothing is raised: there is nobody to tell but the log."""
        async with self._one_at_a_time:
            now = self._clock.now()
            self._viewers.pop(user, None)  # the latest is last
            board = await self._board(now)
            shown = await self._shows(user, board)
            self._viewers[user] = _Shown(board=board if shown else None, opened_at=now)
            for other in list(self._viewers)[:-VIEWERS]:
                del self._viewers[other]

    async def refresh(self) -> None:
        """Show it anew to who opened it lately, if it tells something else by now. Nothing is raised."""
        async with self._one_at_a_time:
            now = self._clock.now()
            self._viewers = {u: shown for u, shown in self._viewers.items() if now - shown.opened_at <= LATELY}
            if not self._viewers:
                return
            board = await self._board(now)
            if board is None:
                return
            for user, shown in self._viewers.items():
                if not _tells_more(board, shown.board):
                    continue
                try:
                    done = await self._shows(user, board, raising=True)
                except RateLimited:
                    return  # in a minute again
                self._viewers[user] = _Shown(board=board if done else None, opened_at=shown.opened_at)

    async def _board(self, now: datetime) -> Board | None:
        try:
            board = await gather(self._store, sites=self._sites, maintenance=self._maintenance, now=now)
        except StoreError as error:
            self._reading.failed(now, str(error))
            return None
        self._reading.worked(now)
        return board

    async def _shows(self, user: str, board: Board | None, *, raising: bool = False) -> bool:
        """Whether Slack took it. Raises `RateLimited` if that is wanted."""
        try:
            try:
                await self._publish(user, unreadable() if board is None else view(board))
            except Refused as error:
                if board is None or error.scope is not Scope.MESSAGE:
                    raise
                _log.warning("Slack refuses what the Home tab shows; it gets its headline alone", error=error.error)
                await self._publish(user, bare(board))
        except SlackError as error:
            self._showing.failed(self._clock.now(), error.error)
            if raising and isinstance(error, RateLimited):
                raise
            return False
        self._showing.worked(self._clock.now())
        return True

    async def _publish(self, user: str, shown: dict[str, Any]) -> None:
        await self._calls.call("views.publish", user_id=user, view=shown)


def _tells_more(board: Board, before: Board | None) -> bool:
    if before is None or board.at - before.at >= OLD_AFTER:
        return True
    return view(board.timeless()) != view(before.timeless())
