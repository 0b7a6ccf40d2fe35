"""After an ambiguous outcome the bot finds out before it sends again: nothing is lost, and no duplicate stays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from bot.slack import fate
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import ADOPT_WAIT, CHANNEL, MAYBE, ROLES, Room, key, tell

AMBIGUOUS: dict[str, Callable[[bool], Fault]] = {
    "dropped": lambda accepted: Fault.drop(accepted=accepted),
    "reset": lambda accepted: Fault.reset(accepted=accepted),
    "hangs": lambda accepted: Fault.hang(accepted=accepted),
    "garbage": lambda accepted: Fault.garbage(accepted=accepted),
    "500": lambda accepted: Fault.http(500, accepted=accepted),
    "502": lambda accepted: Fault.http(502, accepted=accepted),
    "503": lambda accepted: Fault.http(503, accepted=accepted),
    "403 of a proxy": lambda accepted: Fault.http(403, accepted=accepted),
    "internal_error": lambda accepted: Fault.says("internal_error", accepted=accepted),
    "fatal_error": lambda accepted: Fault.says("fatal_error", accepted=accepted),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("outcome", AMBIGUOUS)
async def test_a_message_that_had_arrived_is_adopted(build: Build, outcome: str, role: str) -> None:
    room: Room = await build(answer_within=0.3 if outcome == "hangs" else 5.0)
    which, expected = await tell(room, role)
    room.slack.fail("chat.postMessage", AMBIGUOUS[outcome](True), when=which)
    async with room.running():
        await room.until_settled()
    assert room.shown() == expected
    assert room.posts() == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("outcome", AMBIGUOUS)
async def test_a_message_that_had_not_arrived_is_sent_again(build: Build, outcome: str, role: str) -> None:
    """…after it was looked for at once, and again when `adopt_wait` was over."""
    room: Room = await build(answer_within=0.3 if outcome == "hangs" else 5.0)
    which, expected = await tell(room, role)
    room.slack.fail("chat.postMessage", AMBIGUOUS[outcome](False), when=which)
    async with room.running():
        await room.until_settled()
    assert room.shown() == expected
    assert room.posts() == [*expected, expected[-1]]
    method = "conversations.history" if role == "root" else "conversations.replies"
    at_once, again = room.slack.made(method)[:2]
    assert again.at - at_once.at >= ADOPT_WAIT.total_seconds()


async def test_what_others_write_with_the_same_key_is_not_adopted(room: Room) -> None:
    """Any app can write metadata; and an old database's posts are not this one's."""
    await room.announce(1)
    delivery_key = (await room.row(key(1))).delivery_key(room.store.install_id)
    for bot_id, k in (("B0OTHER", delivery_key), (room.slack.workspace.bot.bot_id, f"x{delivery_key}")):
        room.slack.workspace.post(
            CHANNEL, user="U0ALICE", text="mine", bot_id=bot_id, metadata=fate.metadata(k, revision=1)
        )
    room.slack.fail("chat.postMessage", Fault.drop())
    async with room.running():
        await room.until_settled()
    assert room.posts() == ["1.0", "1.0"]
    assert (await room.row(key(1))).ts == room.slack.messages()[-1]["ts"]


async def test_a_message_without_readable_metadata_is_passed_over(room: Room) -> None:
    await room.announce(1)
    ours = {"user": "U0BOT", "text": "mine", "bot_id": room.slack.workspace.bot.bot_id}
    for payload in ({}, {"event_type": fate.EVENT_TYPE, "event_payload": []}, {"event_type": "other"}):
        room.slack.workspace.post(CHANNEL, metadata=payload, **ours)
    room.slack.fail("chat.postMessage", Fault.drop())
    async with room.running():
        await room.until_settled()
    assert room.posts() == ["1.0", "1.0"]


@pytest.mark.parametrize("accepted", [True, False])
async def test_what_was_under_way_when_the_bot_was_killed_is_looked_up_first(room: Room, accepted: bool) -> None:
    await room.announce(1)
    with room.slack.gate("chat.postMessage", before=not accepted):
        async with room.running():
            await room.until(lambda: room.slack.made("chat.postMessage"))
            await room.until(lambda: room.shown() == (["1.0"] if accepted else []))
        assert (await room.row(key(1))).state is MAYBE
    calls = len(room.slack.calls.log)
    async with room.running(room.another()):
        await room.until_settled()
    later = [call.method for call in room.slack.calls.log[calls:] if call.method != "auth.test"]
    assert later[0] == "conversations.history"
    assert later.count("chat.postMessage") == (0 if accepted else 1)
    assert room.shown() == ["1.0"]


async def test_an_answer_without_a_ts_is_no_confirmation(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    true_call = room.calls.call

    async def without_ts(method: str, **arguments: Any) -> Any:
        answer = await true_call(method, **arguments)
        return {"ok": True} if method == "chat.postMessage" else answer

    monkeypatch.setattr(room.calls, "call", without_ts)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    assert room.posts() == room.shown() == ["1.0"]
    assert (await room.row(key(1))).ts == room.slack.messages()[0]["ts"]


async def test_a_reply_whose_thread_vanished_before_it_was_looked_up_goes_below_a_new_root(build: Build) -> None:
    """`thread_not_found` tells that the reply is nowhere; waiting for the thread to come back would lose it."""
    room: Room = await build(adopt_wait=60)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.postMessage", Fault.drop())
        await room.say(1, 1)
        await room.until(lambda: room.posts() == ["1.0", "1.1"])
        room.slack.workspace.delete(room.slack.workspace.messages(CHANNEL)[0])
        await room.until_shown("1.0'", "1.1")


async def test_looks_that_fail_are_repeated_and_nothing_is_sent_meanwhile(room: Room) -> None:
    """A silence is never taken for an absence."""
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    room.slack.fail("conversations.history", Fault.http(500))
    room.slack.fail("conversations.history", Fault.rate_limited(2))
    room.slack.fail("conversations.history", Fault.drop())
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    assert room.posts() == room.shown() == ["1.0"]


async def test_a_history_that_makes_no_sense_is_no_absence(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    true_read = room.calls.read
    nonsense: list[Any] = [{"ok": True}, {"ok": True, "messages": "none"}]

    async def read(method: str, **arguments: Any) -> Any:
        if nonsense:
            return nonsense.pop()
        answer = await true_read(method, **arguments)
        return {**answer, "messages": ["neither", *answer["messages"]]}

    monkeypatch.setattr(room.calls, "read", read)
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    assert room.posts() == room.shown() == ["1.0"]


async def test_a_history_of_several_pages_is_read_to_its_end(room: Room) -> None:
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    await room.announce(1)
    with room.slack.gate("conversations.history", before=True) as gate:
        async with room.running():
            await room.until(lambda: gate.held)
            for n in range(fate.PAGE * 2):
                room.slack.workspace.post(CHANNEL, user="U0ALICE", text=f"chatter {n}")
            gate.release()
            await room.until_settled()
    assert room.posts() == ["1.0"]
    assert len(room.slack.made("conversations.history")) == 3


@pytest.mark.parametrize("missing", ["channels:history", "membership", "bot_id", "too much"])
async def test_what_cannot_be_looked_up_is_sent_at_least_once_and_not_for_ever(
    build: Build, missing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room: Room = await build(without=frozenset({"channels:history"}) if missing == "channels:history" else frozenset())
    if missing == "membership":
        room.slack.scopes.add("chat:write.public")
        room.slack.workspace.channels[CHANNEL].bot_is_member = False
    if missing == "bot_id":
        room.slack.fail("auth.test", Fault.late(0), times=None)
        true_call = room.calls.call

        async def of_a_person(method: str, **arguments: Any) -> Any:
            answer = await true_call(method, **arguments)
            return {k: v for k, v in answer.items() if k != "bot_id"} if method == "auth.test" else answer

        monkeypatch.setattr(room.calls, "call", of_a_person)
    if missing == "too much":
        monkeypatch.setattr(fate, "MAX_PAGES", 1)
        for n in range(fate.PAGE + 1):
            room.slack.workspace.post(CHANNEL, user="U0ALICE", text=f"chatter {n}")
    for _ in range(2):
        room.slack.fail("chat.postMessage", Fault.drop())
    await room.announce(1, 2)
    async with room.running():
        await room.until_settled()
        await room.until_row(key(1), lambda row: row.twin_at is None)
    assert room.shown().count("1.0") == room.shown().count("2.0") == 1
    assert capsys.readouterr().out.count("cannot look up what became of a message") == 1


async def test_a_slack_that_swallows_and_shows_nothing_is_tried_ever_more_slowly(build: Build) -> None:
    room: Room = await build(speed=200.0, without=frozenset({"channels:history"}))
    room.slack.fail("chat.postMessage", Fault.http(500), times=None)
    await room.announce(1)
    async with room.running():
        await room.until(lambda: len(room.posts()) == 6)
    times = [call.at for call in room.slack.made("chat.postMessage")]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= least for gap, least in zip(gaps[1:], (4, 8, 16, 32), strict=True))


async def test_a_private_channel_that_the_bot_was_thrown_out_of_keeps_what_may_be_in_it(room: Room) -> None:
    """Neither looked up nor sent: when the bot is back it finds the message."""
    room.slack.workspace.channels[CHANNEL].private = True
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    await room.announce(1)
    with room.slack.gate("conversations.history", before=True) as gate:
        async with room.running():
            await room.until(lambda: gate.held)
            room.slack.workspace.channels[CHANNEL].bot_is_member = False
            gate.release()
            row = await room.until_row(key(1), lambda row: row.error == "channel_not_found")
            assert row.state is MAYBE
            room.slack.workspace.channels[CHANNEL].bot_is_member = True
            await room.until_settled()
    assert room.posts() == room.shown() == ["1.0"]


async def test_many_looks_at_once_keep_within_slacks_limit(build: Build) -> None:
    room: Room = await build(speed=20.0, limits=True)
    room.slack.limits.rates.pop("chat.postMessage")
    room.slack.limits.jitter = 2.0
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True), times=56)
    await room.announce(*range(1, 57))
    async with room.running():
        await room.until_settled(within=60)
    assert {call.outcome for call in room.slack.made("conversations.history")} == {"ok"}
    assert len(room.shown()) == 56
