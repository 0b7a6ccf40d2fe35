"""Socket Mode with the real slack-sdk against the local Slack: envelopes, acknowledgements, and coming back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from structlog.testing import capture_logs

from bot.clock import Clock
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.server import LocalSlack
from bot.slack.commands.people import Reached
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses
from bot.slack.ingress.socket_mode import ENDED_WITHIN, SocketMode


class Said:
    """Handlers that answer with what they were asked."""

    def __init__(self) -> None:
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.clicks: list[Mapping[str, Any]] = []
        self.events: list[Mapping[str, Any]] = []
        self.heard = asyncio.Event()

    async def command(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        return {"response_type": "ephemeral", "text": f"you asked for {payload['text']}"}

    async def event(self, payload: Mapping[str, Any]) -> None:
        self.events.append(payload)
        self.heard.set()

    async def action(self, payload: Mapping[str, Any], respond: Any) -> None:
        self.clicks.append(payload)
        await respond({"text": "clicked"})


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as local:
        local.limits.enabled = False
        yield local


@pytest.fixture
def said() -> Said:
    return Said()


class Running:
    def __init__(self, slack: LocalSlack, socket: SocketMode, reception: Reception) -> None:
        self.slack = slack
        self.socket = socket
        self.reception = reception
        self.task = asyncio.create_task(socket.run())

    async def connected(self) -> None:
        """Slack has said hello, and the client has heard it."""
        async with asyncio.timeout(10):
            while not self.socket.connected:  # noqa: ASYNC110 - a state that /status reads, without an event
                await asyncio.sleep(0.01)

    async def ask(self, text: str) -> str | None:
        return await self.slack.interactions.command("C0ALERTS", "U0ALICE", f"/connection {text}")

    def whispers(self) -> list[str]:
        return [whisper.text for whisper in self.slack.workspace.ephemerals.values()]

    async def trouble(self, words: str) -> None:
        async with asyncio.timeout(10):
            while words not in (self.socket.trouble or ""):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)


Start = Callable[..., Running]


@pytest.fixture
async def start(slack: LocalSlack, said: Any) -> AsyncIterator[Start]:
    started: list[Running] = []

    def make(**more: Any) -> Running:
        reception = Reception(
            handlers=said, responses=Responses(api_url=slack.api_url), ready_within=more.pop("ready_within", 2.0)
        )
        options: dict[str, Any] = {"app_token": slack.app_token, "ping_every": 0.2, "first_pause": 0.01} | more
        socket = SocketMode(api_url=slack.api_url, reception=reception, clock=Clock(), **options)
        started.append(Running(slack, socket, reception))
        return started[-1]

    yield make
    for running in started:
        running.socket.stop()
        async with asyncio.timeout(10):
            await running.task
        await running.reception.close()


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


# Coming back


@pytest.mark.parametrize(
    "how", ["refresh_requested", "warning", "link_disabled", "too_many_websockets", "close", "abort"]
)
async def test_a_connection_that_ends_is_made_anew(start: Start, slack: LocalSlack, how: str) -> None:
    running = start()
    await running.connected()
    if how == "close":
        await slack.sockets.close()
    elif how == "abort":
        slack.sockets.abort()
    else:
        await slack.sockets.disconnect(how)
    await slack.wait_for(lambda: slack.sockets.handshakes >= 2 and slack.sockets.connected)
    await running.connected()
    assert await running.ask("5") is None


async def test_a_connection_that_dies_without_a_sign_is_made_anew(start: Start, slack: LocalSlack) -> None:
    running = start()
    await running.connected()
    slack.sockets.go_silent()
    await slack.wait_for(lambda: any(not connection.silent for connection in slack.sockets.connections))
    await running.connected()
    assert await running.ask("5") is None


async def test_a_refused_handshake_is_not_tried_with_the_same_ticket_for_ever(start: Start, slack: LocalSlack) -> None:
    slack.sockets.refuse_handshakes = True
    running = start()
    await running.trouble("lets nobody in")
    assert not running.socket.connected
    await slack.wait_for(lambda: len(slack.made("apps.connections.open")) >= 3)
    slack.sockets.refuse_handshakes = False
    await running.connected()
    assert running.socket.trouble is None


async def test_connections_that_do_not_last_are_made_anew_ever_more_slowly(start: Start, slack: LocalSlack) -> None:
    """Slack that says hello and hangs up must not be asked for addresses as fast as it answers."""
    running = start(first_pause=0.1)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2.0):
            while True:
                await slack.wait_for(lambda: slack.sockets.connected)
                await slack.sockets.disconnect()
    await running.trouble("ends each connection at once")

    # The pauses between them: 0.1, 0.2, 0.4, 0.8 seconds, and so on.
    assert len(slack.made("apps.connections.open")) < 15
    await running.connected()
    assert running.socket.trouble is None


async def test_a_refused_token_is_told_with_what_to_do_and_tried_again(start: Start, slack: LocalSlack) -> None:
    slack.fail("apps.connections.open", Fault.says("invalid_auth"), times=3)
    running = start()
    await running.trouble("invalid_auth")
    assert "App-Level Token" in str(running.socket.trouble)
    await running.connected()
    assert len(slack.made("apps.connections.open")) == 4
    assert running.socket.trouble is None


async def test_a_wrong_token_at_the_start_is_told_and_nobody_is_let_in(start: Start, slack: LocalSlack) -> None:
    running = start(app_token="xapp-1-WRONG")
    await running.trouble("invalid_auth")
    await slack.wait_for(lambda: len(slack.made("apps.connections.open")) >= 3)
    assert not running.socket.connected
    assert slack.sockets.handshakes == 0


async def test_slack_that_does_not_answer_is_told_in_words(start: Start, slack: LocalSlack) -> None:
    slack.fail("apps.connections.open", Fault.http(503), times=None)
    running = start()
    await running.trouble("http_503")
    slack.faults.clear()
    await running.connected()


async def test_a_rate_limit_is_obeyed(start: Start, slack: LocalSlack) -> None:
    slack.fail("apps.connections.open", Fault.rate_limited(1))
    began = asyncio.get_running_loop().time()
    running = start()
    await running.connected()
    assert asyncio.get_running_loop().time() - began >= 1


async def test_failures_are_logged_once_and_so_is_the_recovery(start: Start, slack: LocalSlack) -> None:
    slack.fail("apps.connections.open", Fault.says("invalid_auth"), times=4)
    with capture_logs() as logs:
        await start().connected()
    assert [(line["log_level"], line["event"].rpartition(" ")[2]) for line in logs] == [
        ("warning", "fails"),
        ("info", "recovered"),
    ]
    assert slack.app_token not in str(logs)


async def test_a_client_that_has_died_inside_is_replaced(start: Start, slack: LocalSlack) -> None:
    running = start(replaced_after=0.1)
    await running.connected()
    dead = running.socket._client
    assert dead is not None
    for task in (dead.current_session_monitor, dead.message_receiver, dead.message_processor):
        assert task is not None
        task.cancel()
    with capture_logs() as logs:
        slack.sockets.abort()
        assert dead.current_session is not None
        await dead.current_session.close()
        await slack.wait_for(lambda: slack.sockets.connected)
        await running.connected()
    assert running.socket._client is not dead
    assert any("replaced" in line["event"] for line in logs)
    assert await running.ask("5") is None


# The end


async def test_stopping_waits_for_the_envelopes_under_way(start: Start, said: Said, slack: LocalSlack) -> None:
    said.hold = asyncio.Event()
    running = start()
    await running.connected()
    asking = asyncio.create_task(running.ask("5"))
    await said.asked.wait()
    running.socket.stop()
    asyncio.get_running_loop().call_later(0.1, said.hold.set)
    async with asyncio.timeout(5):
        await running.task
    assert await asking is None
    assert running.whispers() == ["you asked for 5"]
    assert not running.socket.connected


async def test_stopping_while_nothing_connects_is_prompt(start: Start, slack: LocalSlack) -> None:
    slack.fail("apps.connections.open", Fault.says("invalid_auth"), times=None)
    running = start(first_pause=3600.0)
    await running.trouble("invalid_auth")
    running.socket.stop()
    async with asyncio.timeout(60):
        await running.task


async def test_stopping_while_a_new_address_is_awaited_leaves_nothing_behind(start: Start, slack: LocalSlack) -> None:
    running = start(first_pause=60.0)
    await running.connected()
    slack.fail("apps.connections.open", Fault.says("invalid_auth"), times=None)
    await slack.sockets.disconnect("refresh_requested")
    await running.trouble("invalid_auth")
    running.socket.stop()
    async with asyncio.timeout(5):
        await running.task
    assert [task for task in asyncio.all_tasks() if "slack_sdk" in repr(task.get_coro())] == []


async def test_stopping_in_the_middle_of_a_reconnection_is_prompt(start: Start, slack: LocalSlack) -> None:
    """Slack has sent the bot away and refuses its handshakes; the SDK would sleep on that. A stop has no time to lose."""
    running = start(ping_every=5.0)
    await running.connected()
    slack.sockets.refuse_handshakes = True
    await slack.sockets.disconnect("refresh_requested")
    await slack.wait_for(lambda: slack.sockets.handshakes >= 2)
    running.socket.stop()
    began = asyncio.get_running_loop().time()
    await running.task
    assert asyncio.get_running_loop().time() - began < ENDED_WITHIN


async def test_an_end_that_is_cut_off_leaves_no_task_behind(start: Start, said: Said, slack: LocalSlack) -> None:
    """The bot stops, an answer takes too long, and the end itself is cancelled: a task of the SDK's that still waited for
    its queue would be destroyed pending.
    """
    said.hold = asyncio.Event()
    running = start()
    await running.connected()
    asking = asyncio.create_task(running.ask("5"))
    await said.asked.wait()
    client = running.socket._client
    assert client is not None
    running.task.cancel()
    await client.ending.wait()
    running.task.cancel()
    await asyncio.wait([running.task])
    assert client.message_processor.done()
    assert [task for task in asyncio.all_tasks() if "slack_sdk" in repr(task.get_coro())] == []
    said.hold.set()
    await asking
    running.task = asyncio.create_task(asyncio.sleep(0))


async def test_stopping_does_not_wait_for_a_dead_server(start: Start, slack: LocalSlack) -> None:
    running = start(ping_every=5.0)
    await running.connected()
    slack.sockets.go_silent()
    running.socket.stop()
    async with asyncio.timeout(5):
        await running.task


async def test_cancelling_ends_it_as_well(start: Start, slack: LocalSlack) -> None:
    running = start()
    await running.connected()
    running.task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running.task
    await slack.wait_for(lambda: not slack.sockets.connected)
    running.task = asyncio.create_task(asyncio.sleep(0))
