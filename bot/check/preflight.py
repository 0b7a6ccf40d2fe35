"""All questions in their order: what the bot stands on first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from bot.check.database import check_database
from bot.check.escalation import check_escalation
from bot.check.lines import Line
from bot.check.maintenance import check_maintenance
from bot.check.routes import check_routes
from bot.check.sites import check_site
from bot.check.slack import check_slack
from bot.settings.models import Settings
from bot.settings.policy import channels_of


async def preflight(settings: Settings, *, now: Callable[[], datetime], send: bool = False) -> AsyncIterator[Line]:
    """Each line as soon as it is known. Posts nothing unless `send`, and changes nothing anywhere else."""
    if settings.slack is None:
        raise ValueError("the check needs the settings of Slack")
    channels = channels_of(settings)
    names = [channel for channel in channels if channel.startswith("#")]
    line, remembered = await check_database(settings.database_url.get_secret_value(), channels=names)
    yield line
    read = await asyncio.gather(*(check_site(site, now=now) for site in settings.sites))
    for lines, _ in read:
        for line in lines:
            yield line
    snapshots = {site.name: snapshot for site, (_, snapshot) in zip(settings.sites, read, strict=True)}
    windows = check_maintenance(settings, snapshots, now())
    for line in [*check_routes(settings, snapshots), *windows, *check_escalation(settings)]:
        yield line
    slack = check_slack(
        settings.slack, channels=channels, remembered=remembered, listen=str(settings.listen), send=send
    )
    async for line in slack:
        yield line
