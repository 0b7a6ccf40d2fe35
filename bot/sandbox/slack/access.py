"""What the bot may do and see: its scopes, and which channels it can address how."""

from __future__ import annotations

import base64
import binascii
import json
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.workspace import Channel, Workspace

LEAST_PRIVILEGE = frozenset(
    {"chat:write", "commands", "channels:read", "groups:read", "channels:history", "groups:history"}
)
Arguments = dict[str, Any]


class Access:
    """The bot's token, as Slack judges it."""

    def __init__(self, workspace: Workspace, scopes: set[str]) -> None:
        self.workspace = workspace
        self.scopes = scopes

    def require(self, needed: str) -> None:
        """Raises `missing_scope` with `needed` and `provided`."""
        if needed not in self.scopes:
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    def channel(self, given: Any, *, names: bool = False) -> Channel:
        """By id, or with `names` also by `#name` or `name`. Private channels without the bot do not exist for it."""
        channels = self.workspace.channels
        found = channels.get(given) if isinstance(given, str) else None
        if found is None and names:
            name = str(given).removeprefix("#")
            found = next((channel for channel in channels.values() if channel.name == name), None)
        if found is None or (found.private and not found.bot_is_member):
            raise SlackError("channel_not_found")
        return found

    def writable(self, given: Any, *, names: bool = False) -> Channel:
        channel = self.channel(given, names=names)
        if channel.archived:
            raise SlackError("is_archived")
        if not channel.bot_is_member and "chat:write.public" not in self.scopes:
            raise SlackError("not_in_channel")
        return channel

    def readable(self, given: Any) -> Channel:
        """A channel whose history the bot may read."""
        channel = self.channel(given)
        self.require("groups:history" if channel.private else "channels:history")
        if not channel.bot_is_member:
            raise SlackError("not_in_channel")
        return channel


def decoded(arguments: Arguments, key: str, error: str) -> Any:
    """A structured argument: JSON in JSON, or a string holding JSON (forms); raises `error` for a broken string."""
    value = arguments.get(key)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def flag(value: Any) -> bool:
    """How Slack reads booleans: forms carry `1` and `true`."""
    return str(value).lower() in ("1", "true")


def limit(arguments: Arguments, *, default: int, most: int) -> int:
    value = arguments.get("limit")
    if value in (None, ""):
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise SlackError("invalid_limit") from None
    if not 1 <= number <= most:
        raise SlackError("invalid_limit")
    return number


def cursor(arguments: Arguments) -> str | None:
    """What `next_cursor` hid, or `None` for the first page."""
    given = arguments.get("cursor")
    if not given:
        return None
    try:
        kind, _, value = base64.b64decode(str(given), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if kind != "next":
        raise SlackError("invalid_cursor")
    return value


def next_cursor(value: str) -> str:
    return base64.b64encode(f"next:{value}".encode()).decode()


def decimal(value: Any, error: str) -> Decimal:
    """A message's `ts` as a number that compares exactly; raises `error`."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise SlackError(error) from None
    if not number.is_finite():
        raise SlackError(error)
    return number


def timestamp(arguments: Arguments, key: str) -> Decimal | None:
    """`oldest` or `latest`; raises `invalid_ts_oldest`, `invalid_ts_latest`."""
    value = arguments.get(key)
    return None if value in (None, "") else decimal(value, f"invalid_ts_{key}")
