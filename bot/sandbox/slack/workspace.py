"""The workspace: who is in it, its channels, and every message as Slack keeps it. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.blocks import with_ids
from bot.sandbox.slack.feed import Feed

Message = dict[str, Any]
"""Slack's own message object, with its `channel` and (always) its `metadata` in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str = "T0SANDBOX"
    name: str = "Sandbox"
    domain: str = "sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: str
    name: str


@dataclass(slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    private: bool = False
    bot_is_member: bool = True
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    user_id: str = "U0BOT"
    bot_id: str = "B0BOT"
    app_id: str = "A0BOT"
    name: str = "itempath"


@dataclass(slots=True, kw_only=True)
class Ephemeral:
    """What only `user` sees: an answer to a command or a click. `id` is its `ts`."""

    id: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    command: str | None = None
    thread_ts: str | None = None

    def as_page(self) -> dict[str, Any]:
        page = {"id": self.id, "channel": self.channel, "user": self.user, "text": self.text, "at": float(self.id)}
        optional = {
            "blocks": self.blocks,
            "attachments": self.attachments,
            "command": self.command,
            "thread_ts": self.thread_ts,
        }
        return page | {key: value for key, value in optional.items() if value}


class Workspace:
    """State, and the changes to it; each change is published to the feed."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        team: Team,
        users: list[User],
        channels: list[Channel],
        bot: Bot,
    ) -> None:
        """`now`: seconds since the epoch, in the workspace's own time."""
        self.now = now
        self.team = team
        self.bot = bot
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.feed = Feed()
        self.ephemerals: dict[str, Ephemeral] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self._messages: dict[str, dict[str, Message]] = {channel.id: {} for channel in channels}
        self._unseen: dict[tuple[str, str], float] = {}
        self._last_tick = 0

    def next_ts(self) -> str:
        """Unique and rising even when the clock stands still or steps back."""
        self._last_tick = max(self._last_tick + 1, int(self.now() * 1_000_000))
        return f"{self._last_tick // 1_000_000}.{self._last_tick % 1_000_000:06d}"

    def messages(self, channel: str) -> list[Message]:
        """Everything in the channel, replies too, oldest first."""
        return list(self._messages[channel].values())

    def find(self, channel: str, ts: str) -> Message | None:
        return self._messages.get(channel, {}).get(ts)

    def replies(self, channel: str, root: str) -> list[Message]:
        return [m for m in self._messages[channel].values() if m.get("thread_ts") == root and m["ts"] != root]

    def seen(self, message: Message) -> bool:
        """Whether `conversations.history` and `.replies` show it already."""
        return self._unseen.get((message["channel"], message["ts"]), 0.0) <= self.now()

    def hide(self, message: Message, seconds: float) -> None:
        """Slack has taken it, but its history does not show it for so long."""
        self._unseen[message["channel"], message["ts"]] = self.now() + seconds

    def reveal(self) -> None:
        """History shows everything from now on."""
        self._unseen.clear()

    def post(self, channel: str, *, user: str, text: str, **fields: Any) -> Message:
        """A new message. `fields` are Slack's: `blocks`, `attachments`, `thread_ts`, `metadata`, `bot_id`, `subtype`."""
        message: Message = {"type": "message", "channel": channel, "user": user, "text": text, "ts": self.next_ts()}
        message |= {"team": self.team.id} | {key: value for key, value in fields.items() if value}
        self._fill(message)
        self._messages[channel][message["ts"]] = message
        self._publish(message)
        return message

    def edit(self, message: Message, changes: dict[str, Any], *, by: str) -> None:
        """Replace fields; an empty value removes the field. `edited` is shown for texts only, as Slack does."""
        for key, value in changes.items():
            message.pop(key, None)
            if value or key == "text":
                message[key] = value
        self._fill(message)
        if not message.get("blocks"):
            message["edited"] = {"user": by, "ts": self.next_ts()}
        self._publish(message)

    def show_in_channel(self, message: Message) -> None:
        """A reply becomes a broadcast."""
        message["subtype"] = "thread_broadcast"
        self._publish(message)

    def delete(self, message: Message) -> None:
        """A root with replies leaves a tombstone, so that its thread still hangs together; anything else is gone."""
        channel, ts = message["channel"], message["ts"]
        if self.replies(channel, ts):
            self._messages[channel][ts] = tombstone = {
                "type": "message",
                "subtype": "tombstone",
                "channel": channel,
                "user": "USLACKBOT",
                "text": "This message was deleted.",
                "hidden": True,
                "ts": ts,
            }
            self._publish(tombstone)
            return
        del self._messages[channel][ts]
        self.feed.publish({"type": "deleted", "channel": channel, "ts": ts})
        root = self.find(channel, message.get("thread_ts", ""))
        if root is not None:
            self._publish(root)

    def whisper(self, ephemeral: Ephemeral) -> None:
        """Show it, or replace the one with the same id."""
        ephemeral.blocks = with_ids(ephemeral.blocks)
        self.ephemerals[ephemeral.id] = ephemeral
        self.feed.publish({"type": "ephemeral", "ephemeral": ephemeral.as_page()})

    def unwhisper(self, ephemeral_id: str) -> None:
        if self.ephemerals.pop(ephemeral_id, None) is not None:
            self.feed.publish({"type": "ephemeral_deleted", "id": ephemeral_id})

    def close_view(self, view_id: str) -> None:
        """The person closes a modal: it cannot be updated any more."""
        if self.views.pop(view_id, None) is not None:
            self.feed.publish({"type": "view_closed", "id": view_id})

    def shown(self, message: Message) -> Message:
        """The message as Slack hands it out: a root that has replies says so."""
        replies = self.replies(message["channel"], message["ts"])
        if not replies:
            return dict(message)
        return message | {
            "thread_ts": message["ts"],
            "reply_count": len(replies),
            "reply_users": sorted({reply["user"] for reply in replies}),
            "latest_reply": replies[-1]["ts"],
        }

    def _fill(self, message: Message) -> None:
        if message.get("blocks"):
            message["blocks"] = with_ids(message["blocks"])
        if message.get("attachments"):
            message["attachments"] = [
                {"id": number}
                | attachment
                | ({"blocks": with_ids(attachment["blocks"])} if "blocks" in attachment else {})
                for number, attachment in enumerate(message["attachments"], start=1)
            ]

    def _publish(self, message: Message) -> None:
        self.feed.publish({"type": "message", "message": self.shown(message)})
        root = self.find(message["channel"], message.get("thread_ts", ""))
        if root is not None and root is not message:
            self.feed.publish({"type": "message", "message": self.shown(root)})
