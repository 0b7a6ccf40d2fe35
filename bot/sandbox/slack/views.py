"""`views.*`: the Home tab and modals (source: Slack's reference of these methods)."""

from __future__ import annotations

import secrets
from typing import Any

from bot.sandbox.slack.access import Arguments, decoded
from bot.sandbox.slack.blocks import check_view, with_ids
from bot.sandbox.slack.calls import Call
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.interactions import Triggers
from bot.sandbox.slack.workspace import Workspace


class Views:
    """Kept in the workspace: `homes` by user, `views` (modals) by id."""

    def __init__(self, workspace: Workspace, triggers: Triggers) -> None:
        self._workspace = workspace
        self._triggers = triggers

    def publish(self, call: Call) -> dict[str, Any]:
        user = call.arguments.get("user_id")
        if user not in self._workspace.users:
            raise SlackError("user_not_found")
        given = _view(call.arguments, "home")
        before = self._workspace.homes.get(user)
        _same_hash(call.arguments, before)
        self._workspace.homes[user] = view = self._stored(given, before)
        self._workspace.feed.publish({"type": "home", "user": user, "view": view})
        return {"ok": True, "view": view}

    def open(self, call: Call) -> dict[str, Any]:
        given = _view(call.arguments, "modal")
        user = self._triggers.use(str(call.arguments.get("trigger_id")))
        view = self._stored(given, None) | {"opened_by": user}
        self._show(view)
        return {"ok": True, "view": view}

    def update(self, call: Call) -> dict[str, Any]:
        """By `view_id` or `external_id`."""
        given = _view(call.arguments, "modal")
        external = call.arguments.get("external_id")
        before = self._workspace.views.get(str(call.arguments.get("view_id")))
        if before is None and external:
            before = next((v for v in self._workspace.views.values() if v.get("external_id") == external), None)
        if before is None:
            raise SlackError("not_found")
        _same_hash(call.arguments, before)
        view = self._stored(given, before) | {"opened_by": before["opened_by"]}
        self._show(view)
        return {"ok": True, "view": view}

    def _show(self, view: dict[str, Any]) -> None:
        self._workspace.views[view["id"]] = view
        self._workspace.feed.publish({"type": "view", "view": view})

    def _stored(self, given: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        name = before["id"] if before else f"V{secrets.token_hex(5).upper()}"
        return given | {
            "id": name,
            "root_view_id": name,
            "team_id": self._workspace.team.id,
            "app_id": self._workspace.bot.app_id,
            "bot_id": self._workspace.bot.bot_id,
            "blocks": with_ids(given["blocks"]),
            "hash": f"{self._workspace.now():.0f}.{secrets.token_hex(4)}",
            "state": {"values": {}},
        }


def _view(arguments: Arguments, kind: str) -> dict[str, Any]:
    view = decoded(arguments, "view", "invalid_arguments")
    check_view(view, kinds=(kind,))
    assert isinstance(view, dict)  # noqa: S101 - what passed the check is one
    return view


def _same_hash(arguments: Arguments, before: dict[str, Any] | None) -> None:
    given = arguments.get("hash")
    if given and (before is None or before["hash"] != given):
        raise SlackError("hash_conflict")
