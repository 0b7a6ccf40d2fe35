"""The bot as a process: killed at the worst moments, started again, ended in order."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.process import Outside

WATCHING = (
    "root 🔵 Watching 1 connection of ItemPath default, up. "
    "From now on a message says when one goes down, is up again or logs a new error. "
    "Type /connection help to see what you can ask."
)
DOWN = "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Nobody has acknowledged it yet."
AWAY = (
    "root 🔴 PowerPick is down. default/1: went down between <time> and <time>, while this bot was away. 3 integrations "
    "stop. Nobody has acknowledged it yet."
)
UP = "root 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>."
UP_TOO = "  broadcast 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>."


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    async with Outside(tmp_path) as made:
        yield made


@pytest.fixture
async def watching(outside: Outside) -> Outside:
    await outside.start()
    await outside.sees(lambda: outside.lines() == [WATCHING])
    return outside


async def test_killed_while_slack_holds_the_answer_to_a_root_it_has_taken(watching: Outside) -> None:
    """The post arrived, and the bot never learned it: after the start it is adopted, not repeated."""
    with watching.slack.gate("chat.postMessage") as gate:
        watching.site.set_status(1, 0)
        await watching.sees(lambda: gate.held)
        await watching.kill()
    assert watching.lines() == [WATCHING, DOWN]

    await watching.start()
    watching.site.set_status(1, 1)
    await watching.sees(lambda: watching.lines() == [WATCHING, UP, UP_TOO])
    await watching.idle()
    assert watching.lines() == [WATCHING, UP, UP_TOO]


async def test_killed_before_slack_has_taken_the_root(watching: Outside) -> None:
    """The post was lost with the connection: it is looked for, not found, and sent again."""
    with watching.slack.gate("chat.postMessage", before=True) as gate:
        watching.site.set_status(1, 0)
        await watching.sees(lambda: gate.held)
        await watching.kill()
        await watching.sees(lambda: not gate.held)
    assert watching.lines() == [WATCHING]

    await watching.start()
    await watching.sees(lambda: watching.lines() == [WATCHING, DOWN])
    await watching.idle()
    assert watching.lines() == [WATCHING, DOWN]


async def test_killed_while_slack_holds_the_answer_to_a_broadcast_and_to_an_edit(watching: Outside) -> None:
    watching.site.set_status(1, 0)
    await watching.sees(lambda: watching.lines() == [WATCHING, DOWN])
    with watching.slack.gate("chat.postMessage") as posts, watching.slack.gate("chat.update") as edits:
        watching.site.set_status(1, 1)
        await watching.sees(lambda: posts.held and edits.held)
        await watching.kill()

    await watching.start()
    await watching.idle()
    assert watching.lines() == [WATCHING, UP, UP_TOO]


async def test_killed_while_idle_a_flip_meanwhile_is_told_once_and_marked(watching: Outside) -> None:
    await watching.kill()
    watching.site.set_status(1, 0)
    await watching.start()
    await watching.sees(lambda: watching.lines() == [WATCHING, AWAY])
    await watching.kill()
    await watching.start()
    await watching.idle()

    assert watching.lines() == [WATCHING, AWAY]


async def test_killed_around_commits_every_outage_has_one_root_and_one_recovery(watching: Outside) -> None:
    """Swept from the moment at which ItemPath is asked, over reading, deciding, committing and sending.

    Three flips: with a fourth it would be flapping.
    """
    for number, milliseconds in enumerate((0, 8, 24), start=1):
        watching.site.set_status(1, number % 2 ^ 1)
        await watching.site.polled()
        await asyncio.sleep(milliseconds / 1000)
        await watching.kill()
        await watching.start()
        fallen, risen = (number + 1) // 2, number // 2
        await watching.sees(lambda f=fallen, r=risen: _counted(watching) == (f - r, r, r))
        await watching.idle()
        assert _counted(watching) == (fallen - risen, risen, risen)


def _counted(outside: Outside) -> tuple[int, int, int]:
    """Roots shown as down, roots shown as up again, and broadcasts of a recovery, each below its own root."""
    lines = outside.lines()
    recovered = sum(
        before.startswith("root 🟢 PowerPick is up again") and line.startswith("  broadcast 🟢 PowerPick is up again")
        for before, line in itertools.pairwise(lines)
    )
    assert recovered == sum(line.startswith("  ") for line in lines)
    return (
        sum(line.startswith("root 🔴 PowerPick is down") for line in lines),
        sum(line.startswith("root 🟢 PowerPick is up again") for line in lines),
        recovered,
    )


async def test_sigterm_ends_with_0_while_itempath_and_slack_hang(watching: Outside) -> None:
    with watching.slack.gate("*", before=True) as gate:
        watching.site.set_status(1, 0)
        await watching.sees(lambda: gate.held)
        await watching.site.set_fault("timeout")
        await watching.site.polled()
        asking = asyncio.create_task(watching.slack.interactions.command("C0ALERTS", "U0ALICE", "/connection 1"))

        assert await watching.terminate() == 0
        await asking
    log = watching.log.read_text()
    assert "Traceback" not in log
    assert "stopped" in log

    await watching.site.set_fault(None)
    await watching.start()
    await watching.sees(lambda: watching.lines() == [WATCHING, DOWN])


async def test_sigterm_ends_at_once_when_nothing_is_under_way(watching: Outside) -> None:
    assert await watching.terminate() == 0
    log = watching.log.read_text()
    assert "stopped" in log
    assert "did not end in time" not in log


async def test_a_second_bot_on_the_database_is_refused_with_words(watching: Outside) -> None:
    second = await watching.spawn()

    assert await second.wait() == 1
    assert "Another bot" in watching.log.read_text()


async def test_a_taken_port_is_refused_with_words(outside: Outside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await outside.spawn(BOT_LISTEN=f"127.0.0.1:{port}")

        assert await process.wait() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in outside.log.read_text()


async def test_it_stays_ready_while_itempath_and_the_channel_are_dead(outside: Outside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    await outside.site.set_fault("unreachable")
    outside.slack.workspace.channels["C0ALERTS"].archived = True
    await outside.start(BOT_LISTEN=f"127.0.0.1:{port}")
    await outside.sees(lambda: outside.slack.made("conversations.list"))

    async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as session:
        async with session.get("/readyz") as ready, session.get("/healthz") as alive:
            assert (ready.status, alive.status) == (200, 200)
        async with session.get("/status") as status:
            told = await status.json()
    assert status.status == 503
    assert any(reason.startswith("site default: never read") for reason in told["reasons"])
