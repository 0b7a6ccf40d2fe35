"""Who the bot is in Slack, and which channel has which id: asked once, and remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, Refused, Scope, SlackError
from bot.slack.fate import next_cursor
from bot.store.outgoing import NO_SUCH_CHANNEL
from bot.store.store import Store

_PUBLIC = "public_channel"
_CURSOR_LOST = "invalid_cursor"
"""Slack's word for a page that it does not know any more."""
_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{6,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    bot_id: str
    user_id: str
    team_id: str


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Through the list of all channels, page by page."""

    wanted: frozenset[str]
    """The names that were looked for on every page of it: of no other can be said that there is none."""
    types: str = f"{_PUBLIC},private_channel"
    cursor: str | None = None
    over: bool = False
    absent: Refused = field(default_factory=lambda: Refused(NO_SUCH_CHANNEL, scope=Scope.CHANNEL))
    """What to say of a name that is on no page."""

    def turn(self, cursor: str | None) -> None:
        if cursor is not None and cursor == self.cursor:
            raise Ambiguous("unreadable_answer")
        self.cursor, self.over = cursor, cursor is None


class Workspace:
    """The workspace as the bot's token shows it."""

    def __init__(self, calls: SlackCalls, store: Store, *, channels: Collection[str] = ()) -> None:
        """`channels`: those that may be asked for, by id or `#name`."""
        self._calls = calls
        self._store = store
        self._identity: Identity | None = None
        self._ids: dict[str, str] = {}
        self._wanted = {channel.removeprefix("#") for channel in channels}
        self._passed: dict[str, str] = {}
        """Wanted names that stood on a page, with their ids."""
        self._walk: _Walk | None = None
        """The one under way."""
        self._turn = asyncio.Lock()

    async def identity(self) -> Identity:
        """Raises `SlackError` while Slack has never said; afterwards no call is made."""
        if self._identity is None:
            answer = await self._calls.call("auth.test")
            self._identity = Identity(
                bot_id=str(answer.get("bot_id") or ""),
                user_id=str(answer.get("user_id") or ""),
                team_id=str(answer.get("team_id") or ""),
            )
            await self._store.set_meta("team_id", self._identity.team_id)
        return self._identity

    async def team_id(self) -> str | None:
        """The team the bot belongs to, also while Slack is away; `None` when it was never known."""
        return self._identity.team_id if self._identity else await self._store.meta("team_id")

    def forget(self) -> None:
        """The token may have changed hands: ask again."""
        self._identity = None

    async def channel_id(self, channel: str) -> str:
        """The id of a channel given as id or `#name`.

        A name is looked up once (needs `channels:read`, for private channels `groups:read`) and stored: a channel may be
        renamed, and edits and look-ups take ids only. Raises `Refused(NO_SUCH_CHANNEL)` when there is no such name.
        """
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        known = self._ids.get(name) or await self._store.channel_id(name)
        if known is None:
            known = await self._look_up(name)
            await self.remember(channel, known)
        self._ids[name] = known
        return known

    async def remember(self, channel: str, channel_id: str) -> None:
        """Which id a channel turned out to have. What was remembered first stays: a name may wander to another channel."""
        name = channel.removeprefix("#")
        if _CHANNEL_ID.fullmatch(channel) or name in self._ids:
            return
        if await self._store.channel_id(name) is None:
            await self._store.remember_channel(name, channel_id)
            self._ids[name] = channel_id

    async def _look_up(self, name: str) -> str:
        """Whoever asks next goes on where the one before was stopped: a large workspace is listed once, not by each."""
        self._wanted.add(name)
        async with self._turn:
            walk = self._walk
            if walk is None or name not in walk.wanted:
                walk = self._walk = _Walk(wanted=frozenset(self._wanted))
            while name not in self._passed:
                if walk.over:
                    raise walk.absent
                await self._turn_page(walk)
            return self._passed[name]

    async def _turn_page(self, walk: _Walk) -> None:
        try:
            answer = await self._calls.read(
                "conversations.list", types=walk.types, exclude_archived=True, limit=1000, cursor=walk.cursor
            )
        except SlackError as error:
            if walk.types != _PUBLIC and isinstance(error, Refused) and error.error == "missing_scope":
                # Without `groups:read` the public ones can still be seen; what is not among them may be a private one.
                walk.types, walk.absent = _PUBLIC, error
                return
            # Tens of thousands of channels are more pages than Slack gives in a minute: what passes, such as a limit or a
            # fault of the network, leaves those that were turned, and this page is asked for later.
            if isinstance(error, Refused) or error.error == _CURSOR_LOST:
                self._walk = None
            raise
        for name, channel_id in _channels(answer):
            if name in walk.wanted:
                self._passed.setdefault(name, channel_id)
        walk.turn(next_cursor(answer))
        if walk.over:
            self._walk = None


def _channels(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    channels = answer.get("channels")
    if not isinstance(channels, list):
        raise Ambiguous("unreadable_answer")
    each = [(found.get("name"), found.get("id")) for found in channels if isinstance(found, dict)]
    return [(name, id_) for name, id_ in each if isinstance(name, str) and isinstance(id_, str)]
