"""The demonstration: the whole story, without an account, an environment or a configuration."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.check.preflight import preflight
from bot.clock import Clock
from bot.sandbox import demo
from bot.sandbox.demo import CHANNEL, ESCALATE_AFTER, REMIND_EVERY, ROTTERDAM, Sandbox, run_demo, sandbox
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.story import Beat, Teller
from bot.settings import load

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


def texts(slack: LocalSlack, channel: str = CHANNEL.id) -> list[str]:
    return [message["text"] for message in slack.messages(channel)]


async def test_the_story_is_told_whole_and_nothing_of_the_environment_is_heeded(
    poisoned: None, boxes: asyncio.Queue[Sandbox], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    def quickly(beats: list[Beat], **more: Any) -> Teller:
        return Teller([replace(beat, at=beat.at / 2) for beat in beats], **more)

    monkeypatch.setattr(demo, "Teller", quickly)
    telling = asyncio.create_task(run_demo(port=0))
    box = await boxes.get()
    slack = box.slack

    async def shows(part: str, channel: str = CHANNEL.id) -> None:
        await slack.wait_for(lambda: any(part in text for text in texts(slack, channel)), within=90)

    await shows("Watching 17 connections of ItemPath berlin, 1 already down")
    await shows("Watching 4 connections of ItemPath rotterdam", ROTTERDAM.id)
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
    printed = capsys.readouterr().out
    assert f"Open {box.url} in a browser" in printed
    assert f"The story is over, and can be played again: {box.url}\n" in printed
    for verb in ("connections", "incidents", "check"):
        assert f" -m bot {verb} --config {box.settings_file}\n" in printed
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

    def kept(beats: list[Beat], **more: Any) -> Teller:
        told.extend(beats)
        return Teller(beats, **more)

    monkeypatch.setattr(demo, "Teller", kept)
    async with sandbox():
        assert told[-1].at <= 60 < REMIND_EVERY.total_seconds() < ESCALATE_AFTER.total_seconds() <= 300


async def test_connection_1_is_there_once() -> None:
    async with sandbox() as box:
        assert [str(row["id"]) for site in box.sites.values() for row in site.rows()].count("1") == 1


async def test_the_world_of_the_demo_returns_to_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody has switched, added and taken away; logs are never taken back."""
    resets: list[Callable[[], Awaitable[object]]] = []

    def kept(beats: list[Beat], *, reset: Callable[[], Awaitable[object]], over: Callable[[], object]) -> Teller:
        resets.append(reset)
        return Teller(beats, reset=reset, over=over)

    monkeypatch.setattr(demo, "Teller", kept)
    async with sandbox() as box:
        berlin, rotterdam = box.sites.values()
        before = [(row["id"], row["name"], row["status"]) for row in berlin.rows()]
        berlin.set_status(1, 0)
        berlin.write_error(1, "Login timeout expired")
        berlin.remove(17)
        berlin.add(name="Mine")
        await rotterdam.set_fault("unreachable")
        box.slack.page.let("invalid_auth")
        await resets[0]()

        assert [(row["id"], row["name"], row["status"]) for row in berlin.rows()] == before
        assert berlin.row(1)["latestLog"]["error"] is None
        assert rotterdam.reachable
        assert box.slack.faults.refusing is None


async def test_what_a_visitor_has_muted_is_heard_again_when_the_story_is_told_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Said by whoever muted it, and without news of what the visitor had left down."""
    resets: list[Callable[[], Awaitable[object]]] = []

    def kept(beats: list[Beat], *, reset: Callable[[], Awaitable[object]], over: Callable[[], object]) -> Teller:
        resets.append(reset)
        return Teller(beats, reset=reset, over=over)

    monkeypatch.setattr(demo, "Teller", kept)
    stop = asyncio.Event()
    async with sandbox() as box:
        running = asyncio.create_task(box.run(stop))
        await box.slack.wait_for(lambda: "Watching" in "".join(texts(box.slack)), within=30)

        def answers() -> list[str]:
            return [answer.text for answer in box.slack.workspace.ephemerals.values()]

        for ref in ("berlin/*", "berlin/1", "rotterdam/3"):
            assert await box.slack.interactions.command(CHANNEL.id, "U0BOB", f"/connection mute {ref} 1h") is None
        await box.slack.wait_for(lambda: len(answers()) == 3, within=30)
        box.sites["berlin"].set_status(1, 0)
        await box.sites["berlin"].polled(2)
        await resets[0]()
        await box.slack.wait_for(lambda: len(answers()) == 5, within=30)
        await box.sites["berlin"].polled(2)
        stop.set()
        await running

    assert all("is no longer muted" in text for text in answers()[3:])
    assert sum("berlin is no longer muted" in text for text in answers()[3:]) == 1
    assert not [text for text in texts(box.slack) if "PowerPick is down" in text]


async def test_the_other_verbs_can_look_at_a_running_demo() -> None:
    stop = asyncio.Event()
    async with sandbox() as box:
        running = asyncio.create_task(box.run(stop))
        await box.slack.wait_for(lambda: "Watching" in "".join(texts(box.slack)), within=30)
        settings = load(config=box.settings_file, environ={}, cwd=box.settings_file.parent)
        found = [str(line) async for line in preflight(settings, now=Clock().now)]
        stop.set()
        await running

    assert [line.split()[0] for line in found] == ["ok"] * len(found)
    assert "17 connections" in found[1]


async def test_the_page_knows_what_is_quiet_on_purpose_and_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    async def quiet() -> dict[str, dict[str, object]]:
        async with (
            sandbox() as box,
            aiohttp.ClientSession(base_url=box.url) as session,
            session.get("/sites/state") as response,
        ):
            sites = (await response.json())["sites"]
        return {row["name"]: row["quiet"] for site in sites for row in site["connections"] if row["quiet"]}

    (name, why), *others = (await quiet()).items()
    assert (name, others) == ("Pick-to-Light Gateway", [])
    assert why["reason"] == "New firmware on the gateway"
    monkeypatch.setattr(demo, "MAINTENANCE", timedelta(microseconds=1))
    assert await quiet() == {}
