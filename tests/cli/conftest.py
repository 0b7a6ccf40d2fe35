"""The verbs as they are typed: in this process on a thread of their own, or as a process where that is the point."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import example_site
from bot.sandbox.slack.server import LocalSlack
from tests.cli.typed import Cli
from tests.telemetry.restored import restored


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored():
        yield


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """In an empty working directory, with an empty configuration, in UTC."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        yield Cli(cwd=tmp_path, monkeypatch=monkeypatch)
    time.tzset()


@pytest.fixture
async def site(cli: Cli) -> AsyncIterator[SimulatedItemPath]:
    """One site, and the environment that names it."""
    async with example_site("vienna", check_every=None) as each:
        cli.set(ITEMPATH_URL=each.url, ITEMPATH_TOKEN=each.token)
        yield each


@pytest.fixture
async def two_sites(cli: Cli) -> AsyncIterator[dict[str, SimulatedItemPath]]:
    """`vienna` and `berlin`, and a file that names them."""
    async with example_site("vienna", check_every=None) as vienna, example_site("berlin", check_every=None) as berlin:
        sites = {"vienna": vienna, "berlin": berlin}
        tables = [
            f"[[sites]]\nname = '{name}'\nurl = '{each.url}'\ntoken_env = '{name.upper()}_TOKEN'"
            for name, each in sites.items()
        ]
        cli.write("config/bot.toml", "\n".join(tables))
        cli.set(VIENNA_TOKEN=vienna.token, BERLIN_TOKEN=berlin.token)
        yield sites


@pytest.fixture
async def slack(cli: Cli) -> AsyncIterator[LocalSlack]:
    """A workspace, and the environment that names it."""
    async with LocalSlack() as each:
        cli.set(SLACK_API_URL=each.api_url, SLACK_BOT_TOKEN=each.bot_token, SLACK_APP_TOKEN=each.app_token)
        cli.set(SLACK_CHANNEL="#alerts")
        yield each
        # Its end closes the connections of a bot that may still be on its way out.
        await asyncio.sleep(0)
