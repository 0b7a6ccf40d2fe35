"""What people do, turned into the payloads that Slack sends to the app."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.blocks import interactive_elements
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.request_url import RequestUrl
from bot.sandbox.slack.responses import Occasion, Responses
from bot.sandbox.slack.socket_mode import Reply, SocketMode
from bot.sandbox.slack.workspace import Message, User, Workspace

TRIGGER_SECONDS = 3.0
"""How long a `trigger_id` can open a modal."""


class Triggers:
    """`trigger_id`s: good once, for three seconds."""

    def __init__(self, workspace: Workspace, *, speed: float = 1.0) -> None:
        self._seconds = TRIGGER_SECONDS * speed
        self._workspace = workspace
        self._made: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def make(self, user: str) -> str:
        trigger = f"{secrets.randbelow(10**13)}.{secrets.token_hex(6)}"
        self._made[trigger] = (user, self._workspace.now())
        return trigger

    def use(self, trigger: str) -> str:
        """The user whose click it was; raises `SlackError`."""
        if trigger not in self._made:
            raise SlackError("invalid_trigger_id")
        if trigger in self._used:
            raise SlackError("exchanged_trigger_id")
        user, made = self._made[trigger]
        if self._workspace.now() - made > self._seconds:
            raise SlackError("expired_trigger_id")
        self._used.add(trigger)
        return user


class Interactions:
    """Commands, clicks and the Home tab. Each method returns the error that the person reads, or `None`."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        sockets: SocketMode,
        request_url: RequestUrl,
        responses: Responses,
        triggers: Triggers,
        commands: tuple[str, ...],
        base_url: Callable[[], str],
    ) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._request_url = request_url
        self._responses = responses
        self._triggers = triggers
        self._commands = commands
        self._base_url = base_url

    async def command(self, channel: str, user: str, text: str, *, thread_ts: str | None = None) -> str | None:
        """`text` as typed, with its slash."""
        place, person = self._workspace.channels[channel], self._workspace.users[user]
        name, _, rest = text.strip().partition(" ")
        if name not in self._commands:
            return "no_such_command"
        if thread_ts is not None:
            return "not_supported_in_threads"
        occasion = Occasion(channel=channel, user=user, opened=self._workspace.now(), command=text.strip())
        payload = {
            "token": "sandbox",
            "team_id": self._workspace.team.id,
            "team_domain": self._workspace.team.domain,
            "channel_id": channel,
            "channel_name": "privategroup" if place.private else place.name,
            "user_id": user,
            "user_name": person.name,
            "command": name,
            "text": rest.strip(),
            "api_app_id": self._workspace.bot.app_id,
            "is_enterprise_install": "false",
            "response_url": self._base_url() + self._responses.open(occasion),
            "trigger_id": self._triggers.make(user),
        }
        reply = await self._deliver("slash_commands", payload)
        if reply.error is None and reply.payload is not None:
            try:
                self._responses.apply(occasion, reply.payload)
            except SlackError as error:
                return error.code
        return reply.error

    async def click(
        self,
        channel: str,
        user: str,
        *,
        action_id: str,
        block_id: str | None = None,
        value: str | None = None,
        message_ts: str | None = None,
        ephemeral: str | None = None,
    ) -> str | None:
        """On a message or on an answer that only `user` sees. For selects and menus `value` is the option's."""
        message = self._workspace.find(channel, message_ts) if message_ts is not None else None
        whispered = self._workspace.ephemerals.get(ephemeral) if ephemeral is not None else None
        if message is not None:
            blocks = _all_blocks(message)
        elif whispered is not None and whispered.user == user:
            blocks = _all_blocks({"blocks": whispered.blocks, "attachments": whispered.attachments})
        else:
            return "message_not_found"
        action = self._action(blocks, action_id, block_id, value)
        if action is None:
            return "no_such_action"
        occasion = Occasion(
            channel=channel, user=user, opened=self._workspace.now(), message=message, ephemeral=ephemeral
        )
        container: dict[str, Any] = {"type": "message", "channel_id": channel, "is_ephemeral": message is None}
        payload = self._click_payload(user, action) | {
            "container": container,
            "channel": {"id": channel, "name": self._workspace.channels[channel].name},
            "response_url": self._base_url() + self._responses.open(occasion),
        }
        if message is None:
            # Slack does not send along the content of what only one person sees.
            container["message_ts"] = ephemeral
        else:
            container["message_ts"] = message["ts"]
            if "thread_ts" in message:
                container["thread_ts"] = message["thread_ts"]
            payload["message"] = {k: v for k, v in self._workspace.shown(message).items() if k != "channel"}
        return (await self._deliver("interactive", payload)).error

    async def click_view(
        self, user: str, view: dict[str, Any], *, action_id: str, block_id: str | None = None, value: str | None = None
    ) -> str | None:
        """On the Home tab or on a modal, as `homes` and `views` of the workspace hold them."""
        action = self._action(view["blocks"], action_id, block_id, value)
        if action is None:
            return "no_such_action"
        container = {"type": "view", "view_id": view["id"]}
        payload = self._click_payload(user, action) | {"container": container, "view": view}
        return (await self._deliver("interactive", payload)).error

    async def open_home(self, user: str) -> str | None:
        """The person looks at the app's Home tab."""
        return await self.event(
            {"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": "home"}
            | ({"view": self._workspace.homes[user]} if user in self._workspace.homes else {})
        )

    async def event(self, event: dict[str, Any]) -> str | None:
        """Any event of the Events API."""
        now = self._workspace.now()
        payload = {
            "token": "sandbox",
            "team_id": self._workspace.team.id,
            "api_app_id": self._workspace.bot.app_id,
            "event": event | {"event_ts": f"{now:.6f}"},
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5)}",
            "event_time": int(now),
        }
        return (await self._deliver("events_api", payload)).error

    async def _deliver(self, kind: str, payload: dict[str, Any]) -> Reply:
        """An app has either a request URL or Socket Mode."""
        if self._request_url.url is not None:
            return await self._request_url.deliver(kind, payload)
        return await self._sockets.deliver(kind, payload, accepts_payload=kind != "events_api")

    def _action(
        self, blocks: list[dict[str, Any]], action_id: str, block_id: str | None, value: str | None
    ) -> dict[str, Any] | None:
        for block, element in interactive_elements(blocks):
            if element["action_id"] != action_id or block_id not in (None, block["block_id"]):
                continue
            action = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"]}
            action["action_ts"] = f"{self._workspace.now():.6f}"
            if element["type"] == "button":
                action["text"] = element["text"]
                return action | {key: element[key] for key in ("value", "style") if key in element}
            chosen = next((option for option in element["options"] if option["value"] == value), None)
            return action | {"selected_option": chosen} if chosen is not None else None
        return None

    def _click_payload(self, user: str, action: dict[str, Any]) -> dict[str, Any]:
        person: User = self._workspace.users[user]
        team = self._workspace.team
        return {
            "type": "block_actions",
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": team.id},
            "team": {"id": team.id, "domain": team.domain},
            "api_app_id": self._workspace.bot.app_id,
            "token": "sandbox",
            "enterprise": None,
            "is_enterprise_install": False,
            "state": {"values": {}},
            "trigger_id": self._triggers.make(user),
            "actions": [action],
        }


def _all_blocks(message: Message) -> list[dict[str, Any]]:
    inside = [block for attachment in message.get("attachments", []) for block in attachment.get("blocks", [])]
    return [*message.get("blocks", []), *inside]
