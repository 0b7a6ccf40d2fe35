"""`demo`: the very bot of `run`, a local Slack with a page to look at, and simulated ItemPath sites to play with.

Only the addresses differ from the real thing: the settings point at this machine. Neither environment nor configuration is
read, and nothing stays behind: the database lives in a temporary folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot.clock import Clock
from bot.core.incidents import EVERY
from bot.core.maintenance import glob
from bot.eventloop import stop_on_signals
from bot.sandbox import page
from bot.sandbox.beside import commands, write_settings
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_examples import API_PAGE, example_site
from bot.sandbox.sites import Quiet, mount_sites
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Channel
from bot.sandbox.story import Beat, Teller
from bot.settings import AlertSettings, Listen, Maintenance, Route, Settings, SiteSettings, SlackSettings
from bot.store.errors import StoreError
from bot.store.store import Store
from bot.supervisor import serve

CHANNEL = Channel(id="C0ALERTS", name="warehouse-alerts")
ROTTERDAM = Channel(id="C0ROTTERDAM", name="rotterdam")
POLL_INTERVAL = timedelta(seconds=1)
"""Quick enough to see things happen; a real bot polls every half minute."""
REMIND_EVERY = timedelta(minutes=4)
ESCALATE_AFTER = timedelta(minutes=5)
"""Hours in a real settings file; here nobody wants to sit so long. Both come after the story."""
FLAP_WINDOW = timedelta(seconds=40)
GROUP_WINDOW = timedelta(seconds=15)
"""Minutes in a real one. Shorter than the story, so that one told anew is told as it was: its outages are new ones."""
MAINTENANCE = timedelta(hours=1)
LIFTS = 12
"""Enough for an outage of many, and for a second page of `/connection list`."""
FIRST_ORDER = 4500017301
PLANTS = ("Vienna", "Graz", "Lyon", "Turin", "Malmo", "Porto", "Ghent", "Brno", "Berlin")
"""The last comes first. An error that comes again within half an hour has no alert of its own: each telling has another."""
ANEW = "Once more: the sites are as at the start, nothing is muted any more, and the bot goes on."
HOST = "127.0.0.1"
"""Nobody else is to play with these switches."""


async def run_demo(*, port: int) -> None:
    """Until SIGTERM or SIGINT. `port` 0 takes a free one; the address is printed. Raises `OSError` if it is taken."""
    stop = asyncio.Event()
    with stop_on_signals(stop), _without_proxies():
        async with sandbox(port=port) as box:
            print(box.greeting, flush=True)  # noqa: T201
            async with asyncio.TaskGroup() as tasks:
                story = tasks.create_task(box.tell(), name="story")
                await box.run(stop)
                story.cancel()


@contextlib.contextmanager
def _without_proxies() -> Iterator[None]:
    """Slack's SDK sends even what is for this machine through a proxy that the environment names, unless none is named."""
    named = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in ("http_proxy", "https_proxy")}
    try:
        yield
    finally:
        os.environ.update(named)


class Sandbox:
    """Everything that the demonstration consists of: the servers are up, and the bot can `run`."""

    def __init__(
        self,
        *,
        slack: LocalSlack,
        sites: dict[str, SimulatedItemPath],
        teller: Teller,
        url: str,
        settings: Settings,
        folder: Path,
        clock: Clock,
    ) -> None:
        self.slack = slack
        self.sites = sites
        self.teller = teller
        self.url = url
        self.settings_file = write_settings(settings, folder)
        """What other verbs are given to look at it."""
        self._settings = settings
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """The bot, as `supervisor.run` runs it."""
        await serve(self._settings, stop, clock=self._clock, trust_env=False)

    async def tell(self) -> None:
        """The story, as often as somebody wishes. Does not end."""
        # What fell before the bot has looked for the first time would be no news, however slowly it starts.
        for site in self.sites.values():
            await site.polled(2)
        await self.teller.perform()

    @property
    def greeting(self) -> str:
        """Where to look, for a terminal of any width."""
        typed = "\n".join(f"    {command}" for command in commands(self.settings_file))
        return (
            f"\n  Open {self.url} in a browser. Ctrl-C ends the demonstration.\n"
            f"\n  The bot's other verbs work beside it, in another terminal:\n\n{typed}\n"
            "\n  Below is what the bot itself logs: the story has its warnings, too.\n"
        )


