"""The channel on the page: threads, private replies, edits in place, unread marks, and what people do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

TS = 1_795_557_600.0


def buttons(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "incident", "elements": list(elements)}]


def button(label: str, action: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action, "value": "7", **more}


async def test_threads_open_from_their_summary_and_broadcasts_link_to_them(page: Page, backend: Any) -> None:
    """A plain reply stands in the thread only; a broadcast in both places, and names what it replies to."""
    root = backend.add("PowerPick is down", ts=TS)
    backend.add("Looking into it", ts=TS + 1, thread_ts=root["ts"], user="U2")
    backend.add("PowerPick is up", ts=TS + 2, thread_ts=root["ts"], subtype="thread_broadcast")
    await page.goto(backend.url)

    shown = page.locator("#messages .body")
    await shown.nth(1).wait_for()
    assert await shown.all_inner_texts() == ["PowerPick is down", "PowerPick is up"]
    assert await page.locator(".summary-count").inner_text() == "2 replies"

    await page.locator(".above .link-button", has_text="PowerPick is down").click()
    thread = page.locator("#thread-messages .body")
    assert await thread.all_inner_texts() == ["PowerPick is down", "Looking into it", "PowerPick is up"]

    await page.fill("#thread-text", "Done")
    await page.keyboard.press("Enter")
    assert await backend.next_post() == (
        "/page/say",
        {"channel": "C1", "user": "U1", "text": "Done", "thread_ts": root["ts"]},
    )


async def test_an_edit_changes_the_message_in_place_and_notifies_nobody(page: Page, backend: Any) -> None:
    """The node stays the same one (nothing jumps, a focused button keeps the focus), marked "(edited)" and flashed."""
    message = backend.add("down", ts=TS, blocks=buttons(button("Acknowledge", "ack")))
    backend.add("later", ts=TS + 400)
    await page.goto(backend.url)
    first = page.locator("#messages .message").first
    await first.locator("button[data-action=ack]").focus()
    await first.evaluate("node => { window.kept = node; }")
    await backend.tell_message({**message, "blocks": buttons(button("Details", "ack")), "edited": {"ts": f"{TS + 60}"}})
    await first.locator(".edited").wait_for()

    assert await first.evaluate("node => node === window.kept && node.classList.contains('flash')")
    assert await page.evaluate("document.activeElement.textContent") == "Details"
    assert await page.locator("#messages .message").count() == 2
    assert (await page.locator("#counter").inner_text()).startswith("2 notifications")
    assert "1 quiet update" in await page.locator("#counter").inner_text()


async def test_a_growing_thread_is_no_edit_of_its_root(page: Page, backend: Any) -> None:
    """Slack tells the root anew with each reply; only its thread line changes."""
    root = backend.add("down", ts=TS)
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    await page.evaluate("window.body = document.querySelector('#messages .body')")
    await backend.tell_message(
        {"ts": f"{TS + 1:.6f}", "user": "U2", "text": "why?", "channel": "C1", "thread_ts": root["ts"]}
    )
    await backend.tell_message({**root, "thread_ts": root["ts"], "reply_count": 1})
    await backend.tell_message({"ts": f"{TS + 2:.6f}", "user": "UBOT", "text": "another", "channel": "C1"})
    await page.locator("#messages .message", has_text="another").wait_for()

    assert await page.locator(".summary-count").inner_text() == "1 reply"
    assert await page.locator("#messages .message > .row > .content > .body").all_inner_texts() == ["down", "another"]
    assert await page.evaluate("document.querySelector('#messages .body') === window.body")
    assert await page.locator("#messages .flash").count() == 0


async def test_the_deleted_root_of_a_thread_leaves_a_tombstone(page: Page, backend: Any) -> None:
    root = backend.add("This message was deleted.", ts=TS, user="USLACKBOT", subtype="tombstone")
    backend.add("why?", ts=TS + 1, thread_ts=root["ts"], user="U2")
    await page.goto(backend.url)
    await page.locator("#messages .tombstone").wait_for()

    assert await page.locator("#counter").inner_text() == "0 notifications · 1 quiet update"


async def test_a_private_reply_to_a_thread_stands_in_the_thread(page: Page, backend: Any) -> None:
    root = backend.add("down", ts=TS)
    await page.goto(backend.url)
    await page.locator("#messages .message").hover()
    await page.get_by_role("button", name="Reply in thread").click()
    private = {"id": "e1", "channel": "C1", "user": "U1", "text": "Too late", "at": TS + 1, "thread_ts": root["ts"]}
    await backend.tell({"type": "ephemeral", "ephemeral": private})
    await page.locator("#thread-messages .ephemeral", has_text="Too late").wait_for()

    assert await page.locator("#messages .ephemeral").count() == 0


async def test_messages_arrive_in_order_of_time_and_vanish_when_deleted(page: Page, backend: Any) -> None:
    backend.add("first", ts=TS)
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    late = {"ts": f"{TS + 20:.6f}", "user": "UBOT", "text": "third", "channel": "C1"}
    await backend.tell_message(late)
    await backend.tell_message({**late, "ts": f"{TS + 10:.6f}", "text": "second"})
    await page.get_by_text("second").first.wait_for()
    assert await page.locator("#messages .body").all_inner_texts() == ["first", "second", "third"]

    await backend.tell({"type": "deleted", "channel": "C1", "ts": late["ts"]})
    await page.locator("#messages .message", has_text="third").wait_for(state="detached")
    assert await page.locator("#messages .body").all_inner_texts() == ["first", "second"]


async def test_a_button_posts_its_action_and_a_confirmation_may_stop_it(page: Page, backend: Any) -> None:
    confirm = {
        "title": {"type": "plain_text", "text": "Mute?"},
        "text": {"type": "mrkdwn", "text": "*Quiet* for an hour"},
        "confirm": {"type": "plain_text", "text": "Mute it"},
        "deny": {"type": "plain_text", "text": "Leave it"},
    }
    message = backend.add(
        "down",
        ts=TS,
        blocks=buttons(button("Acknowledge", "ack", style="primary"), button("Mute", "mute", confirm=confirm)),
    )
    await page.goto(backend.url)
    press = {"channel": "C1", "user": "U1", "message_ts": message["ts"], "block_id": "incident", "value": "7"}

    await page.get_by_role("button", name="Acknowledge").click()
    assert await backend.next_post() == ("/page/action", {**press, "action_id": "ack"})

    await page.get_by_role("button", name="Mute").click()
    await page.keyboard.press("Escape")
    await page.locator("#confirm").wait_for(state="hidden")
    assert backend.posted.empty()

    await page.get_by_role("button", name="Mute").click()
    await page.get_by_role("button", name="Mute it").click()
    assert await backend.next_post() == ("/page/action", {**press, "action_id": "mute"})


async def test_a_press_that_the_app_does_not_take_says_so(page: Page, backend: Any) -> None:
    backend.add("down", ts=TS, blocks=buttons(button("Acknowledge", "ack")))
    backend.answer = {"ok": False, "error": "operation_timeout"}
    await page.goto(backend.url)
    await page.get_by_role("button", name="Acknowledge").click()
    failed = page.locator("#messages .failed")
    await failed.wait_for()

    assert "operation_timeout" in await failed.inner_text()


async def test_private_replies_are_the_askers_only_and_their_buttons_work(page: Page, backend: Any) -> None:
    reply = {
        "id": "e1",
        "channel": "C1",
        "user": "U1",
        "text": "PowerPick",
        "command": "/connection 1",
        "at": TS,
        "blocks": buttons(button("Share", "share")),
    }
    backend.ephemerals += [reply, {**reply, "id": "e2", "user": "U2", "text": "not for Mira"}]
    await page.goto(backend.url)
    private = page.locator("#messages .ephemeral")
    await private.wait_for()
    assert await private.count() == 1
    assert "Only visible to you" in await private.inner_text()

    await private.get_by_role("button", name="Share").click()
    _, posted = await backend.next_post()
    assert (posted["ephemeral"], posted["action_id"], "message_ts" in posted) == ("e1", "share", False)

    await backend.tell(
        {"type": "ephemeral", "ephemeral": {**reply, "id": "e3", "replaces": "e1", "text": "Shared.", "blocks": []}}
    )
    await private.get_by_text("Shared.").wait_for()
    assert await private.count() == 1

    await backend.tell({"type": "ephemeral_deleted", "id": "e3"})
    await private.wait_for(state="detached")


async def test_the_composer_sends_commands_and_tells_slacks_errors(page: Page, backend: Any) -> None:
    await page.goto(backend.url)
    await page.locator("#channels button").first.wait_for()
    backend.answer = {"ok": False, "error": "dispatch_failed"}
    await page.fill("#composer-text", "/connection 1")
    await page.keyboard.press("Enter")

    assert await backend.next_post() == ("/page/command", {"channel": "C1", "user": "U1", "text": "/connection 1"})
    await page.locator(".notice", has_text='/connection failed with the error "dispatch_failed"').wait_for()

    backend.answer = {"ok": False, "error": "no_such_command"}
    await page.fill("#composer-text", "/nonsense")
    await page.keyboard.press("Enter")
    await page.locator(".notice", has_text="is not a valid command").wait_for()


async def test_commands_are_refused_in_threads_as_in_slack(page: Page, backend: Any) -> None:
    backend.add("down", ts=TS)
    await page.goto(backend.url)
    await page.locator("#messages .message").focus()
    await page.keyboard.press("Enter")
    await page.fill("#thread-text", "/connection 1")
    await page.keyboard.press("Enter")
    await page.locator("#thread-messages .notice", has_text="not supported in threads").wait_for()

    assert backend.posted.empty()


async def test_other_channels_show_what_is_unread_and_whether_it_pings(page: Page, backend: Any) -> None:
    """A literal `<!here>` in rich text is no ping; a real one is."""
    await page.goto(backend.url)
    orders = page.locator("#channels button", has_text="orders")
    await orders.wait_for()
    harmless = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "<!here>"}]}],
    }
    await backend.tell_message(
        {"ts": f"{TS:.6f}", "user": "UBOT", "text": "one", "channel": "C2", "blocks": [harmless]}
    )
    await orders.locator(".count:not(.pinged)").wait_for()

    await backend.tell_message({"ts": f"{TS + 1:.6f}", "user": "UBOT", "text": "two <!here>", "channel": "C2"})
    await orders.locator(".count.pinged", has_text="2").wait_for()

    await orders.click()
    await orders.locator(".count").wait_for(state="detached")
    assert await page.locator("#messages .message").count() == 2
    assert await page.locator("#messages .pings").count() == 1


async def test_looking_as_someone_else_shows_their_private_replies_and_mentions(page: Page, backend: Any) -> None:
    backend.add("hello <@U2>", ts=TS)
    backend.ephemerals.append({"id": "e1", "channel": "C1", "user": "U2", "text": "for Jonas", "at": TS + 1})
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    assert await page.locator("#messages .pings, #messages .ephemeral").count() == 0

    await page.select_option("#me", "U2")
    await page.locator("#messages .ephemeral", has_text="for Jonas").wait_for()
    assert await page.locator("#messages .pings").count() == 1


async def test_a_thousand_messages_draw_quickly_and_an_edit_touches_one(page: Page, backend: Any) -> None:
    for number in range(1000):
        backend.add(
            f"Message *{number}*",
            ts=TS + number,
            blocks=[
                {"type": "section", "text": {"type": "mrkdwn", "text": f"Message *{number}*"}},
                *buttons(button("Acknowledge", "ack")),
            ],
        )
    await page.goto(backend.url)
    await page.locator(f"#messages [data-ts='{TS + 999:.6f}']").wait_for()
    await page.evaluate(
        "window.touched = new Set(); new MutationObserver((all) => all.forEach(({target}) => window.touched.add(target.closest?.('li.message')?.dataset.ts)))"
        ".observe(document.getElementById('messages'), {childList: true, subtree: true})"
    )
    edited = {**backend.messages["C1"][500], "blocks": [], "text": "Edited", "edited": {"ts": "1"}}
    await backend.tell_message(edited)
    await page.locator(f"#messages [data-ts='{edited['ts']}'] .edited").wait_for()

    assert await page.locator("#messages .message").count() == 1000
    assert await page.evaluate("[...window.touched]") == [edited["ts"]]


async def test_a_server_that_is_gone_is_said_and_returned_to(page: Page, backend: Any) -> None:
    """After a reconnection the state is read anew, so what was missed in between is there."""
    backend.add("before", ts=TS)
    await page.goto(backend.url)
    await page.locator("#messages .message").wait_for()
    backend.add("meanwhile", ts=TS + 1)
    backend.hang_up()
    await page.locator("#gone", has_text="does not answer").wait_for()
    backend.accepting.set()
    await page.locator("#messages .message", has_text="meanwhile").wait_for()

    assert await page.locator("#gone").is_hidden()


async def test_the_time_of_a_message_without_a_head_shows_without_moving_it(page: Page, backend: Any) -> None:
    backend.add("one", ts=TS)
    backend.add("two", ts=TS + 1)
    await page.goto(backend.url)
    second = page.locator("#messages .message.compact")
    before = await second.locator(".body").bounding_box()
    await second.hover()
    await second.locator(".gutter-time").wait_for()

    assert await second.locator(".body").bounding_box() == before
