"""Everything that a check asks, for real: a simulated ItemPath, a local Slack, a database on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bot.check.lines import Line
from bot.check.preflight import preflight
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.server import LocalSlack
from bot.settings import Settings, SiteSettings, SlackSettings


@dataclass
class World:
    """What there is, and how the bot is told of it."""

    site: SimulatedItemPath
    slack: LocalSlack
    database_url: str
    channel: str = "#alerts"
    more: dict[str, Any] = field(default_factory=dict)
    """Further settings of Slack."""
    sites: dict[str, Any] = field(default_factory=dict)
    """Further settings of the site."""

    def settings(self) -> Settings:
        slack = {"app_token": SecretStr(self.slack.app_token)} | self.more
        return Settings(
            database_url=SecretStr(self.database_url),
            sites=(
                SiteSettings(
                    name="vienna",
                    url=self.site.url,
                    token=SecretStr(self.site.token),
                    channel=self.channel,
                    **({"timeout": timedelta(seconds=5)} | self.sites),
                ),
            ),
            slack=SlackSettings(
                bot_token=SecretStr(self.slack.bot_token),
                channel=self.channel,
                api_url=self.slack.api_url,
                **slack,
            ),
        )

    async def lines(self, *, send: bool = False, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Line]:
        return [line async for line in preflight(self.settings(), now=now, send=send)]

    async def about(self, what: str, *, send: bool = False) -> Line:
        """The one line about `what`."""
        (line,) = [line for line in await self.lines(send=send) if line.what == what]
        return line
