"""The house with its request URL: what Slack sends over HTTP comes in here."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.request_url import RequestUrl
from bot.slack.ingress.reception import Reception
from tests.slack.people.household import House

FORM = "application/x-www-form-urlencoded"


class Open:
    def __init__(self, house: House, now: list[float], reception: Reception) -> None:
        self.house = house
        self.now = now
        self.reception = reception
        self.door: RequestUrl = house.slack.request_url

    async def send(self, body: str, content_type: str = FORM, **headers: str) -> tuple[int, str]:
        return await self.door.send(body, content_type, **headers)

    def whispers(self) -> list[Any]:
        return list(self.house.slack.workspace.ephemerals.values())
