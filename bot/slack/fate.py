"""What became of a post that never answered: every message carries its delivery key in its metadata.

`conversations.history` shows roots, `conversations.replies` shows replies, both with `include_all_metadata`. Any app can
write metadata, so only this bot's own posts count.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, Refused, Scope

EVENT_TYPE = "itempath_bot_message"
CLOCK_SKEW = timedelta(hours=1)
"""How far this machine's clock may be from Slack's without a post being overlooked. Whole hours are what people set wrong."""
PAGE = 200
MAX_PAGES = 40
"""8,000 messages around one moment: more than a channel takes."""
_TS = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A post as Slack has it."""

    ts: str
    revision: int | None
    """Of the message, when it was posted; `None` when the post does not tell."""


def metadata(key: str, *, revision: int) -> dict[str, Any]:
    """What a post carries, so that it can be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "revision": revision}}


async def find(
    calls: SlackCalls,
    *,
    key: str,
    bot_id: str,
    channel: str,
    root_ts: str | None,
    since: datetime,
    until: datetime,
) -> list[Copy]:
    """Every post with this key made between `since` and `until`, oldest first; `root_ts` tells the thread of a reply.

    Raises `SlackError` when Slack does not say, so that a silence is never taken for an absence.
    """
    found: dict[str, Copy] = {}
    arguments = {
        "channel": channel,
        "ts": root_ts,
        "oldest": f"{(since - CLOCK_SKEW).timestamp():.6f}",
        "latest": f"{(until + CLOCK_SKEW).timestamp():.6f}",
        "limit": PAGE,
        "include_all_metadata": True,
    }
    async for message in _messages(calls, arguments):
        payload, ts = _payload(message), message.get("ts")
        ours = message.get("bot_id") == bot_id and payload.get("key") == key
        if ours and isinstance(ts, str) and _TS.fullmatch(ts):
            revision = payload.get("revision")
            found[ts] = Copy(ts=ts, revision=revision if isinstance(revision, int) else None)
    return sorted(found.values(), key=lambda copy: tuple(int(part) for part in copy.ts.split(".")))


async def _messages(calls: SlackCalls, arguments: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    method = "conversations.history" if arguments["ts"] is None else "conversations.replies"
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        answer = await calls.read(method, **arguments, cursor=cursor)
        messages = answer.get("messages")
        if not isinstance(messages, list):
            raise Ambiguous("unreadable_answer")
        for message in messages:
            if isinstance(message, dict):
                yield message
        cursor = next_cursor(answer)
        if cursor is None:
            return
    raise Refused("too_much_to_read", scope=Scope.MESSAGE)


def next_cursor(answer: Mapping[str, Any]) -> str | None:
    """Where the next page of a list begins; `None` on the last one."""
    told = answer.get("response_metadata")
    cursor = told.get("next_cursor") if isinstance(told, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found = message.get("metadata")
    if not isinstance(found, dict) or found.get("event_type") != EVENT_TYPE:
        return {}
    payload = found.get("event_payload")
    return payload if isinstance(payload, dict) else {}
