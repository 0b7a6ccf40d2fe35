"""`list`: what is shown, in which order, and what is said when there is nothing to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cron import parse_cron
from bot.core.maintenance import Window
from bot.sandbox.itempath_faults import Fault
from bot.slack.commands.listing import PAGE_SIZE
from tests.slack.people.household import House, read

Build = Callable[..., Any]

DOCKS = [
    {"id": 1, "name": "Dock A", "status": 1, "type": "REST", "appId": 7, "authentication": "Basic"},
    {"id": 2, "name": "Dock B", "status": 0, "type": "MSSQL", "integrationCount": 1},
    {"id": 3, "name": "Dock C", "status": 0, "type": "MSSQL", "integrationCount": 12},
    {"id": 4, "name": "Dock D", "status": None, "type": "REST"},
    {"id": 5, "name": "Crane [x]", "status": 1},
]


def names(shown: str) -> list[str]:
    """The rows of the table, in order, by name."""
    known = [str(row["name"]) for row in DOCKS]
    return [name for line in shown.splitlines() for name in known if f" {name} " in line]


@pytest.fixture
async def docks(build: Build) -> House:
    made: House = await build(sites={"plant": DOCKS})
    return made


async def test_the_worst_comes_first_and_what_stops_most_is_worst(docks: House) -> None:
    shown = await docks.ask("list")
    assert names(shown) == ["Dock C", "Dock B", "Dock D", "Crane [x]", "Dock A"]
    assert "🔴 All 5 connections\n2 down, 1 unknown, 2 up.\n" in shown
    head, first = shown.splitlines()[2:4]
    assert head.split() == ["for", "name", "reference", "type", "stops"]
    assert first.startswith("down     ")
    assert first.split()[-5:] == ["Dock", "C", "plant/3", "MSSQL", "12"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("down", ["Dock C", "Dock B"]),
        ("unknown", ["Dock D"]),
        ("up", ["Crane [x]", "Dock A"]),
        ("type=mssql", ["Dock C", "Dock B"]),
        ("type=M*", ["Dock C", "Dock B"]),
        ("name=dock", ["Dock C", "Dock B", "Dock D", "Dock A"]),
        ('name="dock ?"', ["Dock C", "Dock B", "Dock D", "Dock A"]),
        ('name="Crane [x]"', ["Crane [x]"]),
        ("name=*A", ["Dock A"]),
        ("app=7", ["Dock A"]),
        ("auth=basic", ["Dock A"]),
        ("down site=pl* type=MSSQL", ["Dock C", "Dock B"]),
        ("site=PLANT up", ["Crane [x]", "Dock A"]),
    ],
)
async def test_states_and_filters_choose(docks: House, words: str, found: list[str]) -> None:
    assert names(await docks.ask(f"list {words}")) == found


@pytest.mark.parametrize(
    ("words", "says", "guess"),
    [
        ("type=MSQL", "No connection fits type=MSQL", "list type=MSSQL"),
        ("down site=plnt", "No connection fits down site=plnt", "list down site=plant"),
        ("name=crain", "No connection fits name=crain", 'list name="Crane [x]"'),
        ("auth=zzz", "No connection fits auth=zzz", None),
        ("up type=MSSQL", "No connection fits up type=MSSQL", None),
        ("app=7 type=zzz", "No connection fits app=7 type=zzz", None),
    ],
)
async def test_an_empty_table_says_so_and_what_was_perhaps_meant(
    docks: House, words: str, says: str, guess: str | None
) -> None:
    shown = await docks.ask(f"list {words}")
    assert says in shown
    assert "5 connections in all are watched." in shown
    assert (f"Did you mean /connection {guess}?" in shown) if guess else ("Did you mean" not in shown)
    assert "Share to channel" not in shown


async def test_a_wrong_key_is_answered_with_the_nearest_and_the_grammar_of_list(docks: House) -> None:
    shown = await docks.ask("list tpye=MSSQL")
    assert "Did you mean /connection list type=MSSQL?" in shown
    assert "/connection list [down|up|unknown]" in shown
    assert "/connection history" not in shown


async def test_a_state_that_nothing_is_in_is_said_to_be_so(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": 1, "name": "One", "status": 1}]})
    assert "No connection is down" in await house.ask("list down")
    assert "No connection's state is unknown" in await house.ask("list unknown")
    assert "The one connection" in await house.ask("list")
    house.sites["plant"].remove(1)
    await house.poll()
    await house.poll()
    assert "No connection is known yet" in await house.ask("list")


async def test_what_was_never_read_is_not_said_to_be_fine(build: Build) -> None:
    house: House = await build(polled=False)
    shown = await house.ask("list")
    assert "No connection is known yet" in shown
    assert "plant has not been read yet." in shown
    assert "berlin has not been read yet." in shown


async def test_connections_of_a_site_that_cannot_be_read_are_unknown(docks: House) -> None:
    await docks.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await docks.poll()
    await docks.poll()
    shown = await docks.ask("list")
    assert "🟣 All 5 connections\n5 unknown." in shown
    assert "plant cannot be read since 2" in shown
    assert "🟣 Nothing to list, but not every site can be read" in await docks.ask("list muted")


async def test_what_was_down_stays_first_and_is_not_lost_while_its_site_cannot_be_read(docks: House) -> None:
    await docks.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await docks.poll()
    await docks.poll()
    shown = await docks.ask("list")
    assert "5 unknown. 2 of the unknown were down when last read.\n" in shown
    assert names(shown) == ["Dock C", "Dock B", "Dock D", "Crane [x]", "Dock A"]
    head, first, second, third, fourth, _ = shown.splitlines()[3:9]
    assert head.split()[0] == "name"
    assert first.startswith("unknown  was down  Dock C")
    assert second.startswith("unknown  was down  Dock B")
    assert third.split()[:3] == ["unknown", "Dock", "D"]
    assert fourth.startswith("unknown  was up    Crane")
    shown = await docks.ask("list down")
    assert shown.startswith("🟣 No connection is known to be down at present\n")
    assert "2 were down when last read: /connection list unknown." in shown
    assert names(shown) == []
    shown = await docks.ask("list Down name=dock type=MSSQL")
    assert shown.startswith("🟣 No connection that fits is known to be down at present\n")
    assert "2 were down when last read: /connection list unknown name=dock type=MSSQL." in shown
    assert "2 were up when last read: /connection list unknown." in await docks.ask("list up")
    assert "when last read" not in await docks.ask("list down name=crane")


async def test_what_is_down_elsewhere_does_not_hide_what_was_down_where_nothing_can_be_read(build: Build) -> None:
    lift = {"id": 9, "name": "Lift", "status": 0}
    house: House = await build(sites={"plant": DOCKS, "berlin": [lift]})
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    shown = await house.ask("list down")
    assert shown.startswith("🔴 1 of 6 connections\n1 down. 2 more were down when last read: /connection list unknown.")
    assert "berlin/9" in shown


async def test_the_text_beside_the_table_names_the_worst_for_whoever_has_it_read_out(build: Build) -> None:
    rows = [{"id": n, "name": f"Dock {n} <!here>", "status": 0} for n in range(1, 25)]
    house: House = await build(sites={"plant": [*rows, {"id": 99, "name": "Crane", "status": 1}]})

    async def text(words: str) -> str:
        said: str = (await house.handlers.command(house.command_payload(words)))["text"]
        return re.sub(r"for less than 1 s|for \d+ s", "for <span>", said)

    named = ", ".join(f"Dock {n} &lt;!here&gt; plant/{n} for <span>" for n in range(1, 6))
    assert await text("list") == (
        f"🔴 All 25 connections. 24 down, 1 up. Page 1 of 2: 1 to 20, worst first. Down: {named} and 19 more."
    )
    assert await text("list down name=24") == (
        "🔴 1 of 25 connections. 1 down. Down: Dock 24 &lt;!here&gt; plant/24 for <span>."
    )
    assert await text("list up") == "🟢 1 of 25 connections. 1 up."
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    assert " Unknown: Crane plant/99." in await text("list name=crane")


# Marks


async def test_what_is_muted_or_acknowledged_is_marked_with_who(build: Build) -> None:
    window = Window(name="Dock D", schedule=parse_cron("* * * * *"), duration=timedelta(hours=1))
    house: House = await build(sites={"plant": DOCKS}, maintenance=(window,))
    assert "🔇" not in "".join(row for row in (await house.ask("list")).splitlines() if "Dock D" not in row)[30:60]
    await house.ask("mute 3 2h disks")
    house.sites["plant"].set_status(1, 0)
    await house.poll()
    await house.ask("ack 1", user_id="U0BOB", user_name="bob")
    shown = await house.ask("list")
    rows = {name: line for line in shown.splitlines() for name in names(line)}
    assert rows["Dock C"].endswith("🔇 alice")
    assert rows["Dock D"].endswith("🔇 planned")
    assert rows["Dock A"].endswith("👀 bob")
    assert rows["Crane [x]"].split()[-1] == "1"
    assert "3 down, 1 unknown, 1 up. 2 of them muted. 🔇 muted or in maintenance, 👀 acknowledged." in shown
    assert "It is muted." in await house.ask('list name="Dock C"')
    # Who has it matters more than who keeps it quiet.
    await house.ask("mute 1 2h")
    (row,) = [line for line in (await house.ask("list")).splitlines() if "Dock A" in names(line)]
    assert row.endswith("🔇 👀 bob")


async def test_what_is_muted_can_be_listed_with_how_long_it_will_be(docks: House) -> None:
    assert "🔵 No connection is muted\n" in await docks.ask("list muted")
    await docks.ask("mute plant/1 30m")
    await docks.ask("mute plant/3 3d crane")
    shown = await docks.ask("list muted")
    assert names(shown) == ["Dock C", "Dock A"]
    assert shown.startswith("🔴 2 of 5 connections are muted\n1 down, 1 up. 🔇 muted or in maintenance")
    head, first, second = shown.splitlines()[2:5]
    assert head.split()[:4] == ["for", "name", "muted", "for"]
    assert "Dock C  2 d 23 h     plant/3" in first
    assert "29 min" in second
    assert names(await docks.ask("list up muted")) == ["Dock A"]
    assert "No connection is unknown and muted" in await docks.ask("list unknown muted")
    await docks.ask("mute plant/* 1d")
    assert "All 5 connections are muted" in await docks.ask("list muted")
    (turned,) = await docks.click("turn_page_on", "list muted page=1")
    assert names(read(turned)) == names(await docks.ask("list muted"))


async def test_what_somebody_takes_care_of_can_be_listed(docks: House) -> None:
    await docks.ask("ack plant/*")
    docks.sites["plant"].set_status(1, 0)
    await docks.poll()
    shown = await docks.ask("list acknowledged")
    assert names(shown) == ["Dock C", "Dock B"]
    assert "2 of 5 connections are acknowledged" in shown
    assert "No connection is muted and acknowledged" in await docks.ask("list muted acknowledged")


async def test_the_unknown_that_stop_as_much_stand_as_people_count(build: Build) -> None:
    rows = [{"id": n, "name": f"Lift {n}", "status": None, "integrationCount": 2} for n in (10, 2, 1)]
    house: House = await build(sites={"plant": [*rows, {"id": 3, "name": "Z", "status": None, "integrationCount": 3}]})
    table = (await house.ask("list unknown")).splitlines()
    assert next(line for line in table if "plant/" in line).split()[1:3] == ["Z", "plant/3"]
    assert [line.partition("Lift ")[2].split()[0] for line in table if "Lift" in line] == ["1", "2", "10"]


async def test_a_muted_site_marks_all_its_rows_and_counts_them(many: House) -> None:
    await many.ask("mute plant/* 2h")
    shown = await many.ask("list")
    assert "45 of them muted." in shown
    assert sum("🔇 alice" in line for line in shown.splitlines()) == PAGE_SIZE


async def test_without_marks_nothing_is_said_of_them(docks: House) -> None:
    shown = await docks.ask("list")
    assert "muted" not in shown
    assert "note" not in shown


# Pages


@pytest.fixture
async def many(build: Build) -> House:
    rows = [{"id": n, "name": f"Dock {n:03}", "status": 1} for n in range(100, 145)]
    made: House = await build(sites={"plant": rows})
    return made


async def test_a_long_table_is_turned_in_its_place(many: House) -> None:
    first = await many.handlers.command(many.command_payload("list up name=dock"))
    assert "Page 1 of 3: 1 to 20, worst first." in read(first)
    assert "[21-40 ▶]" in read(first)
    assert "◀" not in read(first)
    (second,) = await many.click("turn_page_on", button(first, "turn_page_on"))
    assert second["replace_original"] is True
    assert second["response_type"] == "ephemeral"
    assert "Page 2 of 3: 21 to 40" in read(second)
    assert "Dock 120" in read(second)
    (third,) = await many.click("turn_page_on", button(second, "turn_page_on"))
    assert "[◀ 21-40]" in read(third)
    assert "▶" not in read(third)
    (back,) = await many.click("turn_page_back", button(third, "turn_page_back"))
    assert read(back) == read(second)


async def test_a_page_that_is_gone_by_now_is_the_last_one(many: House) -> None:
    for number in range(110, 145):
        many.sites["plant"].remove(number)
    await many.poll()
    await many.poll()
    (page,) = await many.click("turn_page_on", "list page=3")
    assert "All 10 connections" in read(page)


async def test_a_page_is_shared_as_it_was_seen(many: House) -> None:
    page = await many.handlers.command(many.command_payload("list up page=2"))
    shared, gone = await many.click("share", button(page, "share"))
    assert shared["response_type"] == "in_channel"
    shown = read(shared)
    assert "Page 2 of 3" in shown
    assert "Shared by alice." in shown
    assert "[" not in shown
    assert gone["delete_original"] is True


@pytest.mark.parametrize("value", ["", "help", "plant/1", "list dwon", "x" * 3000])
async def test_what_is_no_page_is_not_turned(many: House, value: str) -> None:
    (said,) = await many.click("turn_page_on", value)
    assert "There is no such page any more" in read(said)


def button(answer: dict[str, Any], action: str) -> str:
    (found,) = [
        element["value"]
        for block in answer["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == action
    ]
    return str(found)
