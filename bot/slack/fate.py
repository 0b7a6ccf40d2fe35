"""What became of a post that never answered: every message carries its delivery key in its metadata.

`conversations.history` shows roots, `conversations.replies` shows replies, both with `include_all_metadata`. Any app can
write metadata, so only this bot's own posts count.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.slack.calls import SlackCalls

EVENT_TYPE = "itempath_bot_message"
CLOCK_SKEW = timedelta(minutes=10)
"""How far this machine's clock may be ahead of Slack's without a post being overlooked."""
PAGE = 200
MAX_PAGES = 20
"""4,000 messages since the post was tried: more than a channel takes in the time until a look-up."""


def metadata(key: str) -> dict[str, Any]:
    """What a post carries, so that it can be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


async def find(
    calls: SlackCalls, *, key: str, bot_id: str, channel: str, root_ts: str | None, since: datetime
) -> list[str]:
    """The `ts` of every post with this key, oldest first; `root_ts` tells the thread of a reply.

    Raises `SlackError` when Slack does not say, so that a silence is never taken for an absence.
    """
    found = [
        message["ts"]
        async for message in _messages(calls, channel=channel, root_ts=root_ts, since=since - CLOCK_SKEW)
        if message.get("bot_id") == bot_id and _key(message) == key and isinstance(message.get("ts"), str)
    ]
    return sorted(set(found), key=lambda ts: tuple(int(part) for part in ts.split(".")))


async def _messages(
    calls: SlackCalls, *, channel: str, root_ts: str | None, since: datetime
) -> AsyncIterator[Mapping[str, Any]]:
    method = "conversations.history" if root_ts is None else "conversations.replies"
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        answer = await calls.read(
            method,
            channel=channel,
            ts=root_ts,
            oldest=f"{since.timestamp():.6f}",
            limit=PAGE,
            include_all_metadata=True,
            cursor=cursor,
        )
        for message in answer.get("messages") or ():
            if isinstance(message, dict):
                yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return


def _key(message: Mapping[str, Any]) -> object:
    found = message.get("metadata") or {}
    if not isinstance(found, dict) or found.get("event_type") != EVENT_TYPE:
        return None
    payload = found.get("event_payload") or {}
    return payload.get("key") if isinstance(payload, dict) else None
