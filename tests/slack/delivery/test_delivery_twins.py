"""What was sent again and turns up twice is one in the end, and shows what is so now."""

from __future__ import annotations

import pytest

from bot.sandbox.slack.faults import Fault
from bot.slack.looks import TWIN_UNTIL
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, ROLES, SENT, Room, about, in_state, key, tell

UNSEEN = Fault.late(1e9, Fault.drop())
"""Taken, not answered, and not shown before `show_all`."""


def show_all(room: Room) -> None:
    for message in room.slack.workspace.messages(CHANNEL):
        room.slack.workspace.hide(message, 0.0)


async def until_sent_again(room: Room) -> None:
    """The first attempt stands in the channel unseen, the second one beside it."""
    await room.until(lambda: len(room.shown()) == 2)


@pytest.mark.parametrize("role", ROLES)
async def test_a_twin_that_turns_up_within_five_minutes_is_deleted(room: Room, role: str) -> None:
    """Taken, not answered, and shown by the history only when it was sent again long ago."""
    which, expected = await tell(room, role)
    room.slack.fail("chat.postMessage", UNSEEN, when=which)
    async with room.running():
        await room.until(lambda: len(room.shown()) == len(expected) + 1)
        await room.until_settled()
        show_all(room)
        await room.until(lambda: room.slack.made("chat.delete"))
        await room.until_shown(*expected)
        sent = (await room.row(key(1, len(expected) - 1))).ts
    assert room.slack.messages()[-1]["ts"] == sent
    assert len(room.slack.made("chat.delete")) == 1


async def test_twins_are_looked_for_until_five_minutes_have_passed_and_no_longer(build: Build) -> None:
    room: Room = await build(speed=200.0)
    room.slack.fail("chat.postMessage", Fault.drop())
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        await room.until_row(key(1), lambda row: row.twin_at is None)
    looks = room.slack.made("conversations.history")
    posted = room.slack.made("chat.postMessage")[-1]
    # A fast clock on a slow machine: the call arrives some seconds after it was begun.
    assert looks[-1].at - posted.at > 4 * 60
    assert await room.store.outbox.waiting() == ()


async def test_a_look_for_twins_that_is_not_answered_is_not_the_last_one(build: Build) -> None:
    """Slack is out for longer than the five minutes: the twin is still found afterwards."""
    room: Room = await build(speed=200.0)
    room.slack.fail("chat.postMessage", UNSEEN)
    await room.announce(1)
    async with room.running():
        await room.until_row(key(1), in_state(SENT))
        show_all(room)
        out = room.clock.now() + TWIN_UNTIL * 1.5
        room.slack.fail("conversations.history", Fault.http(503), times=None, when=lambda _: room.clock.now() < out)
        await room.until(lambda: room.slack.made("chat.delete"))
        await room.until_shown("1.0")


async def test_a_twin_that_cannot_be_deleted_now_is_deleted_later(build: Build) -> None:
    room: Room = await build(speed=200.0)
    room.slack.fail("chat.postMessage", UNSEEN)
    room.slack.fail("chat.delete", Fault.rate_limited(30))
    room.slack.fail("chat.delete", Fault.http(500))
    await room.announce(1)
    async with room.running():
        await until_sent_again(room)
        show_all(room)
        await room.until(lambda: len(room.slack.made("chat.delete")) == 3)
        await room.until_shown("1.0")
    first, second, _ = room.slack.made("chat.delete")
    assert second.at - first.at >= 30


async def test_a_twin_that_may_not_be_deleted_is_left_in_the_end(build: Build) -> None:
    room: Room = await build(speed=200.0)
    room.slack.fail("chat.postMessage", UNSEEN)
    room.slack.fail("chat.delete", Fault.says("cant_delete_message"), times=None)
    await room.announce(1)
    async with room.running():
        await until_sent_again(room)
        show_all(room)
        await room.until_settled()
        await room.until_row(key(1), lambda row: row.twin_at is None)
    assert room.shown() == ["1.0", "1.0"]
    assert room.slack.made("chat.delete")


async def outdated_copy_turns_up(room: Room) -> None:
    """The first attempt arrives unseen, and shows up while the second one, of a newer state, is being looked for."""
    room.slack.fail("chat.postMessage", UNSEEN)
    room.slack.fail("chat.postMessage", Fault.drop())
    await room.announce(1)
    async with room.running():
        await room.until(lambda: room.shown() == ["1.0"])
        await room.recover(1)
        await room.until(lambda: len(room.posts()) == 2)
        show_all(room)
        await room.until_settled()


async def test_an_earlier_attempt_that_turns_up_late_and_outdated_is_replaced_by_what_is_so_now(build: Build) -> None:
    """Else the channel would show "down" for ever, with the database sure that it shows "recovered"."""
    room: Room = await build(adopt_wait=60)
    await outdated_copy_turns_up(room)
    assert room.shown() == ["1.0"]
    assert "is down" not in room.slack.messages()[0]["text"]


async def test_an_outdated_copy_that_cannot_be_deleted_yet_is_not_doubled(build: Build) -> None:
    room: Room = await build(adopt_wait=60)
    room.slack.fail("chat.delete", Fault.http(503))
    await outdated_copy_turns_up(room)
    assert room.shown() == ["1.0"]
    assert len(room.posts()) == 3


async def test_two_copies_that_turn_up_together_become_one(build: Build) -> None:
    room: Room = await build(adopt_wait=20)
    room.slack.fail("chat.postMessage", UNSEEN)
    room.slack.fail("chat.postMessage", UNSEEN)
    await room.announce(1)
    async with room.running():
        await until_sent_again(room)
        show_all(room)
        await room.until_shown("1.0")
        assert len(room.posts()) == 2


async def test_a_twin_in_a_thread_that_is_gone_is_no_trouble(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.drop(), when=about(1, 1))
    await room.announce(1)
    await room.say(1, 1)
    async with room.running():
        await room.until_settled()
        for message in reversed(room.slack.workspace.messages(CHANNEL)):
            room.slack.workspace.delete(message)
        await room.until_row(key(1, 1), lambda row: row.twin_at is None)
    assert room.shown() == []
