"""What is said: messages in channels of their own, so that nothing but the work itself takes time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.core.decide import decide
from bot.core.policy import RouteRule
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel
from bot.slack.calls import SlackCalls
from bot.slack.delivery import Delivery
from bot.slack.workspace import Workspace
from bot.store.store import Store
from tests.benchmarks.figure import Figure, cpu_async
from tests.benchmarks.site import POLICY, SITE, START, polled

MESSAGES = 200
WITHIN = 300.0
CHANNELS = [Channel(id=f"C0{n:06d}", name=f"station-{n}") for n in range(1, MESSAGES + 1)]
ROUTES = tuple(
    RouteRule(name=f"Pick station {n:04d}", channel=channel.id) for n, channel in enumerate(CHANNELS, start=1)
)


async def speaking(folder: Path) -> AsyncIterator[Figure]:
    policy = replace(POLICY, routes=ROUTES)
    async with LocalSlack(channels=[Channel(id="C0ALERTS", name="alerts"), *CHANNELS]) as slack:
        slack.limits.enabled = False
        store = await Store.open(f"sqlite:///{folder / 'speaking.db'}", write=True)
        calls = SlackCalls(token=slack.bot_token, api_url=slack.api_url, trust_env=False)
        delivery = Delivery(
            store=store,
            calls=calls,
            workspace=Workspace(calls, store),
            clock=Clock(),
            adopt_wait=timedelta(seconds=3),
            interactive=True,
        )
        loop = asyncio.create_task(delivery.run())
        for number, status in enumerate((1, 0)):
            now = START + number * POLICY.interval
            async with store.tick(SITE, now=now, lately=policy.lately) as tick:
                decision = decide(tick.state, polled(MESSAGES, status=status), now=now, policy=policy)
                await tick.apply(decision, now=now)
            slack.calls.log.clear()
            wanted = len(decision.messages)

            async def deliver(wanted: int = wanted) -> None:
                delivery.wake()
                await slack.wait_for(lambda: len(slack.calls.log) >= wanted, within=WITHIN)
                while (await store.outbox.pending()).count:
                    # Each reading of the database lets everybody else have a turn.
                    pass

            milliseconds = await cpu_async(deliver, times=1)
        sent = [call.arguments for call in slack.made("chat.postMessage")]
        delivery.drain()
        await loop
        await calls.close()
        await store.close()
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])

        async def bare() -> None:
            for arguments in sent:
                await client.api_call("chat.postMessage", json=arguments)

        floor = await cpu_async(bare, times=3)
    yield Figure(
        name=f"{len(sent)} messages delivered, three commits each",
        value=milliseconds,
        floor_name="slack-sdk: the same calls alone",
        floor=floor,
    )
