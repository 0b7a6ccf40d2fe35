"""The Web API over loopback, with the real slack-sdk: what it takes, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.workspace import Team

BUTTONS = [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "b"}}]}]
METADATA = {"event_type": "delivery", "event_payload": {"key": "a/1/0"}}


async def refusal(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value


async def code(call: Any) -> str:
    return str((await refusal(call)).response["error"])


async def test_auth_test_names_the_bot_and_its_scopes(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    answer = await client().auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0BOT", "B0BOT", "T0SANDBOX")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    assert (await client(slack.app_token).auth_test())["app_id"] == "A0BOT"


async def test_tokens_are_told_apart(slack: LocalSlack, client: Callable[..., AsyncWebClient]) -> None:
    assert await code(client("").auth_test()) == "not_authed"
    assert await code(client("xoxb-other").auth_test()) == "invalid_auth"
    assert (
        await code(client(slack.app_token).chat_postMessage(channel="C0ALERTS", text="x")) == "not_allowed_token_type"
    )
    assert await code(client().apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"


async def test_a_token_is_taken_from_a_form_but_not_from_a_json_body(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(slack.api_url + "auth.test", data={"token": slack.bot_token}) as response:
            assert (await response.json())["ok"]
        async with session.post(slack.api_url + "auth.test", json={"token": slack.bot_token}) as response:
            assert (await response.json())["error"] == "not_authed"
    assert all("token" not in call.arguments for call in slack.calls.log)


async def test_unknown_methods_and_unreadable_bodies_are_refused(slack: LocalSlack, web: AsyncWebClient) -> None:
    assert await code(web.api_call("chat.whistle")) == "unknown_method"
    assert (await web.api_call("api.test", json={"a": 1}))["args"] == {"a": 1}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for body, error in (("{", "invalid_json"), ("[]", "json_not_object")):
            async with session.post(slack.api_url + "chat.postMessage", data=body) as response:
                assert (await response.json())["error"] == error
        # Reading methods take no JSON: the channel given there counts as not given.
        async with session.post(slack.api_url + "conversations.info", json={"channel": "C0ALERTS"}) as response:
            assert (await response.json())["error"] == "channel_not_found"


@pytest.mark.parametrize("channel", ["C0ALERTS", "#alerts", "alerts"])
async def test_a_post_goes_to_an_id_or_a_name_and_tells_the_id(
    slack: LocalSlack, web: AsyncWebClient, channel: str
) -> None:
    answer = await web.chat_postMessage(channel=channel, text="down", metadata=METADATA, unfurl_links=False)
    assert answer["channel"] == "C0ALERTS"
    (message,) = slack.messages()
    assert message["ts"] == answer["ts"]
    assert (message["user"], message["bot_id"], message["metadata"]) == ("U0BOT", "B0BOT", METADATA)
    assert slack.made("chat.postMessage")[0].outcome == "ok"


async def test_forms_carry_blocks_as_json(slack: LocalSlack, web: AsyncWebClient) -> None:
    form = {"channel": "C0ALERTS", "blocks": json.dumps(BUTTONS), "metadata": json.dumps(METADATA)}
    assert (await web.api_call("chat.postMessage", data=form))["ok"]
    (message,) = slack.messages()
    assert message["blocks"][0]["elements"][0]["text"]["text"] == "b"
    for key, error in (
        ("blocks", "invalid_blocks_format"),
        ("attachments", "invalid_attachments_format"),
        ("metadata", "invalid_metadata_format"),
    ):
        broken = {"channel": "C0ALERTS", "text": "x", key: "{"}
        assert await code(web.api_call("chat.postMessage", data=broken)) == error


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NONE", "channel_not_found"),
        ("G0SECRET", "channel_not_found"),
        ("#secret", "channel_not_found"),
        ("C0OTHER", "not_in_channel"),
        ("C0OLD", "is_archived"),
    ],
)
async def test_channels_that_cannot_be_written_to(web: AsyncWebClient, channel: str, error: str) -> None:
    assert await code(web.chat_postMessage(channel=channel, text="x")) == error


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "  "}, "no_text"),
        ({"text": 5}, "invalid_arguments"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "", "event_payload": {}}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": 1, "event_payload": {}}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": []}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": ["a"]}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": {"k": "v" * 8000}}}, "metadata_too_large"),
        ({"text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
    ],
)
async def test_contents_that_are_refused_leave_no_message(
    slack: LocalSlack, web: AsyncWebClient, fields: dict[str, Any], error: str
) -> None:
    assert await code(web.api_call("chat.postMessage", json={"channel": "C0ALERTS", **fields})) == error
    assert slack.messages() == []


async def test_scopes_are_needed_and_named(slack: LocalSlack, web: AsyncWebClient) -> None:
    slack.scopes.discard("channels:history")
    error = await refusal(web.conversations_history(channel="C0ALERTS"))
    assert error.response["error"] == "missing_scope"
    assert error.response["needed"] == "channels:history"
    assert "chat:write" in error.response["provided"]
    assert (await web.conversations_history(channel="G0OPS"))["ok"]
    slack.scopes.add("chat:write.public")
    assert (await web.chat_postMessage(channel="C0OTHER", text="x"))["ok"]


async def test_replies_hang_under_roots_and_broadcasts_carry_no_buttons(slack: LocalSlack, web: AsyncWebClient) -> None:
    root = (await web.chat_postMessage(channel="C0ALERTS", text="root"))["ts"]
    reply = (await web.chat_postMessage(channel="C0ALERTS", text="reply", thread_ts=root))["ts"]
    seen = await web.chat_postMessage(channel="C0ALERTS", text="seen", thread_ts=root, reply_broadcast=True)
    assert seen["message"]["subtype"] == "thread_broadcast"
    assert slack.messages()[0]["reply_count"] == 2
    assert slack.messages()[0]["latest_reply"] == seen["ts"]
    assert await code(web.chat_postMessage(channel="C0ALERTS", text="x", thread_ts=reply)) == "cannot_reply_to_message"
    for extra in ({"blocks": BUTTONS}, {"attachments": [{"text": "a"}]}):
        refused = web.chat_postMessage(channel="C0ALERTS", text="x", thread_ts=root, reply_broadcast=True, **extra)
        assert await code(refused) == "cant_broadcast_message"
        assert (await web.chat_postMessage(channel="C0ALERTS", text="x", thread_ts=root, **extra))["ok"]
    edit = web.chat_update(channel="C0ALERTS", ts=seen["ts"], text="x", blocks=BUTTONS)
    assert await code(edit) == "cant_broadcast_message"


async def test_an_old_reply_can_be_broadcast_alone(slack: LocalSlack, web: AsyncWebClient) -> None:
    root = (await web.chat_postMessage(channel="C0ALERTS", text="root"))["ts"]
    reply = (await web.chat_postMessage(channel="C0ALERTS", text="reply", thread_ts=root))["ts"]
    again = {"channel": "C0ALERTS", "ts": reply, "reply_broadcast": True}
    assert await code(web.api_call("chat.update", json=again | {"text": "x"})) == "no_dual_broadcast_content_update"
    assert await code(web.api_call("chat.update", json=again | {"ts": root})) == "cant_broadcast_message"
    assert (await web.api_call("chat.update", json=again))["ok"]
    assert slack.messages()[1]["subtype"] == "thread_broadcast"


async def test_an_edit_keeps_metadata_and_attachments_that_it_leaves_out(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Slack's page: blocks are kept only if no text is given; empty values remove."""
    ts = (
        await web.chat_postMessage(
            channel="C0ALERTS", text="a", blocks=BUTTONS, attachments=[{"blocks": BUTTONS}], metadata=METADATA
        )
    )["ts"]
    kept = await web.chat_update(channel="C0ALERTS", ts=ts, attachments=[{"text": "b", "fallback": "b"}])
    assert kept["message"]["blocks"][0]["type"] == "actions"
    assert "edited" not in kept["message"]
    changed = await web.chat_update(channel="C0ALERTS", ts=ts, text="b")
    assert (changed["ts"], changed["text"]) == (ts, "b")
    (message,) = slack.messages()
    assert "blocks" not in message
    assert message["attachments"] == [{"id": 1, "text": "b", "fallback": "b"}]
    assert message["metadata"] == METADATA
    assert message["edited"]["user"] == "U0BOT"
    await web.chat_update(channel="C0ALERTS", ts=ts, text="c", metadata={}, attachments=[])
    (message,) = slack.messages()
    assert "metadata" not in message
    assert "attachments" not in message


