"""A database that fails, a message that cannot be rendered, an SDK that stumbles: nothing is lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event

from bot.sandbox.slack.faults import Fault
from bot.slack import delivery as delivery_module
from bot.slack import steps, waits
from bot.slack.messages import render
from bot.slack.pace import Pace
from bot.slack.plan import Action, Step
from bot.store.errors import DatabaseLocked, DeliveryMismatch, StoreError
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import HELD, MAYBE, SENT, Room, in_state, key


class Failing:
    """Makes methods of the outbox fail: before they do anything, or after they did it."""

    def __init__(self, room: Room, patch: pytest.MonkeyPatch) -> None:
        self._room = room
        self._patch = patch

    def __call__(
        self,
        method: str,
        *,
        times: int = 1,
        after: bool = False,
        kind: Callable[[str, str], StoreError] = DatabaseLocked,
    ) -> None:
        true = getattr(self._room.store.outbox, method)
        left = times

        async def failing(*given: Any, **more: Any) -> Any:
            nonlocal left
            if left == 0:
                return await true(*given, **more)
            left -= 1
            if after:
                await true(*given, **more)
            raise kind("It is locked.", "Wait.")

        self._patch.setattr(self._room.store.outbox, method, failing)


@pytest.fixture
def failing(room: Room, monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(room, monkeypatch)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["waiting", "claim", "sent", "look", "shown", "unsure", "absent"])
async def test_a_database_that_fails_at_any_point_loses_and_doubles_nothing(
    room: Room, failing: Failing, method: str, after: bool
) -> None:
    failing(method, times=2, after=after)
    room.slack.fail("chat.postMessage", Fault.drop())
    await room.announce(1, 2)
    async with room.running():
        await room.until(lambda: len(room.shown()) == 2)
        await room.recover(1)
        await room.until(lambda: len(room.shown()) == 3)
        await room.until_settled()
    assert sorted(room.shown()) == ["1.0", "1.1", "2.0"]


async def test_what_slack_has_said_is_not_asked_again_though_the_database_did_not_take_it(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nothing is doubled even where nothing can be looked up."""
    room: Room = await build(without=frozenset({"channels:history"}))
    Failing(room, monkeypatch)("sent", times=3)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    assert room.posts() == room.shown() == ["1.0"]


async def test_nothing_is_begun_while_nothing_can_be_recorded(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else thousands of messages would be tried in a circle, as fast as the machine can."""
    tried = []

    async def locked(which: Any, **_: Any) -> Any:
        tried.append((which, room.clock.now()))
        room.slack.workspace.feed.poke()
        raise DatabaseLocked("It is locked.", "Wait.")

    monkeypatch.setattr(room.store.outbox, "claim", locked)
    await room.announce(*range(1, 30))
    async with room.running():
        await room.until(lambda: len(tried) == 5)
    times = [at for _, at in tried]
    assert all(later - earlier >= delivery_module.STORE_AWAY for earlier, later in pairwise(times))


async def test_an_edit_that_cannot_be_recorded_is_not_repeated_until_it_can_be(room: Room) -> None:
    """The database can be read, so the edit would be begun again and again, as long as the disk is full."""
    proofs = 0
    broken = False

    def read_only(connection: Any, *_: object) -> None:
        nonlocal proofs
        proofs += broken
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA query_only = {broken}")
        cursor.close()
        room.slack.workspace.feed.poke()

    event.listen(room.store._database.engine.sync_engine, "checkout", read_only)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
        with room.slack.gate("chat.update") as gate:
            await room.revise(1)
            await room.until(lambda: gate.held)
            broken = True
        await room.until(lambda: proofs > 8)
        assert len(room.slack.made("chat.update")) == 1
        broken = False
        await room.until_settled()
    assert len(room.slack.made("chat.update")) == 2


@pytest.mark.parametrize("action", [Action.LOOK, Action.TWIN])
async def test_what_is_no_longer_as_it_was_read_is_not_looked_for(room: Room, action: Action) -> None:
    """A look may delete copies; what another bot has sent since then is none."""
    await room.announce(1)
    await room.store.outbox.claim(key(1), now=room.clock.now())
    before = await room.row(key(1))
    await room.store.outbox.unsure(key(1), generation=0, error="no_answer", due_at=room.clock.now(), looked=True)
    steps = room.delivery._steps
    await steps.take(Step(action=action, outgoing=before, lane=""))
    assert not room.slack.made("conversations.history")

    with contextlib.suppress(DeliveryMismatch):  # of a twin there is none to be noted
        await steps.take(Step(action=action, outgoing=await room.row(key(1)), lane=""))
    assert room.slack.made("conversations.history")


async def test_a_database_that_is_away_is_said_once(
    room: Room, failing: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    failing("waiting", times=3)
    failing("claim", times=3)
    await room.announce(1)
    async with room.running():
        await room.until_settled()
    said = capsys.readouterr().out
    for what in ("reading the messages that wait", "recording what became of messages"):
        assert said.count(f"{what} fails") == said.count(f"{what} recovered") == 1


async def test_a_message_that_changed_meanwhile_rests_and_is_taken_up_again(room: Room, failing: Failing) -> None:
    failing("sent", kind=DeliveryMismatch)
    await room.announce(1)
    await room.announce(2, channel="C0SECOND")
    async with room.running():
        await room.until_settled()
    assert room.posts().count("1.0") == room.posts().count("2.0") == 1


async def test_a_message_that_cannot_be_rendered_costs_its_thread_only(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True

    def rendering(view: Any, message: Any, **more: Any) -> Any:
        if broken and message.thread == "default/1":
            raise LookupError("no such episode")
        return render(view, message, **more)

    monkeypatch.setattr(steps, "render", rendering)
    await room.announce(1, 2)
    await room.say(1, 1)
    async with room.running():
        await room.until_shown("2.0")
        row = await room.until_row(key(1), in_state(HELD))
        assert row.error == "cannot_render"
        broken = False
        await room.until_shown("2.0", "1.0", "1.1")
        broken = True
        await room.revise(1, 2)
        await room.until_row(key(2), lambda row: row.shown_revision == 2)
        await room.until_row(key(1), lambda row: row.error == "cannot_render")
        broken = False
        await room.until_settled()


async def test_a_fault_of_the_program_costs_its_message_a_rest_and_nothing_else(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = room.workspace.channel_id
    left = 1
    stumbled: list[datetime] = []

    async def stumbling(self: Any, channel: str) -> str:
        nonlocal left
        if left:
            left -= 1
            stumbled.append(room.clock.now())
            raise KeyError("surprise")
        return await true(channel)

    monkeypatch.setattr("bot.slack.workspace.Workspace.channel_id", stumbling)
    await room.announce(1, 2)
    async with room.running():
        await room.until_settled()
    first, second = room.slack.messages()
    assert [room.name(first), room.name(second)] == ["2.0", "1.0"]
    assert room.post_times()[1] - stumbled[0] >= delivery_module.AFTER_FAULT


async def test_cancelling_in_the_middle_of_a_read_ends_the_loop(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver may tell of the cancellation as of a lost connection."""
    reading = asyncio.Event()

    async def waiting() -> Any:
        reading.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise DatabaseLocked("It broke.", "Wait.") from None

    monkeypatch.setattr(room.store.outbox, "waiting", waiting)
    task = asyncio.create_task(room.delivery.run())
    await reading.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)
    assert done
    assert task.cancelled()


