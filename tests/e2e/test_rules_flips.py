"""Baseline, flips down and up (contract section 4, rules 1 to 3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.storm import Storm
from tests.e2e.world import World, connection

WATCHING = (
    "root 🔵 Watching 1 connection of ItemPath default, up. "
    "From now on a message says when one goes down, is up again or logs a new error. "
    "Type /connection help to see what you can ask."
)
DOWN = "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet."
UP = "root 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>."
UP_TOO = "  broadcast 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>."


async def test_the_baseline_is_one_message_that_names_what_is_already_down(make: Callable[..., Any]) -> None:
    rows = [connection(1, "PowerPick"), connection(2, "Web Services", status=0), connection(3, "SAP", status=None)]
    world: World = await make(sites={"berlin": rows})
    await world.start()

    await world.shows(
        "root 🔴 Watching 3 connections of ItemPath berlin, 1 already down. 🔴 down: Web Services berlin/2. "
        "1 of them is unknown: ItemPath tells no clear state of it. Nobody has acknowledged it yet. "
        "From now on a message says when one goes down, is up again or logs a new error. "
        "Type /connection help to see what you can ask."
    )


async def test_the_baseline_is_the_root_of_the_first_recovery_and_the_next_fall_has_its_own(
    make: Callable[..., Any],
) -> None:
    world: World = await make(sites={"berlin": [connection(2, "Web Services", status=0)]})
    await world.start()
    await world.slack.wait_for(world.lines)

    world.site.set_status(2, 1)
    over = (
        (
            "root 🟢 Watching 1 connection of ItemPath berlin, what was down at first is up again. 🟢 up again: Web "
            "Services berlin/2 after at least <span>, <time>. "
            "From now on a message says when one goes down, is up again or logs a new error. "
            "Type /connection help to see what you can ask."
        ),
        (
            "  broadcast 🟢 Web Services is up again after at least <span>. berlin/2: Downtime at least <span>, from <time> "
            "to <time>. It was already down when watching began, <time>."
        ),
    )
    await world.shows(*over)

    world.site.set_status(2, 0)
    await world.shows(
        *over,
        "root 🔴 Web Services is down. berlin/2: down since <time>. 1 integration stops. Nobody has acknowledged it yet.",
    )


async def test_a_flip_is_one_root_and_its_recovery_an_edit_and_one_broadcast(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)

    world.site.set_status(1, 0)
    await world.shows(WATCHING, DOWN)

    world.site.set_status(1, 1)
    await world.shows(WATCHING, UP, UP_TOO)
    assert len(world.slack.made("chat.update")) == 1


async def test_unknown_opens_closes_and_flips_nothing(world: World) -> None:
    await world.start()
    for status in (None, 7, 0, None, 0):
        world.site.set_status(1, status)
        await world.settled()
    await world.shows(WATCHING, DOWN)

    for status in (None, 1, None, 1):
        world.site.set_status(1, status)
        await world.settled()

    await world.shows(WATCHING, UP, UP_TOO)


async def test_with_confirmation_a_single_poll_decides_nothing_in_either_direction(world: World) -> None:
    world.settings["alerts"]["confirm_polls"] = 3
    await world.start()
    await world.shows(WATCHING)

    world.site.set_status(1, 0)
    await world.site.polled()
    world.site.set_status(1, 1)
    await world.shows(WATCHING)

    world.site.set_status(1, 0)
    await world.shows(WATCHING, DOWN)
    world.site.set_status(1, 1)
    await world.site.polled()
    world.site.set_status(1, 0)
    await world.shows(WATCHING, DOWN)


async def test_an_outage_that_was_over_before_its_root_was_sent_is_sent_once_as_recovered(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    world.slack.faults.refusing = "invalid_auth"
    world.site.set_status(1, 0)
    await world.site.polled(2)
    world.site.set_status(1, 1)
    await world.site.polled(2)

    world.slack.faults.refusing = None
    await world.shows(WATCHING, UP)


async def test_an_announcement_is_on_its_way_within_a_second_of_the_poll_that_saw_it(tmp_path: Path) -> None:
    """The channel's slot is free, so nothing is waited for: what counts is the bot's own time, not the machine's."""
    async with Storm(tmp_path, sites={"default": [connection(1, "PowerPick")]}) as storm:
        await storm.start()
        storm.site.set_status(1, 0)
        await storm.polls()

        (fall,) = await storm.service.store.episodes(going_on=True)
        posted = float(storm.message("is down")["ts"])
        assert 0 <= posted - fall.start.timestamp() < 1


async def test_what_itempath_says_can_neither_ping_nor_link(make: Callable[..., Any]) -> None:
    name = "<!channel> <@U0ALICE> *bold* https://evil.example.com & co"
    world: World = await make(sites={"default": [connection(1, name)]})
    await world.start()
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    text = world.message("is down")["text"]

    assert "<" not in re.sub(r"<!date\^\d+\^[^<>]*>", "", text)
    assert text.startswith("🔴 &lt;!channel&gt; &lt;@U0ALICE&gt; *bold*")
