"""The local Slack without its server: the same workspace, methods and limits, called as functions."""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.clock import Clock
from bot.sandbox.slack.access import LEAST_PRIVILEGE, Access
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.chat import Chat
from bot.sandbox.slack.conversations import Conversations
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.server import USERS
from bot.sandbox.slack.workspace import Bot, Channel, Message, Team, Workspace
from bot.slack.errors import NotSent, RateLimited, from_answer

CHANNEL = "C0ALERTS"


@dataclass(frozen=True)
class Saved:
    """The workspace at one moment."""

    messages: dict[str, dict[str, Message]]
    last_ts: int
    counted: dict[tuple[str, str], deque[float]]
    """What the limits have counted."""


class Made(NamedTuple):
    """One call."""

    method: str
    outcome: str
    ts: str | None
    """Of the message that it was about, if it named one."""


class Channels:
    """What all the lives of a bot talk to."""

    def __init__(self, clock: Clock, saved: Saved | None = None) -> None:
        def now() -> float:
            return clock.now().timestamp()

        self.workspace = Workspace(
            now=now, team=Team(), users=list(USERS), channels=[Channel(id=CHANNEL, name="alerts")], bot=Bot()
        )
        if saved is not None:
            self.workspace._messages = copy.deepcopy(saved.messages)
            self.workspace._last_tick = saved.last_ts
        self._limits = RateLimits(now)
        if saved is not None:
            self._limits._seen = copy.deepcopy(saved.counted)
        access = Access(self.workspace, set(LEAST_PRIVILEGE))
        chat, conversations = Chat(access), Conversations(access)
        self._methods: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "auth.test": self._identity,
            "chat.postMessage": chat.post_message,
            "chat.update": chat.update,
            "chat.delete": chat.delete,
            "chat.getPermalink": chat.permalink,
            "conversations.history": conversations.history,
            "conversations.replies": conversations.replies,
        }
        self.calls: list[Made] = []
        self.away = False
        """Nobody answers."""

    def saved(self) -> Saved:
        workspace = self.workspace
        return Saved(copy.deepcopy(workspace._messages), workspace._last_tick, copy.deepcopy(self._limits._seen))

    def messages(self) -> list[Message]:
        """Everything that stands in the channel, oldest first."""
        return self.workspace.messages(CHANNEL)

    def take(self, method: str, arguments: Mapping[str, Any], *, limited: bool = True) -> dict[str, Any]:
        """Carry a call out. Raises what the bot makes of a refusal."""
        if self.away:
            self._made(method, "unreachable", arguments)
            raise NotSent("unreachable")
        given = json.loads(json.dumps(arguments))
        wait = self._limits.take(method, str(given.get("channel", ""))) if limited else None
        if wait is not None:
            self._made(method, "ratelimited", arguments)
            raise RateLimited(wait)
        try:
            answer = self._methods[method](Call(method, given, self.workspace.now()))
        except SlackError as error:
            self._made(method, error.code, arguments)
            raise from_answer(error.code) from None
        self._made(method, "ok", arguments)
        told: dict[str, Any] = json.loads(json.dumps(answer))
        return told

    def _made(self, method: str, outcome: str, arguments: Mapping[str, Any]) -> None:
        self.calls.append(Made(method, outcome, arguments.get("ts")))

    def _identity(self, call: Call) -> dict[str, Any]:
        bot, team = self.workspace.bot, self.workspace.team
        return {"ok": True, "bot_id": bot.bot_id, "user_id": bot.user_id, "team_id": team.id}
