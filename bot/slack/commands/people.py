"""Who asks, from which workspace, and where the answer goes: what payloads of Slack say about a person.

Sources: Slack's pages on slash commands, on `block_actions` payloads and on `app_home_opened`. What a payload lacks is an empty text here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.incidents import Person

COMMAND = "/connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slash command."""

    person: Person
    team: str
    command: str
    """As it is called in this workspace, with its slash."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """A button of a message."""

    person: Person
    team: str
    action: str
    value: str
    place: str
    """Names the message it is on: channel and time stamp."""
    trigger: str
    """Opens a modal, once, within three seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedHome:
    """Somebody looks at the app's Home tab."""

    user: str
    team: str


class Reached(enum.Enum):
    """What became of an answer. True when Slack took it."""

    TAKEN = "taken"
    REFUSED = "refused"
    """It is certain that nobody sees it."""
    UNKNOWN = "unknown"
    """Slack gave no clear answer: it may be seen all the same."""

    def __bool__(self) -> bool:
        return self is Reached.TAKEN


class Respond(Protocol):
    """Posts to the `response_url` of what is being handled. Nothing is raised."""

    async def __call__(self, answer: Mapping[str, Any], *, repeatable: bool = True) -> Reached:
        """`repeatable`: showing it twice would do no harm."""


def asked(payload: Mapping[str, Any]) -> Asked:
    return Asked(
        person=_person(_text(payload, "user_id"), _text(payload, "user_name")),
        team=_own_team(payload) or _text(payload, "team_id"),
        command=_text(payload, "command") or COMMAND,
        text=_text(payload, "text"),
    )


def clicked(payload: Mapping[str, Any]) -> Clicked | None:
    """`None` for whatever is no click on a button of a message, such as a closed modal."""
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    if payload.get("type") != "block_actions" or not isinstance(action, Mapping):
        return None
    user, container = _inside(payload, "user"), _inside(payload, "container")
    return Clicked(
        person=_person(_text(user, "id"), _text(user, "name") or _text(user, "username")),
        team=_text(user, "team_id") or _own_team(payload) or _text(_inside(payload, "team"), "id"),
        action=_text(action, "action_id"),
        value=_text(action, "value"),
        place=f"{_text(container, 'channel_id')}/{_text(container, 'message_ts')}",
        trigger=_text(payload, "trigger_id"),
    )


def looked_home(payload: Mapping[str, Any]) -> LookedHome | None:
    """`None` for every other event. Opening the tab Messages is told by the same event."""
    event = _inside(payload, "event")
    if payload.get("type") != "event_callback" or event.get("type") != "app_home_opened":
        return None
    user = _text(event, "user")
    if event.get("tab", "home") != "home" or not user:
        return None
    return LookedHome(user=user, team=_text(payload, "team_id"))


def response_url(payload: Mapping[str, Any]) -> str:
    return _text(payload, "response_url")


def _own_team(payload: Mapping[str, Any]) -> str:
    """In a channel shared between workspaces the person's own team is what counts, not the channel's."""
    return _text(payload, "user_team_id") or _text(payload, "user_team")


def _person(identifier: str, name: str) -> Person:
    return Person(id=identifier, name=name or identifier or "somebody")


def _inside(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(payload: Mapping[str, Any], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
