"""What is said when it is not clear what was asked for: short, with the nearest thing to type, and what can be asked below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.slack.wording import natural
from tests.slack.people.household import House

Build = Callable[..., Any]

LIFTS = [{"id": 30 - n, "name": f"Lift {n}", "status": 1} for n in range(1, 13)]
BERLIN = [
    {"id": 1, "name": "SAP Orders", "status": 1},
    {"id": 2, "name": "Berlin Dock", "status": 1},
]


@pytest.fixture
async def lifts(build: Build) -> House:
    made: House = await build(sites={"plant": LIFTS, "berlin": BERLIN})
    return made


async def said(house: House, text: str) -> list[str]:
    """What is said before the grammar, line by line."""
    lines = (await house.ask(text)).splitlines()
    return [line for line in lines if not line.startswith("`")]


EVERYTHING = "/connection help lists everything you can ask."


@pytest.mark.parametrize(
    ("text", "what", "guess"),
    [
        ("list lift", "list does not know this word: lift", "Did you mean /connection list name=lift?"),
        ("list berlin", "list does not know this word: berlin", "Did you mean /connection list site=berlin?"),
        (
            "mute Lift 2",
            "mute needs to know for how long: 30m, 2h, 1h30m or 7d",
            "Did you mean /connection mute Lift 2 2h?",
        ),
        ("mute lift 2 99d", None, "Did you mean /connection mute lift 2 30d?"),
        ("akc lift 2", "No connection is known as akc lift 2", "Did you mean /connection ack lift 2?"),
        ("sap ordesr", "No connection is known as sap ordesr", "Did you mean /connection berlin/1 SAP Orders?"),
        ("zzz", "No connection is known as zzz", "/connection list shows every connection."),
        (
            "mute sap ordesr 2 h disks",
            "No connection is known as sap ordesr",
            "Did you mean /connection mute berlin/1 2h disks SAP Orders?",
        ),
    ],
)
async def test_a_mistake_is_answered_in_three_short_lines(
    lifts: House, text: str, what: str | None, guess: str
) -> None:
    first, second, third = await said(lifts, text)
    assert what is None or first == f"🔵 {what}"
    assert second == guess
    assert third == EVERYTHING


@pytest.mark.parametrize(
    ("text", "shows", "hides"),
    [
        ("list lift", "list [down|up|unknown]", "history"),
        ("ack", "ack|mute|unmute &lt;site&gt;/*", "history"),
        ("mute 5", "mute &lt;id or name&gt; &lt;2h&gt; [reason]", "unmute &lt;id"),
        ("history", "history &lt;id or name&gt; [24h|7d|30d]", "mute"),
        ("zzz", "unmute &lt;id or name&gt;", "ack|mute"),
    ],
)
async def test_below_a_mistake_stands_the_grammar_of_its_word_or_else_all_of_it_in_short(
    lifts: House, text: str, shows: str, hides: str
) -> None:
    answer = await lifts.handlers.command(lifts.command_payload(text))
    small = answer["blocks"][-1]
    assert small["type"] == "context"
    grammar = small["elements"][0]["text"]
    assert f"`/connection {shows}" in grammar
    assert f"/connection {hides}" not in grammar
    assert len(grammar.splitlines()) <= 4
    # The notification has the answer, too.
    assert "help lists everything you can ask" in answer["text"]


@pytest.mark.parametrize("text", ["unack lift 2", "Unacknowledge SAP Orders", "unack"])
async def test_who_would_take_an_acknowledgement_back_is_not_led_to_acknowledge(lifts: House, text: str) -> None:
    assert await said(lifts, text) == [
        "🔵 An acknowledgement cannot be withdrawn",
        "It ends with its incident. /connection list acknowledged shows who has what.",
    ]


async def test_a_site_in_place_of_a_connection_is_offered_as_a_whole(lifts: House) -> None:
    first, second = await said(lifts, "mute Plant 1 h")
    assert first == "🔵 plant is a site, not a connection"
    assert second == "Did you mean /connection mute plant/* 1h? That is all 12 connections of it."
    _, *offered = await said(lifts, "ack berlin")
    assert offered == [
        "Did you mean one of these?",
        "/connection ack berlin/* nothing at present: no incident of it is open",
        "/connection ack berlin/2 Berlin Dock",
    ]
    assert "/connection list site=plant" in await lifts.ask("history plant 7d")
    assert "/connection berlin/2 Berlin Dock" in await lifts.ask("berlin")


async def test_a_connection_called_like_a_site_beats_the_site(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": 1, "name": "Plant", "status": 1}]})
    assert "Plant is muted" in await house.ask("mute plant 1h")


async def test_every_site_is_named_where_all_were_meant(lifts: House) -> None:
    shown = await said(lifts, "mute * 1h")
    assert shown[0] == "🔵 2 sites may be meant"
    assert shown[2:] == [
        "/connection mute berlin/* 1h all 2 connections of it",
        "/connection mute plant/* 1h all 12 connections of it",
    ]
    assert "All 14 connections" in await lifts.ask("*")


async def test_a_pattern_lists_what_it_fits(lifts: House) -> None:
    shown = await said(lifts, "mute lift?1* 1h")
    assert [line.split(" ", 1)[1] for line in shown[2:]] == [
        f"mute plant/{30 - n} 1h Lift {n}" for n in (1, 10, 11, 12)
    ]
    assert "SAP Orders is up" in await lifts.ask("*orders")


async def test_who_would_do_it_to_many_by_a_pattern_is_told_how_it_is_done_to_a_whole_site(lifts: House) -> None:
    shown = await said(lifts, "mute lift* 1h")
    assert shown[:2] == [
        "🔵 12 connections may be meant",
        "One at a time, or the whole site at once: /connection mute plant/* 1h",
    ]
    assert "the whole site at once: /connection ack <site>/*" in await lifts.ask("ack *li*")
    assert "at once" not in await lifts.ask("mute lift 1h")


async def test_only_what_is_muted_may_be_meant_by_unmute(lifts: House) -> None:
    await lifts.ask("mute plant/29 1h")
    await lifts.ask("mute plant/28 1h")
    assert (await said(lifts, "unmute lift"))[1:] == [
        "/connection unmute plant/29 Lift 1",
        "/connection unmute plant/28 Lift 2",
    ]
    await lifts.ask("unmute plant/29")
    assert "Lift 2 is no longer muted" in await lifts.ask("unmute lift*")
    assert "12 connections may be meant" in await lifts.ask("unmute lift")


async def test_for_a_site_in_place_of_a_connection_its_incidents_count_where_they_are_to_be_acknowledged(
    lifts: House,
) -> None:
    lifts.sites["plant"].set_status(29, 0)
    await lifts.poll()
    assert "Did you mean /connection ack plant/*? That is its open incident." in await lifts.ask("ack plant")
    lifts.sites["plant"].set_status(28, 0)
    await lifts.poll()
    assert "Did you mean /connection ack plant/*? That is all 2 open incidents of it." in await lifts.ask("ack plant")


async def test_candidates_stand_in_the_order_in_which_people_count(lifts: House) -> None:
    shown = await said(lifts, "lift")
    assert [line.rpartition(" ")[2] for line in shown[1:]] == [str(n) for n in range(1, 13)]
    assert [line.rpartition(" ")[2] for line in await said(lifts, "lifft")][-3:] == ["1", "2", "3"]
    table = (await lifts.ask("list name=lift")).splitlines()
    assert [line.partition(" Lift ")[2].split()[0] for line in table if " Lift " in line] == [
        str(n) for n in range(1, 13)
    ]


async def test_a_slip_in_a_name_that_reads_like_a_command_finds_both(build: Build) -> None:
    rows = [{"id": 1, "name": "Mutter Depot", "status": 1}, {"id": 2, "name": "Depot", "status": 1}]
    house: House = await build(sites={"plant": rows})
    shown = await house.ask("Mutter Depo")
    assert "Mutter Depot is up" in shown
    shown = await house.ask("Muter Depot")
    assert "Did you mean /connection mute Depot 2h?" in shown
    assert "/connection plant/1 Mutter Depot" in shown
    house.sites["plant"].remove(2)
    await house.poll()
    await house.poll()
    # A command that names nothing is not offered.
    assert "Did you mean /connection plant/1 Mutter Depot?" in await house.ask("Muter Depot")


async def test_a_name_beats_the_beginning_of_a_command(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": 1, "name": "Hist 5", "status": 1}]})
    assert "Hist 5 is up" in await house.ask("hist 5")
    assert "Did you mean /connection history 1?" in await house.ask("hist 1")


async def test_a_long_reason_is_not_repeated_in_what_can_be_copied(lifts: House) -> None:
    shown = await lifts.ask(f"mute lift 1h {'because ' * 40}")
    assert "/connection mute plant/29 1h Lift 1" in shown


def test_numbers_are_sorted_as_numbers() -> None:
    names = ["lift 10", "Lift 2", "lift", "Lift 2b", "12", "3", "lift 02", ""]
    assert sorted(names, key=natural) == ["", "3", "12", "lift", "Lift 2", "lift 02", "Lift 2b", "lift 10"]
    assert natural("9" * 10_000) > natural("1")
