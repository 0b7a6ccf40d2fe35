"""A site that cannot be read, and a bot that was away (contract section 4, rules 8 and 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.itempath_faults import Fault
from tests.e2e.world import WITHIN, World, connection

WATCHING = (
    "root 🔵 Watching 1 connection of ItemPath default, up. "
    "From now on a message says when one goes down, is up again or logs a new error. "
    "Type /connection help to see what you can ask."
)
DOWN = "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet."
BLIND = (
    "root 🟣 ItemPath default cannot be read. Blind since <time>: the state of its connections is unknown. The "
    "reply is a web page and not JSON: perhaps a login page or a proxy's own page. Check that the address is that of "
    "ItemPath itself, with or without /api. Nobody has acknowledged it yet."
)
SIGHT = (
    "root 🟢 ItemPath default can be read again after <span>. Blind for <span>, from <time> to <time>. The reason was: "
    "The reply is a web page and not JSON: perhaps a login page or a proxy's own page."
)
SIGHT_TOO = (
    "  broadcast 🟢 ItemPath default can be read again; this bot was blind for <span>. Blind for <span>, from <time> to "
    "<time>."
)


async def test_a_lost_site_is_one_root_and_nothing_resolves_and_its_return_an_edit_and_a_broadcast(
    world: World,
) -> None:
    await world.start()
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    shown = world.lines()

    await world.site.set_fault("html")
    await world.shows(*shown, BLIND)
    await world.site.set_fault(None)

    await world.shows(*shown, SIGHT, SIGHT_TOO)


async def test_one_failed_poll_is_no_news(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    world.site.script(Fault.HTML)
    await world.site.polled(2)

    await world.shows(WATCHING)


async def test_a_flip_while_blind_is_told_when_sight_is_back_with_what_is_known_of_its_time(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    await world.site.set_fault("html")
    await world.shows(WATCHING, BLIND)

    world.site.set_status(1, 0)
    await world.settled()
    await world.site.set_fault(None)
    await world.shows(
        WATCHING,
        SIGHT,
        SIGHT_TOO,
        "root 🔴 PowerPick is down. default/1: went down between <time> and <time>, while the site could not be read. "
        "3 integrations stop. Nobody has acknowledged it yet.",
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("credentials", "set ITEMPATH_TOKEN"),
        ("unreachable", "Check that ItemPath runs and that the port in url is right"),
        ("html", "Check that the address is that of ItemPath itself"),
    ],
)
async def test_a_site_that_was_never_read_says_why_and_what_to_do_and_has_its_baseline_later(
    world: World, fault: str, words: str
) -> None:
    await world.site.set_fault(fault)
    await world.start()
    (line,) = await world.slack.wait_for(world.lines)
    assert "cannot be read" in line
    assert words in line

    await world.site.set_fault(None)
    await world.slack.wait_for(lambda: WATCHING in world.lines())
    await world.settled()
    assert [line[:30] for line in world.lines()] == [
        "root 🟢 ItemPath default can be",
        "  broadcast 🟢 ItemPath default",
        WATCHING[:30],
    ]


async def test_nothing_is_announced_twice_by_a_restart(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    world.site.set_status(1, 0)
    world.site.write_error(1, "login failed")
    down = f"{DOWN} Error: login failed"
    await world.shows(WATCHING, down)

    for _ in range(2):
        await world.restart()
        await world.shows(WATCHING, down)


async def test_a_flip_while_the_bot_was_away_is_told_once_and_marked_as_such(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    await world.stop()
    world.site.set_status(1, 0)
    await world.start()
    down = (
        "root 🔴 PowerPick is down. default/1: went down between <time> and <time>, while this bot was away. "
        "3 integrations stop. Nobody has acknowledged it yet."
    )
    await world.shows(WATCHING, down)

    await world.stop()
    world.site.set_status(1, 1)
    await world.start()
    await world.shows(
        WATCHING,
        "root 🟢 PowerPick is up again after about <span>. default/1: Downtime about <span>, from <time> to <time>. It "
        "went down between <time> and <time>, while this bot was away. It ended between <time> and <time>, while this "
        "bot was away.",
        "  broadcast 🟢 PowerPick is up again after about <span>. default/1: Downtime about <span>, from <time> to <time>. "
        "It went down between <time> and <time>, while this bot was away. It ended between <time> and <time>, while "
        "this bot was away.",
    )


async def test_a_flip_after_the_first_good_poll_of_a_new_start_is_seen_and_not_found(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    await world.restart()
    await world.settled()
    world.site.set_status(1, 0)

    await world.shows(WATCHING, DOWN)


async def test_a_long_absence_is_told_with_its_span_once_for_a_channel(make: Callable[..., Any]) -> None:
    world: World = await make(sites={"a": [connection(1, "One")], "b": [connection(1, "One")]})
    await world.start()
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    shown = world.lines()
    await world.stop()
    world.clock.skip(minutes=20)

    await world.start()
    await world.shows(
        *shown,
        "root 🔵 Nothing was watched for <span>. This bot was away from <time> to <time>. Changes that still "
        "hold are announced; whatever came and went in between was missed.",
    )


async def test_a_short_absence_is_not_told(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    await world.stop()
    world.clock.skip(minutes=3)
    await world.start()

    await world.shows(WATCHING)


async def test_a_site_that_is_taken_out_of_the_settings_leaves_nothing_red_behind(make: Callable[..., Any]) -> None:
    """Neither in a root of its own, nor in one that it shares."""
    world: World = await make(sites={"a": [connection(1, "One")], "b": [connection(1, "Uno"), connection(2, "Due")]})
    await world.start()
    await world.slack.wait_for(lambda: len(world.lines()) == 2, within=WITHIN)
    world.sites["b"].set_status(2, 0)
    await world.slack.wait_for(lambda: len(world.lines()) == 3, within=WITHIN)
    # Polls that are far apart: both are certainly lost within two of them.
    world.settings["sites"] = {name: {"poll_interval": timedelta(seconds=15)} for name in world.sites}
    await world.restart()
    await asyncio.gather(*(site.set_fault("unreachable") for site in world.sites.values()))
    await world.slack.wait_for(
        lambda: any("2 of 2 sites cannot be read" in line for line in world.lines()), within=WITHIN
    )

    await world.stop()
    del world.sites["b"]
    await world.start()
    await world.slack.wait_for(
        lambda: any("root 🟣 ItemPath a cannot be read." in line for line in world.lines()), within=WITHIN
    )
    await world.site.set_fault(None)
    await world.settled()
    lines = world.lines()
    assert "root ⚪ Due is no longer watched." in " ".join(lines)
    assert "ItemPath a can be read again; this bot was blind for" in " ".join(lines)
    assert not any(mark in line for line in lines for mark in ("🔴", "🟣", "sites"))
