"""`chat.*` (source: Slack's reference of these methods)."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox.slack.access import Access, Arguments, decoded, flag
from bot.sandbox.slack.blocks import check_message, interactive_elements
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.workspace import Ephemeral, Message

POST_TEXT = 40_000
UPDATE_TEXT = 4_000
"""`chat.update`: "The `text` field cannot exceed 4,000 characters"."""
METADATA = 8_000
"""Characters of JSON. Slack documents that there is a limit, not where: this is a careful guess."""


def content(arguments: Arguments, *, most: int = POST_TEXT) -> dict[str, Any]:
    """The checked `text`, `blocks` and `attachments` of those that were given; raises `SlackError`."""
    text = arguments.get("text")
    blocks = decoded(arguments, "blocks", "invalid_blocks_format")
    attachments = decoded(arguments, "attachments", "invalid_attachments_format")
    if text is not None and not isinstance(text, str):
        raise SlackError("invalid_arguments")
    if not (text or "").strip() and not blocks and not attachments:
        raise SlackError("no_text")
    if len(text or "") > most:
        raise SlackError("msg_too_long")
    check_message(blocks, attachments)
    given = {"text": text, "blocks": blocks, "attachments": attachments}
    return {key: value for key, value in given.items() if value is not None}


def _metadata(arguments: Arguments) -> dict[str, Any] | None:
    """`None` when none is given, `{}` when it is to be removed."""
    metadata = decoded(arguments, "metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    if (
        not isinstance(metadata, dict)
        or set(metadata) != {"event_type", "event_payload"}
        or not isinstance(metadata["event_type"], str)
        or not metadata["event_type"]
        or not isinstance(metadata["event_payload"], dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _broadcastable(message: dict[str, Any]) -> None:
    """Slack's page on broadcasts: they carry neither attachments nor buttons."""
    if message.get("attachments") or any(interactive_elements(message.get("blocks", []))):
        problem = "[ERROR] a broadcast carries neither attachments nor buttons"
        raise SlackError("cant_broadcast_message", response_metadata={"messages": [problem]})


def public(message: Message) -> dict[str, Any]:
    """As the answers of `chat.*` hold it."""
    return {key: value for key, value in message.items() if key != "channel"}


class Chat:
    """Posts, edits and deletions by the bot."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._workspace = access.workspace

    def post_message(self, call: Call) -> dict[str, Any]:
        arguments, bot = call.arguments, self._workspace.bot
        self._access.require("chat:write")
        channel = self._access.writable(arguments.get("channel"), names=True)
        fields = content(arguments)
        metadata = _metadata(arguments)
        thread = arguments.get("thread_ts")
        broadcast = bool(thread) and flag(arguments.get("reply_broadcast"))
        if thread:
            self._root(channel.id, thread)
        if broadcast:
            _broadcastable(fields)
        call.message = message = self._workspace.post(
            channel.id,
            user=bot.user_id,
            text=fields.pop("text", ""),
            bot_id=bot.bot_id,
            app_id=bot.app_id,
            thread_ts=thread,
            subtype="thread_broadcast" if broadcast else None,
            metadata=metadata,
            **fields,
        )
        return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": public(message)}

    def update(self, call: Call) -> dict[str, Any]:
        """Blocks are kept only if no text is given; attachments and metadata are kept when they are left out."""
        arguments = call.arguments
        self._access.require("chat:write")
        channel, message = self._own(arguments, "cant_update_message")
        if flag(arguments.get("reply_broadcast")):
            return self._broadcast(arguments, message)
        changes = content(arguments, most=UPDATE_TEXT)
        metadata = _metadata(arguments)
        if metadata is not None:
            changes["metadata"] = metadata
        if "text" in changes:
            changes.setdefault("blocks", [])
        if message.get("subtype") == "thread_broadcast":
            _broadcastable(message | changes)
        self._workspace.edit(message, changes, by=self._workspace.bot.user_id)
        call.message = message
        return {
            "ok": True,
            "channel": channel,
            "ts": message["ts"],
            "text": message["text"],
            "message": public(message),
        }

    def delete(self, call: Call) -> dict[str, Any]:
        self._access.require("chat:write")
        channel, message = self._own(call.arguments, "cant_delete_message")
        self._workspace.delete(message)
        return {"ok": True, "channel": channel, "ts": message["ts"]}

    def post_ephemeral(self, call: Call) -> dict[str, Any]:
        arguments = call.arguments
        self._access.require("chat:write")
        channel = self._access.writable(arguments.get("channel"), names=True)
        if arguments.get("user") not in self._workspace.users:
            raise SlackError("user_not_in_channel")
        fields = content(arguments)
        ephemeral = Ephemeral(
            id=self._workspace.next_ts(),
            channel=channel.id,
            user=arguments["user"],
            text=fields.get("text", ""),
            blocks=fields.get("blocks", []),
            attachments=fields.get("attachments", []),
            thread_ts=arguments.get("thread_ts"),
        )
        self._workspace.whisper(ephemeral)
        return {"ok": True, "message_ts": ephemeral.id}

    def permalink(self, call: Call) -> dict[str, Any]:
        """No scope is needed; a reply's address names its root, too."""
        channel = self._access.channel(call.arguments.get("channel"))
        message = self._workspace.find(channel.id, str(call.arguments.get("message_ts")))
        if message is None or message.get("subtype") == "tombstone":
            raise SlackError("message_not_found")
        address = (
            f"https://{self._workspace.team.domain}.slack.com/archives/{channel.id}/p{message['ts'].replace('.', '')}"
        )
        thread = message.get("thread_ts", message["ts"])
        if thread != message["ts"]:
            address += f"?thread_ts={thread}&cid={channel.id}"
        return {"ok": True, "channel": channel.id, "permalink": address}

    def _root(self, channel: str, thread: Any) -> None:
        """Replies go to roots: the real one is lenient with a reply's `ts` and loses the message from sight."""
        root = self._workspace.find(channel, str(thread))
        if root is None:
            raise SlackError("thread_not_found")
        if root.get("thread_ts", root["ts"]) != root["ts"]:
            raise SlackError("cannot_reply_to_message")

    def _own(self, arguments: Arguments, refusal: str) -> tuple[str, Message]:
        channel = self._access.channel(arguments.get("channel"))
        if channel.archived:
            raise SlackError("is_archived")
        message = self._workspace.find(channel.id, str(arguments.get("ts")))
        if message is None or message.get("subtype") == "tombstone":
            raise SlackError("message_not_found")
        if message.get("bot_id") != self._workspace.bot.bot_id:
            raise SlackError(refusal)
        return channel.id, message

    def _broadcast(self, arguments: Arguments, message: Message) -> dict[str, Any]:
        """An old reply is shown in the channel too."""
        if any(arguments.get(key) for key in ("text", "blocks", "attachments")):
            raise SlackError("no_dual_broadcast_content_update")
        if "thread_ts" not in message or "subtype" in message:
            raise SlackError("cant_broadcast_message")
        _broadcastable(message)
        self._workspace.show_in_channel(message)
        return {"ok": True, "channel": message["channel"], "ts": message["ts"], "text": message["text"]}
