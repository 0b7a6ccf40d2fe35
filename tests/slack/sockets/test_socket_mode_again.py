"""Coming back: whatever ends a connection, or refuses one, another is made."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.server import LocalSlack
from bot.slack.ingress import socket_mode
from tests.slack.sockets.conftest import Start


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


async def test_a_farewell_and_the_end_of_the_connection_lead_to_one_new_one(start: Start, slack: LocalSlack) -> None:
    """Else the second that hears of it would give up the new connection, and what came on it would be lost."""
    running = start()
    await running.connected()
    client = running.socket._client
    assert client is not None
    assert client.current_session is not None
    await client.current_session.close()
    await asyncio.gather(client.connect_to_new_endpoint(), client.connect_to_new_endpoint(force=True))
    assert slack.sockets.handshakes == 2


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


async def test_a_refused_token_is_tried_ever_more_slowly(
    start: Start, slack: LocalSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pauses that it asks for; nobody waits for them here."""
    wait = socket_mode._until
    asked: list[float] = []

    async def at_once(event: asyncio.Event, *, seconds: float) -> None:
        if event is not running.socket._stopping:
            asked.append(seconds)
            seconds = 0.0
        await wait(event, seconds=seconds)

    monkeypatch.setattr(socket_mode, "_until", at_once)
    running = start(app_token="xapp-1-WRONG", first_pause=10.0)
    await slack.wait_for(lambda: len(asked) > 5)
    # They run from the call's beginning, and the call has taken some of each.
    assert all(pause / 2 < seconds <= pause for pause, seconds in zip((10, 20, 40, 60, 60), asked[1:6], strict=True))


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
