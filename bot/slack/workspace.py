"""Who the bot is in Slack, and which channel has which id: asked once, and remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, Refused, Scope
from bot.slack.fate import next_cursor
from bot.store.store import Store

_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{6,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    bot_id: str
    user_id: str
    team_id: str


class Workspace:
    """The workspace as the bot's token shows it."""

    def __init__(self, calls: SlackCalls, store: Store) -> None:
        self._calls = calls
        self._store = store
        self._identity: Identity | None = None
        self._ids: dict[str, str] = {}

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
        renamed, and edits and look-ups take ids only. Raises `Refused("channel_not_found")` when there is no such name.
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
        try:
            found = await self._listed(name, "public_channel,private_channel")
        except Refused as error:
            if error.error != "missing_scope":
                raise
            # Without `groups:read` the public ones can still be seen; what is not among them may be a private one.
            found = await self._listed(name, "public_channel")
            if found is None:
                raise
        if found is None:
            raise Refused("channel_not_found", scope=Scope.CHANNEL)
        return found

    async def _listed(self, name: str, types: str) -> str | None:
        cursor: str | None = None
        while True:
            answer = await self._calls.read(
                "conversations.list", types=types, exclude_archived=True, limit=1000, cursor=cursor
            )
            for channel_name, channel_id in _channels(answer):
                if channel_name == name:
                    return channel_id
            before, cursor = cursor, next_cursor(answer)
            if cursor is None:
                return None
            if cursor == before:
                raise Ambiguous("unreadable_answer")


def _channels(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    channels = answer.get("channels")
    if not isinstance(channels, list):
        raise Ambiguous("unreadable_answer")
    each = [(found.get("name"), found.get("id")) for found in channels if isinstance(found, dict)]
    return [(name, id_) for name, id_ in each if isinstance(name, str) and isinstance(id_, str)]