async def test_a_call_that_is_cancelled_leaves_a_maybe_behind(room: Room) -> None:
    await room.announce(1)
    with room.slack.gate("chat.postMessage"):
        async with room.running():
            await room.until(lambda: room.shown() == ["1.0"])
        assert (await room.row(key(1))).state is MAYBE
    async with room.running(room.another()):
        await room.until_row(key(1), in_state(SENT))
    assert room.posts() == ["1.0"]


async def test_an_edit_of_what_is_no_longer_there_is_left_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    true = room.store.outbox.look
    gone = [None]

    async def look(which: Any) -> Any:
        return gone.pop() if gone else await true(which)

    await room.announce(1)
    async with room.running():
        await room.until_settled()
        monkeypatch.setattr(room.store.outbox, "look", look)
        await room.revise(1)
        await room.until_settled()
    assert len(room.slack.made("chat.update")) == 1
    assert not gone


def test_only_so_many_troubles_are_remembered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waits, "REMEMBERED", 2)
    held = waits.Waits(Pace())
    for what in ("a", "b", "b", "c", "a"):
        held.say(what, f"trouble with {what}")
    said = capsys.readouterr().out
    assert [said.count(f"trouble with {what}") for what in "abc"] == [2, 1, 1]
    assert len(held._troubles) == 2


async def test_only_so_many_turns_are_remembered(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "TURNS_REMEMBERED", 2)
    await room.announce(1, 2, 3)
    async with room.running():
        await room.until_settled()
        await room.revise(1, 2, 3)
        await room.until_settled()
        await room.until(lambda: len(room.delivery._edited_at) == 2)


async def test_rows_are_read_when_something_happened_and_not_for_every_tick(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands of rows a read costs much: a wait for the next second is none, and a post tells of its thread."""
    reads = 0
    parts: list[set[str]] = []
    outbox = room.store.outbox
    all_of_them, some = outbox.waiting, outbox.waiting_in

    async def waiting() -> Any:
        nonlocal reads
        reads += 1
        return await all_of_them()

    async def waiting_in(threads: Any) -> Any:
        parts.append(set(threads))
        return await some(threads)

    monkeypatch.setattr(outbox, "waiting", waiting)
    monkeypatch.setattr(outbox, "waiting_in", waiting_in)
    await room.announce(*range(1, 11))
    async with room.running():
        await room.until(lambda: len(room.posts()) == 10)
    span = room.post_times()[-1] - room.post_times()[0]
    assert reads <= 2 + 2 * (span / delivery_module.LOOK_AGAIN)
    assert 0 < len(parts) <= 10
    assert all(len(part) == 1 for part in parts)
