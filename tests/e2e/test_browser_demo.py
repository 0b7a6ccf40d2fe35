"""The demonstration, as somebody sees it who opens its page in a browser: its story, and then what a person does there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox import demo
from bot.sandbox.demo import sandbox
from bot.sandbox.story import Beat, Teller
from tests.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.browser


@contextlib.asynccontextmanager
async def looking(*, story: bool) -> AsyncIterator[Page]:
    """The real demonstration, with its story or without; an error on the page's console, and a request to anywhere else,
    fail the test.
    """
    stop = asyncio.Event()
    wrong: list[str] = []
    async with sandbox() as box, launched() as browser:
        opened = await browser.new_page(viewport={"width": 1440, "height": 900})
        opened.set_default_timeout(60_000)
        opened.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("request", lambda r: None if r.url.startswith(f"{box.url}/") else wrong.append(r.url))
        await opened.goto(box.url)
        running = asyncio.create_task(box.run(stop))
        telling = asyncio.create_task(box.tell()) if story else None
        yield opened
        if telling:
            telling.cancel()
        stop.set()
        await running

    assert wrong == []


class Visitor:
    """Somebody before the page. `channel` is what stands in the middle of it: a channel, or the app's Home tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.channel = page.get_by_role("main")
        self.modal = page.get_by_role("dialog", name="Details")

    def message(self, text: str) -> Locator:
        """The latest message that says so."""
        return self.channel.locator("li.message").filter(has_text=text).last

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await self.channel.get_by_text(text).last.wait_for()

    async def types(self, command: str) -> None:
        """From wherever the keyboard is: the slash leads to the box."""
        await self.page.keyboard.press("/")
        await self.page.keyboard.type(command.removeprefix("/"))
        await self.page.keyboard.press("Enter")

    async def switches(self, connection: str, state: str) -> None:
        row = self.page.get_by_role("group", name=f"Status of {connection}")
        await row.get_by_text(state, exact=True).click()

    async def tabs_to(self, label: str) -> None:
        """With the Tab key alone; ends at the first thing of this name."""
        for _ in range(20):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("document.activeElement.textContent") == label:
                return
        pytest.fail(f"the keyboard does not reach {label}")


async def test_a_visitor_sees_the_story_of_outages_errors_and_a_blind_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    def quickly(beats: list[Beat], **more: Any) -> Teller:
        return Teller([replace(beat, at=beat.at / 2) for beat in beats], **more)

    monkeypatch.setattr(demo, "Teller", quickly)
    async with looking(story=True) as page:
        visitor = Visitor(page)
        await visitor.sees("PowerPick is down", "Login timeout expired: no answer from 10.20.4.11:1433 after 15 s")

        # The recovery is an edit of the same root, and a broadcast below it.
        await visitor.channel.get_by_text("PowerPick is up again after").nth(1).wait_for()
        assert await visitor.channel.get_by_text("PowerPick is down").count() == 0
        await visitor.channel.get_by_text("2 replies").click()
        thread = page.get_by_role("complementary", name="Thread")
        await thread.get_by_text("TCP provider: connection reset by peer").first.wait_for()
        await page.keyboard.press("Escape")

        await visitor.sees("SAP S/4HANA Orders reports an error", "Seen 3 times")
        # Web Services was down before the twelve lifts, and has been told: it is the thirteenth.
        await visitor.sees("13 of 17 connections of berlin are down: 12 here, 1 in another message")
        await visitor.sees("All 12 connections of berlin in this outage are up again")
        await page.locator("#story").get_by_text("13 / 13").wait_for()
        await visitor.sees("Share to channel", "warehouse_user")
        # Start, outage and recovery, error, the twelve lifts and their recovery: one message each.
        assert (await page.locator("#counter").inner_text()).startswith("6 notifications")

        await page.get_by_role("button", name="rotterdam").click()
        await visitor.sees("ItemPath rotterdam can be read again after")

        # Told anew: the bot goes on, and the outage is another one.
        await page.get_by_role("button", name="warehouse-alerts").click()
        outages = visitor.channel.locator("li.message").filter(has_text="Login timeout expired")
        before = await outages.count()
        await page.get_by_role("button", name="Play the story again").click()
        await page.locator("#story").get_by_text("Once more").wait_for()
        await outages.nth(before).wait_for()
        await page.get_by_role("button", name="Pause").click()
        await page.get_by_role("button", name="Go on").wait_for()


