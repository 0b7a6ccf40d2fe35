"""What the app shows outside of channels: its Home tab and its modals, to the one person they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

TS = 1_795_557_600.0


def words(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "things", "elements": list(elements)}


def button(label: str, action: str) -> dict[str, Any]:
    return {"type": "button", "text": words(label), "action_id": action, "value": "7"}


def home(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "home", "id": "V0", "blocks": list(blocks)}


def modal(*blocks: dict[str, Any], by: str = "U1", name: str = "V1") -> dict[str, Any]:
    shown = {"type": "modal", "id": name, "opened_by": by, "title": words("Details"), "close": words("Done")}
    return shown | {"blocks": list(blocks)}


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id || document.activeElement.textContent"))


async def opened(page: Page, backend: Any) -> None:
    """A message with a button, and the modal that a press on it has opened."""
    backend.add("down", ts=TS, blocks=[section("down"), actions(button("Show", "show"))])
    await page.goto(backend.url)
    await page.locator("#messages button[data-action=show]").focus()
    await page.keyboard.press("Enter")
    assert (await backend.next_post())[0] == "/page/action"
    await backend.tell({"type": "view", "view": modal(section("Loading…"))})
    await page.get_by_role("dialog", name="Details").wait_for()


async def test_opening_the_home_tab_tells_the_app_who_looks(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    app = page.get_by_role("button", name="ItemPath Alerts")
    await app.click()
    assert await backend.next_post() == ("/page/home", {"user": "U1"})
    await page.get_by_text("has published nothing here").wait_for()
    assert await app.get_attribute("aria-current") == "page"

    await backend.tell({"type": "home", "user": "U1", "view": home(section("All is *up*"))})
    await page.get_by_role("main", name="ItemPath Alerts").get_by_text("All is up").wait_for()
    assert await page.get_by_text("has published nothing here").is_hidden()

    await page.get_by_role("button", name="alerts", exact=True).click()
    await page.get_by_role("main", name="#alerts").wait_for()
    assert await app.get_attribute("aria-current") is None


async def test_everyone_has_a_home_of_their_own(page: Page, backend: Any) -> None:
    backend.homes |= {"U1": home(section("for Mira")), "U2": home(section("for Jonas"))}
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await page.get_by_text("for Mira").wait_for()
    await backend.next_post()

    await page.select_option("#me", "U2")
    await page.get_by_text("for Jonas").wait_for()
    assert await page.get_by_text("for Mira").count() == 0
    assert await backend.next_post() == ("/page/home", {"user": "U2"})
    await backend.tell({"type": "home", "user": "U1", "view": home(section("for Mira again"))})
    await backend.tell({"type": "home", "user": "U2", "view": home(section("for Jonas again"))})
    await page.get_by_text("for Jonas again").wait_for()
    assert await page.get_by_text("for Mira again").count() == 0


async def test_a_button_of_the_home_tab_keeps_the_focus_when_the_tab_is_published_anew(
    page: Page, backend: Any
) -> None:
    backend.homes["U1"] = home(section("1 down"), actions(button("Acknowledge", "ack")))
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await backend.next_post()
    await page.get_by_role("button", name="Acknowledge").click()
    assert await backend.next_post() == (
        "/page/view-action",
        {"user": "U1", "action_id": "ack", "block_id": "things", "value": "7"},
    )
    await backend.tell(
        {"type": "home", "user": "U1", "view": home(actions(button("Mute", "mute"), button("Had", "ack")))}
    )
    await page.get_by_role("button", name="Had").wait_for()

    assert await focused(page) == "Had"


async def test_a_hundred_blocks_stand_in_a_home_tab(page: Page, backend: Any) -> None:
    backend.homes["U1"] = home(*[section(f"Line {number}") for number in range(100)])
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await page.get_by_text("Line 99").scroll_into_view_if_needed()

    assert await page.locator("#home-body > .block").count() == 100


async def test_an_app_that_does_not_hear_of_the_open_home_tab_is_told_of(page: Page, backend: Any) -> None:
    backend.answer = {"ok": False, "error": "dispatch_failed"}
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await page.get_by_text("was not told that you look: dispatch_failed").wait_for()
    backend.answer = {"ok": True}
    await page.get_by_role("button", name="ItemPath Alerts").click()

    await page.locator("#home-failed").wait_for(state="hidden")


async def test_what_arrives_while_home_is_open_is_unread(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await backend.tell_message({"ts": f"{TS:.6f}", "user": "UBOT", "text": "down", "channel": "C1"})
    alerts = page.locator("#channels button", has_text="alerts")
    await alerts.locator(".count", has_text="1").wait_for()
    await page.keyboard.press("/")

    await alerts.locator(".count").wait_for(state="detached")
    assert await focused(page) == "composer-text"


async def test_a_modal_holds_the_keyboard_and_escape_returns_to_its_button(page: Page, backend: Any) -> None:
    """What is behind it rests; a press inside it names the modal; closing it is told."""
    await opened(page, backend)
    await backend.tell({"type": "view", "view": modal(section("PowerPick"), actions(button("Again", "again")))})
    await page.get_by_role("dialog").get_by_text("PowerPick").wait_for()
    assert await page.get_by_text("Loading…").count() == 0
    reached = set()
    for _ in range(8):
        await page.keyboard.press("Tab")
        reached.add(await focused(page))
    assert {"modal-close", "modal-body", "Again", "modal-leave"} <= reached
    assert not reached & {"composer-text", "me", "theme", "refuse"}

    await page.get_by_role("button", name="Again").press("Enter")
    path, press = await backend.next_post()
    assert (path, press["view"], press["action_id"]) == ("/page/view-action", "V1", "again")
    await page.keyboard.press("Escape")
    assert await backend.next_post() == ("/page/view-close", {"view": "V1"})
    await page.get_by_role("dialog").wait_for(state="hidden")
    assert await focused(page) == "Show"


async def test_the_focus_finds_the_button_that_an_edit_has_put_in_place_of_the_old_one(
    page: Page, backend: Any
) -> None:
    await opened(page, backend)
    edited = backend.messages["C1"][0] | {"blocks": [section("up"), actions(button("Show it", "show"))]}
    await backend.tell_message(edited)
    await page.locator("#messages").get_by_text("up").wait_for()
    await page.get_by_role("button", name="Done").click()
    await backend.next_post()

    assert await focused(page) == "Show it"


async def test_a_modal_is_for_the_person_who_opened_it(page: Page, backend: Any) -> None:
    """Each has their own; what another window closes is closed here as well, without being told again."""
    backend.views += [modal(section("for Jonas"), by="U2", name="V2")]
    await page.goto(backend.url)
    await page.locator("#channels button").first.wait_for()
    assert await page.get_by_role("dialog").count() == 0

    await page.select_option("#me", "U2")
    await page.get_by_role("dialog").get_by_text("for Jonas").wait_for()
    await backend.tell({"type": "view_closed", "id": "V2"})
    await page.get_by_role("dialog").wait_for(state="hidden")
    assert backend.posted.empty()


async def test_a_press_in_a_modal_that_the_app_does_not_take_says_so(page: Page, backend: Any) -> None:
    await opened(page, backend)
    await backend.tell({"type": "view", "view": modal(actions(button("Again", "again")))})
    backend.answer = {"ok": False, "error": "operation_timeout"}
    await page.get_by_role("button", name="Again").click()

    await page.get_by_role("dialog").get_by_text("operation_timeout").wait_for()


async def test_selects_and_overflow_menus_send_what_was_chosen(page: Page, backend: Any) -> None:
    options = [{"text": words("An hour"), "value": "1h"}, {"text": words("A day"), "value": "1d"}]
    select = {"type": "static_select", "action_id": "mute", "placeholder": words("Mute for…"), "options": options}
    overflow = {"type": "overflow", "action_id": "more", "options": options}
    backend.homes["U1"] = home(actions(select), {**section("row"), "block_id": "row", "accessory": overflow})
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await backend.next_post()

    await page.get_by_label("Mute for…").select_option("1d")
    assert (await backend.next_post())[1]["value"] == "1d"
    for value in ("1h", "1h"):
        await page.get_by_label("More").select_option(value)
        _, press = await backend.next_post()
        assert (press["action_id"], press["block_id"], press["value"]) == ("more", "row", value)


async def test_columns_are_scrolled_rather_than_broken_on_a_narrow_screen(page: Page, backend: Any) -> None:
    def pre(text: str) -> dict[str, Any]:
        inside = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
        return {"type": "rich_text", "elements": [inside]}

    row = "down  4 h  " + "n" * 60 + "  berlin/1"
    backend.views.append(modal(pre(f"{row}\n{row}"), pre("one long error " * 20)))
    await page.set_viewport_size({"width": 360, "height": 700})
    await page.goto(backend.url)
    table, error = page.get_by_role("dialog").locator("pre").nth(0), page.get_by_role("dialog").locator("pre").nth(1)
    await table.wait_for()

    assert await table.evaluate("node => node.scrollWidth > node.clientWidth && node.clientHeight < 60")
    assert await error.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_home_and_modal_fit_a_narrow_screen(page: Page, backend: Any) -> None:
    backend.homes["U1"] = home(section("x" * 300))
    await page.set_viewport_size({"width": 360, "height": 700})
    await page.goto(backend.url)
    await page.get_by_role("button", name="ItemPath Alerts").click()
    await page.locator("#home-body").get_by_text("xxx").wait_for()
    await backend.tell({"type": "view", "view": modal(*[section("y" * 200)] * 30)})
    dialog = page.get_by_role("dialog")
    await dialog.wait_for()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = await dialog.bounding_box()
    assert box
    assert (box["x"] >= 0, box["x"] + box["width"] <= 360, box["height"] <= 700) == (True, True, True)
    assert await dialog.get_by_role("button", name="Done").is_visible()


async def test_home_and_channels_are_not_hidden_behind_an_open_thread(page: Page, backend: Any) -> None:
    """Between telephone and wide screen the thread stands where the channel does."""
    backend.add("down", ts=TS)
    await page.set_viewport_size({"width": 1000, "height": 700})
    await page.goto(backend.url)
    for place, shown in (("#home", "ItemPath Alerts"), ("#channels button >> nth=0", "#alerts")):
        await page.get_by_role("button", name="alerts", exact=True).click()
        await page.locator("#messages .message").focus()
        await page.keyboard.press("Enter")
        await page.locator("#thread").wait_for()
        await page.locator(place).click()
        await page.get_by_role("main", name=shown).wait_for()
        assert await page.locator("#thread").is_hidden()
