"""What flaps is an open incident wherever one asks, also while it is up for the moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.slack.people.homes import opened
from tests.slack.people.household import House, read

Build = Callable[..., Any]
ROWS = [{"id": n, "name": f"Dock {n}", "status": 1} for n in (1, 2, 3)]


async def read_with(house: House, *, down: tuple[int, ...]) -> None:
    """Polled once with these down."""
    for row in ROWS:
        house.sites["plant"].set_status(row["id"], 0 if row["id"] in down else 1)
    await house.poll()


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(sites={"plant": ROWS}, flap_threshold=4)
    for down in ((1,), (), (1,), ()):
        await read_with(made, down=down)
    return made


async def test_it_is_shown_with_the_connection_and_can_be_acknowledged_by_name(house: House) -> None:
    shown = await house.ask("dock 1")
    assert "Dock 1 is up" in shown
    assert "🟡 Not over yet: up since 2" in shown
    assert "It is flapping: 4 changes so far. Nobody has acknowledged it yet." in shown

    assert "You have acknowledged Dock 1" in await house.ask("ack dock 1")
    assert "It is flapping: 4 changes so far. Acknowledged by alice" in await house.ask("dock 1")
    assert "Dock 1" in await house.ask("list acknowledged")


async def test_it_is_acknowledged_with_its_whole_site(house: House) -> None:
    assert "You have acknowledged plant: 1 open incident" in await house.ask("ack plant/*")


async def test_it_is_on_the_board_with_its_owner(house: House) -> None:
    board = (await opened(house)).splitlines()
    assert board[0] == "🟡 All 3 connections up, 1 of them flapping"
    assert board[4].startswith("🟡 Dock 1 plant/1 up since 2")
    assert board[4].endswith("It is flapping: 4 changes so far. Not acknowledged yet.")
    await read_with(house, down=(2,))
    board = (await opened(house)).splitlines()
    assert board[0] == "🔴 1 connection down, 1 flapping"
    assert [line[:8] for line in board[4:6]] == ["🔴 Dock 2", "🟡 Dock 1"]
    await house.ask("ack dock 1")
    assert "4 changes so far. Acknowledged by alice." in await opened(house)


async def test_a_mute_of_it_is_said_in_its_thread(house: House) -> None:
    said = await house.ask("mute dock 1 2h")
    assert "Dock 1 is muted" in said
    thread = await house.store.thread(await house.thread("1"))
    assert thread is not None
    assert thread.thread.silence is not None


async def test_details_say_that_all_that_are_up_may_fall_again(build: Build) -> None:
    house: House = await build(sites={"plant": ROWS}, flap_threshold=2, group_over=2)
    for down in ((1, 2, 3), (), (1, 2), ()):
        await read_with(house, down=down)
    (answer,) = await house.click("details", await house.thread("1"))
    shown = read(answer).splitlines()
    assert shown[0] == "🟡 3 connections: 3 up again"
    assert shown[1] == "It is flapping: 3 changes so far."
