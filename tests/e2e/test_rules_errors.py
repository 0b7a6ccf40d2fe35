"""New error logs, alone and together with flips (contract section 4, rules 4 and 5)."""

from __future__ import annotations

import pytest

from tests.e2e.world import World

WATCHING = (
    "root 🔵 Watching 1 connection of ItemPath default, up. "
    "From now on a message says when one goes down, is up again or logs a new error. "
    "Type /connection help to see what you can ask."
)
ONCE = (
    "root 🟠 PowerPick reports an error. default/1: Seen once, <time>. Error: order 4711 rejected. "
    "The connection itself was last seen up. Nobody has acknowledged it yet."
)


@pytest.fixture
async def watched(world: World) -> World:
    await world.start()
    await world.shows(WATCHING)
    return world


async def test_an_error_on_a_connection_that_stays_up_is_counted_told_and_closed_in_one_thread(watched: World) -> None:
    watched.site.write_error(1, "order 4711 rejected")
    await watched.shows(WATCHING, ONCE)

    watched.site.write_error(1, "order 4712 rejected")
    twice = ONCE.replace("Seen once, <time>", "Seen 2 times, first <time> and last <time>").replace("4711", "4712")
    await watched.shows(WATCHING, twice)

    watched.site.write_error(1, "disk full")
    other = "  reply 🟠 PowerPick reports another error. default/1: Seen once, <time>. Error: disk full"
    await watched.shows(WATCHING, f"{twice} 1 other error in the thread.", other)

    watched.site.write_log(1)
    await watched.shows(
        WATCHING,
        "root 🟢 PowerPick no longer reports an error. default/1: Seen 2 times, first <time> and last <time>. Its newest "
        "log has no error, since <time>. 1 other error in the thread. Error: order 4712 rejected",
        other,
    )


async def test_the_same_family_soon_after_a_clean_log_reopens_its_root(watched: World) -> None:
    watched.site.write_error(1, "order 4711 rejected")
    await watched.shows(WATCHING, ONCE)
    watched.site.write_log(1)
    await watched.shows_soon(
        WATCHING,
        "root 🟢 PowerPick no longer reports an error. default/1: Seen once, <time>. Its newest log has no error, "
        "since <time>. Error: order 4711 rejected",
    )

    watched.site.write_error(1, "order 4999 rejected")
    await watched.shows(
        WATCHING,
        ONCE.replace("Seen once, <time>", "Seen 2 times, first <time> and last <time>").replace("4711", "4999"),
    )


async def test_errors_while_down_are_replies_one_for_each_family(watched: World) -> None:
    watched.site.set_status(1, 0)
    down = (
        "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet."
    )
    await watched.shows(WATCHING, down)

    watched.site.write_error(1, "timeout after 31 ms")
    reply = "  reply 🟠 PowerPick reports an error while down. default/1: Seen once, <time>. Error: timeout after 31 ms"
    await watched.shows(WATCHING, down, reply)

    watched.site.write_error(1, "timeout after 32 ms")
    await watched.shows(
        WATCHING,
        down,
        reply.replace("Seen once, <time>", "Seen 2 times, first <time> and last <time>").replace("31", "32"),
    )


async def test_a_flip_and_an_error_in_one_snapshot_are_one_message(watched: World) -> None:
    watched.site.write_error(1, "login failed")
    watched.site.set_status(1, 0)

    await watched.shows(
        WATCHING,
        "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet. "
        "Error: login failed",
    )


async def test_a_fall_closes_the_open_error_as_now_down_and_has_its_own_root(watched: World) -> None:
    watched.site.write_error(1, "order 4711 rejected")
    await watched.shows(WATCHING, ONCE)
    watched.site.set_status(1, 0)

    await watched.shows(
        WATCHING,
        "root ⚪ PowerPick reported an error and is now down. default/1: Seen once, <time>. It went down <time>; that has "
        "a message of its own. Error: order 4711 rejected",
        "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet. "
        "Error: order 4711 rejected",
    )


async def test_an_error_that_comes_while_a_flip_awaits_confirmation_joins_it(world: World) -> None:
    world.settings["alerts"]["confirm_polls"] = 3
    await world.start()
    await world.shows(WATCHING)

    world.site.set_status(1, 0)
    await world.site.polled(2)
    world.site.write_error(1, "login failed")
    await world.shows(
        WATCHING,
        "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet. "
        "Error: login failed",
    )


async def test_an_error_stands_alone_when_the_flip_is_not_confirmed(world: World) -> None:
    world.settings["alerts"]["confirm_polls"] = 100
    await world.start()
    await world.shows(WATCHING)

    world.site.set_status(1, 0)
    await world.site.polled(2)
    world.site.write_error(1, "order 4711 rejected")
    await world.shows(WATCHING)
    world.site.set_status(1, 1)

    await world.shows(WATCHING, ONCE)