async def test_a_person_lives_through_an_outage() -> None:
    """Alert, acknowledge, details, mute, recovery, history, Home: what is done in the channel is done by keyboard."""
    async with looking(story=False) as page:
        alice = Visitor(page)
        await alice.sees("Watching 17 connections of ItemPath berlin")

        await page.get_by_label("Write log of PowerPick").click()
        await page.get_by_label("Error text").first.fill("Login failed for user warehouse_user")
        # Both at once: only an error that comes together with the fall stands in the alert itself.
        down = page.get_by_role("group", name="Status of PowerPick").get_by_label("Down")
        write = page.get_by_role("button", name="Write error log").first
        await down.evaluate("(down, write) => { down.click(); write.click(); }", await write.element_handle())
        await alice.sees("PowerPick is down", "Nobody has acknowledged it yet", "Login failed for user warehouse_user")

        # From here on without the mouse: to the end of the list, which is the alert, and along its buttons.
        outage = alice.message("Login failed for user warehouse_user")
        await page.locator("#messages").focus()
        await page.keyboard.press("End")
        await alice.tabs_to("Acknowledge")
        await page.keyboard.press("Enter")
        await outage.get_by_text("Acknowledged by alice").wait_for()
        assert await outage.get_by_role("button", name="Acknowledge").count() == 0

        await outage.focus()
        await alice.tabs_to("Details")
        await page.keyboard.press("Enter")
        await alice.modal.get_by_text("read from ItemPath just now").wait_for()
        await alice.modal.get_by_text("Acknowledged by alice").wait_for()
        await page.keyboard.press("Escape")
        await alice.modal.wait_for(state="hidden")
        assert await page.evaluate("document.activeElement.textContent") == "Details"

        await outage.focus()
        await alice.tabs_to("Mute 1 h")
        await page.keyboard.press("Enter")
        await outage.get_by_text("Muted until").wait_for()

        await alice.switches("PowerPick", "Up")
        await alice.sees("PowerPick is up again after")
        assert await alice.channel.get_by_text("PowerPick is down").count() == 0

        await alice.types("/connection history 1")
        await alice.sees("PowerPick was up", "Timeline, 30 min a character", "in 1 downtime")

        await page.get_by_role("button", name="itempath").click()
        await alice.sees("berlin: 1 down, 16 up", "rotterdam: 4 up", "Muted and in maintenance", "Pick-to-Light*")
        await alice.channel.get_by_text("PowerPick").wait_for()


async def test_pages_of_a_list_are_turned_and_everyone_has_their_own_answers() -> None:
    async with looking(story=False) as page:
        visitor = Visitor(page)
        await visitor.sees("Watching 17 connections of ItemPath berlin")
        await visitor.types("/connection list")
        await visitor.sees("All 21 connections", "Page 1 of 2: 1 to 20")
        first = visitor.message("All 21 connections")
        await first.focus()
        await visitor.tabs_to("21-21 ▶")
        await page.keyboard.press("Enter")
        await visitor.sees("Page 2 of 2: 21 to 21")
        await visitor.tabs_to("◀ 1-20")
        await page.keyboard.press("Enter")
        await visitor.sees("Page 1 of 2: 1 to 20")
        assert await visitor.channel.get_by_text("All 21 connections").count() == 1

        await page.get_by_label("I am").select_option("bob")
        await visitor.channel.get_by_text("All 21 connections").wait_for(state="detached")
        await visitor.message("Watching 17 connections").get_by_role("button", name="Details").click()
        await visitor.modal.get_by_text("Web Services").first.wait_for()
        await visitor.modal.get_by_role("button", name="Close").last.click()
        await visitor.types("/connection mute 2 2h waiting for the vendor")
        await visitor.sees("Web Services is muted")
        await page.get_by_role("button", name="itempath").click()
        await visitor.sees("waiting for the vendor")

        await page.get_by_label("I am").select_option("alice")
        await visitor.sees("waiting for the vendor")
        await page.get_by_role("button", name="warehouse-alerts").click()
        await visitor.sees("All 21 connections")
        assert await visitor.channel.get_by_text("Web Services is muted").count() == 0
