"""Several sites, their own channels, and routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.workspace import Channel
from tests.e2e.world import World, connection

OPS = Channel(id="C0OPS000", name="ops")
SAP = Channel(id="C0SAP000", name="sap")


def down(name: str, ref: str, *, mention: str = "") -> str:
    return f"root 🔴 {name} is down. {ref}: down since <time>. 1 integration stops. Nobody has acknowledged it yet.{mention}"


def watching(site: str, number: str = "1 connection") -> str:
    up = "up" if number == "1 connection" else "all up"
    return (
        f"root 🔵 Watching {number} of ItemPath {site}, {up}. "
        "From now on a message says when one goes down, is up again or logs a new error. "
        "Type /connection help to see what you can ask."
    )


async def test_each_site_speaks_in_its_own_channel(make: Callable[..., Any]) -> None:
    world: World = await make(sites={"berlin": [connection(1, "One")], "graz": [connection(1, "Uno")]}, channels=[OPS])
    world.settings["sites"] = {"graz": {"channel": "#ops"}}
    await world.start()
    world.sites["berlin"].set_status(1, 0)
    await world.shows(watching("berlin"), down("One", "berlin/1"))
    world.sites["graz"].set_status(1, 0)

    await world.shows(watching("graz"), down("Uno", "graz/1"), channel=OPS.id)
    assert len(world.lines()) == 2


async def test_the_first_route_that_matches_decides_on_channel_and_mention(make: Callable[..., Any]) -> None:
    rows = [connection(1, "SAP Orders"), connection(2, "SAP Stock"), connection(3, "Printer", type="PLC")]
    world: World = await make(sites={"berlin": rows}, channels=[OPS, SAP])
    world.settings["routes"] = (
        {"name": "sap orders", "channel": SAP.id, "mention": "here"},
        {"name": "SAP*", "channel": SAP.id},
        {"type": "plc", "mention": "U0BOB"},
    )
    await world.start()
    await world.shows(watching("berlin", "3 connections"))
    world.site.set_status(1, 0)
    await world.shows_soon(down("SAP Orders", "berlin/1", mention=" <!here>"), channel=SAP.id)
    world.site.set_status(2, 0)
    await world.shows_soon(
        down("SAP Orders", "berlin/1", mention=" <!here>"), down("SAP Stock", "berlin/2"), channel=SAP.id
    )
    world.site.set_status(3, 0)

    await world.shows(watching("berlin", "3 connections"), down("Printer", "berlin/3", mention=" <@U0BOB>"))


async def test_one_site_out_of_sight_leaves_the_other_alone(make: Callable[..., Any]) -> None:
    world: World = await make(sites={"a": [connection(1, "One")], "b": [connection(1, "Uno")]})
    await world.start()
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    await world.sites["a"].set_fault("unreachable")
    world.sites["b"].set_status(1, 0)
    await world.slack.wait_for(lambda: len(world.lines()) == 4, within=20)

    fallen, blind = sorted(world.lines()[2:])
    assert fallen == down("Uno", "b/1")
    assert blind.startswith("root 🟣 ItemPath a cannot be read. Blind since <time>")


async def test_an_open_thread_keeps_its_channel_when_the_route_changes(make: Callable[..., Any]) -> None:
    world: World = await make(sites={"berlin": [connection(1, "SAP")]}, channels=[SAP])
    await world.start()
    world.site.set_status(1, 0)
    await world.shows(watching("berlin"), down("SAP", "berlin/1"))
    world.settings["routes"] = ({"name": "SAP", "channel": SAP.id},)
    await world.restart()
    world.site.set_status(1, 1)
    await world.slack.wait_for(lambda: "  broadcast" in "".join(world.lines()))
    world.site.set_status(1, 0)

    await world.shows(down("SAP", "berlin/1"), channel=SAP.id)
