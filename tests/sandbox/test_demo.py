"""The demonstration: the whole story, without an account, an environment or a configuration."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox import demo
from bot.sandbox.demo import CHANNEL, ESCALATE_AFTER, REMIND_EVERY, ROTTERDAM, Sandbox, run_demo, sandbox
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.sites import mount_sites
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.story import Beat, Teller

# Dead ends: whatever heeded one of these would not work.
POISON = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "SLACK_BOT_TOKEN": "xoxp-wrong",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
    "ITEMPATH_URL": "http://127.0.0.1:9",
    "BOT_DATABASE_URL": "sqlite:////nowhere/bot.db",
    "BOT_CONFIG": "/nowhere/bot.toml",
    "BOT_LISTEN": "256.0.0.1:1",
}


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Sandbox]:
    """Every sandbox that is opened from now on."""
    opened: asyncio.Queue[Sandbox] = asyncio.Queue()
    original = demo.Sandbox

    def opening(*args: object, **fields: object) -> Sandbox:
        box = original(*args, **fields)  # type: ignore[arg-type]
        opened.put_nowait(box)
        return box

    monkeypatch.setattr(demo, "Sandbox", opening)
    return opened


Serve = Callable[[Teller], Awaitable[TestServer]]


def texts(slack: LocalSlack, channel: str = CHANNEL.id) -> list[str]:
    return [message["text"] for message in slack.messages(channel)]


async def test_the_story_is_told_whole_and_nothing_of_the_environment_is_heeded(
    poisoned: None, boxes: asyncio.Queue[Sandbox], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    def quickly(beats: list[Beat]) -> Teller:
        return Teller([replace(beat, at=beat.at / 2) for beat in beats])

    monkeypatch.setattr(demo, "Teller", quickly)
    telling = asyncio.create_task(run_demo(port=0))
    box = await boxes.get()
    slack = box.slack

    async def shows(part: str, channel: str = CHANNEL.id) -> None:
        await slack.wait_for(lambda: any(part in text for text in texts(slack, channel)), within=90)

    await shows("Watching 17 connections of berlin, 1 already down")
    await shows("Watching 4 connections of rotterdam", ROTTERDAM.id)
    await shows("PowerPick is down. berlin/1")
    await shows("PowerPick reports an error while down")
    await shows("PowerPick is up again after")
    await shows("SAP S/4HANA Orders reports an error")
    await shows("Seen 3 times")
    await shows("SAP S/4HANA Orders no longer reports an error")
    await shows("13 of 17 connections of berlin are down: 12 here, 1 in another message")
    await shows("All 12 connections of berlin in this outage are up again")
    await shows("ItemPath rotterdam cannot be read", ROTTERDAM.id)
    await shows("ItemPath rotterdam can be read again", ROTTERDAM.id)
    await slack.wait_for(lambda: slack.workspace.ephemerals, within=60)
    (answer,) = slack.workspace.ephemerals.values()
    os.kill(os.getpid(), signal.SIGTERM)
    await telling

    assert not [text for text in texts(slack) if "Vertical Lift" in text and "connections" not in text]
    assert answer.command == "/connection 1"
    assert answer.text.startswith("🟢 PowerPick is up. berlin/1: read from ItemPath just now.")
    assert f"Open {box.url} in a browser" in capsys.readouterr().out
    assert {name: os.environ[name] for name in POISON} == POISON


async def test_it_listens_on_this_machine_only_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with sandbox() as box:
        assert box.url.startswith("http://127.0.0.1:")
        assert os.listdir(tmp_path)  # noqa: PTH208 - one call, and nothing that would block for long
    assert not os.listdir(tmp_path)  # noqa: PTH208


async def test_a_taken_port_is_an_error_of_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address already in use"):
        await run_demo(port=taken.getsockname()[1])


async def test_the_page_its_switches_and_the_story_are_on_one_address() -> None:
    async with sandbox() as box, aiohttp.ClientSession(base_url=box.url) as session:
        for path in ("/", "/page/state", "/sites/state"):
            async with session.get(path) as response:
                assert response.status == 200
        async with session.get("/demo/story") as response:
            assert response.content_type == "text/event-stream"


async def test_reminder_and_escalation_come_soon_but_after_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for hours in front of a demonstration, and none of it disturbs what is being told."""
    told: list[Beat] = []

    def kept(beats: list[Beat]) -> Teller:
        told.extend(beats)
        return Teller(beats)

    monkeypatch.setattr(demo, "Teller", kept)
    async with sandbox():
        assert told[-1].at <= 60 < REMIND_EVERY.total_seconds() < ESCALATE_AFTER.total_seconds() <= 300


async def test_connection_1_is_there_once() -> None:
    async with sandbox() as box:
        assert [str(row["id"]) for site in box.sites.values() for row in site.rows()].count("1") == 1


async def test_the_story_goes_on_without_what_a_visitor_has_taken_away() -> None:
    told: list[str] = []
    async with SimulatedItemPath("berlin", connections=[{"id": 1}]) as site:
        site.remove(1)
        teller = Teller(
            [
                Beat(at=0, text="It falls.", act=lambda: site.set_status(1, 0)),
                Beat(at=0, text="It goes on.", act=lambda: told.append("went on")),
            ]
        )
        await teller.play()

    assert told == ["went on"]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def served(teller: Teller) -> TestServer:
        app = web.Application()
        teller.mount(app)
        mount_sites(app, [])
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        return server

    yield served
    for server in servers:
        await server.close()


async def _events(stream: aiohttp.ClientResponse, number: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while len(found) < number:
        line = (await stream.content.readline()).decode()
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    return found


async def test_whoever_looks_late_sees_where_the_story_stands_and_what_comes_next(
    serve: Serve,
) -> None:
    going_on = asyncio.Event()
    beats = [
        Beat(at=0, text="First.", act=lambda: None),
        Beat(at=0.01, text="Second.", act=going_on.wait),
        Beat(at=0.02, text="Third.", act=lambda: None),
    ]
    teller = Teller(beats)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    playing = asyncio.create_task(teller.play())
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        first = (await _events(stream, 1))[0]
        while first["text"] != "Second.":
            first = (await _events(stream, 1))[0]
        async with session.get(url) as late:
            assert await _events(late, 1) == [{"at": 0.01, "text": "Second.", "step": 2, "of": 3}]
            going_on.set()
            assert (await _events(late, 1))[0]["text"] == "Third."
    await playing


async def test_a_silent_stream_is_kept_alive_and_ends_with_the_server(serve: Serve) -> None:
    teller = Teller([], heartbeat=0.01)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        assert [await stream.content.readline() for _ in range(4)] == [b": still here\n", b"\n"] * 2
        closing = asyncio.create_task(server.close())
        rest = await stream.content.read()
        await closing

    assert set(rest.split()) <= {b":", b"still", b"here"}


async def test_a_reader_that_goes_away_is_no_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    teller = Teller([], heartbeat=0.01)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    async with aiohttp.ClientSession() as session:
        stream = await session.get(url)
        await stream.content.readline()
        stream.close()
        async with session.get(url) as other:
            for _ in range(6):
                await other.content.readline()

    assert not caplog.records
