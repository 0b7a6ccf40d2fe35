"""Who the bot is in Slack, and which channel has which id: asked once, and remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.slack.calls import SlackCalls
from bot.slack.errors import Refused, Scope
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
        if (known := await self._store.channel_id(name)) is not None:
            return known
        cursor: str | None = None
        while True:
            answer = await self._calls.read(
                "conversations.list",
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=1000,
                cursor=cursor,
            )
            for found in answer.get("channels") or ():
                if found.get("name") == name:
                    await self.remember(channel, str(found["id"]))
                    return str(found["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                raise Refused("channel_not_found", scope=Scope.CHANNEL)

    async def remember(self, channel: str, channel_id: str) -> None:
        if not _CHANNEL_ID.fullmatch(channel):
            await self._store.remember_channel(channel.removeprefix("#"), channel_id)
