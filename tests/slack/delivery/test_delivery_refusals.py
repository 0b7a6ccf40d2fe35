"""A refusal or a wait holds up what it is about and no more; what is refused is kept, and sent once it is mended."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from bot.slack.errors import from_answer
from bot.slack.waits import MOST_WHILE_AWAY
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, HELD, SENT, Room, about, in_state, key

SECOND = "C0SECOND"
LONG = 3000
"""Seconds that Slack asks for and no test here waits for."""


def calls_at(room: Room, method: str) -> list[float]:
    return [call.at for call in room.slack.made(method)]


def in_channel(channel: str) -> Any:
    return lambda arguments: arguments.get("channel") == channel


# Rate limits


async def test_a_429_on_a_post_is_obeyed_in_its_channel_and_nowhere_else(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.rate_limited(20), when=about(1))
    await room.announce(1, 2)
    await room.announce(3, channel=SECOND)
    async with room.running():
        await room.until_settled()
    first, *others = [c for c in room.slack.made("chat.postMessage") if c.arguments["channel"] == CHANNEL]
    assert first.outcome == "rate_limited"
    assert all(call.at - first.at >= 20 for call in others)
    assert room.slack.messages(SECOND)[0]["ts"] < room.slack.messages()[0]["ts"]
    assert room.posts().count("1.0") == 2


async def test_what_works_meanwhile_does_not_shorten_a_429(room: Room) -> None:
    """An edit that succeeds in the channel says nothing about its posts."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.postMessage", Fault.rate_limited(60))
        await room.announce(2)
        await room.until(lambda: len(room.posts()) == 2)
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.shown_revision == 2)
        await room.until_settled()
    _, refused, again = calls_at(room, "chat.postMessage")
    assert again - refused >= 60


async def test_a_429_on_an_edit_is_obeyed_by_all_edits(room: Room) -> None:
    await room.announce(1, 2)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.rate_limited(60))
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.error == "ratelimited")
        await room.revise(2)
        await room.until_settled()
    refused, *others = calls_at(room, "chat.update")
    assert len(others) == 2
    assert all(at - refused >= 60 for at in others)


async def test_while_edits_wait_for_a_429_posts_go_on(room: Room) -> None:
    await room.announce(1, 2)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.rate_limited(LONG))
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.error == "ratelimited")
        await room.revise(2)
        await room.announce(3)
        await room.until_row(key(3), in_state(SENT))
        assert len(calls_at(room, "chat.update")) == 1


async def test_a_429_on_a_look_is_obeyed(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    room.slack.fail("conversations.history", Fault.rate_limited(60))
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    refused, again = calls_at(room, "conversations.history")
    assert again - refused >= 60
    assert room.posts() == ["1.0"]


async def test_a_429_on_a_look_holds_up_only_what_waits_for_the_look(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    room.slack.fail("conversations.history", Fault.rate_limited(LONG))
    await room.announce(1)
    async with room.running():
        await room.until_row(key(1), lambda row: row.error == "ratelimited")
        await room.announce(2)
        await room.until_row(key(2), in_state(SENT))
    assert len(calls_at(room, "conversations.history")) == 1
    assert room.posts() == ["1.0", "2.0"]


# Refusals


@pytest.mark.parametrize("error", ["not_in_channel", "is_archived", "channel_not_found", "restricted_action"])
async def test_a_channel_that_refuses_holds_up_that_channel_alone(room: Room, error: str) -> None:
    room.slack.fail("chat.postMessage", Fault.says(error), times=None, when=in_channel(CHANNEL))
    await room.announce(1, 2)
    await room.announce(3, 4, channel=SECOND)
    async with room.running():
        await room.until_shown("3.0", "4.0", channel=SECOND)
        await room.until_row(key(1), in_state(HELD))
        assert (await room.row(key(2))).attempts == 0
        assert (await room.store.outbox.pending()).errors == ((CHANNEL, error, 1),)
        room.slack.faults.clear()
        await room.until_settled()
    assert room.shown() == ["1.0", "2.0"]


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_workspace_that_refuses_holds_up_everything_and_goes_on_when_mended(room: Room, error: str) -> None:
    room.slack.faults.refusing = error
    await room.announce(1, 2)
    await room.announce(3, channel=SECOND)
    async with room.running():
        await room.until_row(key(1), in_state(HELD))
        room.slack.faults.refusing = None
        await room.until_settled()
    assert (room.shown(), room.shown(SECOND)) == (["1.0", "2.0"], ["3.0"])


async def test_a_method_that_is_not_allowed_holds_up_that_method_alone(room: Room) -> None:
    await room.announce(1)
    await room.announce(2, channel=SECOND)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says("missing_scope"), times=None)
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.error == "missing_scope")
        await room.revise(2)
        await room.announce(3)
        await room.until_row(key(3), in_state(SENT))
        room.slack.faults.clear()
        await room.until_settled()


async def test_a_message_that_is_refused_holds_up_its_thread_alone(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.says("some_new_error"), times=None, when=about(1))
    await room.announce(1)
    await room.say(1, 1)
    await room.announce(2)
    await room.say(2, 1)
    async with room.running():
        await room.until_shown("2.0", "2.1")
        await room.until_row(key(1), in_state(HELD))
        room.slack.faults.clear()
        await room.until_shown("2.0", "2.1", "1.0", "1.1")


