"""What the Home tab shows to whom, as the tests of it ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.blocks import check_view
from tests.slack.people.household import House, lines


def shown(home: Mapping[str, Any]) -> str:
    """Everything that a reader sees of it; fails on what Slack would refuse."""
    check_view(dict(home), kinds=("home",))
    return "\n".join(line for block in home["blocks"] for line in lines(block))


def payload(house: House, user: str = "U0ALICE", **fields: Any) -> dict[str, Any]:
    event = {"type": "app_home_opened", "user": user, "tab": "home"}
    return {"type": "event_callback", "team_id": house.slack.workspace.team.id, "event": event} | fields


async def opened(house: House, user: str = "U0ALICE") -> str:
    await house.handlers.event(payload(house, user))
    home = house.slack.workspace.homes[user]
    return shown({key: home[key] for key in ("type", "blocks")})


def published(house: House) -> int:
    return len(house.slack.made("views.publish"))