async def test_edits_that_are_refused(slack: LocalSlack, web: AsyncWebClient) -> None:
    theirs = slack.workspace.post("C0ALERTS", user="U0ALICE", text="hello")["ts"]
    mine = (await web.chat_postMessage(channel="C0ALERTS", text="a"))["ts"]
    assert await code(web.chat_update(channel="C0ALERTS", ts=theirs, text="x")) == "cant_update_message"
    assert await code(web.chat_delete(channel="C0ALERTS", ts=theirs)) == "cant_delete_message"
    assert await code(web.chat_update(channel="C0ALERTS", ts="1.000000", text="x")) == "message_not_found"
    assert await code(web.chat_update(channel="#alerts", ts=mine, text="x")) == "channel_not_found"
    assert await code(web.chat_update(channel="C0ALERTS", ts=mine, text="x" * 4001)) == "msg_too_long"
    slack.workspace.channels["C0ALERTS"].archived = True
    assert await code(web.chat_update(channel="C0ALERTS", ts=mine, text="x")) == "is_archived"


async def test_a_deleted_root_with_replies_leaves_a_tombstone(slack: LocalSlack, web: AsyncWebClient) -> None:
    root = (await web.chat_postMessage(channel="C0ALERTS", text="root"))["ts"]
    reply = (await web.chat_postMessage(channel="C0ALERTS", text="reply", thread_ts=root))["ts"]
    assert (await web.chat_delete(channel="C0ALERTS", ts=root))["ok"]
    assert slack.messages()[0]["subtype"] == "tombstone"
    assert await code(web.chat_update(channel="C0ALERTS", ts=root, text="x")) == "message_not_found"
    await web.chat_delete(channel="C0ALERTS", ts=reply)
    assert "reply_count" not in slack.messages()[0]


