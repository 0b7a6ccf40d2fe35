"""How what is typed finds a connection: by id, site or name, known or only live."""

from __future__ import annotations

import pytest

from bot.sandbox.itempath_examples import API_PAGE
from bot.sandbox.itempath_faults import Fault
from tests.slack.people.conftest import Build
from tests.slack.people.household import BERLIN, House


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("plant/1", "plant/1"),
        ("PLANT/1", "plant/1"),
        ("powerpick", "plant/1"),
        ("POWER", "plant/1"),
        ('"web services"', "plant/2"),
        ('plant/"web services"', "plant/2"),
        ("plant/web", "plant/2"),
        ("berlin/“SAP Stock”", "berlin/7"),
        ('"help"', "berlin/help"),
        ("berlin/help", "berlin/help"),
        ("help desk <!channel>", "berlin/help"),
        ("help desk &lt;!channel&gt;", "berlin/help"),
        ("s/4hana", "berlin/9"),
        ("7", "berlin/7"),
    ],
)
async def test_a_connection_is_found_by_id_site_or_name(house: House, text: str, ref: str) -> None:
    assert f"\n{ref}: read from ItemPath" in await house.ask(text)


async def test_an_exact_id_beats_a_name_and_a_whole_name_a_longer_one(build: Build) -> None:
    rows = [{"id": "A", "name": "B"}, {"id": "B", "name": "C"}, {"id": "C2", "name": "C 2"}]
    house: House = await build(sites={"default": rows})
    assert "default/B: " in await house.ask("B")
    assert "default/B: " in await house.ask("c")
    assert "default/A: " in await house.ask("default/A")


async def test_several_matches_are_listed_with_how_to_name_each(house: House) -> None:
    shown = await house.ask("1")
    assert "2 connections may be meant" in shown
    assert "/connection plant/1 PowerPick" in shown
    assert "/connection berlin/1 SAP Orders" in shown
    shown = await house.ask("sap", command="/cx")
    assert "/cx berlin/1 SAP Orders" in shown
    assert "/cx berlin/7 SAP Stock" in shown
    assert "/connection ack berlin/7" in await house.ask("ack sap")


@pytest.mark.parametrize("text", ["berlin", "Berlin/", "berlin/*"])
async def test_a_site_alone_lists_what_it_has(house: House, text: str) -> None:
    assert await house.ask(text) == await house.ask("list site=berlin")


async def test_a_long_list_says_how_much_it_leaves_out(build: Build) -> None:
    house: House = await build(sites={"default": [{"id": n, "name": f"Dock {n}"} for n in range(100, 150)]})
    shown = await house.ask("dock")
    assert "50 connections may be meant" in shown
    assert "and 30 more" in shown


async def test_an_unknown_name_gets_the_nearest_ones_and_the_grammar(house: House) -> None:
    shown = await house.ask("wbe servces")
    assert "No connection is known as wbe servces" in shown
    assert "/connection plant/2 Web Services" in shown
    assert "/connection ack &lt;id or name&gt;" in shown
    assert "/connection plant/2 Web Services" in await house.ask("services")
    assert "/connection ack plant/2 Web Services" in await house.ask("ack servces")
    assert "nearest" not in await house.ask("zzzzzz")


@pytest.mark.parametrize(
    "text",
    [
        "berlin 1",
        "Berlin1",
        "berlin-1",
        "berlin: 1",
        "/berlin/1",
        "berlin #1",
        "berlin/#1",
        "berlin 1.",
        "berln 1",
        "berln/1",
        "berlin SAP Orders",
        "berlin - sap orders",
        "berlin/sap orders.",
        "1 berlin",
        "SAP Orders (Berlin)",
    ],
)
async def test_a_reference_that_is_written_in_another_way_is_offered_as_it_is_understood(
    build: Build, text: str
) -> None:
    """And only that, however near the name of another comes."""
    rows = [*BERLIN, {"id": 16, "name": "Merlin 1", "status": 1}]
    house: House = await build(sites={"plant": API_PAGE, "berlin": rows})
    shown = await house.ask(text)
    assert "Did you mean /connection berlin/1 SAP Orders?" in shown
    assert "nearest" not in shown
    assert "Did you mean /connection mute berlin/1 2h SAP Orders?" in await house.ask(f"mute {text} 2h")
    assert "Did you mean /connection ack berlin/1 SAP Orders?" in await house.ask(f"ack {text}")
    assert "Did you mean /connection history berlin/1 7d SAP Orders?" in await house.ask(f"history {text} 7d")
    assert await house.store.mutes(now=house.clock.now()) == ()


@pytest.mark.parametrize("text", ["#7", "7.", "/7", "SAP Stock.", "sap st,"])
async def test_an_id_or_name_with_a_mark_around_it_is_offered_without(house: House, text: str) -> None:
    assert "Did you mean /connection berlin/7 SAP Stock?" in await house.ask(text)


async def test_an_id_with_a_mark_that_several_sites_have_offers_each_and_does_nothing(house: House) -> None:
    await house.ask("mute plant/1 2h")
    shown = await house.ask("unmute #1")
    assert "/connection unmute plant/1 PowerPick" in shown
    assert "/connection unmute berlin/1 SAP Orders" in shown
    assert len(await house.store.mutes(now=house.clock.now())) == 1


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("berln", "list site=berlin"),
        ("Berln/*", "list site=berlin"),
        ("history berln", "list site=berlin"),
        ("mute berln 2h", "mute berlin/* 2h"),
        ("ack berln/*", "ack berlin/*"),
    ],
)
async def test_the_site_whose_name_comes_nearest_is_offered(house: House, text: str, guess: str) -> None:
    assert f"Did you mean /connection {guess}, the whole site?" in await house.ask(text)


@pytest.mark.parametrize("text", ["berlin/99", "berlin 99", "berlin99", "berln/99", "berlin nothing like it"])
async def test_who_names_one_connection_of_a_site_is_never_offered_the_whole_site(house: House, text: str) -> None:
    assert "whole site?" not in await house.ask(f"mute {text} 2h")


async def test_a_state_with_a_site_is_answered_with_the_list_of_both(house: House) -> None:
    assert "Did you mean /connection list down site=berlin?" in await house.ask("down berlin")
    assert "Did you mean /connection list site=berlin down?" in await house.ask("berlin down")


# What no poll has seen yet


async def test_a_connection_that_was_just_created_is_found_live(house: House) -> None:
    house.sites["berlin"].add(id=23, name="Brand New", status=1)
    shown = await house.ask("23")
    assert "Brand New is up" in shown
    assert "berlin/23: read from ItemPath just now." in shown
    assert "It is new: no poll has seen it yet." in shown
    assert "Brand New is up" in await house.ask("berlin/23")
    house.sites["plant"].add(id=23, name="Brand New Too", status=1)
    assert "/connection plant/23 Brand New Too" in await house.ask("23")


async def test_an_id_that_nobody_has_is_said_to_be_unknown(house: House) -> None:
    assert "No connection is known as 99" in await house.ask("99")
    assert "No connection is known as plant/99" in await house.ask("plant/99")


async def test_a_site_that_does_not_answer_might_have_an_unknown_id(house: House) -> None:
    await house.sites["berlin"].set_fault(Fault.SERVER_ERROR)
    shown = await house.ask("99")
    assert "berlin might have it but did not answer: " in shown
    assert "plant might" not in shown


async def test_an_id_that_is_no_number_and_no_uuid_is_not_asked_for(house: House) -> None:
    before = house.sites["plant"].calls
    await house.ask("nonsense")
    assert house.sites["plant"].calls == before
