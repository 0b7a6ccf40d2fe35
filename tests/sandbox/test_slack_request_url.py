"""The request URL: signed posts, checked with the real SDK's verifier by a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.signature import Clock, SignatureVerifier

from bot.sandbox.slack.request_url import RequestUrl
from bot.sandbox.slack.server import LocalSlack


class Stopped(Clock):
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


class App:
    """Takes signed posts and answers with `status` and `text` (or not at all while `mute`)."""

    def __init__(self, slack: LocalSlack, now: float) -> None:
        self.verifier = SignatureVerifier(slack.signing_secret, clock=Stopped(now))
        self.got: list[dict[str, Any]] = []
        self.status, self.text, self.mute = 200, "", False

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        if not self.verifier.is_valid_request(body, dict(request.headers)):
            return web.Response(status=401)
        if request.content_type == "application/json":
            self.got.append(json.loads(body))
            if self.got[-1]["type"] == "url_verification":
                return web.json_response({"challenge": self.got[-1]["challenge"]})
        else:
            self.got.append(dict(await request.post()))
        if self.mute:
            await asyncio.sleep(60)
        return web.Response(status=self.status, text=self.text)


@pytest.fixture
async def app(slack: LocalSlack, hands: Any) -> AsyncIterator[App]:
    made = App(slack, hands.now)
    application = web.Application()
    application.router.add_post("/slack/events", made.take)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.request_url.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield made
    await runner.cleanup()


async def command(slack: LocalSlack) -> str | None:
    return await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection 1")


def whispers(slack: LocalSlack) -> list[str]:
    return [ephemeral.text for ephemeral in slack.workspace.ephemerals.values()]


async def test_commands_come_as_a_signed_form(slack: LocalSlack, app: App) -> None:
    assert await command(slack) is None
    assert app.got[0]["text"] == "1"
    assert app.got[0]["response_url"].startswith(slack.url)


async def test_clicks_come_as_json_in_a_form_and_events_as_json(slack: LocalSlack, app: App) -> None:
    blocks = [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "b"}}]}]
    message = slack.workspace.post("C0ALERTS", user="U0BOT", text="x", blocks=blocks, bot_id="B0BOT")
    action = message["blocks"][0]["elements"][0]["action_id"]
    assert await slack.interactions.click("C0ALERTS", "U0BOB", action_id=action, message_ts=message["ts"]) is None
    assert json.loads(app.got[0]["payload"])["type"] == "block_actions"
    assert await slack.interactions.open_home("U0BOB") is None
    assert app.got[1]["event"]["type"] == "app_home_opened"


@pytest.mark.parametrize(
    ("text", "shown"), [("", []), (" ", []), ("hi", ["hi"]), ('{"text": "hi"}', ["hi"]), ("{}", []), ("[1]", [])]
)
async def test_the_answer_may_come_with_the_acknowledgement(
    slack: LocalSlack, app: App, text: str, shown: list[str]
) -> None:
    app.text = text
    assert await command(slack) is None
    assert whispers(slack) == shown


async def test_anything_but_a_timely_200_is_told_to_the_person(slack: LocalSlack, app: App) -> None:
    app.status = 500
    assert await command(slack) == "dispatch_failed"
    app.status, app.mute, slack.request_url.ack_within = 200, True, 0.2
    assert await command(slack) == "operation_timeout"
    slack.request_url.ack_within = 3.0
    slack.request_url.url = "http://127.0.0.1:1/slack/events"
    assert await command(slack) == "dispatch_failed"


async def test_the_url_is_verified_by_a_challenge(slack: LocalSlack, app: App) -> None:
    assert await slack.request_url.verify()
    slack.request_url.url = str(slack.request_url.url).replace("events", "nothing")
    assert not await slack.request_url.verify()
    slack.request_url.url = "http://127.0.0.1:1/slack/events"
    assert not await slack.request_url.verify()


async def test_a_wrong_secret_or_a_forged_stamp_does_not_pass(slack: LocalSlack, app: App) -> None:
    """What the tests of the app's own checks are made with."""
    status, _ = await slack.request_url.send("{}", "application/json", X_Slack_Request_Timestamp="1")
    assert status == 401
    forger = RequestUrl(slack.workspace, signing_secret="guess")
    forger.url = slack.request_url.url
    assert (await forger.send("a=b", "application/x-www-form-urlencoded"))[0] == 401
    assert app.got == []
