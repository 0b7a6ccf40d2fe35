"""Every part of one bot, built, run as named loops, and ended in order.

What is under way when it is told to stop is finished, and what could not be finished is in the database: stopping loses
nothing, and neither does being killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import __version__
from bot.clock import Clock
from bot.core.decide import decide
from bot.core.state import Dropped
from bot.eventloop import ended
from bot.itempath.client import ItemPathClient
from bot.poller import Poller
from bot.settings.models import Settings, SiteSettings, SlackSettings
from bot.settings.policy import access_of, channels_of, peers_of, policy_of, windows_of
from bot.slack.calls import SlackCalls
from bot.slack.commands.details import Details
from bot.slack.commands.doing import Doing
from bot.slack.commands.handlers import Handlers
from bot.slack.commands.lookup import Lookup
from bot.slack.commands.survey import Survey
from bot.slack.delivery import Delivery
from bot.slack.home import Home
from bot.slack.ingress.http import HttpIngress
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses
from bot.slack.ingress.socket_mode import SocketMode
from bot.slack.reach import Reach
from bot.slack.workspace import Workspace
from bot.store.errors import DatabaseTaken, StoreError
from bot.store.store import Store
from bot.telemetry import Metrics, StateLog
from bot.web import Sources, Web

_log = structlog.get_logger(__name__)

Loop = Callable[[], Coroutine[Any, Any, None]]

PRUNE_EVERY = timedelta(hours=1)
KEEP_HOLD_EVERY = 2.0
"""Real seconds between two looks whether this bot still is the one that writes."""

# Ten seconds from the signal to the end (contract, "Starting it"), shared out so that each part gets its turn: what takes
# things in first, then what sends them, then a second each for the server and for answers that people still wait for.
POLLS_END_WITHIN = 1.5
LISTENING_ENDS_WITHIN = 3.5
DELIVERY_ENDS_WITHIN = 2.5
ANSWERS_END_WITHIN = 1.0


class Service:
    """Every part of one bot."""

    def __init__(
        self,
        settings: Settings,
        *,
        slack: SlackSettings,
        store: Store,
        clock: Clock,
        trust_env: bool,
        web: Web,
    ) -> None:
        self.settings = settings
        self.store = store
        self.web = web
        self.clock = clock
        self.metrics = Metrics(version=__version__)
        self.running = False
        self.taken = False
        """Whether another bot has taken over, so that this one has ended its work."""
        token = slack.bot_token.get_secret_value()
        self.calls = SlackCalls(token=token, api_url=slack.api_url, counts=self.metrics, trust_env=trust_env)
        self.workspace = Workspace(self.calls, store, channels=channels_of(settings))
        self.delivery = Delivery(
            store=store,
            calls=self.calls,
            workspace=self.workspace,
            clock=clock,
            adopt_wait=slack.adopt_wait,
            interactive=slack.app_token is not None or slack.signing_secret is not None,
        )
        self.clients = {site.name: _client(site, clock, trust_env=trust_env) for site in settings.sites}
        self.pollers = [self._poller(site) for site in settings.sites]
        self.reach = Reach(calls=self.calls, workspace=self.workspace, channels=channels_of(settings), clock=clock)
        windows = windows_of(settings)
        self.home = Home(store=store, calls=self.calls, sites=tuple(self.clients), maintenance=windows, clock=clock)
        lookup = Lookup(store=store, calls=self.calls, live=self.clients, clock=clock, maintenance=windows)
        self.reception = Reception(
            handlers=Handlers(
                lookup=lookup,
                survey=Survey(
                    store=store,
                    sites=tuple(self.clients),
                    clock=clock,
                    kept=settings.alerts.keep_events,
                    maintenance=windows,
                ),
                doing=Doing(
                    lookup=lookup,
                    act={poller.site: poller.act for poller in self.pollers},
                    clock=clock,
                    operators=slack.operators,
                ),
                details=Details(lookup=lookup, store=store, calls=self.calls),
                home=self.home,
                workspace=self.workspace,
                clock=clock,
            ),
            responses=Responses(api_url=slack.api_url, trust_env=trust_env),
        )
        self.socket = (
            None
            if slack.app_token is None
            else SocketMode(
                app_token=slack.app_token.get_secret_value(),
                api_url=slack.api_url,
                reception=self.reception,
                clock=clock,
                trust_env=trust_env,
            )
        )
        request_url = (
            None
            if slack.signing_secret is None
            else HttpIngress(
                signing_secret=slack.signing_secret.get_secret_value(),
                reception=self.reception,
                # Slack signs with real time, whatever the speed of the bot's clock.
                now=time.time,
            )
        )
        web.show(
            Sources(
                store=store,
                clock=clock,
                metrics=self.metrics,
                sites=self.pollers,
                speaking=self.reach,
                listening=self._listening,
                running=lambda: self.running,
            ),
            slack_request=None if request_url is None else request_url.handle,
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls,
        settings: Settings,
        *,
        clock: Clock,
        trust_env: bool,
        store: Store,
        web: Web,
    ) -> AsyncIterator[Service]:
        """Shows itself in `web`; in the end everything is closed but what was given."""
        if settings.slack is None:
            raise ValueError("the service needs the settings of Slack")
        async with AsyncExitStack() as stack:
            service = cls(settings, slack=settings.slack, store=store, clock=clock, trust_env=trust_env, web=web)
            stack.push_async_callback(service.calls.close)
            for client in service.clients.values():
                stack.push_async_callback(client.close)
            stack.push_async_callback(service.reception.close, grace=ANSWERS_END_WITHIN)
            await service.drop_others()
            good_at = await _last_good(store)
            for name in service.clients:
                service.metrics.watch(name, last_good=good_at.get(name))
            _log.info("started", version=__version__, sites=[site.name for site in settings.sites])
            yield service

    async def run(self, stop: asyncio.Event) -> None:
        """Every loop, until `stop`, or until another bot has `taken` over; then what is under way is finished.

        A loop that ends by itself, with an exception or without, is logged and ends everything in the same order; what
        broke is raised in the end, as a group.
        """
        broken: list[Exception] = []

        async def endless(name: str, loop: Loop) -> None:
            error: Exception = LoopEnded(name)
            try:
                await loop()
                if stop.is_set() or self.taken:
                    return
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is told, and ends the bot
                error = raised
            _log.error("a loop has ended by itself; the bot ends", loop=name, exc_info=error)
            broken.append(error)
            stop.set()

        async with asyncio.TaskGroup() as tasks:

            def start(name: str, loop: Loop) -> asyncio.Task[None]:
                return tasks.create_task(endless(name, loop), name=name)

            polls = [start(f"poll {poller.site}", poller.run) for poller in self.pollers]
            delivery = start("delivery", self.delivery.run)
            asking = [
                start("reach", self.reach.run),
                start("home tab", self.home.run),
                start("housekeeping", self._keep_house),
            ]
            holding = start("hold", self._keep_hold)
            if self.socket is not None:
                asking.append(start("socket mode", self.socket.run))
            self.running = True
            stopping = tasks.create_task(stop.wait(), name="stop")
            try:
                await asyncio.wait({stopping, holding}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.running = False
            _log.info("stopping")
            for task in (stopping, holding, *asking):
                task.cancel()
            for poller in self.pollers:
                poller.stop()
            await asyncio.gather(ended(polls, within=POLLS_END_WITHIN), ended(asking, within=LISTENING_ENDS_WITHIN))
            self.delivery.drain()
            await ended([delivery], within=DELIVERY_ENDS_WITHIN)
        _log.info("stopped")
        if broken:
            raise ExceptionGroup("the bot cannot go on", broken)

    async def drop_others(self) -> None:
        """Close what is open of sites that are in the settings no more: nobody would ever learn that it is over."""
        now = self.clock.now()
        try:
            for name in [record.name for record in await self.store.sites() if record.name not in self.clients]:
                async with self.store.tick(name, now=now, lately=timedelta(0)) as tick:
                    policy = replace(policy_of(self.settings, self.settings.sites[0]), site=name)
                    decision = decide(tick.state, Dropped(), now=now, policy=policy)
                    if not (decision.episodes or decision.threads):
                        continue
                    await tick.apply(decision, now)
                _log.info("a site is not in the settings any more: what was open of it is closed", site=name)
        except StoreError as error:
            _log.warning("what is open of former sites is not closed yet", reason=str(error))

    def _poller(self, site: SiteSettings) -> Poller:
        return Poller(
            client=self.clients[site.name],
            store=self.store,
            policy=policy_of(self.settings, site),
            peers=peers_of(self.settings, site),
            clock=self.clock,
            metrics=self.metrics,
            committed=self.delivery.wake,
        )

    def _listening(self) -> Mapping[str, Any]:
        slack = self.settings.slack
        return {
            "socket_mode": None
            if self.socket is None
            else {
                "connected": self.socket.connected,
                "trouble": self.socket.trouble,
            },
            "request_url": slack is not None and slack.signing_secret is not None,
        }

    async def _keep_hold(self) -> None:
        """Until another bot has taken over."""
        while not self.taken:
            try:
                await self.store.keep()
            except DatabaseTaken as error:
                _log.warning("this bot ends its work and stands by", reason=error.problem)
                self.taken = True
            except StoreError:
                # Those who write say so; and whether somebody else holds it now, nobody can tell yet.
                pass
            if not self.taken:
                await asyncio.sleep(KEEP_HOLD_EVERY)

    async def _keep_house(self) -> None:
        """Forgets what is older than `keep_events`."""
        state = StateLog(_log, "forgetting old events")
        while True:
            now = self.clock.now()
            try:
                pruned = await self.store.prune(before=now - self.settings.alerts.keep_events)
                state.worked(now)
                if pruned:
                    _log.info("forgot old events", rows=pruned)
            except StoreError as error:
                state.failed(now, str(error))
            await self.clock.sleep(PRUNE_EVERY.total_seconds())


async def _last_good(store: Store) -> Mapping[str, datetime | None]:
    """When each site was last read.

    A database that has gone away since it was opened ends no bot here, as it does not later: its loops wait for it, and
    each number is there with the next good poll.
    """
    try:
        return {record.name: record.good_at for record in await store.sites()}
    except StoreError as error:
        _log.warning("when each site was last read is not known yet", reason=str(error))
        return {}


class LoopEnded(RuntimeError):
    """A loop that should never end has ended."""


def _client(site: SiteSettings, clock: Clock, *, trust_env: bool) -> ItemPathClient:
    return ItemPathClient(**access_of(site), timeout=site.timeout.total_seconds(), trust_env=trust_env, clock=clock)
