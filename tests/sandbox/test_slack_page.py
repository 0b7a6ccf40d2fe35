"""The page's side: state, stream, and what people do there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web as server
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import LocalSlack

BLOCKS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "text": {"type": "plain_text", "text": "b"}, "action_id": "ack", "value": "1"}],
    }
]


class Page:
    def __init__(self, slack: LocalSlack, session: aiohttp.ClientSession) -> None:
        self._slack, self.session = slack, session

    async def get(self) -> Any:
        async with self.session.get(f"{self._slack.url}/page/state") as response:
            return await response.json()

    async def post(self, what: str, **body: Any) -> Any:
        async with self.session.post(f"{self._slack.url}/page/{what}", json=body) as response:
            return await response.json()


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        yield Page(slack, session)


async def test_the_state_holds_everything_the_page_shows(slack: LocalSlack, page: Page, web: AsyncWebClient) -> None:
    root = (await web.chat_postMessage(channel="C0ALERTS", text="down", blocks=BLOCKS))["ts"]
    await web.chat_postMessage(channel="C0ALERTS", text="up", thread_ts=root, reply_broadcast=True)
    await web.chat_postEphemeral(channel="C0ALERTS", user="U0BOB", text="psst", blocks=BLOCKS)
    state = await page.get()
    assert state["team"] == {"id": "T0SANDBOX", "name": "Sandbox"}
    assert state["me"] == "U0ALICE"
    assert {"id": "U0BOB", "name": "bob"} in state["users"]
    assert {"id": "C0ALERTS", "name": "alerts"} in state["channels"]
    assert state["bot"] == {"user_id": "U0BOT", "bot_id": "B0BOT", "name": "itempath"}
    assert (state["connected"], state["refusing"]) == (False, None)
    first, second = state["messages"]["C0ALERTS"]
    assert (first["ts"], first["reply_count"], first["channel"]) == (root, 1, "C0ALERTS")
    assert (second["thread_ts"], second["subtype"]) == (root, "thread_broadcast")
    (ephemeral,) = state["ephemerals"]
    assert (ephemeral["user"], ephemeral["text"], ephemeral["at"]) == ("U0BOB", "psst", float(ephemeral["id"]))
    assert "command" not in ephemeral


async def test_the_stream_tells_each_change(slack: LocalSlack, page: Page) -> None:
    async with page.session.get(f"{slack.url}/page/stream") as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": here\n"

        async def upcoming() -> dict[str, Any]:
            while True:
                line = await response.content.readline()
                if line.startswith(b"data: "):
                    event: dict[str, Any] = json.loads(line[6:])
                    return event

        root = slack.workspace.post("C0ALERTS", user="U0BOT", text="down")
        assert (await upcoming())["message"]["text"] == "down"
        reply = slack.workspace.post("C0ALERTS", user="U0BOT", text="reply", thread_ts=root["ts"])
        assert (await upcoming())["message"]["text"] == "reply"
        assert (await upcoming())["message"]["reply_count"] == 1
        slack.workspace.delete(reply)
        assert await upcoming() == {"type": "deleted", "channel": "C0ALERTS", "ts": reply["ts"]}
        assert "reply_count" not in (await upcoming())["message"]
        await page.post("refuse", error="internal_error")
        assert await upcoming() == {"type": "status", "connected": False, "refusing": "internal_error"}


async def test_the_stream_stays_alive_and_ends_with_the_page_or_the_server(slack: LocalSlack, page: Page) -> None:
    slack.page.alive_every = 0.01
    async with page.session.get(f"{slack.url}/page/stream") as response:
        while await response.content.readline() != b": alive\n":
            pass
    response = await page.session.get(f"{slack.url}/page/stream")
    async with asyncio.timeout(2):
        await slack.stop()
        assert b": here" in await response.read()


async def test_a_page_that_goes_leaves_no_task_behind(slack: LocalSlack, page: Page) -> None:
    """One that waited for the next event would be destroyed pending, with a complaint, whenever garbage is collected."""
    for _ in range(3):
        response = await page.session.get(f"{slack.url}/page/stream")
        await slack.wait_for(lambda: slack.workspace.feed.watched)
        response.close()
        await slack.wait_for(lambda: not slack.workspace.feed.watched)
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if "Queue.get" in repr(task.get_coro())] == []


async def test_people_talk_and_their_words_are_escaped(slack: LocalSlack, page: Page) -> None:
    assert await page.post("say", channel="C0ALERTS", user="U0BOB", text="a < b & c") == {"ok": True}
    (message,) = slack.messages()
    assert (message["user"], message["text"]) == ("U0BOB", "a &lt; b &amp; c")
    assert (await page.post("say", channel="C0ALERTS", text="re", thread_ts=message["ts"]))["ok"]
    assert slack.messages()[1]["user"] == "U0ALICE"
    for body, error in (
        ({"text": " "}, "no_text"),
        ({"text": "x", "thread_ts": "1.0"}, "thread_not_found"),
        ({"text": "/connection 1", "thread_ts": message["ts"]}, "not_supported_in_threads"),
        ({"text": "/weather"}, "no_such_command"),
    ):
        assert await page.post("say", channel="C0ALERTS", **body) == {"ok": False, "error": error}


async def test_people_delete_messages(slack: LocalSlack, page: Page, web: AsyncWebClient) -> None:
    ts = (await web.chat_postMessage(channel="C0ALERTS", text="down"))["ts"]
    assert await page.post("delete", channel="C0ALERTS", ts=ts) == {"ok": True}
    assert await page.post("delete", channel="C0ALERTS", ts=ts) == {"ok": False, "error": "message_not_found"}
    assert slack.messages() == []


async def test_commands_and_clicks_say_what_slack_would_say(slack: LocalSlack, page: Page, web: AsyncWebClient) -> None:
    ts = (await web.chat_postMessage(channel="C0ALERTS", text="down", blocks=BLOCKS))["ts"]
    failed = {"ok": False, "error": "dispatch_failed"}
    assert await page.post("command", channel="C0ALERTS", user="U0BOB", text="/connection 1") == failed
    assert await page.post("action", channel="C0ALERTS", user="U0BOB", message_ts=ts, action_id="ack") == failed


async def test_the_switch_makes_slack_refuse(slack: LocalSlack, page: Page) -> None:
    assert (await page.post("refuse", error="channel_not_found"))["ok"]
    assert (await page.get())["refusing"] == "channel_not_found"
    assert (await page.post("refuse", error=None))["ok"]
    assert (await page.get())["refusing"] is None


async def test_what_the_page_cannot_mean_is_a_bad_request(slack: LocalSlack, page: Page) -> None:
    for body, error in (
        ("{", "invalid_json"),
        ("[]", "json_not_object"),
        ('{"channel": "C0NONE"}', "channel_not_found"),
        ('{"channel": "C0ALERTS", "user": "U0NONE"}', "user_not_found"),
    ):
        async with page.session.post(f"{slack.url}/page/say", data=body) as response:
            assert response.status == 400
            assert (await response.json())["error"] == error


async def test_other_pages_cannot_post_here(slack: LocalSlack, page: Page) -> None:
    for origin, status in (("https://example.com", 403), (slack.url, 200)):
        say = {"channel": "C0ALERTS", "text": "hi"}
        async with page.session.post(f"{slack.url}/page/say", json=say, headers={"Origin": origin}) as response:
            assert response.status == status
    assert len(slack.messages()) == 1


async def test_the_routes_serve_in_another_application_which_notices_that_a_page_has_gone(hands: Any) -> None:
    """Without cancellation of handlers it is the failing write that ends a stream."""
    slack = LocalSlack(now=hands)
    slack.page.alive_every = 0.01
    application = server.Application()
    application.add_routes(slack.routes())
    runner = server.AppRunner(application)
    await runner.setup()
    site = server.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session, session.get(f"{slack.url}/page/stream") as response:
        assert await response.content.readline() == b": here\n"
        assert slack.workspace.feed.watched
        response.close()
        await slack.wait_for(lambda: not slack.workspace.feed.watched)
    await runner.cleanup()


async def test_other_routes_share_the_origin() -> None:
    async def hello(_: server.Request) -> server.Response:
        return server.Response(text="hello")

    async with (
        LocalSlack(extra_routes=[server.get("/sites/state", hello)]) as slack,
        aiohttp.ClientSession() as session,
        session.get(f"{slack.url}/sites/state") as response,
    ):
        assert await response.text() == "hello"


HOME = {"type": "home", "blocks": BLOCKS}


async def test_the_home_tab_is_opened_and_clicked(slack: LocalSlack, page: Page, web: AsyncWebClient) -> None:
    """Without an app that listens, what a person does goes nowhere, and the page is told so."""
    failed = {"ok": False, "error": "dispatch_failed"}
    assert await page.post("home") == failed
    assert await page.post("view-action", action_id="ack") == {"ok": False, "error": "view_not_found"}
    await web.views_publish(user_id="U0ALICE", view=HOME)
    assert (await page.get())["homes"]["U0ALICE"]["blocks"][0]["type"] == "actions"
    assert await page.post("view-action", action_id="ack") == failed
    assert await page.post("view-action", action_id="other") == {"ok": False, "error": "no_such_action"}
    assert await page.post("home", user="U0NOBODY") == {"ok": False, "error": "user_not_found"}


async def test_a_modal_is_shown_clicked_and_closed(slack: LocalSlack, page: Page, web: AsyncWebClient) -> None:
    queue = slack.workspace.feed.subscribe()
    trigger = slack.interactions._triggers.make("U0ALICE")
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "m"}, "blocks": BLOCKS}
    view = (await web.views_open(trigger_id=trigger, view=modal))["view"]["id"]
    assert [shown["id"] for shown in (await page.get())["views"]] == [view]
    assert (await page.post("view-action", view=view, action_id="ack"))["error"] == "dispatch_failed"
    for _ in range(2):
        assert await page.post("view-close", view=view) == {"ok": True}
    assert (await page.get())["views"] == []
    assert await page.post("view-action", view=view, action_id="ack") == {"ok": False, "error": "view_not_found"}
    told = [queue.get_nowait()["type"] for _ in range(queue.qsize())]
    assert told.count("view") == told.count("view_closed") == 1
