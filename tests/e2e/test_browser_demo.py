"""The demonstration's story, as somebody sees it who opens the page in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.demo import sandbox

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """The real demonstration, with its story playing; errors on the page's console fail the test."""
    # Imported here: who runs the tests without a browser needs no playwright.
    from playwright.async_api import async_playwright  # noqa: PLC0415

    stop = asyncio.Event()
    wrong: list[str] = []
    async with sandbox() as box, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        opened = await browser.new_page(viewport={"width": 1440, "height": 900})
        opened.set_default_timeout(60_000)
        opened.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        await opened.goto(box.url)
        running = asyncio.create_task(box.service.run(stop))
        telling = asyncio.create_task(box.teller.play())
        yield opened
        telling.cancel()
        await browser.close()
        stop.set()
        await running

    assert wrong == []


@pytest.mark.browser
async def test_a_visitor_sees_a_flip_its_recovery_its_thread_a_counted_error_and_asks(page: Page) -> None:
    channel = page.get_by_role("main")
    await channel.get_by_text("PowerPick is down").first.wait_for()
    await channel.get_by_text("Login timeout expired: no answer from 10.20.4.11:1433 after 15 s").first.wait_for()

    # The recovery is an edit of the same root, and a broadcast below it.
    await channel.get_by_text("PowerPick is up again after").nth(1).wait_for()
    assert await channel.get_by_text("PowerPick is down").count() == 0
    await channel.get_by_text("2 replies").click()
    thread = page.get_by_role("complementary", name="Thread")
    await thread.get_by_text("TCP provider: connection reset by peer").first.wait_for()
    await page.keyboard.press("Escape")

    await channel.get_by_text("SAP S/4HANA Orders reports an error").wait_for()
    await channel.get_by_text("Seen 3 times").wait_for()

    typed = page.get_by_placeholder("Message #warehouse-alerts")
    await typed.fill("/connection 1")
    await typed.press("Enter")
    await channel.get_by_text("Share to channel").first.wait_for()
    await channel.get_by_text("warehouse_user").first.wait_for()
