from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.itempath_examples import example_site
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel
from tests.check.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    channels = [
        Channel(id="C0ALERTS", name="alerts"),
        Channel(id="C0PRIVATE", name="private", private=True),
        Channel(id="C0FOREIGN", name="foreign", bot_is_member=False),
        Channel(id="C0OLD", name="old", archived=True),
    ]
    async with example_site("vienna") as site, LocalSlack(channels=channels) as slack:
        yield World(site=site, slack=slack, database_url=f"sqlite:///{tmp_path}/bot.db")
