"""Envelopes and their acknowledgements: what people send is answered, and never lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from structlog.testing import capture_logs

from bot.sandbox.slack.server import LocalSlack
from bot.slack.commands.people import Reached
from tests.slack.sockets.conftest import Start
from tests.slack.sockets.listener import Said


async def test_a_command_is_answered_with_its_acknowledgement(start: Start) -> None:
    running = start()
    assert not running.socket.connected
    await running.connected()
    assert await running.ask("5") is None
    assert running.whispers() == ["you asked for 5"]
    assert running.slack.made("response_url") == []
    assert running.socket.trouble is None


async def test_a_late_answer_follows_an_empty_acknowledgement(start: Start, said: Said) -> None:
    said.hold = asyncio.Event()
    running = start(ready_within=0.05)
    await running.connected()
    assert await running.ask("5") is None
    assert running.whispers() == []
    said.hold.set()
    await running.slack.wait_for(running.whispers)
    assert running.whispers() == ["you asked for 5"]


async def test_a_click_is_acknowledged_and_handled(start: Start, said: Said) -> None:
    running = start()
    await running.connected()
    elements = [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "b"}}]
    message = running.slack.workspace.post(
        "C0ALERTS", user="U0BOT", text="x", blocks=[{"type": "actions", "elements": elements}], bot_id="B0BOT"
    )
    click = running.slack.interactions.click
    assert await click("C0ALERTS", "U0BOB", action_id="a", message_ts=message["ts"]) is None
    await running.slack.wait_for(running.whispers)
    assert running.whispers() == ["clicked"]
    assert len(said.clicks) == 1


async def test_an_event_is_acknowledged_and_then_handled(start: Start, said: Said) -> None:
    running = start()
    await running.connected()
    assert await running.slack.interactions.open_home("U0ALICE") is None
    async with asyncio.timeout(5):
        await said.heard.wait()
    assert said.events[0]["event"]["type"] == "app_home_opened"


async def test_envelopes_of_other_kinds_are_acknowledged(start: Start, said: Said) -> None:
    running = start()
    await running.connected()
    assert (await running.slack.sockets.deliver("something_new", {})).error is None
    assert said.events == said.clicks == []


async def test_an_answer_follows_where_an_acknowledgement_carries_none(
    start: Start, slack: LocalSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = slack.sockets.deliver

    async def bare(kind: str, payload: dict[str, Any], *, accepts_payload: bool = True) -> Any:
        return await deliver(kind, payload, accepts_payload=False)

    monkeypatch.setattr(slack.sockets, "deliver", bare)
    running = start()
    await running.connected()
    assert await running.ask("5") is None
    await slack.wait_for(running.whispers)
    assert len(slack.made("response_url")) == 1


async def test_an_acknowledgement_that_is_lost_does_not_lose_the_answer(start: Start, slack: LocalSlack) -> None:
    running = start()
    await running.connected()
    occasion = {"text": "5", "response_url": "https://hooks.slack.com/x"}

    class Broken:
        async def send_socket_mode_response(self, response: Any) -> None:
            raise ConnectionResetError

    posted: list[str] = []

    async def post(url: str, answer: Mapping[str, Any], **_: bool) -> Reached:
        posted.append(answer["text"])
        return Reached.TAKEN

    running.reception._responses.post = post  # type: ignore[method-assign]
    envelope = SocketModeRequest("slash_commands", "1", occasion, accepts_response_payload=True)
    with capture_logs() as logs:
        await running.socket._envelope(Broken(), envelope)  # type: ignore[arg-type]
        # Without an answer there is nothing to save.
        await running.socket._envelope(Broken(), SocketModeRequest("events_api", "2", {}))  # type: ignore[arg-type]
    await running.reception.close()
    assert posted == ["you asked for 5"]
    assert [line["error"] for line in logs] == ["ConnectionResetError"] * 2


# Never lost without a word


async def test_a_command_while_nothing_is_connected_is_told_to_who_gave_it(start: Start, slack: LocalSlack) -> None:
    slack.sockets.refuse_handshakes = True
    running = start()
    await running.trouble("lets nobody in")
    assert await running.ask("5") is not None


@pytest.mark.parametrize("ready_within", [2.0, 0.05])
async def test_a_command_on_a_half_open_connection_is_not_lost_without_a_word(
    start: Start, slack: LocalSlack, said: Said, ready_within: float
) -> None:
    """The other end has gone while the answer was looked up, and what is sent there vanishes: the person reads Slack's
    own error, a late answer arrives all the same, and the next command is answered on a new connection.
    """
    slack.sockets.ack_within = 0.5
    said.hold = asyncio.Event()
    running = start(ready_within=ready_within)
    await running.connected()
    asking = asyncio.create_task(running.ask("5"))
    await said.asked.wait()
    slack.sockets.go_silent()
    if ready_within > 1:
        said.hold.set()
    assert await asking is not None
    said.hold.set()
    if ready_within < 1:
        await slack.wait_for(running.whispers)
        assert running.whispers() == ["you asked for 5"]
    await slack.wait_for(lambda: any(not connection.silent for connection in slack.sockets.connections))
    await running.connected()
    slack.sockets.ack_within = 3.0
    assert await running.ask("6") is None
