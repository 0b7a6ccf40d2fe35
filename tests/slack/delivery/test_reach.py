"""Whether the bot can speak, in words; and who and where it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.workspace import Channel
from bot.slack.errors import Ambiguous, Refused, SlackError
from bot.slack.reach import AFTER_TROUBLE, EVERY, Reach
from bot.slack.workspace import Workspace
from bot.store.errors import DatabaseLocked
from tests.slack.delivery.conftest import Build
from tests.slack.delivery.room import CHANNEL, Room


def reach(room: Room, *channels: str) -> Reach:
    return Reach(calls=room.calls, workspace=room.workspace, channels=channels or (CHANNEL,), clock=room.clock)


async def problems(room: Room, *channels: str) -> tuple[str, ...]:
    asked = reach(room, *channels)
    await asked.ask()
    assert asked.problems is not None
    return asked.problems


async def test_nothing_is_known_before_slack_was_asked(room: Room) -> None:
    asked = reach(room)
    assert asked.problems is None
    await asked.ask()
    assert asked.problems == ()


async def test_each_channel_that_cannot_be_spoken_in_is_named_with_a_remedy(room: Room) -> None:
    room.slack.workspace.channels[CHANNEL].bot_is_member = False
    room.slack.workspace.channels["C0SECOND"].archived = True
    first, second, third = await problems(room, CHANNEL, "C0SECOND", "#nowhere")
    assert first.startswith(f"{CHANNEL}: the bot is not in the channel (not_in_channel); invite it")
    assert "is_archived" in second
    assert third.startswith("#nowhere:")
    assert "channel_not_found" in third


async def test_a_refused_token_is_one_problem_of_the_workspace(room: Room) -> None:
    room.slack.faults.refusing = "invalid_auth"
    (problem,) = await problems(room)
    assert problem.startswith("workspace: Slack does not accept the bot token")


async def test_slack_is_asked_again_no_sooner_than_it_allows(build: Build) -> None:
    """Usually trouble is looked at again after ten seconds."""
    room: Room = await build(speed=100.0)
    room.slack.fail("auth.test", Fault.rate_limited(60))
    room.slack.fail("conversations.info", Fault.rate_limited(60))
    asked = asyncio.create_task(reach(room).run())
    await room.until(lambda: len(room.slack.made("auth.test")) == 3)
    asked.cancel()
    await asyncio.wait([asked])
    first, second, third = [call.at for call in room.slack.made("auth.test")]
    assert second - first >= 60
    assert third - second >= 60


@pytest.mark.parametrize("limited", ["auth.test", "conversations.info"])
async def test_a_question_that_is_limited_changes_nothing_of_what_is_known(room: Room, limited: str) -> None:
    asked = reach(room)
    await asked.ask()
    room.slack.fail(limited, Fault.rate_limited(5))
    await asked.ask()
    assert list(asked.problems or ()) == []
    room.slack.workspace.channels[CHANNEL].archived = True
    await asked.ask()
    room.slack.fail("conversations.info", Fault.rate_limited(5))
    await asked.ask()
    (problem,) = asked.problems or ()
    assert "is_archived" in problem


async def test_a_channel_that_may_not_be_looked_at_is_no_problem(build: Build) -> None:
    room: Room = await build(without=frozenset({"channels:read"}))
    assert await problems(room) == ()


async def test_an_answer_that_makes_no_sense_is_a_problem_and_not_the_end(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense(_: str, **__: Any) -> Any:
        return {"ok": True, "channel": "C1"}

    monkeypatch.setattr(room.calls, "read", nonsense)
    (problem,) = await problems(room)
    assert "unreadable_answer" in problem


async def test_a_database_that_fails_is_not_slacks_problem(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def locked(*_: Any) -> Any:
        raise DatabaseLocked("It is locked.", "Wait.")

    monkeypatch.setattr(room.store, "set_meta", locked)
    monkeypatch.setattr(room.store, "channel_id", locked)
    assert await problems(room, "#alerts", CHANNEL) == ()


async def test_trouble_is_asked_about_soon_again_and_said_once(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.slack.workspace.channels[CHANNEL].bot_is_member = False
    asked = reach(room)
    task = asyncio.create_task(asked.run())
    await room.until(lambda: len(room.slack.made("conversations.info")) >= 3)
    first, second, *_ = room.slack.made("conversations.info")
    assert AFTER_TROUBLE.total_seconds() <= second.at - first.at < EVERY.total_seconds()
    room.slack.workspace.channels[CHANNEL].bot_is_member = True
    await room.until(lambda: asked.problems == () and len(room.slack.made("conversations.info")) >= 5)
    task.cancel()
    await asyncio.wait([task])
    said = capsys.readouterr().out
    assert said.count("speaking in slack fails") == said.count("speaking in slack recovered") == 1


async def test_who_the_bot_is_is_asked_once_and_remembered_beyond_slacks_absence(room: Room) -> None:
    assert await room.workspace.team_id() is None
    identity = await room.workspace.identity()
    assert await room.workspace.identity() is identity
    assert await room.workspace.team_id() == identity.team_id == room.slack.workspace.team.id
    assert len(room.slack.made("auth.test")) == 1
    room.slack.faults.refusing = "timeout"
    assert await Workspace(room.calls, room.store).team_id() == identity.team_id


async def test_a_channel_is_found_on_a_later_page_too(room: Room) -> None:
    for n in range(1001):
        room.slack.workspace.channels[f"C0{n:06}"] = Channel(id=f"C0{n:06}", name=f"channel-{n}")
    assert await room.workspace.channel_id("#second") == "C0SECOND"
    assert len(room.slack.made("conversations.list")) == 2


async def test_public_channels_are_found_without_the_right_to_list_private_ones(build: Build) -> None:
    room: Room = await build(without=frozenset({"groups:read"}))
    assert await room.workspace.channel_id("#alerts") == CHANNEL
    with pytest.raises(Refused, match="missing_scope"):
        await room.workspace.channel_id("#perhaps-private")


async def test_a_refusal_of_another_kind_is_told_as_it_is(room: Room) -> None:
    room.slack.fail("conversations.list", Fault.says("invalid_auth"))
    with pytest.raises(SlackError, match="invalid_auth"):
        await room.workspace.channel_id("#alerts")


@pytest.mark.parametrize(
    "answer",
    [
        {"channels": "none"},
        {"channels": [1, {"name": 2, "id": "C1"}], "response_metadata": {"next_cursor": "the same"}},
    ],
)
async def test_a_list_that_makes_no_sense_ends(
    room: Room, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    async def nonsense(_: str, **__: Any) -> Any:
        return answer

    monkeypatch.setattr(room.calls, "read", nonsense)
    with pytest.raises(Ambiguous, match="unreadable_answer"):
        await room.workspace.channel_id("#alerts")


async def test_what_was_remembered_first_stays(room: Room) -> None:
    await room.workspace.remember("#alerts", CHANNEL)
    await room.workspace.remember("#alerts", "C0SECOND")
    await Workspace(room.calls, room.store).remember("#alerts", "C0SECOND")
    await room.workspace.remember(CHANNEL, CHANNEL)
    assert await room.store.channel_id("alerts") == CHANNEL
    assert await room.store.channel_id(CHANNEL) is None