@contextlib.asynccontextmanager
async def sandbox(*, port: int = 0) -> AsyncIterator[Sandbox]:
    """The servers, and the bot, ready to run."""
    sites = {
        "berlin": _with_lifts(example_site("berlin")),
        "rotterdam": _without_the_api_page(example_site("rotterdam")),
    }
    slack = LocalSlack(channels=[CHANNEL, ROTTERDAM])
    async with contextlib.AsyncExitStack() as stack:
        for site in sites.values():
            await stack.enter_async_context(site)
        clock = Clock()
        planned = _maintenance(clock.now())
        start = {name: site.rows() for name, site in sites.items()}

        async def reset() -> None:
            slack.page.let()
            for name, site in sites.items():
                await site.set_fault(None)
                site.restore(start[name])
            await _heard_again(slack, sites, folder, clock)

        def over() -> None:
            # Whatever the bot has logged meanwhile stands between the first time and now.
            print(f"\n  The story is over, and can be played again: {slack.url}\n", flush=True)  # noqa: T201

        teller = Teller(_story(sites, slack), reset=reset, over=over)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="itempath-bot-demo-")))
        url = await _serve(stack, slack, sites, teller, port, quiet=_quiet(planned, clock))
        slack.url = url
        settings = _settings(slack, sites, folder, planned)
        yield Sandbox(slack=slack, sites=sites, teller=teller, url=url, settings=settings, folder=folder, clock=clock)


async def _serve(
    stack: contextlib.AsyncExitStack,
    slack: LocalSlack,
    sites: dict[str, SimulatedItemPath],
    teller: Teller,
    port: int,
    *,
    quiet: Quiet,
) -> str:
    app = web.Application()
    app.add_routes(slack.routes())
    app.add_routes(page.routes())
    mount_sites(app, sites.values(), quiet=quiet)
    teller.mount(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.push_async_callback(slack.stop)
    await web.TCPSite(runner, HOST, port).start()
    return f"http://{HOST}:{runner.addresses[0][1]}"


async def _heard_again(slack: LocalSlack, sites: dict[str, SimulatedItemPath], folder: Path, clock: Clock) -> None:
    """Whoever has muted something unmutes it, in the way in which people do: a story that is silent tells nothing."""
    try:
        store = await Store.open(_database(folder), write=False)
    except StoreError:
        return  # the bot has not begun: there is no mute
    try:
        mutes = await store.mutes(now=clock.now())
    finally:
        await store.close()
    if mutes:
        # What the visitor has left down is seen to be up first, so that it is not announced.
        await asyncio.gather(*(site.polled(2) for site in sites.values()))
    whole = {mute.site for mute in mutes if mute.connection == EVERY}
    for mute in mutes:
        if mute.connection == EVERY or mute.site not in whole:  # a whole site is unmuted with all its connections
            typed = f"/connection unmute {mute.site}/{mute.connection}"
            await slack.interactions.command(CHANNEL.id, mute.by.id, typed)


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'bot.db'}"


def _maintenance(now: datetime) -> Maintenance:
    return Maintenance(
        site="berlin", name="Pick-to-Light*", start=now, end=now + MAINTENANCE, reason="New firmware on the gateway"
    )


def _quiet(planned: Maintenance, clock: Clock) -> Quiet:
    """For the page: who switches such a connection and hears nothing shall know why."""

    def quiet(site: str, connection: str) -> dict[str, object] | None:
        if planned.end is None or clock.now() >= planned.end:
            return None
        if not (glob(planned.site, site) and glob(planned.name, connection)):
            return None
        return {"until": planned.end.timestamp(), "reason": planned.reason}

    return quiet


