"""Long storms, answers that are lost, and decisions at awkward moments: what is shown in the end is what is so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from bot.slack.errors import SlackError
from bot.slack.steps import Steps
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import ADOPT_WAIT, CHANNEL, HELD, MAYBE, SECOND, SENT, Room, in_channel, in_state, key

LOST: dict[str, Callable[[bool], Fault]] = {
    "dropped": lambda accepted: Fault.drop(accepted=accepted),
    "reset": lambda accepted: Fault.reset(accepted=accepted),
    "hangs": lambda accepted: Fault.hang(accepted=accepted),
    "garbage": lambda accepted: Fault.garbage(accepted=accepted),
    "503": lambda accepted: Fault.http(503, accepted=accepted),
    "fatal_error": lambda accepted: Fault.says("fatal_error", accepted=accepted),
}


async def test_a_storm_of_429s_costs_one_call_for_each_wait_and_loses_nothing(build: Build) -> None:
    """Slack asks for half an hour, three times over, while six messages and eight edits wait, and another channel's go."""
    room: Room = await build(speed=2000.0)
    known, new, elsewhere = range(1, 9), range(11, 17), range(21, 25)
    await room.announce(*known)
    async with room.running():
        await room.until_settled()
        posted = len(room.slack.made("chat.postMessage"))
        room.slack.fail("chat.postMessage", Fault.rate_limited(1800), times=3, when=in_channel(CHANNEL))
        await room.announce(*new)
        await room.until(lambda: len(room.slack.made("chat.postMessage")) > posted)
        await room.announce(*elsewhere, channel=SECOND)
        room.slack.fail("chat.update", Fault.rate_limited(1800), times=3 * 8)
        await room.revise(*known)
        await room.until_settled()
    posts = [call for call in room.slack.made("chat.postMessage")[posted:] if call.arguments["channel"] == CHANNEL]
    edits = room.slack.made("chat.update")
    limited = [call.at for call in posts if call.outcome == "rate_limited"]
    assert len(limited) == 3
    assert all(later.at - earlier >= 1800 for earlier, later in zip(limited, posts[1:4], strict=True))
    assert sorted(room.shown()) == sorted(f"{n}.0" for n in (*known, *new))
    assert room.shown(SECOND) == [f"{n}.0" for n in elsewhere]
    # Eight edits may be under way together; then all edits wait for as long as the first of them was told to.
    rounds = [edits[at : at + 8] for at in range(0, 24, 8)]
    assert all(call.outcome == "rate_limited" for each in rounds for call in each)
    assert all(two[0].at - one[0].at >= 1800 for one, two in pairwise(rounds))
    assert len(edits) == 4 * 8


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("outcome", LOST)
async def test_an_edit_whose_answer_is_lost_is_made_again(build: Build, outcome: str, accepted: bool) -> None:
    """An edit says what is so, and may be said twice: nothing is looked up."""
    room: Room = await build(answer_within=0.3 if outcome == "hangs" else 5.0)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.fail("chat.update", LOST[outcome](accepted))
        await room.recover(1)
        await room.until_settled()
    assert room.shown() == ["1.0", "1.1"]
    assert "is up again" in room.text(key(1))
    assert len(room.slack.made("chat.update")) == 2
    assert room.slack.made("conversations.history") == []


@pytest.mark.parametrize("role", ["root", "reply"])
async def test_a_message_that_shows_only_after_seconds_is_found_by_the_second_look(build: Build, role: str) -> None:
    """Taken and not answered; the history does not have it yet when it is first asked."""
    room: Room = await build(adopt_wait=30)
    if role == "reply":
        await room.announce(1)
        async with room.running():
            await room.until_settled()
    room.slack.fail("chat.postMessage", Fault.late(1e9, Fault.drop()))
    await (room.announce(1) if role == "root" else room.say(1, 1))
    look = "conversations.history" if role == "root" else "conversations.replies"
    async with room.running():
        await room.slack.wait_for(lambda: any(call.answered for call in room.slack.made(look)))
        room.slack.workspace.reveal()
        await room.until_settled()
    expected = ["1.0"] if role == "root" else ["1.0", "1.1"]
    assert room.shown() == room.posts() == expected
    looks = room.slack.made(look)
    assert len(looks) == 2
    assert looks[1].at - looks[0].at >= ADOPT_WAIT.total_seconds()