async def test_ephemeral_messages_are_seen_by_one(slack: LocalSlack, web: AsyncWebClient) -> None:
    answer = await web.chat_postEphemeral(channel="C0ALERTS", user="U0BOB", text="psst", attachments=[{"text": "a"}])
    (ephemeral,) = slack.workspace.ephemerals.values()
    assert (ephemeral.id, ephemeral.user, ephemeral.text) == (answer["message_ts"], "U0BOB", "psst")
    assert slack.messages() == []
    refused = web.chat_postEphemeral(channel="C0ALERTS", user="U0NONE", text="x")
    assert await code(refused) == "user_not_in_channel"


async def test_every_message_has_an_address(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A reply's address names its root, too."""
    root = (await web.chat_postMessage(channel="C0ALERTS", text="down"))["ts"]
    reply = (await web.chat_postMessage(channel="C0ALERTS", text="up", thread_ts=root))["ts"]
    address = f"https://{slack.workspace.team.domain}.slack.com/archives/C0ALERTS/p"
    found = await web.chat_getPermalink(channel="C0ALERTS", message_ts=root)
    assert found["permalink"] == address + root.replace(".", "")
    found = await web.chat_getPermalink(channel="C0ALERTS", message_ts=reply)
    assert found["permalink"] == f"{address}{reply.replace('.', '')}?thread_ts={root}&cid=C0ALERTS"
    assert await code(web.chat_getPermalink(channel="C0NONE", message_ts=root)) == "channel_not_found"
    assert await code(web.chat_getPermalink(channel="C0ALERTS", message_ts="1.0")) == "message_not_found"
    await web.chat_delete(channel="C0ALERTS", ts=root)
    assert await code(web.chat_getPermalink(channel="C0ALERTS", message_ts=root)) == "message_not_found"


async def test_ts_rises_even_when_the_clock_does_not(slack: LocalSlack, web: AsyncWebClient, hands: Any) -> None:
    first = (await web.chat_postMessage(channel="C0ALERTS", text="a"))["ts"]
    hands.now -= 3600
    second = (await web.chat_postMessage(channel="C0ALERTS", text="b"))["ts"]
    assert first < second
    assert first == "1800000000.000000"


async def test_a_second_post_within_a_second_is_rate_limited_by_whatever_name(
    slack: LocalSlack, web: AsyncWebClient, hands: Any
) -> None:
    slack.limits.enabled = True
    await web.chat_postMessage(channel="#alerts", text="a")
    error = await refusal(web.chat_postMessage(channel="C0ALERTS", text="b"))
    assert error.response.status_code == 429
    assert error.response["error"] == "ratelimited"
    assert error.response.headers["Retry-After"] == "1"
    hands.now += 1
    assert (await web.chat_postMessage(channel="C0ALERTS", text="b"))["ok"]
    assert [call.outcome for call in slack.calls.log] == ["ok", "ratelimited", "ok"]


async def test_a_workspace_can_be_named_and_stopped_and_started_again() -> None:
    slack = LocalSlack(team=Team(id="T1", name="Ours"))
    await slack.stop()  # nothing runs yet
    await slack.start()
    port = int(slack.url.rpartition(":")[2])
    web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    await web.chat_postMessage(channel="alerts", text="kept")
    await slack.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await web.auth_test()
    await slack.start(port=port)
    assert (await web.auth_test())["team"] == "Ours"
    assert [message["text"] for message in slack.messages()] == ["kept"]
    await slack.stop()
