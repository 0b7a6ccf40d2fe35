"""Takes the picture of the channel after the storm "everything together" (`make screenshots`), light and dark.

It is the storm of the end-to-end tests, to the second; the page is told that it is the moment after it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.sandbox import page
from bot.sandbox.sites import mount_sites
from bot.telemetry import configure_logging
from tests.e2e.everything import everything, play
from tests.e2e.storm import Storm
from tests.project.screenshots import looking, take

STORMS = Path(__file__).parents[2] / "docs/storms"
WIDTH = 1280
SCALE = 0.75
"""An hour of a channel is long: at this size its letters can still be read, and a file stays below 200 kB."""
BESIDE_THE_CHANNEL = 260
"""Pixels above and below the messages: the page's head and the box to type in."""


@asynccontextmanager
async def served(storm: Storm) -> AsyncIterator[str]:
    """The storm's Slack and sites, with the page to look at them; its address."""
    app = web.Application()
    app.add_routes(storm.slack.routes())
    app.add_routes(page.routes())
    mount_sites(app, storm.sites.values())
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        storm.slack.calls.closing.set()
        await runner.cleanup()


async def main() -> None:
    STORMS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with everything(Path(folder)) as storm:
            await play(storm)
            async with served(storm) as url, looking(url, scale=SCALE) as pages:
                for each in pages.values():
                    await each.clock.set_fixed_time(storm.clock.now())
                    await each.reload()
                    await each.locator("#messages").get_by_text("cannot be read").last.wait_for()
                    height = await each.evaluate("document.querySelector('#channel-scroll').scrollHeight")
                    await each.set_viewport_size({"width": WIDTH, "height": height + BESIDE_THE_CHANNEL})
                await take(pages, "everything", folder=STORMS, of="#channel-pane")


if __name__ == "__main__":
    configure_logging(format="console", level="error")
    sys.exit(asyncio.run(main()))
