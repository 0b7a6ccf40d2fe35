"""A refusal or a wait holds up what it is about and no more; what is refused is kept, and sent once it is mended."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.sandbox.slack.faults import Fault
from bot.slack.errors import from_answer
from bot.slack.pace import BACK_OFF_FIRST
from bot.slack.waits import MOST_WHILE_AWAY
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, HELD, SECOND, Room, about, calls_at, in_channel, in_state, key

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


async def test_a_method_that_is_not_allowed_holds_up_that_method_alone(build: Build) -> None:
    """All edits wait, and none of the posts: were Slack itself in doubt, one call at a time would be made."""
    room: Room = await build(speed=10.0)
    await room.announce(1)
    await room.announce(2, channel=SECOND)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", Fault.says("missing_scope"), times=None)
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.error == "missing_scope")
        await room.revise(2)
        with room.slack.gate("chat.postMessage", before=True) as gate:
            await room.announce(3)
            await room.announce(4, channel=SECOND)
            await room.until(lambda: gate.held == 2)
        room.slack.faults.clear()
        await room.until_settled()
    first, second, *_ = calls_at(room, "chat.update")
    assert second - first >= BACK_OFF_FIRST.total_seconds()


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
        # Refused for the sixth time, and not claimed for the next: without a bound it would wait two minutes now.
        row = await room.until_row(key(1), lambda row: row.attempts >= 6 and row.due_at is not None)
        assert row.error == "unreachable"
        assert row.due_at is not None
        assert row.due_at - room.clock.now() <= MOST_WHILE_AWAY
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
    assert said.count("slack does not take chat.postMessage in C0ALERTS: not_in_channel") == 1
    assert "/invite" in said
    assert said.count("slack takes it again") == 1


async def test_what_holds_up_everything_is_said_as_such_with_what_to_do(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    room.slack.fail("chat.postMessage", Fault.says("invalid_auth"))
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    said = capsys.readouterr().out
    assert said.count("slack does not take anything: invalid_auth") == 1
    assert "advice=" in said


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