async def test_a_refusal_is_tried_again_within_ten_seconds_at_first(build: Build) -> None:
    room: Room = await build(speed=1.0)
    room.slack.fail("chat.postMessage", Fault.says("not_in_channel"))
    await room.announce(1)
    async with room.running():
        row = await room.until_row(key(1), in_state(HELD))
    assert row.due_at is not None
    assert row.tried_at is not None
    assert row.due_at - row.tried_at < timedelta(seconds=10)


async def test_a_refusal_is_tried_again_ever_more_slowly(build: Build) -> None:
    room: Room = await build(speed=100.0)
    room.slack.fail("chat.postMessage", Fault.says("not_in_channel"), times=7)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    times = calls_at(room, "chat.postMessage")
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= least for gap, least in zip(gaps, (4, 8, 16, 32, 64, 128, 256), strict=True))


async def test_a_slack_out_of_reach_is_tried_at_least_every_half_minute(build: Build) -> None:
    """Refused connections: certainly not sent, so nothing is looked up."""
    room: Room = await build(speed=100.0)
    await room.slack.stop()
    await room.announce(1)
    async with room.running():
        row = await room.until_row(key(1), lambda row: row.attempts >= 6)
        assert row.error == "unreachable"
        assert row.due_at is None or row.due_at - room.clock.now() <= MOST_WHILE_AWAY
        _, _, port = room.slack.url.rpartition(":")
        await room.slack.start(port=int(port))
        await room.until_settled()
    assert room.posts() == ["1.0"]
    assert room.slack.made("conversations.history") == []


async def test_a_trouble_is_said_once_and_its_end_too(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.slack.fail("chat.postMessage", Fault.says("not_in_channel"), times=3)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    said = capsys.readouterr().out
    assert said.count("not_in_channel") == 1
    assert said.count("slack takes it again") == 1


# Malformed


@pytest.mark.parametrize("times", [1, 2])
async def test_a_message_that_slack_calls_malformed_is_sent_in_a_simpler_form(room: Room, times: int) -> None:
    room.slack.fail("chat.postMessage", Fault.says("invalid_blocks"), times=times)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    (message,) = room.slack.messages()
    blocks = [block["type"] for block in message.get("blocks", [])]
    assert blocks == [["section"], []][times - 1]
    assert "is down" in message["text"]


async def test_a_message_that_is_refused_in_every_form_is_kept(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.says("invalid_blocks"), times=3)
    await room.announce(1)
    async with room.running():
        await room.until_row(key(1), in_state(HELD))
        await room.until_settled()
    assert room.shown() == ["1.0"]


@pytest.mark.parametrize("times", [1, 3])
async def test_an_edit_that_slack_calls_malformed_is_made_in_a_simpler_form(room: Room, times: int) -> None:
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says("msg_blocks_too_long"), times=times)
        await room.recover(1)
        await room.until_settled()
    assert [block["type"] for block in room.slack.messages()[0].get("blocks", [])] == (
        ["section"] if times == 1 else []
    )
    assert room.shown() == ["1.0", "1.1"]


# Gone


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


# Names


async def test_a_channel_given_by_name_is_looked_up_once_and_may_be_renamed(room: Room) -> None:
    await room.announce(1, channel="#alerts")
    async with room.running():
        await room.until_settled()
        room.slack.workspace.channels[CHANNEL].name = "renamed"
        await room.announce(2, channel="#alerts")
        await room.revise(1)
        await room.until_settled()
    async with room.running(room.another()):
        await room.announce(3, channel="#alerts")
        await room.until_shown("1.0", "2.0", "3.0")
    assert len(room.slack.made("conversations.list")) == 1
    assert await room.store.channel_id("alerts") == CHANNEL


async def test_a_name_that_nobody_has_is_kept_as_channel_not_found(room: Room) -> None:
    await room.announce(1, channel="#nowhere")
    await room.announce(2)
    async with room.running():
        await room.until_shown("2.0")
        row = await room.until_row(key(1), in_state(HELD))
        assert row.error == "channel_not_found"
        room.slack.workspace.channels[SECOND].name = "nowhere"
        await room.until_shown("1.0", channel=SECOND)


async def test_without_the_right_to_list_channels_a_post_goes_by_name_and_its_answer_tells_the_id(build: Build) -> None:
    room: Room = await build(without=frozenset({"channels:read", "groups:read"}))
    await room.announce(1, channel="#alerts")
    async with room.running():
        await room.until_settled()
        await room.revise(1)
        await room.until_settled()
        await room.announce(2, channel="#alerts")
        await room.until_settled()
    assert [call.arguments["channel"] for call in room.slack.made("chat.postMessage")] == ["#alerts", CHANNEL]
    assert await room.store.channel_id("alerts") == CHANNEL


def test_an_error_that_nobody_knows_is_about_its_message() -> None:
    assert getattr(from_answer("brand_new"), "scope", None) == "message"
