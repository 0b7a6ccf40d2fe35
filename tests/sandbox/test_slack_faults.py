"""Every way in which a call can fail, as the real slack-sdk meets it; and what is true in the channel afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.calls import transport_of
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.server import LocalSlack

POST: dict[str, Any] = {"channel": "C0ALERTS", "text": "down"}


async def test_a_planned_429_is_met_once_and_nothing_is_posted(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(7))
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(**POST)
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert slack.messages() == []
    assert (await web.chat_postMessage(**POST))["ok"]
    assert [(call.outcome, call.answered) for call in slack.calls.log] == [("rate_limited", False), ("ok", True)]


@pytest.mark.parametrize(
    "fault", [Fault.http(503), Fault.http(503, accepted=True), Fault.says("internal_error", accepted=True)]
)
async def test_an_error_may_or_may_not_have_been_carried_out(
    slack: LocalSlack, web: AsyncWebClient, fault: Fault
) -> None:
    slack.fail("chat.postMessage", fault)
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(**POST)
    assert len(slack.messages()) == int(fault.accepted)
    assert slack.calls.log[0].answered is False


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("make", [Fault.drop, Fault.reset])
async def test_a_connection_can_be_lost_before_and_after_acceptance(
    slack: LocalSlack, web: AsyncWebClient, make: Callable[..., Fault], accepted: bool
) -> None:
    slack.fail("chat.postMessage", make(accepted=accepted))
    with pytest.raises(aiohttp.ClientConnectionError):
        await web.chat_postMessage(**POST)
    assert len(slack.messages()) == int(accepted)


def test_a_connection_that_is_gone_cannot_be_ended_again() -> None:
    with pytest.raises(ConnectionResetError):
        transport_of(make_mocked_request("GET", "/"))


async def test_an_answer_that_is_not_json(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", Fault.garbage(accepted=True))
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(**POST)
    assert len(slack.messages()) == 1


async def give_up(call: asyncio.Task[Any]) -> None:
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize("accepted", [False, True])
async def test_silence_until_the_caller_gives_up(slack: LocalSlack, web: AsyncWebClient, accepted: bool) -> None:
    slack.fail("chat.postMessage", Fault.hang(accepted=accepted))
    call = asyncio.create_task(web.chat_postMessage(**POST))
    await slack.wait_for(lambda: any(made.outcome != "pending" for made in slack.calls.log))
    await give_up(call)
    assert len(slack.messages()) == int(accepted)
    assert slack.calls.log[0].answered is False


async def test_a_hanging_call_does_not_keep_the_server_from_stopping(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", Fault.hang())
    call = asyncio.create_task(web.chat_postMessage(**POST))
    await slack.wait_for(lambda: slack.made("chat.postMessage"))
    # The call would hang for ever.
    async with asyncio.timeout(60):
        await slack.stop()
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await call


async def test_a_message_can_be_taken_but_seen_late(slack: LocalSlack, web: AsyncWebClient, hands: Any) -> None:
    slack.fail("chat.postMessage", Fault.late(5))
    slack.fail("chat.postMessage", Fault.late(9, Fault.http(500)))
    assert (await web.chat_postMessage(**POST))["ok"]
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(**POST)
    seen = []
    for _ in range(3):
        seen.append(len((await web.conversations_history(channel="C0ALERTS"))["messages"]))
        hands.now += 5
    assert seen == [0, 1, 2]


async def test_a_call_that_is_refused_anyway_keeps_its_own_error(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", Fault.hang(accepted=True))
    with pytest.raises(SlackApiError, match="no_text"):
        await web.api_call("chat.postMessage", json=POST | {"text": ""})


async def test_faults_can_be_meant_for_certain_calls_and_for_so_many(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.fail("*", Fault.says("fatal_error"), times=2, when=lambda call: call.get("text") == "b")
    slack.fail("chat.update", Fault.says("fatal_error"), times=None)
    for text, ok in (("a", True), ("b", False), ("b", False), ("b", True)):
        if ok:
            await web.chat_postMessage(channel="C0ALERTS", text=text)
        else:
            with pytest.raises(SlackApiError, match="fatal_error"):
                await web.chat_postMessage(channel="C0ALERTS", text=text)
    for _ in range(3):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await web.chat_update(channel="C0ALERTS", ts="1.0", text="x")
    slack.faults.clear()
    with pytest.raises(SlackApiError, match="message_not_found"):
        await web.chat_update(channel="C0ALERTS", ts="1.0", text="x")


async def test_a_gate_holds_the_answer_of_what_is_already_true(slack: LocalSlack, web: AsyncWebClient) -> None:
    with slack.gate("chat.postMessage") as gate:
        call = asyncio.create_task(web.chat_postMessage(**POST))
        await slack.wait_for(lambda: gate.held)
        assert len(slack.messages()) == 1
        assert not call.done()
    assert (await call)["ok"]
    await slack.wait_for(lambda: gate.held == 0)
    assert (await web.chat_postMessage(**POST))["ok"]


async def test_a_gate_can_hold_the_call_itself(slack: LocalSlack, web: AsyncWebClient) -> None:
    gate = slack.gate("*", before=True)
    call = asyncio.create_task(web.chat_postMessage(**POST))
    await slack.wait_for(lambda: gate.held)
    assert slack.messages() == []
    slack.faults.clear()
    assert (await call)["ok"]


async def test_waiting_for_what_never_happens_ends(slack: LocalSlack) -> None:
    with pytest.raises(TimeoutError):
        await slack.wait_for(slack.messages, within=0.05)
    slack.workspace.post("C0ALERTS", user="U0BOB", text="now")
    assert await slack.wait_for(slack.messages, within=0.05)


@pytest.mark.parametrize("refusing", ["internal_error", "ratelimited"])
async def test_the_switch_refuses_everything_until_it_is_put_back(
    slack: LocalSlack, web: AsyncWebClient, refusing: str
) -> None:
    slack.faults.refusing = refusing
    for call in (web.chat_postMessage(**POST), web.auth_test()):
        with pytest.raises(SlackApiError) as caught:
            await call
        assert caught.value.response["error"] == refusing
    slack.faults.refusing = None
    assert (await web.chat_postMessage(**POST))["ok"]


async def test_the_switch_can_be_silence(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.faults.refusing = "timeout"
    call = asyncio.create_task(web.auth_test())
    await slack.wait_for(lambda: any(made.outcome == "hang" for made in slack.calls.log))
    await give_up(call)
