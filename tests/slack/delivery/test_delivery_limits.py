"""Slack asks to wait: obeyed for as long as it says, and only by what it is about."""

from __future__ import annotations

from bot.sandbox.slack.faults import Fault
from tests.slack.delivery.room import SECOND, SENT, Room, about, calls_at, in_state, key

LONG = 3000
"""Seconds that Slack asks for and no test here waits for."""


async def test_a_429_on_a_post_is_obeyed_in_its_channel_and_nowhere_else(room: Room) -> None:
    """Three messages, a second between any two, go elsewhere: in that time the next one would have gone here as well."""
    room.slack.fail("chat.postMessage", Fault.rate_limited(LONG), when=about(1))
    await room.announce(1, 2)
    async with room.running():
        await room.until_row(key(1), lambda row: row.error == "ratelimited")
        await room.announce(3, 4, 5, channel=SECOND)
        await room.until_shown("3.0", "4.0", "5.0", channel=SECOND)
    assert room.posts() == ["1.0", "3.0", "4.0", "5.0"]


async def test_what_works_meanwhile_does_not_shorten_a_429(room: Room) -> None:
    """An edit that succeeds in the channel says nothing about its posts: neither of the one that was refused nor of the
    one that has not been tried.
    """
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.postMessage", Fault.rate_limited(60))
        await room.announce(2, 3)
        await room.until_row(key(2), lambda row: row.error == "ratelimited")
        await room.revise(1)
        await room.until_row(key(1), lambda row: row.shown_revision == 2)
        await room.until_settled()
    _, refused, *others = calls_at(room, "chat.postMessage")
    assert len(others) == 2
    assert all(at - refused >= 60 for at in others)


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
