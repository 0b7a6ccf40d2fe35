"""What can no longer be edited, or has lost its thread, is posted anew: once, and leading to what it replaces."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, SENT, Room, about, calls_at, in_state, key


async def test_a_root_that_a_person_deleted_is_posted_anew_as_it_is_now(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.workspace.delete(room.slack.workspace.messages(CHANNEL)[0])
        await room.recover(1)
        await room.until_settled()
        await room.say(1, 2)
        await room.until_row(key(1, 2), in_state(SENT))
    root, *replies = room.slack.messages()
    assert room.name(root) == "1.0'"
    assert "is down" not in root["text"]
    assert {reply["thread_ts"] for reply in replies} == {root["ts"]}
    assert len([m for m in room.slack.messages() if "thread_ts" not in m or m["thread_ts"] == m["ts"]]) == 1


async def test_a_root_that_was_deleted_is_posted_anew_by_the_edit_alone(room: Room) -> None:
    """Nothing is to be said in its thread; only the edit learns that it is gone. What is gone has no address."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.workspace.delete(room.slack.workspace.messages(CHANNEL)[0])
        await room.revise(1)
        await room.until_shown("1.0'")
        await room.until_settled()
    (root,) = room.slack.messages()
    assert "This takes the place of an earlier message, which can no longer be edited." in root["text"]
    assert '"link"' not in json.dumps(root["blocks"])


@pytest.mark.parametrize("form", ["full", "plain"])
async def test_a_new_root_leads_to_the_one_that_it_takes_the_place_of(room: Room, form: str) -> None:
    """It may still stand there, red, with all that people said below it."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says("edit_window_closed"))
        if form == "plain":
            room.slack.fail("chat.postMessage", Fault.says("invalid_blocks"), times=2)
        await room.revise(1)
        await room.until_settled()
        await room.recover(1, revision=3)
        await room.until_settled()
    first, second = room.slack.messages()[:2]
    address = (await room.calls.read("chat.getPermalink", channel=CHANNEL, message_ts=first["ts"]))["permalink"]
    assert address.startswith("https://")
    assert (address in second["text"]) is (form == "plain")
    assert (f'"url": "{address}"' in json.dumps(second.get("blocks", []))) is (form == "full")
    assert "takes the place of" not in first["text"]


async def test_an_address_that_is_none_is_not_linked(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    true_read = room.calls.read

    async def read(method: str, **arguments: Any) -> Any:
        odd = {"ok": True, "permalink": "https://x|y> <!channel>"}
        return odd if method == "chat.getPermalink" else await true_read(method, **arguments)

    monkeypatch.setattr(room.calls, "read", read)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says("edit_window_closed"))
        await room.revise(1)
        await room.until_shown("1.0", "1.0'")
    assert (await room.row(key(1))).replaces == ""


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed", "message_not_found", "block_mismatch"])
async def test_an_edit_that_can_no_longer_be_made_becomes_a_new_root(room: Room, error: str) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says(error))
        await room.revise(1)
        await room.until_shown("1.0", "1.0'")
        await room.until_settled()
        await room.say(1, 1)
        await room.until_shown("1.0", "1.0'", "1.1")
    assert room.slack.messages()[-1]["thread_ts"] == room.slack.messages()[1]["ts"]


async def test_a_channel_where_nothing_can_be_edited_does_not_fill_up_at_once(build: Build) -> None:
    room: Room = await build(speed=20.0)
    room.slack.fail("chat.update", Fault.says("edit_window_closed"), times=None)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        for revision in range(2, 5):
            await room.revise(1, revision=revision)
            await room.until_settled()
    times = calls_at(room, "chat.postMessage")
    gaps = [later - earlier for earlier, later in pairwise(times[1:])]
    assert gaps[0] >= 3
    assert gaps[1] >= 7


async def test_a_reply_to_a_thread_that_is_gone_goes_below_a_new_root(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.workspace.delete(room.slack.workspace.messages(CHANNEL)[0])
        await room.say(1, 1)
        await room.until_shown("1.0'", "1.1")
    root, reply = room.slack.messages()
    assert reply["thread_ts"] == root["ts"]


async def test_a_thread_that_takes_no_replies_at_all_does_not_fill_the_channel(build: Build) -> None:
    room: Room = await build(speed=20.0)
    room.slack.fail("chat.postMessage", Fault.says("cannot_reply_to_message"), times=4, when=about(1, 1))
    await room.announce(1)
    await room.say(1, 1)
    async with room.running():
        await room.until_settled()
    assert room.shown()[-1] == "1.1"
    gaps = [later - earlier for earlier, later in pairwise(room.post_times()[1:-1])]
    assert all(gap >= timedelta(seconds=least) for gap, least in zip(gaps, (3, 7), strict=False))


async def test_a_reply_is_never_posted_as_a_root_while_its_root_is_posted_anew(room: Room) -> None:
    """The recovery's edit and broadcast start together; the edit learns first that the root is gone."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.workspace.delete(room.slack.workspace.messages(CHANNEL)[0])
        true_claim = room.store.outbox.claim

        async def late(which: Any, **more: Any) -> Any:
            if which.n == 1:
                await room.until_row(key(1), lambda row: row.generation == 1)
            return await true_claim(which, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room.store.outbox, "claim", late)
            await room.revise(1)
            await room.remind(1)
            await room.until_shown("1.0'", "1.1")
    root, reply = room.slack.messages()
    assert reply["thread_ts"] == root["ts"]


async def test_a_thread_whose_root_was_posted_anew_meanwhile_gets_no_third_one(room: Room) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        old = room.slack.workspace.messages(CHANNEL)[0]
        with room.slack.gate("chat.postMessage", before=True) as gate:
            await room.say(1, 1)
            await room.until(lambda: gate.held)
            room.slack.workspace.delete(old)
            await room.revise(1)
            await room.until_row(key(1), lambda row: row.generation == 1)
        await room.until_shown("1.0'", "1.1")
