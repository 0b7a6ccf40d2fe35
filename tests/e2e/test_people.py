"""What people ask and press, by Socket Mode and by signed HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from tests.e2e.world import ALERTS, World

UP = "🟢 PowerPick is up. default/1: read from ItemPath just now. Up since <time>. Not given by ItemPath: Latest log."


@pytest.fixture(params=["socket mode", "signed http"])
async def asked(request: pytest.FixtureRequest, make: Callable[..., Any]) -> World:
    """The same questions by both ways."""
    by_socket = request.param == "socket mode"
    # Signatures age in real time, whatever clock the bot has.
    world: World = await make(socket_mode=by_socket, speed=20 if by_socket else 1)
    if not by_socket:
        world.settings["slack"] = {"signing_secret": SecretStr(world.slack.signing_secret)}
        world.settings["sites"] = {"default": {"poll_interval": "500ms"}}
    await world.start()
    if not by_socket:
        world.slack.request_url.url = f"{world.url}/slack/events"
        assert await world.slack.request_url.verify()
    await world.slack.wait_for(world.lines)
    return world


async def test_a_connection_is_looked_up_live_by_id_name_and_site(asked: World) -> None:
    for ref in ("1", "powerpick", '"PowerPick"', "default/1", "power"):
        assert await asked.asks(f"/connection {ref}") == UP
    assert len(asked.lines()) == 1


async def test_an_answer_can_be_shared_to_the_channel(asked: World) -> None:
    await asked.asks("/connection 1")
    (ephemeral,) = asked.slack.workspace.ephemerals
    assert await asked.slack.interactions.click(ALERTS, "U0ALICE", action_id="share", ephemeral=ephemeral) is None
    shared = await asked.slack.wait_for(lambda: asked.lines()[1:])
    await asked.slack.wait_for(lambda: not asked.slack.workspace.ephemerals)

    read_then = UP.replace("read from ItemPath just now", "as of <time>, read from ItemPath")
    assert shared == [f"root {read_then} Shared by alice."]


async def test_acknowledge_is_recorded_told_in_the_thread_and_takes_the_button_away(asked: World) -> None:
    asked.site.set_status(1, 0)
    await asked.slack.wait_for(lambda: len(asked.lines()) == 2)
    assert await asked.presses("acknowledge", on="is down") is None

    watching = asked.lines()[0]
    await asked.shows(
        watching,
        "root 🔴 PowerPick is down. default/1: down since <time>. 3 integrations stop. Acknowledged by alice, <time>.",
        "  reply 👀 alice has acknowledged PowerPick. Since <time>. No more reminders until it is over.",
    )
    assert await asked.presses("acknowledge", on="is down") == "no_such_action"
    assert (await asked.asks("/connection ack 1")).startswith("👀 PowerPick was acknowledged before.")

    asked.site.set_status(1, 1)
    await asked.shows(
        watching,
        "root 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>. "
        "Acknowledged by alice, <time>.",
        "  reply 👀 alice has acknowledged PowerPick. Since <time>. No more reminders until it is over.",
        "  broadcast 🟢 PowerPick is up again after <span>. default/1: Downtime <span>, from <time> to <time>.",
    )


async def test_whatever_else_is_asked_has_a_helpful_answer(asked: World) -> None:
    for text in ("/connection", "/connection help", "/connection PowerPuck", "/connection ack", "/connection 999"):
        answer = await asked.asks(text)
        assert answer.startswith("🔵")
        assert ("/connection ack &lt;id or name&gt;" if "ack" in text else "/connection &lt;id&gt;") in answer


async def test_when_itempath_is_silent_the_last_reading_is_shown_with_its_age(asked: World) -> None:
    await asked.site.set_fault("timeout")
    answer = await asked.asks("/connection 1")

    assert answer.startswith("🟢 PowerPick was up when last read. default/1: could not be read from ItemPath.")
    assert "What follows was read" in answer


async def test_without_a_signing_secret_there_is_no_such_page(world: World) -> None:
    await world.start()
    async with aiohttp.ClientSession() as session, session.post(f"{world.url}/slack/events") as response:
        assert response.status == 404
