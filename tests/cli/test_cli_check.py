"""`check`: what it finds out becomes lines and an exit status."""

from __future__ import annotations

from bot.check.lines import Verdict
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.server import LocalSlack
from tests.cli.typed import Cli


async def test_when_all_is_well_it_is_0_and_one_line_each(cli: Cli, site: SimulatedItemPath, slack: LocalSlack) -> None:
    told = await cli("check")
    assert told.code == 0
    assert {line.split()[0] for line in told.lines} == {"ok"}
    assert [line.split(": ")[0].split(maxsplit=1)[1] for line in told.lines] == [
        "database",
        "site default",
        "slack",
        "slack scopes",
        "channel #alerts",
        "socket mode",
    ]
    assert not (cli.cwd / "data").exists()


async def test_one_wrong_line_is_1_and_keeps_none_of_the_others_back(
    cli: Cli, site: SimulatedItemPath, slack: LocalSlack
) -> None:
    await site.set_fault(Fault.CREDENTIALS)
    told = await cli("check")
    assert told.code == 1
    assert [line.split()[0] for line in told.lines] == ["ok", "wrong", "ok", "ok", "ok", "ok"]
    assert "→" in told.lines[1]


async def test_a_warning_is_no_failure(cli: Cli, site: SimulatedItemPath, slack: LocalSlack) -> None:
    cli.set(SLACK_APP_TOKEN="", SLACK_CHANEL="#x")
    told = await cli("check")
    assert told.code == 0
    assert told.lines[0].startswith("warning  settings: SLACK_CHANEL is set but is no setting")
    assert told.lines[-1].startswith("warning  commands: ")


async def test_only_send_posts(cli: Cli, site: SimulatedItemPath, slack: LocalSlack) -> None:
    await cli("check")
    assert slack.messages() == []
    told = await cli("check", "--send")
    assert told.code == 0
    assert len(slack.messages()) == 1


async def test_no_secret_is_shown(cli: Cli, site: SimulatedItemPath, slack: LocalSlack) -> None:
    cli.set(SLACK_SIGNING_SECRET=slack.signing_secret)
    told = await cli("check", "--send")
    for secret in (site.token, slack.bot_token, slack.app_token, slack.signing_secret):
        assert secret not in told.out + told.err


async def test_the_help_names_every_verdict(cli: Cli) -> None:
    told = " ".join((await cli("check", "--help")).out.split())
    assert all(verdict in told for verdict in Verdict)
