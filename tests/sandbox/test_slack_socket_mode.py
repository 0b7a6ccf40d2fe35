"""Socket Mode with the real slack-sdk's client: delivery, acknowledgements, and every way in which a connection ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.socket_mode import CONNECTIONS


class App:
    """An app that acknowledges what it gets, with `answer`."""

    def __init__(self, client: SocketModeClient) -> None:
        self.client = client
        self.got: list[SocketModeRequest] = []
        self.answer: dict[str, Any] | None = None
        self.acknowledges = True
        client.socket_mode_request_listeners.append(self.listen)

    async def listen(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.got.append(request)
        if self.acknowledges:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=self.answer))


@pytest.fixture
async def connect(slack: LocalSlack, web: AsyncWebClient) -> AsyncIterator[Callable[[], Any]]:
    apps: list[App] = []

    async def make() -> App:
        client = SocketModeClient(app_token=slack.app_token, web_client=web, ping_interval=0.2)
        app = App(client)
        apps.append(app)
        before = len(slack.sockets.connections)
        await client.connect()  # type: ignore[no-untyped-call]
        await slack.wait_for(lambda: len(slack.sockets.connections) > before)
        return app

    yield make
    for app in apps:
        # The client's own time-out for a server that no longer answers is half a minute.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await app.client.close()  # type: ignore[no-untyped-call]


async def test_a_command_reaches_the_app_and_its_answer_the_person(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    app.answer = {"text": "one moment"}
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection list down") is None
    (request,) = app.got
    assert request.type == "slash_commands"
    assert request.accepts_response_payload is True
    assert request.payload["command"] == "/connection"
    assert request.payload["text"] == "list down"
    (ephemeral,) = slack.workspace.ephemerals.values()
    assert (ephemeral.text, ephemeral.user, ephemeral.command) == ("one moment", "U0ALICE", "/connection list down")


async def test_an_answer_that_slack_cannot_show_is_told_to_the_person(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    app.answer = {"blocks": [{"type": "poem"}]}
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") == "invalid_blocks"


async def test_without_a_connection_the_person_reads_dispatch_failed(slack: LocalSlack) -> None:
    assert slack.sockets.connected is False
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") == "dispatch_failed"


async def test_without_an_acknowledgement_the_person_reads_operation_timeout(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    app.acknowledges, slack.sockets.ack_within = False, 0.2
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") == "operation_timeout"
    # An acknowledgement that comes too late, twice, or unreadable harms nothing.
    for _ in range(2):
        await app.client.send_socket_mode_response(SocketModeResponse(app.got[0].envelope_id))
    for text in ("no json", "[]", '{"x": 1}', '{"envelope_id": ["a"], "payload": 1}'):
        await app.client.send_message(text)
    app.acknowledges, slack.sockets.ack_within = True, 3.0
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") is None


async def test_a_double_acknowledgement_counts_once(slack: LocalSlack, connect: Any) -> None:
    app = await connect()

    async def twice(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        for text in ("first", "second"):
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload={"text": text}))

    app.client.socket_mode_request_listeners[:] = [twice]
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") is None
    assert [ephemeral.text for ephemeral in slack.workspace.ephemerals.values()] == ["first"]


async def test_each_envelope_goes_to_one_connection(slack: LocalSlack, connect: Any) -> None:
    apps = [await connect(), await connect()]
    for _ in range(4):
        assert await slack.interactions.open_home("U0ALICE") is None
    assert [len(app.got) for app in apps] == [2, 2]
    assert apps[0].got[0].type == "events_api"
    assert apps[0].got[0].accepts_response_payload is False
    assert apps[0].got[0].payload["event"]["type"] == "app_home_opened"


async def test_a_ticket_opens_one_connection(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    url = (await client().apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
        await slack.wait_for(lambda: not slack.sockets.connected)
    assert slack.sockets.handshakes == 2


async def test_the_eleventh_connection_is_sent_away(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = []
        for number in range(CONNECTIONS + 1):
            url = (await client().apps_connections_open(app_token=slack.app_token))["url"]
            sockets.append(await session.ws_connect(url))
            first = await sockets[-1].receive_json()
            assert first["type"] == ("hello" if number < CONNECTIONS else "disconnect")
        assert first["reason"] == "too_many_websockets"
        assert (await sockets[-1].receive()).type is aiohttp.WSMsgType.CLOSE
        assert len(slack.sockets.connections) == CONNECTIONS


async def test_the_server_sends_pings_and_answers_them(
    slack: LocalSlack, client: Callable[..., AsyncWebClient]
) -> None:
    slack.sockets.ping_every = 0.02
    url = (await client().apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING
        await socket.pong(b"Ping from applink-sandbox")
        await socket.ping(b"there?")
        answers = [await socket.receive() for _ in range(3)]
        assert (aiohttp.WSMsgType.PONG, b"there?") in [(answer.type, answer.data) for answer in answers]


async def test_a_silent_connection_neither_pings_nor_answers(
    slack: LocalSlack, client: Callable[..., AsyncWebClient]
) -> None:
    slack.sockets.ping_every = 0.05
    url = (await client().apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        slack.sockets.go_silent()
        await socket.ping(b"there?")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.2)


async def test_a_refresh_makes_the_client_come_back(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    await slack.sockets.disconnect("refresh_requested")
    await slack.wait_for(lambda: slack.sockets.connected)
    assert slack.sockets.handshakes == 2
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") is None
    assert len(app.got) == 1


async def test_a_warning_leaves_the_connection_open(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    url = (await client().apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()
        await slack.sockets.disconnect("warning")
        assert (await socket.receive_json())["reason"] == "warning"
        assert slack.sockets.connected


async def test_a_closed_connection_is_made_anew(slack: LocalSlack, connect: Any) -> None:
    await connect()
    await slack.sockets.close()
    await slack.wait_for(lambda: slack.sockets.connected)
    assert slack.sockets.handshakes == 2


async def test_a_broken_connection_is_passed_over_and_made_anew(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    slack.sockets.abort()
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") == "dispatch_failed"
    await slack.wait_for(lambda: slack.sockets.handshakes == 2 and slack.sockets.connected)
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") is None
    assert len(app.got) == 1


async def test_a_silent_death_loses_what_is_sent_until_the_client_notices(slack: LocalSlack, connect: Any) -> None:
    app = await connect()
    slack.sockets.go_silent()
    slack.sockets.ack_within = 0.2
    assert slack.sockets.connected
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") == "operation_timeout"
    assert app.got == []
    slack.sockets.ack_within = 3.0
    # The client notices by its own pings that nothing answers, and leaves the dead connection for a new one.
    await slack.wait_for(lambda: slack.sockets.connected and not any(c.silent for c in slack.sockets.connections))
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection") is None


async def test_a_refused_handshake_leaves_the_client_outside(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The SDK's client then tries the same address for ever; given a new one, it gets in."""
    slack.sockets.refuse_handshakes = True
    client = SocketModeClient(app_token=slack.app_token, web_client=web, ping_interval=0.1)
    connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
    await slack.wait_for(lambda: slack.sockets.handshakes >= 2)
    assert not slack.sockets.connected
    slack.sockets.refuse_handshakes = False
    client.wss_uri = None
    await slack.wait_for(lambda: slack.sockets.connected)
    await connecting
    await client.close()  # type: ignore[no-untyped-call]


async def test_opening_connections_is_rate_limited(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    slack.limits.enabled = True
    for _ in range(10):
        await client().apps_connections_open(app_token=slack.app_token)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client().apps_connections_open(app_token=slack.app_token)
