"""One life of a bot: the service's own loops over a database and a channel, with every step to the outside counted.

A step is where the bot may die: whatever the database and Slack hold at that moment is what the next life finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from bot.core.policy import Policy
from bot.poller import Poller, Reads
from bot.slack.calls import SlackCalls
from bot.slack.delivery import Delivery
from bot.slack.workspace import Workspace
from bot.store.store import Store
from bot.telemetry import Metrics
from tests.crash.clock import Virtual
from tests.crash.workspace import Channels
from tests.store.commits import telling

T = TypeVar("T")
Arguments = dict[str, Any]
Step = Callable[[str, Arguments | None], None]
"""Told what was about to happen or has just happened, and which post is under way, if one is."""

ADOPT_WAIT = timedelta(seconds=3)
CUT_OFF_EVERY = 0.1
POST = "chat.postMessage"


class CountedCalls(SlackCalls):
    """Each request is two steps: before Slack has taken it, and after, before the answer.

    A post has one more: it is under way, and arrives although the bot has died.
    """

    def __init__(self, channels: Channels, step: Step) -> None:
        super().__init__(token="none", api_url="none")
        self._channels = channels
        self._step = step

    async def _attempt(self, method: str, arguments: Arguments) -> Arguments:
        given = {name: value for name, value in arguments.items() if value is not None and name != "_as_query"}
        self._step(f"{method}, not sent", None)
        if method == POST:
            self._step(f"{method}, under way", given)
        await asyncio.sleep(0)
        answer = self._channels.take(method, given)
        self._step(f"{method}, not answered", None)
        await asyncio.sleep(0)
        return answer


class Life:
    """The parts of the service that change what is remembered or shown."""

    def __init__(
        self,
        opened: Store,
        *,
        step: Step,
        sources: Mapping[str, Reads],
        policy: Policy,
        clock: Virtual,
        channels: Channels,
    ) -> None:
        """`sources` by the name of their site; all of them share the channel and whatever else `policy` says."""
        self._opened = opened
        self.store = telling(
            opened, before=lambda: step("commit, before", None), after=lambda: step("commit, after", None)
        )
        calls = CountedCalls(channels, step)
        self.delivery = Delivery(
            store=self.store,
            calls=calls,
            workspace=Workspace(calls, self.store),
            clock=clock,
            adopt_wait=ADOPT_WAIT,
            interactive=True,
        )
        self.pollers = {
            site: Poller(
                client=source,
                store=self.store,
                policy=replace(policy, site=site, sites_in_channel=len(sources)),
                peers=tuple(sources.keys() - {site}),
                clock=clock,
                metrics=Metrics(version="test"),
                committed=self.delivery.wake,
            )
            for site, source in sources.items()
        }
        self._tasks: list[asyncio.Task[Any]] = []

    @classmethod
    async def begin(cls, url: str, **parts: Any) -> Life:
        life = cls(await Store.open(url, write=True), **parts)
        for poller in life.pollers.values():
            life.does(poller.run())
        life.does(life.delivery.run())
        return life

    def does(self, what: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Something that ends with this life."""
        task = asyncio.create_task(what)
        self._tasks.append(task)
        return task

    async def end(self) -> None:
        """Raises what broke a task of it."""
        living = set(self._tasks)
        while living:
            # More than once: a cancellation that meets a library's clean-up can get lost there.
            for task in living:
                task.cancel()
            _, living = await asyncio.wait(living, timeout=CUT_OFF_EVERY)
        await self._opened.close()
        for task in self._tasks:
            if not task.cancelled():
                task.result()