def _settings(slack: LocalSlack, sites: dict[str, SimulatedItemPath], folder: Path, planned: Maintenance) -> Settings:
    channels = {"rotterdam": ROTTERDAM.id}
    return Settings(
        database_url=SecretStr(_database(folder)),
        listen=Listen(HOST, 0),
        poll_interval=POLL_INTERVAL,
        sites=tuple(
            SiteSettings(
                name=name,
                url=site.url,
                token=SecretStr(site.token),
                channel=channels.get(name, CHANNEL.id),
                poll_interval=POLL_INTERVAL,
                timeout=timedelta(seconds=1),
            )
            for name, site in sites.items()
        ),
        slack=SlackSettings(
            bot_token=SecretStr(slack.bot_token),
            app_token=SecretStr(slack.app_token),
            channel=CHANNEL.id,
            api_url=slack.api_url,
        ),
        alerts=AlertSettings(
            unreachable_after=2,
            remind_every=REMIND_EVERY,
            escalate_after=ESCALATE_AFTER,
            flap_window=FLAP_WINDOW,
            group_window=GROUP_WINDOW,
        ),
        routes=(Route(site="berlin", escalate_to="U0BOB"),),
        maintenance=(planned,),
    )


def _with_lifts(site: SimulatedItemPath) -> SimulatedItemPath:
    for number in range(1, LIFTS + 1):
        site.add(name=f"Vertical Lift {number:02}", type="PLC", url=f"10.20.6.{number}", authentication="None")
    return site


def _without_the_api_page(site: SimulatedItemPath) -> SimulatedItemPath:
    """So that `/connection 1` names one connection, not one of each site."""
    for row in API_PAGE:
        site.remove(row["id"])
    return site


def _story(sites: dict[str, SimulatedItemPath], slack: LocalSlack) -> list[Beat]:
    berlin, rotterdam = sites["berlin"], sites["rotterdam"]
    sap = next(row["id"] for row in berlin.rows() if str(row["name"]).startswith("SAP"))

    plants = deque(PLANTS)
    lifts = [row["id"] for row in berlin.rows() if str(row["name"]).startswith("Vertical Lift")]

    def fall() -> None:
        berlin.set_status(1, 0)
        berlin.write_error(1, "Login timeout expired: no answer from 10.20.4.11:1433 after 15 s")

    def rise() -> None:
        berlin.set_status(1, 1)
        berlin.write_log(1)

    def reject(order: int) -> None:
        if order == FIRST_ORDER:
            plants.rotate()
        berlin.write_error(sap, f"HTTP 422: order {order} rejected, plant {plants[0]} is locked")

    def all_lifts(status: int) -> None:
        for lift in lifts:
            with contextlib.suppress(LookupError):  # one that was taken away does not keep the others from it
                berlin.set_status(lift, status)

    beats: list[tuple[float, str, Callable[[], Awaitable[object]] | Callable[[], object]]] = [
        (0, "The bot starts: each channel is told what it watches, and what is already down.", _nothing),
        (5, "PowerPick in Berlin goes down. One message: what, where, since when, how bad.", fall),
        (
            10,
            "Another error while it is down: a reply in the thread, not a new alert.",
            lambda: berlin.write_error(1, "TCP provider: connection reset by peer"),
        ),
        (15, "PowerPick is back: the alert turns green, and one reply says so in the channel.", rise),
        (
            20,
            "SAP rejects an order. The connection stays up, so the error has its own message.",
            lambda: reject(FIRST_ORDER),
        ),
        (24, "The same error with another order number: only the count changes.", lambda: reject(FIRST_ORDER + 1)),
        (28, "And again.", lambda: reject(FIRST_ORDER + 4)),
        (32, "A clean log: the error is closed by an edit.", lambda: berlin.write_log(sap)),
        (
            36,
            "A network switch dies: twelve lifts at once, one message for all. The 13th, Web Services, was down before.",
            lambda: all_lifts(0),
        ),
        (42, "The lifts are back: the same message turns green, and one reply says so.", lambda: all_lifts(1)),
        (
            47,
            "Rotterdam's server is gone. #rotterdam is told that the bot is blind there; nothing counts as resolved.",
            lambda: rotterdam.set_fault("unreachable"),
        ),
        (
            55,
            "Rotterdam is back: for how long nothing was seen is said as well.",
            lambda: rotterdam.set_fault(None),
        ),
        (
            60,
            "Alice looks a connection up. Now it is yours: ask, open the app's Home, use the switches.",
            lambda: slack.interactions.command(CHANNEL.id, "U0ALICE", "/connection 1"),
        ),
    ]
    return [Beat(at=at, text=text, act=act, again="" if at else ANEW) for at, text, act in beats]


def _nothing() -> None:
    """The first beat is the bot's own doing."""
