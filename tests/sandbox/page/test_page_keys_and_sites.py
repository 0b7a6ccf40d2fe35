"""The page by keyboard, in its themes and sizes; and the switches of the simulated sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

TS = 1_795_557_600.0


def site(**more: Any) -> dict[str, Any]:
    connection = {"id": 1, "name": "PowerPick", "type": "MSSQL", "status": 1, "integrationCount": 3, "latestLog": None}
    return {
        "name": "main",
        "url": "http://127.0.0.1:1/",
        "reachable": True,
        "fault": None,
        "calls": 1,
        "connections": [connection],
        **more,
    }


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id || document.activeElement.className"))


async def test_the_keyboard_reaches_composer_messages_and_threads(page: Page, backend: Any) -> None:
    """`/` starts a command, arrow up recalls, arrows walk the messages, Enter opens the thread, Escape leads back."""
    backend.add("older", ts=TS)
    backend.add("newer", ts=TS + 1)
    await page.goto(backend.url)
    await page.locator("#messages .message").first.wait_for()

    await page.keyboard.press("/")
    assert await focused(page) == "composer-text"
    await page.keyboard.type("connection 1")
    await page.keyboard.press("Enter")
    assert (await backend.next_post())[1]["text"] == "/connection 1"
    await page.keyboard.press("ArrowUp")
    assert await page.input_value("#composer-text") == "/connection 1"
    await page.keyboard.press("ArrowDown")
    assert await page.input_value("#composer-text") == ""

    await page.locator("#messages").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate("document.activeElement.dataset.ts") == f"{TS:.6f}"
    await page.keyboard.press("Enter")
    assert await focused(page) == "thread-text"
    await page.keyboard.press("Escape")
    assert await page.locator("#thread").is_hidden()
    assert await page.evaluate("document.activeElement.dataset.ts") == f"{TS:.6f}"


async def test_the_first_tab_skips_to_the_message_box_and_focus_is_visible(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await page.locator("#channels button").first.wait_for()
    await page.keyboard.press("Tab")
    assert await focused(page) == "skip"
    await page.keyboard.press("Enter")
    assert await focused(page) == "composer-text"
    await page.keyboard.press("F6")
    assert await focused(page) == "refuse"
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


async def test_new_messages_are_announced_to_screen_readers(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await page.locator("#channels button").first.wait_for()
    await backend.tell_message({"ts": f"{TS:.6f}", "user": "UBOT", "text": "*PowerPick* is down", "channel": "C1"})

    await page.locator("#live", has_text="ItemPath Alerts: PowerPick is down").wait_for(state="attached")


async def test_the_theme_follows_the_system_until_chosen_and_is_kept(page: Page, backend: Any) -> None:
    await page.emulate_media(color_scheme="dark")
    await page.goto(backend.url)
    theme = "document.documentElement.dataset.theme"
    assert await page.evaluate(theme) == "dark"
    await page.locator("#theme").click()
    assert await page.evaluate(theme) == "light"
    await page.reload()
    assert await page.evaluate(theme) == "light"


async def test_who_wants_less_motion_gets_none(page: Page, backend: Any) -> None:
    message = backend.add("down", ts=TS)
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    await backend.tell_message({**message, "text": "up"})
    edited = page.locator("#messages .message.flash")
    await edited.wait_for()

    assert await edited.evaluate("node => getComputedStyle(node).animationDuration") == "1e-05s"


async def test_a_narrow_screen_has_tabs_and_no_sideways_scrolling(page: Page, backend: Any) -> None:
    backend.sites.append(site())
    backend.add("down " + "x" * 400, ts=TS)
    await page.set_viewport_size({"width": 360, "height": 700})
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    assert not await page.locator("#sites").is_visible()
    story = {"text": "Alice looks it up. Now it is yours.", "step": 13, "of": 13, "at": 60, "how": "over"}
    await backend.tell(story, "/demo/story")
    box = await page.get_by_role("button", name="Play the story again").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360

    await page.locator("#tab-channel").focus()
    await page.keyboard.press("ArrowRight")  # no thread is open, so this leads to the sites
    assert await page.locator(".site").is_visible()
    assert not await page.locator("#messages").is_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_switches_of_a_connection_post_what_they_say(page: Page, backend: Any) -> None:
    backend.sites.append(site())
    await page.goto(backend.url)
    await page.locator(".connection").wait_for()
    connection = "/sites/main/connections/1"

    await page.get_by_role("radio", name="Up").focus()
    await page.keyboard.press("ArrowRight")
    assert await backend.next_post() == (connection, {"status": 0})
    await page.keyboard.press("ArrowRight")
    assert await backend.next_post() == (connection, {"status": None})

    await page.locator(".connection summary").click()
    await page.get_by_label("Error text").fill("order 7 failed")
    await page.get_by_role("button", name="Write error log").click()
    assert await backend.next_post() == (connection, {"error": "order 7 failed"})
    await page.get_by_role("button", name="Clean log").click()
    assert "log" in (await backend.next_post())[1]
    await page.get_by_role("button", name="Remove").click()
    assert await backend.next_post() == (connection, {"remove": True})

    await page.get_by_text("Add a connection").click()
    await page.get_by_label("Name").fill("Carrier")
    await page.get_by_role("button", name="Add", exact=True).click()
    assert await backend.next_post() == ("/sites/main/connections", {"name": "Carrier", "type": "REST API"})


async def test_the_faults_of_server_and_slack_are_switched(page: Page, backend: Any) -> None:
    backend.sites.append(site())
    await page.goto(backend.url)
    await page.get_by_label("The server").select_option("credentials")
    assert await backend.next_post() == ("/sites/main/fault", {"fault": "credentials"})
    await page.get_by_label("The server").select_option("")
    assert await backend.next_post() == ("/sites/main/fault", {"fault": None})

    await page.get_by_label("The API").select_option("ratelimited")
    assert await backend.next_post() == ("/page/refuse", {"error": "ratelimited"})
    await backend.tell({"type": "status", "connected": False, "refusing": "ratelimited"})
    await page.locator("#refusing", has_text="ratelimited").wait_for()
    assert await page.locator("#app-state").inner_text() == "not connected"


async def test_a_site_changes_under_the_hands_of_who_types(page: Page, backend: Any) -> None:
    """A change of the site leaves the open form, its text and its focus alone."""
    backend.sites.append(site())
    await page.goto(backend.url)
    await page.locator(".connection summary").click()
    await page.get_by_label("Error text").fill("half a sen")
    down = site(calls=2)
    down["connections"][0] |= {"status": 0, "latestLog": {"error": "refused"}}
    await backend.tell({"type": "site", "site": down}, "/sites/stream")
    await page.locator(".site-badge", has_text="1 of 1 down").wait_for()

    assert await page.input_value(".connection .field-input") == "half a sen"
    assert await focused(page) == "field-input"
    assert await page.get_by_role("radio", name="Down").is_checked()
    assert await page.locator(".connection-log.is-error").inner_text() == "refused"


async def test_the_scenarios_line_tells_what_happens(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await backend.tell({"at": 3, "text": "SAP goes down", "step": 2, "of": 8}, "/demo/story")
    await page.locator("#story", has_text="SAP goes down").wait_for()

    assert await page.locator("#story-step").inner_text() == "2 / 8"


async def test_a_site_is_all_up_only_when_every_connection_is(page: Page, backend: Any) -> None:
    """An unknown connection is no good news, and a site without any is none at all."""

    def rows(*states: int | None) -> list[dict[str, Any]]:
        return [site()["connections"][0] | {"id": number, "status": state} for number, state in enumerate(states)]

    await page.goto(backend.url)
    for states, said, colour in (
        ((1, 1), "all up", "up"),
        ((1, None), "1 unknown", "unknown"),
        ((1, 0, None), "1 of 3 down, 1 unknown", "down"),
        ((), "empty", "unknown"),
    ):
        await backend.tell({"type": "site", "site": site(connections=rows(*states))}, "/sites/stream")
        await page.locator(f".site .site-badge.{colour}").get_by_text(said, exact=True).wait_for()


async def test_a_large_site_is_folded(page: Page, backend: Any) -> None:
    rows = [site()["connections"][0] | {"id": number, "name": f"Lift {number}"} for number in range(9)]
    backend.sites.append(site(connections=rows))
    await page.goto(backend.url)
    await page.get_by_text("Lift 5", exact=True).wait_for()
    assert await page.get_by_text("Lift 6", exact=True).is_hidden()
    await page.get_by_text("3 more").click()
    await page.get_by_text("Lift 8", exact=True).wait_for()
    await backend.tell({"type": "site", "site": site(connections=rows[:6])}, "/sites/stream")

    await page.get_by_text("0 more").wait_for(state="hidden")


async def test_the_story_is_paused_goes_on_and_is_played_again_by_one_button(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    for how, label, path in (
        ("told", "Pause", "pause"),
        ("paused", "Go on", "go-on"),
        ("over", "Play the story again", "again"),
    ):
        await backend.tell({"text": "It falls.", "step": 1, "of": 2, "at": 0, "how": how}, "/demo/story")
        await page.get_by_role("button", name=label).click()
        assert (await backend.next_post())[0] == f"/demo/story/{path}"


async def test_the_rows_of_a_site_are_one_stop_of_the_tab_key_and_arrows_lead_along_them(
    page: Page, backend: Any
) -> None:
    """A site of hundreds must not stand between the keyboard and what comes after it."""
    rows = [{"id": n, "name": f"Lift {n}", "type": "PLC", "status": n % 2, "latestLog": None} for n in range(1, 9)]
    backend.sites.append(site(connections=rows))
    await page.goto(backend.url)
    await page.locator(".connection").first.wait_for()
    here = "document.activeElement.closest('.connection')?.dataset.connection + document.activeElement.localName"

    await page.get_by_label("The server").focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate(here) == "1input"
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    assert await page.evaluate(here) == "3summary"
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate(here) == "2summary"
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "2 more"
    assert backend.posted.empty()

    # Folded rows are reached once they are shown, and a row that goes leaves the way to another.
    await page.keyboard.press("Enter")
    await page.keyboard.press("Shift+Tab")
    for _ in range(9):
        await page.keyboard.press("ArrowDown")
    assert await page.evaluate(here) == "8summary"
    await backend.tell({"type": "site", "site": site(connections=rows[:2])}, "/sites/stream")
    await page.locator(".connection").nth(2).wait_for(state="detached")
    await page.get_by_label("The server").focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate(here) == "1input"


async def test_a_link_leads_to_the_switches_on_a_narrow_screen_too(page: Page, backend: Any) -> None:
    await page.set_viewport_size({"width": 390, "height": 700})
    await page.goto(backend.url)
    await page.locator("#channels button").first.wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    assert await focused(page) == "refuse"


async def test_a_connection_in_maintenance_says_why_it_makes_no_noise(page: Page, backend: Any) -> None:
    connection = {"id": 5, "name": "Pick-to-Light", "type": "REST", "status": 1, "latestLog": None}
    quiet = {"until": TS, "reason": "New firmware"}
    backend.sites.append(site(connections=[{**connection, "quiet": quiet}]))
    await page.goto(backend.url)
    row = page.locator(".connection")
    await row.get_by_text("In maintenance until").wait_for()
    assert "(New firmware): the bot makes no noise about it" in await row.inner_text()

    await backend.tell({"type": "site", "site": site(connections=[{**connection, "quiet": None}])}, "/sites/stream")
    await row.get_by_text("In maintenance until").wait_for(state="hidden")


async def test_what_a_notification_is_can_be_asked(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await page.locator("#counter strong").wait_for()
    assert await page.locator("#counter-why").is_hidden()
    await page.locator("#counter").focus()
    await page.keyboard.press("Enter")
    assert "quiet updates" in await page.locator("#counter-why").inner_text()
    assert await page.locator("#counter").get_attribute("aria-expanded") == "true"
    await page.locator("#counter").click()
    assert await page.locator("#counter-why").is_hidden()
