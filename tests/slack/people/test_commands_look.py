"""`/connection <id>`, `<site>/<id>`, `<name>`: what is shown, and where it comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.connection import Connection
from bot.sandbox.itempath_examples import API_PAGE
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.faults import Fault as SlackFault
from bot.slack.commands import lookup as lookup_module
from bot.slack.commands import replies
from bot.slack.commands.lookup import Lookup, Sight
from bot.store.outbox import MessageKey
from tests.slack.people.household import House, read

Build = Callable[..., Any]


async def test_an_id_shows_every_field_that_the_api_has(build: Build) -> None:
    house: House = await build(sites={"default": API_PAGE})
    shown = await house.ask("1")
    for fact in (
        "🟢 PowerPick is up",
        "default/1: read from ItemPath just now.",
        "*Type* `MSSQL`",
        "*Address* `https://warehouse.example.com`",
        "*Authentication* `Basic Authentication`",
        "*App* `2`",
        "*Username* `warehouse_user`",
        "*Password* stored",
        "*Token* none",
        "*Can be tested* yes",
        "*Status* `1`",
        "*Impact if down* 3 integrations stop.",
        "*Created (ItemPath)* <!date^1777630365^",
        "*Last connection (ItemPath)* <!date^1778160600^",
        "*Last check (ItemPath)* <!date^",
        "*Log* `10`",
        "*Log status* `1`",
        "*Log description* `Connection test complete`",
        "*Log took* 0.42 s",
        "*Log app* `2`",
        "[Share to channel]",
    ):
        assert fact in shown, fact


async def test_what_itempath_leaves_out_is_named(house: House) -> None:
    assert "Not given by ItemPath: Latest log." in await house.ask("2")


async def test_an_open_incident_is_shown_with_its_start_and_who_has_it(house: House) -> None:
    shown = await house.ask("2")
    assert "🔴 Web Services is down" in shown
    assert "Open outage: already down when watching began" in shown
    assert "Nobody has acknowledged it yet." in shown
    await house.ask("ack 2")
    assert "Acknowledged by alice, " in await house.ask("2")


async def test_an_open_error_is_shown_with_the_masked_text(house: House) -> None:
    house.sites["plant"].write_error(1, "login failed: password=hunter2 <!channel>")
    await house.poll()
    shown = await house.ask("plant/1")
    assert "Open error, since " in shown
    assert "Seen once" in shown
    assert "password=[masked] <!channel>" in shown
    assert "hunter2" not in str(await house.handlers.command(house.command_payload("plant/1")))


async def test_looking_changes_nothing(house: House) -> None:
    before = await house.store.records(), await house.store.events(), await house.store.sites()
    house.sites["plant"].set_status(1, 0)
    assert "PowerPick is down" in await house.ask("plant/1")
    assert (await house.store.records(), await house.store.events(), await house.store.sites()) == before


async def test_a_state_that_no_poll_has_seen_is_shown_beside_what_the_last_poll_saw(house: House) -> None:
    house.sites["plant"].set_status(1, 0)
    shown = await house.ask("plant/1")
    assert "The last poll saw it up; the next one will tell the channel." in shown


async def test_a_status_that_means_nothing_is_unknown_with_what_was_last_known(house: House) -> None:
    house.sites["plant"].set_status(1, 7)
    shown = await house.ask("plant/1")
    assert "🟣 PowerPick: state unknown" in shown
    assert "ItemPath gives no status that means up or down." in shown
    assert "Last known: Up since " in shown
    assert "*Status* `7`" in shown


async def test_a_connection_that_itempath_does_not_check_is_said_to_be_so(house: House) -> None:
    (record, *_) = await house.store.records("plant")
    sight = await house.lookup.look("plant", record.id)
    assert isinstance(sight, Sight)
    stale = replace(sight, record=replace(record, stale=True))
    shown = read(replies.connection(stale))
    assert "🟣 PowerPick: state unknown" in shown
    assert "Last known: Up since " in shown
    assert "ItemPath says that it is up, but last checked that 2" in shown
    assert stale.live is not None
    assert record.row is not None
    never = replace(stale, live=replace(stale.live, last_check=None), record=None)
    never = replace(never, record=replace(record, stale=True, row=replace(record.row, last_check=None)))
    assert "ItemPath itself has not checked it for a long time." in read(replies.connection(never))


async def test_a_connection_that_itempath_has_just_checked_again_is_what_it_says(house: House) -> None:
    """Before the next poll has seen it."""
    (record, *_) = await house.store.records("plant")
    sight = await house.lookup.look("plant", record.id)
    assert isinstance(sight, Sight)
    assert record.row is not None
    before = replace(record.row, last_check=sight.at - timedelta(days=1))
    shown = read(replies.connection(replace(sight, record=replace(record, stale=True, row=before))))
    assert "🟢 PowerPick is up" in shown
    assert "checked" not in shown


async def test_a_reading_whose_time_is_not_known_is_shown_without_an_age(house: House) -> None:
    sight = await house.lookup.look("plant", "1")
    assert isinstance(sight, Sight)
    shown = read(replies.connection(replace(sight, live=None, gone=True, read_at=None)))
    assert "What follows is its last reading." in shown


async def test_a_state_that_was_never_known_becomes_known(build: Build) -> None:
    house: House = await build(sites={"default": [{"id": 1, "name": "One", "status": None}]})
    assert "One: state unknown" in await house.ask("1")
    house.sites["default"].set_status(1, 1)
    assert "At the last poll its state was unknown" in await house.ask("1")
    house.sites["default"].set_status(1, None)
    await house.sites["default"].set_fault(Fault.SERVER_ERROR)
    shown = await house.ask("1")
    assert "One: state unknown" in shown
    assert "gives no status that means" in shown


async def test_a_mistyped_command_is_guessed(house: House) -> None:
    assert "Did you mean /connection ack 2?" in await house.ask("akc 2")
    assert "Did you mean /connection help?" in await house.ask("hepl")


async def test_help_lists_what_can_be_asked_under_the_name_of_the_command(house: House) -> None:
    shown = await house.ask("help", command="/itempath")
    for words in (
        "<id>",
        "<site>/<id>",
        "<name>",
        "list",
        "list [down|up|unknown] [site=…] [type=…] [app=…] [name=…] [auth=…]",
        "history <id or name> [24h|7d|30d]",
        "ack <id or name>",
        "mute <id or name> <2h> [reason]",
        "unmute <id or name>",
        "ack|mute|unmute <site>/*",
        "help",
    ):
        assert f"/itempath {words}  " in shown
    assert await house.ask("") == await house.ask("help")
    assert "ack needs the connection" in await house.ask("ack")


# When ItemPath does not answer


async def test_without_an_answer_the_last_snapshot_is_shown_with_its_age_and_why(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.UNREACHABLE)
    shown = await house.ask("powerpick")
    assert "PowerPick was up when last read" in shown
    assert "could not be read from ItemPath. " in shown
    assert "What follows was read less than 1 s ago, " in shown or "What follows was read " in shown
    assert "Up since " in shown
    assert "*Username* `warehouse_user`" in shown


async def test_a_site_that_hangs_is_not_waited_for_longer_than_two_seconds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_module, "LIVE", 0.1)
    await house.sites["plant"].set_fault(Fault.TIMEOUT)
    async with asyncio.timeout(5):
        assert "PowerPick was up when last read" in await house.ask("powerpick")


async def test_a_reader_that_does_not_keep_its_budget_is_left_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_module, "LIVE", 0.05)

    class Stuck:
        async def connection(self, id: str, *, budget: float | None = None) -> Connection:  # noqa: A002
            await asyncio.Event().wait()
            raise AssertionError

    stuck = Lookup(store=house.store, calls=house.calls, live={"plant": Stuck()}, clock=house.clock)
    handlers = house.made(lookup=stuck, act={})
    shown = read(await handlers.command(house.command_payload("powerpick")))
    assert "ItemPath did not answer within 2 seconds." in shown
    # What is remembered of sites that are not configured any more is left alone.
    assert "No connection is known as sap" in read(await handlers.command(house.command_payload("sap")))


async def test_a_blind_site_makes_its_connections_unknown_and_says_since_when(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    shown = await house.ask("powerpick")
    assert "🟣 PowerPick: state unknown, last known up" in shown
    assert "Polls have not been able to read plant since " in shown
    await house.sites["plant"].set_fault(None)
    assert "🟢 PowerPick is up" in await house.ask("powerpick")


async def test_a_connection_that_was_deleted_is_said_to_be_gone(house: House) -> None:
    house.sites["plant"].remove(1)
    shown = await house.ask("powerpick")
    assert "🟣 PowerPick is no longer in ItemPath" in shown
    assert "ItemPath says there is no connection with this id." in shown
    await house.poll()
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    shown = await house.ask("powerpick")
    assert "The last poll did not list it." in shown
    assert "PowerPick: state unknown, last known up" in shown


async def test_a_row_that_cannot_be_read_says_why(house: House) -> None:
    house.sites["plant"].change(1, name={"not": "a name"})
    await house.poll()
    problem = "name: an object where text belongs"
    shown = await house.ask("plant/1")
    assert "plant/1: could not be read from ItemPath. The reply is no connection that can be understood" in shown
    assert shown.count(problem) == 1
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    shown = await house.ask("plant/1")
    assert f"Its row could not be understood: {problem}.\n" in shown
    assert "*Username* `warehouse_user`" in shown


async def test_a_row_that_never_could_be_read_is_known_by_its_id(build: Build) -> None:
    house: House = await build(sites={"default": [{"id": 1, "name": "One"}]})
    house.sites["default"].extra_rows.append({"id": 5, "name": {"not": "a name"}})
    await house.poll()
    shown = await house.ask("5")
    assert "default/5: " in shown
    assert "No earlier reading of it is known." in shown


# The thread


async def test_the_thread_of_an_incident_can_be_opened_once_slack_has_it(house: House) -> None:
    thread = await house.thread("2")
    assert "Open thread" not in await house.ask("2")
    key = MessageKey(thread=thread, n=0)
    now = house.clock.now()
    claim = await house.store.outbox.claim(key, now=now)
    assert claim is not None
    post = house.slack.workspace.post("C0ALERTS", user="U0BOT", text="down", bot_id="B0BOT")
    await house.store.outbox.sent(
        key,
        generation=claim.outgoing.generation,
        channel_id="C0ALERTS",
        ts=post["ts"],
        now=now,
    )
    link = f"https://sandbox.slack.com/archives/C0ALERTS/p{post['ts'].replace('.', '')}"
    assert f"[Open thread]({link})" in await house.ask("2")
    house.slack.fail("chat.getPermalink", SlackFault.says("message_not_found"))
    assert "Open thread" not in await house.ask("2")
    house.slack._api._methods["chat.getPermalink"] = lambda _: {"ok": True, "permalink": "javascript:alert(1)"}
    assert "Open thread" not in await house.ask("2")
