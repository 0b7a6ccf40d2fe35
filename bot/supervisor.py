"""Runs the service while it is this bot's turn at the database, and lets it stand by while it is another's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from bot import __version__
from bot.clock import Clock
from bot.eventloop import Complaints, stop_on_signals
from bot.service import Service
from bot.settings.models import Settings
from bot.standby import Standby
from bot.telemetry import Metrics
from bot.web import Waiting, Web


async def run(settings: Settings, *, clock: Clock | None = None, trust_env: bool = True) -> None:
    """The service, until SIGTERM or SIGINT. Raises as `serve` does."""
    stop = asyncio.Event()
    clock = clock or Clock()
    asyncio.get_running_loop().set_exception_handler(Complaints(clock))
    with stop_on_signals(stop):
        await serve(settings, stop, clock=clock, trust_env=trust_env)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Clock,
    trust_env: bool = True,
    began: Callable[[Service], None] = lambda _: None,
) -> None:
    """The service, until `stop`; `began` is told each time it is this bot's turn, before its loops run.

    While another bot holds the same database on a server, this one is a standby; and it becomes one when another has
    taken over. A file has one holder: a second bot is refused. Raises `StoreError` or `OSError` when it cannot begin.
    """
    standby = Standby(settings.database_url.get_secret_value())
    waiting = Waiting(metrics=Metrics(version=__version__), why=lambda: standby.why)
    signed = settings.slack is not None and settings.slack.signing_secret is not None
    async with AsyncExitStack() as turn, AsyncExitStack() as stack:
        store = await standby.first(stop)
        if store is not None:
            turn.push_async_callback(store.close)
        elif stop.is_set():
            return
        web = Web(waiting, signed=signed)
        stack.push_async_callback(web.stop)
        await web.start(settings.listen.host, settings.listen.port)
        while True:
            if store is None:
                web.show(waiting)
                store = await standby.take(stop)
                if store is None:
                    return
                turn.push_async_callback(store.close)
            async with Service.start(settings, clock=clock, trust_env=trust_env, store=store, web=web) as service:
                began(service)
                try:
                    await service.run(stop)
                finally:
                    # Before anything that its pages ask is closed.
                    if service.taken:
                        web.show(waiting)
                    else:
                        await web.stop()
            await turn.aclose()
            if not service.taken:
                return
            store = None
