"""Connections that come, go, change or cannot be understood (contract section 4, rule 9)."""

from __future__ import annotations

from tests.e2e.world import World, connection

WATCHING = (
    "root 🔵 Watching 1 connection of ItemPath default, up. "
    "From now on a message says when one goes down, is up again or logs a new error. "
    "Type /connection help to see what you can ask."
)


async def test_what_one_poll_shows_as_changed_is_one_message_without_a_mention(world: World) -> None:
    world.settings["routes"] = ({"mention": "here"},)
    await world.start()
    await world.shows(WATCHING)

    world.site.add(**connection(2, "SAP"))
    world.site.change(1, name="Power Pick", passwordExists=False, username=None, lastCheck="2026-05-07T13:30:00.603010")

    await world.shows(
        WATCHING,
        "root 🔵 default: 2 changes in ItemPath. 1 added, 1 changed. 📝 changed: Power Pick default/1: name from PowerPick "
        "to Power Pick, username from itempath to none, password from stored to none; \N{HEAVY PLUS SIGN} added: SAP default/2.",
    )


async def test_a_connection_that_appears_down_is_an_outage_like_any_other(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    world.site.add(**connection(2, "SAP", status=0))

    await world.shows(
        WATCHING,
        "root 🔴 SAP is down. default/2: already down when it was added, <time>. 1 integration stops. "
        "Nobody has acknowledged it yet.",
    )


async def test_one_that_goes_while_down_closes_as_no_longer_watched(world: World) -> None:
    await world.start()
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    watching = world.lines()[0]
    world.site.remove(1)

    await world.shows(
        watching,
        "root ⚪ PowerPick is no longer watched. default/1: Downtime <span>, from <time> to <time>.",
        "root 🔵 default: 1 change in ItemPath. 1 removed. \N{HEAVY MINUS SIGN} removed: PowerPick default/1, it was down.",
    )


async def test_a_row_that_cannot_be_read_is_unknown_and_not_absent(world: World) -> None:
    await world.start()
    await world.shows(WATCHING)
    world.site.change(1, status={"code": 1})
    await world.slack.wait_for(lambda: len(world.lines()) == 2)
    world.site.change(1, status=1)
    await world.slack.wait_for(lambda: len(world.lines()) == 3)
    await world.settled()

    assert [line[:60] for line in world.lines()[1:]] == [
        "root 🔵 default: 1 connection cannot be understood. The state",
        "root 🔵 default: 1 connection can be understood again. Change",
    ]
