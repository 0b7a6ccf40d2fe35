"""What the bot can read: history, threads, channels, people."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import LocalSlack

METADATA = {"event_type": "delivery", "event_payload": {"key": "a/1/0"}}


async def code(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.fixture
async def story(slack: LocalSlack, hands: Any) -> list[str]:
    """A root with a reply and a broadcast, then another root: their `ts`."""

    def post(text: str, **fields: Any) -> str:
        hands.now += 1
        return str(slack.workspace.post("C0ALERTS", user="U0BOT", text=text, bot_id="B0BOT", **fields)["ts"])

    root = post("0")
    reply = post("1", thread_ts=root)
    broadcast = post("2", thread_ts=root, subtype="thread_broadcast")
    return [root, reply, broadcast, post("3", metadata=METADATA)]


def texts(answer: Any) -> list[str]:
    return [message["text"] for message in answer["messages"]]


async def test_history_shows_roots_and_broadcasts_newest_first(web: AsyncWebClient, story: list[str]) -> None:
    answer = await web.conversations_history(channel="C0ALERTS")
    assert texts(answer) == ["3", "2", "0"]
    assert answer["has_more"] is False
    assert answer["messages"][2]["reply_count"] == 2
    assert "channel" not in answer["messages"][0]


async def test_metadata_is_returned_on_request_only(web: AsyncWebClient, story: list[str]) -> None:
    assert "metadata" not in (await web.conversations_history(channel="C0ALERTS"))["messages"][0]
    answer = await web.conversations_history(channel="C0ALERTS", include_all_metadata=True)
    assert answer["messages"][0]["metadata"] == METADATA


async def test_history_is_cut_by_time_and_pages_by_cursor(web: AsyncWebClient, story: list[str]) -> None:
    between: dict[str, Any] = {"channel": "C0ALERTS", "oldest": story[0], "latest": story[3]}
    assert texts(await web.conversations_history(**between)) == ["2"]
    assert texts(await web.conversations_history(**between, inclusive=True)) == ["3", "2", "0"]
    first = await web.conversations_history(channel="C0ALERTS", limit=2)
    assert texts(first) == ["3", "2"]
    assert first["has_more"] is True
    second = await web.conversations_history(
        channel="C0ALERTS", limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert texts(second) == ["0"]


async def test_replies_begin_with_the_root_and_page_forwards(web: AsyncWebClient, story: list[str]) -> None:
    thread: dict[str, Any] = {"channel": "C0ALERTS", "ts": story[0]}
    assert texts(await web.conversations_replies(**thread)) == ["0", "1", "2"]
    first = await web.conversations_replies(**thread, limit=1)
    assert texts(first) == ["0", "1"]
    second = await web.conversations_replies(**thread, limit=1, cursor=first["response_metadata"]["next_cursor"])
    assert texts(second) == ["2"]
    assert texts(await web.conversations_replies(channel="C0ALERTS", ts=story[1])) == ["1"]
    assert texts(await web.conversations_replies(**thread, oldest=story[1])) == ["0", "2"]
    assert await code(web.conversations_replies(channel="C0ALERTS", ts="1.000000")) == "thread_not_found"


async def test_pages_that_cannot_be_had(web: AsyncWebClient, story: list[str]) -> None:
    not_next = base64.b64encode(b"user:1").decode()
    not_a_time = base64.b64encode(b"next:soon").decode()
    for fields, error in (
        ({"limit": 1000}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"cursor": "?"}, "invalid_cursor"),
        ({"cursor": not_next}, "invalid_cursor"),
        ({"cursor": not_a_time}, "invalid_cursor"),
        ({"oldest": "monday"}, "invalid_ts_oldest"),
        ({"latest": "NaN"}, "invalid_ts_latest"),
        ({"channel": "#alerts"}, "channel_not_found"),
        ({"channel": "C0OTHER"}, "not_in_channel"),
        ({"channel": "G0SECRET"}, "channel_not_found"),
    ):
        arguments: dict[str, Any] = {"channel": "C0ALERTS"} | fields
        assert await code(web.conversations_history(**arguments)) == error


async def test_what_is_not_visible_yet_is_in_no_history(
    slack: LocalSlack, web: AsyncWebClient, hands: Any, story: list[str]
) -> None:
    message = slack.workspace.find("C0ALERTS", story[3])
    assert message is not None
    slack.workspace.hide(message, 5)
    assert texts(await web.conversations_history(channel="C0ALERTS")) == ["2", "0"]
    assert await code(web.conversations_replies(channel="C0ALERTS", ts=story[3])) == "thread_not_found"
    hands.now += 5
    assert texts(await web.conversations_history(channel="C0ALERTS")) == ["3", "2", "0"]


async def test_channels_are_listed_by_type_and_page(web: AsyncWebClient) -> None:
    async def ids(**fields: Any) -> list[str]:
        return [channel["id"] for channel in (await web.conversations_list(**fields))["channels"]]

    assert await ids() == ["C0ALERTS", "C0OLD", "C0OTHER"]
    assert await ids(exclude_archived=True) == ["C0ALERTS", "C0OTHER"]
    assert await ids(types="public_channel, private_channel") == ["C0ALERTS", "C0OLD", "C0OTHER", "G0OPS"]
    first = await web.conversations_list(limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    assert await ids(limit=2, cursor=cursor) == ["C0OTHER"]
    assert await code(web.conversations_list(types="im")) == "missing_scope"
    assert await code(web.conversations_list(types="attic")) == "invalid_types"


async def test_a_channel_tells_whether_the_bot_is_in_it(slack: LocalSlack, web: AsyncWebClient) -> None:
    other = (await web.conversations_info(channel="C0OTHER"))["channel"]
    assert (other["name"], other["is_member"], other["is_private"]) == ("other", False, False)
    assert await code(web.conversations_info(channel="G0SECRET")) == "channel_not_found"
    slack.scopes.discard("groups:read")
    assert await code(web.conversations_info(channel="G0OPS")) == "missing_scope"


async def test_joining_needs_a_scope_and_a_public_channel(slack: LocalSlack, web: AsyncWebClient) -> None:
    assert await code(web.conversations_join(channel="C0OTHER")) == "missing_scope"
    slack.scopes.add("channels:join")
    assert (await web.conversations_join(channel="C0OTHER"))["channel"]["is_member"] is True
    assert await code(web.conversations_join(channel="C0OLD")) == "is_archived"
    assert await code(web.conversations_join(channel="G0OPS")) == "method_not_supported_for_channel_type"


async def test_people_are_looked_up_with_a_scope(
    slack: LocalSlack, web: AsyncWebClient, client: Callable[..., AsyncWebClient]
) -> None:
    assert await code(web.users_info(user="U0BOB")) == "missing_scope"
    slack.scopes.add("users:read")
    assert (await web.users_info(user="U0BOB"))["user"]["name"] == "bob"
    assert await code(web.users_info(user="U0NONE")) == "user_not_found"
