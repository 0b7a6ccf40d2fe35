"""`conversations.*` and `users.info` (source: Slack's reference of these methods)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bot.sandbox.slack.access import Access, Arguments, cursor, decimal, flag, limit, next_cursor, timestamp
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.workspace import Channel, Message

_READ_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


def _as_slack(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_private": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_archived": channel.archived,
        "is_member": channel.bot_is_member,
    }


class Conversations:
    """What the bot can read."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._workspace = access.workspace

    def history(self, call: Call) -> dict[str, Any]:
        """Roots and broadcasts, newest first."""
        channel = self._access.readable(call.arguments.get("channel"))
        shown = [
            message
            for message in reversed(self._workspace.messages(channel.id))
            if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
        ]
        return self._page(call.arguments, shown, most=999, default=100, newest_first=True)

    def replies(self, call: Call) -> dict[str, Any]:
        """The message itself first, always; then its replies, oldest first. A reply's `ts` yields the reply alone."""
        channel = self._access.readable(call.arguments.get("channel"))
        head = self._workspace.find(channel.id, str(call.arguments.get("ts")))
        if head is None or not self._workspace.seen(head):
            raise SlackError("thread_not_found")
        answer = self._page(
            call.arguments,
            self._workspace.replies(channel.id, head["ts"]),
            most=1000,
            default=1000,
            newest_first=False,
        )
        if cursor(call.arguments) is None:
            answer["messages"].insert(0, self._message(head, call.arguments))
        return answer

    def channels(self, call: Call) -> dict[str, Any]:
        arguments = call.arguments
        kinds = str(arguments.get("types") or "public_channel").replace(" ", "").split(",")
        for kind in kinds:
            if kind not in _READ_SCOPES:
                raise SlackError("invalid_types")
            self._access.require(_READ_SCOPES[kind])
        after, size = cursor(arguments) or "", limit(arguments, default=100, most=1000)
        found = [
            channel
            for channel in sorted(self._workspace.channels.values(), key=lambda channel: channel.id)
            if channel.id > after
            and ("private_channel" if channel.private else "public_channel") in kinds
            and (channel.bot_is_member or not channel.private)
            and not (channel.archived and flag(arguments.get("exclude_archived")))
        ]
        page = found[:size]
        more = next_cursor(page[-1].id) if len(found) > size else ""
        return {
            "ok": True,
            "channels": [_as_slack(channel) for channel in page],
            "response_metadata": {"next_cursor": more},
        }

    def info(self, call: Call) -> dict[str, Any]:
        channel = self._access.channel(call.arguments.get("channel"))
        self._access.require("groups:read" if channel.private else "channels:read")
        return {"ok": True, "channel": _as_slack(channel)}

    def join(self, call: Call) -> dict[str, Any]:
        self._access.require("channels:join")
        channel = self._access.channel(call.arguments.get("channel"))
        if channel.archived:
            raise SlackError("is_archived")
        if channel.private:
            raise SlackError("method_not_supported_for_channel_type")
        channel.bot_is_member = True
        return {"ok": True, "channel": _as_slack(channel)}

    def user(self, call: Call) -> dict[str, Any]:
        self._access.require("users:read")
        user = self._workspace.users.get(str(call.arguments.get("user")))
        if user is None:
            raise SlackError("user_not_found")
        names = {"display_name": user.name, "real_name": user.name}
        shown = {"id": user.id, "team_id": self._workspace.team.id, "name": user.name, "real_name": user.name}
        return {"ok": True, "user": shown | {"deleted": False, "is_bot": False, "tz": "UTC", "profile": names}}

    def _message(self, message: Message, arguments: Arguments) -> dict[str, Any]:
        hidden = {"channel"} if flag(arguments.get("include_all_metadata")) else {"channel", "metadata"}
        return {key: value for key, value in self._workspace.shown(message).items() if key not in hidden}

    def _page(
        self, arguments: Arguments, messages: list[Message], *, most: int, default: int, newest_first: bool
    ) -> dict[str, Any]:
        size = limit(arguments, default=default, most=most)
        oldest, latest = timestamp(arguments, "oldest"), timestamp(arguments, "latest")
        inclusive = flag(arguments.get("inclusive"))
        after = cursor(arguments)
        position = None if after is None else decimal(after, "invalid_cursor")

        def wanted(message: Message) -> bool:
            ts = Decimal(message["ts"])
            if not self._workspace.seen(message):
                return False
            if oldest is not None and (ts < oldest or (ts == oldest and not inclusive)):
                return False
            if latest is not None and (ts > latest or (ts == latest and not inclusive)):
                return False
            return position is None or (ts < position if newest_first else ts > position)

        found = [message for message in messages if wanted(message)]
        page = found[:size]
        answer = {
            "ok": True,
            "messages": [self._message(message, arguments) for message in page],
            "has_more": len(found) > size,
        }
        if answer["has_more"]:
            answer["response_metadata"] = {"next_cursor": next_cursor(page[-1]["ts"])}
        return answer
