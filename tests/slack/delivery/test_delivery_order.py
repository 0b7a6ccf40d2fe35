"""A root before its replies, replies in order, one message a second and channel, the important first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.core.incidents import ThreadKind
from bot.sandbox.slack.faults import Fault
from bot.slack import delivery
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, MOOT, Room, about, in_state, key

SECOND = timedelta(seconds=1)


async def test_a_root_goes_out_the_moment_it_is_committed(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Woken, not polled: the next look at the rows by itself would be in an hour."""
    monkeypatch.setattr(delivery, "LOOK_AGAIN", timedelta(hours=1))
    room: Room = await build(speed=1.0)
    async with room.running():
        await room.announce(1)
        await room.until_shown("1.0", within=60)


async def test_a_root_goes_before_its_replies_and_replies_go_in_order(room: Room) -> None:
    await room.announce(1)
    await room.say(1, 1, 2)
    await room.remind(1, reply=3)
    async with room.running():
        await room.until_shown("1.0", "1.1", "1.2", "1.3")
    root, *replies = room.slack.messages()
    assert {reply["thread_ts"] for reply in replies} == {root["ts"]}
    assert [reply.get("subtype") for reply in replies] == [None, None, "thread_broadcast"]


async def test_incident_roots_go_first_then_broadcasts_then_the_rest_each_by_age(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_shown("1.0")
        await room.until_settled()
    await room.announce(2, kind=ThreadKind.AWAY)
    await room.say(1, 1)
    await room.announce(3, kind=ThreadKind.AWAY)
    await room.remind(1, reply=2)
    await room.announce(5)
    await room.announce(4)
    async with room.running():
        await room.until_shown("1.0", "5.0", "4.0", "2.0", "1.1", "1.2", "3.0")


async def test_a_channel_gets_at_most_one_message_a_second_and_the_others_do_not_wait_for_it(build: Build) -> None:
    room: Room = await build(speed=10.0)
    await room.announce(1, 2, 3, 4)
    await room.announce(5, channel="C0SECOND")
    async with room.running():
        await room.until_shown("1.0", "2.0", "3.0", "4.0")
    times = room.post_times()
    assert all(later - earlier >= SECOND for earlier, later in pairwise(times))
    assert room.post_times("C0SECOND")[0] < times[1]


async def test_a_channel_under_two_names_has_one_pace(build: Build) -> None:
    room: Room = await build(speed=10.0)
    await room.announce(1, channel="#alerts")
    async with room.running():
        await room.until_shown("1.0")
        await room.announce(2)
        await room.announce(3, channel="#alerts")
        await room.until_shown("1.0", "2.0", "3.0")
    times = room.post_times()
    assert all(later - earlier >= SECOND for earlier, later in pairwise(times))


async def test_edits_keep_within_slacks_limit(build: Build) -> None:
    """56 edits at once: no 429 from a Slack that takes 50 a minute."""
    room: Room = await build(speed=20.0, limits=True)
    room.slack.limits.rates.pop("chat.postMessage")
    room.slack.limits.jitter = 2.0
    numbers = range(1, 57)
    await room.announce(*numbers, channel="C0ALERTS")
    async with room.running():
        await room.until_settled(within=30)
        await room.revise(*numbers)
        await room.until_settled(within=30)
    assert [call.outcome for call in room.slack.made("chat.update")] == ["ok"] * 56


async def test_edits_that_pile_up_become_one(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        with room.slack.gate("chat.update", before=True) as gate:
            await room.revise(1, revision=2)
            await room.until(lambda: gate.held)
            for revision in range(3, 9):
                await room.revise(1, revision=revision)
        await room.until_settled()
    assert len(room.slack.made("chat.update")) == 2
    assert (await room.row(key(1))).shown_revision == 8


async def test_an_outage_that_is_over_before_its_root_was_sent_is_one_message(room: Room) -> None:
    await room.announce(1)
    await room.recover(1)
    async with room.running():
        await room.until_row(key(1, 1), in_state(MOOT))
    assert room.shown() == ["1.0"]
    assert room.slack.made("chat.update") == []


async def test_an_outage_that_was_shown_is_edited_and_told_by_a_broadcast(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        await room.recover(1)
        await room.until_settled()
    assert room.shown() == ["1.0", "1.1"]
    assert len(room.slack.made("chat.update")) == 1


async def test_what_is_told_late_of_an_earlier_downtime_is_told_and_holds_up_nothing(room: Room) -> None:
    """It fell again meanwhile, in the same thread: the latest downtime is not the one that the reply is about."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    await room.recover(1)
    await room.fall_again(1)
    await room.remind(1, reply=2)
    async with room.running():
        await room.until_settled()
    assert room.shown() == ["1.0", "1.1", "1.2"]
    assert " was up again after " in room.text(key(1, 1))


async def test_a_change_while_the_root_is_being_sent_is_edited_into_it(room: Room) -> None:
    async with room.running():
        with room.slack.gate("chat.postMessage"):
            await room.announce(1)
            await room.until(lambda: room.shown() == ["1.0"])
            await room.revise(1)
        await room.until_settled()
    assert len(room.slack.made("chat.update")) == 1


@pytest.mark.parametrize("without", [frozenset(), frozenset({"channels:read", "groups:read"})])
async def test_what_waits_in_line_goes_where_its_route_leads_now(
    build: Build, without: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the loop has not heard of it yet: the rows that it holds name the former channel."""
    monkeypatch.setattr(delivery, "LOOK_AGAIN", timedelta(hours=1))
    room: Room = await build(without=without)
    await room.announce(1, 2, 3, channel="#alerts")
    async with room.running():
        with room.slack.gate("chat.postMessage") as gate:
            await room.until(lambda: gate.held)
            await room.reroute(2, 3, channel="#second")
        await room.until_shown("2.0", "3.0", channel="C0SECOND")
        await room.until_settled()
    assert room.shown() == ["1.0"]
    assert await room.store.channel_id("second") in ("C0SECOND", None)
    assert await room.store.channel_id("alerts") in ("C0ALERTS", None)


async def test_what_was_perhaps_sent_where_there_is_no_channel_goes_where_its_route_leads_now(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.drop())
    await room.announce(1, channel="C0NOWHERE")
    async with room.running():
        await room.until_row(key(1), lambda row: row.error == "channel_not_found")
    await room.reroute(1, channel=CHANNEL)
    async with room.running(room.another()):
        await room.until_shown("1.0'")


async def test_draining_finishes_what_is_under_way_and_leaves_the_rest_in_the_database(room: Room) -> None:
    await room.announce(1, 2)
    with room.slack.gate("chat.postMessage") as gate:
        async with room.running() as task:
            await room.until(lambda: gate.held)
            room.delivery.drain()
            gate.release()
            async with asyncio.timeout(5):
                await task
    waiting = {row.key for row in await room.store.outbox.waiting()}
    assert room.shown() == ["1.0"]
    assert waiting == {key(2)}


async def test_draining_begins_what_may_go_at_once(build: Build) -> None:
    """What was committed in the moment of the end, while the delivery was waiting for something else."""
    room: Room = await build(speed=1.0)
    await room.announce(1)
    with room.slack.gate("chat.postMessage") as gate:
        async with room.running() as task:
            await room.until(lambda: gate.held)
            await room.announce(2, channel="C0SECOND")
            room.delivery.drain()
            gate.release()
            async with asyncio.timeout(30):
                await task
    assert (room.shown(), room.shown("C0SECOND")) == (["1.0"], ["2.0"])
    assert not (await room.store.outbox.pending()).count


async def test_draining_ends_at_once_when_nothing_is_under_way(room: Room) -> None:
    async with room.running() as task:
        room.delivery.drain()
        async with asyncio.timeout(5):
            await task


async def test_a_call_that_hangs_in_one_channel_does_not_hold_up_another(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.hang(), when=about(1))
    async with room.running():
        await room.announce(1)
        await room.until(lambda: room.posts() == ["1.0"])
        await room.announce(2, 3, channel="C0SECOND")
        await room.until_shown("2.0", "3.0", channel="C0SECOND")
        assert room.shown() == []


async def test_an_edit_that_hangs_holds_up_neither_posts_nor_other_edits(room: Room) -> None:
    def first(arguments: dict[str, Any]) -> bool:
        return bool(arguments["ts"] == room.slack.messages()[0]["ts"])

    await room.announce(1, 2)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.hang(), when=first)
        await room.revise(1)
        await room.until(lambda: len(room.slack.made("chat.update")) == 1)
        await room.revise(2)
        await room.announce(3)
        await room.until_shown("1.0", "2.0", "3.0")
        await room.until_row(key(2), lambda row: row.shown_revision == 2)
        assert (await room.row(key(1))).shown_revision == 1
