"""A workspace of so many channels that Slack does not list them within one minute."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.limits import Rate
from bot.sandbox.slack.workspace import Channel
from bot.slack.errors import RateLimited, Refused, SlackError
from bot.slack.reach import Reach
from bot.slack.workspace import Workspace
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, SECOND, Room

PAGES = 4


def enlarge(room: Room) -> None:
    """`#alerts` is listed first and `#second` last."""
    for n in range((PAGES - 1) * 1000):
        room.slack.workspace.channels[f"C0M{n:05d}"] = Channel(id=f"C0M{n:05d}", name=f"team-{n}")


def pages(room: Room) -> list[str | None]:
    """Which were listed, each by its cursor."""
    return [c.arguments.get("cursor") for c in room.slack.made("conversations.list") if c.outcome == "ok"]


def not_the_first(arguments: dict[str, Any]) -> bool:
    return bool(arguments.get("cursor"))


async def test_an_alert_by_name_arrives_and_each_page_was_listed_once(build: Build) -> None:
    """Although Slack lists no more than two pages a minute, and who asks whether the bot can speak asks as well."""
    room: Room = await build(limits=True, speed=200.0)
    room.slack.limits.rates["conversations.list"] = Rate(calls=2, seconds=60)
    enlarge(room)
    reach = Reach(calls=room.calls, workspace=room.workspace, channels=["#second"], clock=room.clock)
    asking = asyncio.create_task(reach.run())
    async with room.running():
        await room.announce(1, channel="#second")
        await room.until_shown("1.0", channel=SECOND)
    await room.until(lambda: reach.problems == ())
    asking.cancel()
    await asyncio.wait([asking])
    assert len(pages(room)) == len(set(pages(room))) == PAGES


async def test_who_asks_meanwhile_shares_the_pages(room: Room) -> None:
    enlarge(room)
    names = ["#second", "#alerts"]
    workspace = Workspace(room.calls, room.store, channels=names)
    assert await asyncio.gather(*map(workspace.channel_id, names)) == [SECOND, CHANNEL]
    assert len(pages(room)) == PAGES


@pytest.mark.parametrize("fault", [Fault.rate_limited(30), Fault.http(503), Fault.garbage()])
async def test_after_a_fault_in_the_middle_the_list_goes_on_where_it_was(room: Room, fault: Fault) -> None:
    enlarge(room)
    room.slack.fail("conversations.list", fault, when=not_the_first)
    with pytest.raises(SlackError):
        await room.workspace.channel_id("#second")
    assert await room.workspace.channel_id("#second") == SECOND
    assert len(pages(room)) == PAGES


async def test_a_name_that_was_not_looked_for_from_the_first_page_on_is_looked_for_anew(room: Room) -> None:
    enlarge(room)
    room.slack.fail("conversations.list", Fault.rate_limited(30), when=not_the_first)
    with pytest.raises(RateLimited):
        await room.workspace.channel_id("#second")
    assert await room.workspace.channel_id("#alerts") == CHANNEL


async def test_a_name_that_is_nowhere_is_looked_for_anew_by_whoever_asks_again(room: Room) -> None:
    with pytest.raises(Refused, match="channel_not_found"):
        await room.workspace.channel_id("#new")
    room.slack.workspace.channels["C0NEW000"] = Channel(id="C0NEW000", name="new")
    assert await room.workspace.channel_id("#new") == "C0NEW000"


async def test_a_page_that_slack_does_not_know_any_more_is_turned_from_the_first_one_again(room: Room) -> None:
    enlarge(room)
    room.slack.fail("conversations.list", Fault.says("invalid_cursor"), when=not_the_first)
    with pytest.raises(SlackError, match="invalid_cursor"):
        await room.workspace.channel_id("#second")
    assert await room.workspace.channel_id("#second") == SECOND
    assert len(pages(room)) == 1 + PAGES
