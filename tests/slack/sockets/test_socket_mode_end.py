"""The end of the bot: prompt, but not before what is under way is answered."""

from __future__ import annotations

import asyncio
import contextlib

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.server import LocalSlack
from bot.slack.ingress.socket_mode import ENDED_WITHIN
from tests.slack.sockets.conftest import Start
from tests.slack.sockets.listener import Said


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