async def test_an_archived_channel_keeps_what_it_should_say_until_it_is_unarchived(room: Room) -> None:
    """New messages, replies and edits alike; other channels do not notice."""
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        room.slack.workspace.channels[CHANNEL].archived = True
        await room.announce(2)
        await room.recover(1)
        await room.announce(3, channel=SECOND)
        await room.until_shown("3.0", channel=SECOND)
        await room.until_row(key(2), in_state(HELD))
        await room.until_row(key(1), lambda row: row.error == "is_archived")
        room.slack.workspace.channels[CHANNEL].archived = False
        await room.until_settled()
    assert room.shown() == ["1.0", "2.0", "1.1"]
    assert "is up again" in room.text(key(1))


async def test_a_token_revoked_in_the_middle_and_given_back_loses_and_doubles_nothing(room: Room) -> None:
    """The message had arrived, its answer was lost, and then nothing may be asked: it waits, and is adopted."""
    room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    with room.slack.gate("conversations.history", before=True) as gate:
        await room.announce(1, 2)
        await room.announce(3, channel=SECOND)
        async with room.running():
            await room.until(lambda: gate.held)
            room.slack.faults.refusing = "token_revoked"
            gate.release()
            row = await room.until_row(key(1), lambda row: row.error == "token_revoked")
            assert row.state is MAYBE
            room.slack.faults.refusing = None
            await room.until_settled()
    assert room.shown() == ["1.0", "2.0"]
    assert room.shown(SECOND) == ["3.0"]
    assert room.posts().count("1.0") == 1


async def test_an_error_that_nobody_knows_keeps_the_message_and_is_tried_ever_more_slowly(build: Build) -> None:
    room: Room = await build(speed=200.0)
    room.slack.fail("chat.postMessage", Fault.says("brand_new"), times=5)
    await room.announce(1)
    async with room.running():
        await room.until_row(key(1), in_state(HELD))
        await room.until_settled()
    times = [call.at for call in room.slack.made("chat.postMessage")]
    assert room.shown() == ["1.0"]
    assert all(b - a >= least for a, b, least in zip(times, times[1:], (4, 8, 16, 32, 64), strict=False))
    assert len(times) == 6


# A decision at any moment of a post

MOMENTS = ["before the claim", "before the call", "before the answer", "before it is recorded", "while it is unknown"]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_decision_at_any_moment_of_a_post_is_shown_in_the_end(
    room: Room, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded as shown is what was claimed to be sent, whatever is decided meanwhile: so an edit follows where
    Slack shows the older state, and none where it shows the newer one.
    """
    outbox, decided = room.store.outbox, asyncio.Event()
    claim, sent, call_post = outbox.claim, outbox.sent, Steps._call_post

    async def at(here: str) -> None:
        if here == moment and not decided.is_set():
            decided.set()
            await room.recover(1)

    async def claiming(*given: Any, **more: Any) -> Any:
        await at("before the claim")
        return await claim(*given, **more)

    async def calling(self: Steps, *given: Any) -> Any:
        await at("before the call")
        try:
            answer = await call_post(self, *given)
        except SlackError:
            await at("while it is unknown")
            raise
        await at("before the answer")
        return answer

    async def recording(*given: Any, **more: Any) -> None:
        await at("before it is recorded")
        await sent(*given, **more)

    monkeypatch.setattr(outbox, "claim", claiming)
    monkeypatch.setattr(outbox, "sent", recording)
    monkeypatch.setattr(Steps, "_call_post", calling)
    if moment == "while it is unknown":
        room.slack.fail("chat.postMessage", Fault.drop(accepted=True))
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    assert decided.is_set()
    row = await room.row(key(1))
    assert (row.state, row.shown_revision) == (SENT, 2)
    assert "is up again" in room.text(key(1))
    # First shown as recovered there is nothing left to tell; first shown as down, the recovery is told.
    first = moment == "before the claim"
    assert room.shown() == (["1.0"] if first else ["1.0", "1.1"])
    # Who finds it in Slack knows by this what it shows.
    post = room.slack.made("chat.postMessage")[0]
    assert post.arguments["metadata"]["event_payload"]["revision"] == (2 if first else 1)
    assert len(room.slack.made("chat.update")) == (0 if first else 1)
