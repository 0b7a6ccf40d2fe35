"""Bad configuration: all of it is told at once, on standard error, with exit status 2, by every verb that reads one."""

from __future__ import annotations

import pytest

from bot.sandbox.itempath import SimulatedItemPath
from tests.cli.typed import Cli

READS = ["run", "check", "connections", "incidents"]


@pytest.mark.parametrize("verb", READS)
async def test_a_file_that_is_named_and_missing_is_2(cli: Cli, verb: str) -> None:
    told = await cli(verb, "--config", "nowhere.toml")
    assert (told.code, told.out) == (2, "")
    assert "nowhere.toml" in told.err


@pytest.mark.parametrize("verb", READS)
async def test_all_problems_are_told_at_once(cli: Cli, verb: str) -> None:
    cli.write("config/bot.toml", "log_level = 'loud'\nnonsense = 1\nlog_format = 'pretty'")
    told = await cli(verb)
    assert (told.code, told.out) == (2, "")
    for key in ("log_level", "nonsense", "log_format"):
        assert f"  - {key}" in told.err or f"({key})" in told.err


@pytest.mark.parametrize("verb", ["run", "check"])
async def test_a_verb_that_needs_everything_asks_for_everything(cli: Cli, verb: str) -> None:
    told = await cli(verb)
    assert told.code == 2
    for name in ("ITEMPATH_URL", "ITEMPATH_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CHANNEL"):
        assert name in told.err


async def test_the_file_of_the_environment_is_read(cli: Cli, site: SimulatedItemPath) -> None:
    path = cli.write("elsewhere.toml", f"[itempath]\nurl = '{site.url}'\ntimeout = 'soon'")
    cli.set(BOT_CONFIG=str(path))
    told = await cli("connections")
    assert told.code == 2
    assert "itempath.timeout" in told.err


async def test_no_problem_shows_a_secret(cli: Cli) -> None:
    cli.set(ITEMPATH_TOKEN="to ken-with-space", SLACK_BOT_TOKEN="xapp-mixed-up-token", ITEMPATH_URL="://")
    told = await cli("run")
    assert told.code == 2
    assert "ken-with-space" not in told.err
    assert "mixed-up" not in told.err


async def test_a_variable_that_is_nearly_a_setting_is_warned_of(cli: Cli, site: SimulatedItemPath) -> None:
    cli.set(ITEMPATH_TOKEN_FIEL="x")
    told = await cli("connections", "--count")
    assert (told.code, told.out) == (0, "2\n")
    assert "ITEMPATH_TOKEN_FIEL is set but is no setting" in told.err
