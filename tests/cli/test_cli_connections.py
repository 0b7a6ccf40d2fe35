"""`connections`: ItemPath from the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import pytest

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.itempath_site import FIELDS
from tests.cli.typed import ROOT, Cli

Sites = dict[str, SimulatedItemPath]


async def test_a_list_says_the_state_of_each_connection_in_words(cli: Cli, site: SimulatedItemPath) -> None:
    site.add(name="Odd", status=None)
    told = await cli("connections")
    assert told.code == 0
    assert [line.split()[:2] for line in told.lines] == [["STATE", "ID"], ["up", "1"], ["down", "2"], ["unknown", "3"]]
    assert "PowerPick" in told.lines[1]
    assert "https://warehouse.example.com" in told.lines[1]


async def test_slack_is_not_needed_to_look_something_up(cli: Cli, site: SimulatedItemPath) -> None:
    cli.write("config/bot.toml", "[slack]\nchannel = 7\n[[routes]]\nnonsense = 1")
    assert (await cli("connections")).code == 0


async def test_json_has_the_names_of_the_api_and_the_site_and_state(cli: Cli, site: SimulatedItemPath) -> None:
    told = (await cli("connections", "--json")).json
    assert [row["id"] for row in told] == ["1", "2"]
    assert set(told[0]) == {*FIELDS, "site", "state"}
    assert set(told[0]["latestLog"]) == set(site.row(1)["latestLog"])
    assert told[0]["latestConnection"] == "2026-05-07T13:30:00.602998+00:00"
    assert told[1]["latestLog"] is None
    assert told[1]["state"] == "down"


async def test_every_filter_reaches_itempath_with_its_operators(cli: Cli, site: SimulatedItemPath) -> None:
    words = ["--name", "[like]%e%", "--name", "[not]x", "--app-id", "2", "--type", "[or]REST;SOAP"]
    told = await cli("connections", *words, "--authentication", "HMAC Authentication", "--json")
    assert [row["id"] for row in told.json] == ["2"]
    assert site.requests[-1].query == (
        ("name", "[like]%e%"),
        ("name", "[not]x"),
        ("appId", "2"),
        ("type", "[or]REST;SOAP"),
        ("authentication", "HMAC Authentication"),
    )


async def test_nothing_that_matches_is_said_and_is_no_error(cli: Cli, site: SimulatedItemPath) -> None:
    told = await cli("connections", "--name", "[like]nobody", "--app-id", "9")
    assert (told.code, told.out, told.err) == (0, "", "No connection matches.\n")
    assert (await cli("connections", "--name", "nobody", "--json")).json == []


async def test_whoever_asked_for_the_whole_text_is_told_how_to_ask_for_a_part(
    cli: Cli, site: SimulatedItemPath
) -> None:
    told = await cli("connections", "--type", "rest", "--name", "web s")
    assert told.err.endswith(" a part of it: --name '[like]web s' --type '[like]rest'\n")
    assert (await cli("connections", "--type", "[like]rest", "--name", "[like]web s", "--json")).json


async def test_order_and_pages_are_itempaths_own(cli: Cli, site: SimulatedItemPath) -> None:
    told = await cli("connections", "--order-by", "name:desc, id", "--page", "0", "--limit", "1", "--json")
    assert [row["name"] for row in told.json] == ["Web Services"]
    assert site.requests[-1].query == (("orderby", "name:desc,id"), ("page", "0"), ("limit", "1"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--page", "1"], "add --limit"),
        (["--page", "-1", "--limit", "1"], "--page"),
        (["--limit", "0"], "--limit"),
        (["--order-by", "na me"], "no order"),
        (["1", "--count"], "looked up alone"),
        (["1", "--name", "x"], "looked up alone"),
        (["1", "--limit", "1"], "looked up alone"),
        (["--count", "--limit", "1"], "without order and pages"),
    ],
)
async def test_what_cannot_be_asked_is_told_before_anything_is(
    cli: Cli, site: SimulatedItemPath, words: list[str], why: str
) -> None:
    told = await cli("connections", *words)
    assert told.code == 2
    assert why in told.err
    assert site.calls == 0


async def test_a_count_is_a_number(cli: Cli, site: SimulatedItemPath) -> None:
    assert (await cli("connections", "--count")).out == "2\n"
    assert (await cli("connections", "--count", "--type", "REST", "--json")).json == 1


async def test_one_connection_is_shown_with_all_its_fields(cli: Cli, site: SimulatedItemPath) -> None:
    told = await cli("connections", "1")
    assert told.code == 0
    fields = {line.split()[0]: line for line in told.lines}
    assert set(fields) >= {*FIELDS, "site", "state"}
    assert fields["passwordExists"].endswith("yes")
    assert fields["tokenExists"].endswith("no")
    assert fields["lastCheck"].endswith("2026-05-07 13:30:00 UTC")
    assert "  description     Connection test complete" in told.lines
    assert (await cli("connections", "1", "--json")).json["name"] == "PowerPick"


async def test_fields_without_a_value_are_shown_as_such(cli: Cli, site: SimulatedItemPath) -> None:
    assert "latestLog         -" in (await cli("connections", "2")).lines


@pytest.mark.parametrize("words", [[], ["--json"]])
async def test_an_id_that_does_not_exist_is_1(cli: Cli, site: SimulatedItemPath, words: list[str]) -> None:
    told = await cli("connections", "99", *words)
    assert (told.code, told.out) == (1, "")
    assert "no connection 99 at default" in told.err
    assert "--name" not in told.err


async def test_whoever_gives_a_name_for_an_id_is_told_how_to_ask_for_it(cli: Cli, site: SimulatedItemPath) -> None:
    told = await cli("connections", "default/PowerPick")
    assert told.code == 1
    assert told.err.endswith("By its name: connections --name '[like]PowerPick'\n")


@pytest.mark.parametrize("words", [[], ["1"], ["--count"]])
async def test_a_site_that_cannot_be_read_is_1_with_words_and_advice(
    cli: Cli, site: SimulatedItemPath, words: list[str]
) -> None:
    await site.set_fault(Fault.CREDENTIALS)
    told = await cli("connections", *words)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("default: ")
    assert "token" in told.err
    assert site.token not in told.err


async def test_a_failed_count_as_json_is_null(cli: Cli, site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.CREDENTIALS)
    told = await cli("connections", "--count", "--json")
    assert (told.code, told.json) == (1, None)


async def test_text_of_itempath_steers_no_terminal_and_shows_no_credential(cli: Cli, site: SimulatedItemPath) -> None:
    site.change(1, name="Evil\x1b[2J\x9b31m\u202e\nup 7", url="https://me:hunter2@host/\x07")
    site.write_error(1, "refused\x1b]0;title\x07 password=hunter2")
    for words in ([], ["1"], ["--json"], ["1", "--json"]):
        told = await cli("connections", *words)
        assert told.code == 0
        assert told.out.replace("\n", "").isprintable()
        assert "hunter2" not in told.out
        assert "refused" in told.out


async def test_a_row_that_cannot_be_understood_is_an_unknown_one_with_its_problem(
    cli: Cli, site: SimulatedItemPath
) -> None:
    site.extra_rows.append({"id": 9, "name": {}})
    told = await cli("connections")
    assert told.code == 0
    assert told.lines[-1].startswith("unknown  9 ")
    assert "cannot be read: " in told.lines[-1]
    last = (await cli("connections", "--json")).json[-1]
    assert (last["id"], last["state"]) == ("9", "unknown")
    assert last["problem"]


async def test_all_sites_are_asked_and_each_row_says_its_site(cli: Cli, two_sites: Sites) -> None:
    told = await cli("connections")
    assert [line.split()[:3] for line in told.lines[:4]] == [
        ["STATE", "SITE", "ID"],
        ["up", "vienna", "1"],
        ["down", "vienna", "2"],
        ["up", "berlin", "1"],
    ]
    counts = [{"site": "vienna", "count": 2}, {"site": "berlin", "count": 5}]
    assert (await cli("connections", "--count", "--json")).json == counts
    assert (await cli("connections", "--count")).lines == ["SITE    COUNT", "vienna  2", "berlin  5"]


@pytest.mark.parametrize("words", [["berlin/3"], ["3", "--site", "berlin"], ["berlin/3", "--site", "berlin"]])
async def test_a_connection_is_named_by_its_site_and_id(cli: Cli, two_sites: Sites, words: list[str]) -> None:
    assert (await cli("connections", *words, "--json")).json["name"] == "SAP S/4HANA Orders"
    assert two_sites["vienna"].calls == 0


async def test_an_id_alone_is_looked_for_at_all_sites(cli: Cli, two_sites: Sites) -> None:
    told = await cli("connections", "1", "--json")
    assert (told.code, [row["site"] for row in told.json]) == (0, ["vienna", "berlin"])
    told = await cli("connections", "3", "--json")
    assert (told.code, [row["site"] for row in told.json]) == (0, ["berlin"])
    told = await cli("connections", "1")
    assert [line.split()[-1] for line in told.lines if line.startswith("site ")] == ["vienna", "berlin"]
    told = await cli("connections", "99")
    assert (told.code, told.out) == (1, "")
    assert "no connection 99 at vienna, berlin" in told.err


@pytest.mark.parametrize("words", [["berlyn/3"], ["--site", "berlyn"]])
async def test_a_mistyped_site_gets_the_nearest_one_suggested(cli: Cli, two_sites: Sites, words: list[str]) -> None:
    told = await cli("connections", *words)
    assert told.code == 1
    assert "there is vienna, berlin. Did you mean berlin?" in told.err


async def test_a_site_that_is_like_no_other_gets_no_suggestion(cli: Cli, two_sites: Sites) -> None:
    assert (await cli("connections", "--site", "xyz")).err == "There is no site xyz; there is vienna, berlin.\n"


async def test_two_names_of_sites_must_agree(cli: Cli, two_sites: Sites) -> None:
    told = await cli("connections", "vienna/1", "--site", "berlin")
    assert told.code == 1
    assert "different sites" in told.err


@pytest.mark.parametrize("words", [[], ["1"], ["--count"]])
async def test_one_site_that_fails_hides_no_other_and_is_1(cli: Cli, two_sites: Sites, words: list[str]) -> None:
    await two_sites["vienna"].set_fault(Fault.UNREACHABLE)
    told = await cli("connections", *words)
    assert told.code == 1
    assert "berlin" in told.out
    assert told.err.startswith("vienna: ")


async def test_when_no_site_can_be_read_there_is_nothing_but_the_reasons(cli: Cli, two_sites: Sites) -> None:
    for each in two_sites.values():
        await each.set_fault(Fault.CREDENTIALS)
    told = await cli("connections", "--count")
    assert (told.code, told.out, len(told.err.splitlines())) == (1, "", 2)


async def test_a_reader_that_has_read_enough_gets_no_traceback(cli: Cli, site: SimulatedItemPath) -> None:
    for number in range(500):  # far more than a pipe holds
        site.add(name=f"Connection {number}", url=f"https://{'x' * 1000}.example.com")
    script = f"'{sys.executable}' -m bot connections | head -n 1"
    cli.set(PYTHONPATH=str(ROOT))
    process = await asyncio.create_subprocess_shell(
        script, cwd=cli.cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert out.decode().startswith("STATE")
    assert err.decode() == ""


async def test_ctrl_c_ends_with_130_and_without_a_traceback(cli: Cli, site: SimulatedItemPath) -> None:
    await site.set_fault(Fault.TIMEOUT)
    async with cli.process("connections") as process:
        await asyncio.wait_for(site.polled(), timeout=60)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), timeout=60)
        assert (process.returncode, err.decode()) == (130, "")


async def test_what_nobody_foresaw_is_1_and_shows_no_secret(
    cli: Cli, site: SimulatedItemPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"Authorization: {site.token}")

    monkeypatch.setattr("bot.itempath.client.ItemPathClient.connections", fail)
    told = await cli("connections")
    assert told.code == 1
    assert "unexpected error" in told.err
    assert "RuntimeError" in told.err
    assert site.token not in told.err
