"""Commands and clicks as the app receives them, its answers by `response_url`, modals and the Home tab."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.socket_mode import Reply

CHANNEL, ALICE, BOB = "C0ALERTS", "U0ALICE", "U0BOB"
TEXT = {"type": "plain_text", "text": "b"}
BUTTON = {"type": "button", "text": TEXT, "action_id": "ack", "value": "7", "style": "primary"}
DETAILS = BUTTON | {"action_id": "details"}
OPTIONS = [{"text": TEXT, "value": "1h"}, {"text": TEXT, "value": "8h"}]
BLOCKS: list[dict[str, Any]] = [
    {"type": "divider"},
    {"type": "actions", "block_id": "row", "elements": [BUTTON, {"type": "overflow", "options": OPTIONS}]},
]
MODAL = {"type": "modal", "title": TEXT, "blocks": [{"type": "divider"}], "external_id": "mine"}
HOME = {"type": "home", "blocks": [{"type": "actions", "elements": [BUTTON]}]}


@pytest.fixture
def got(slack: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The payloads that would go to the app, each acknowledged at once."""
    payloads: list[dict[str, Any]] = []

    async def deliver(kind: str, payload: dict[str, Any], *, accepts_payload: bool = True) -> Reply:
        payloads.append(payload)
        return Reply()

    monkeypatch.setattr(slack.sockets, "deliver", deliver)
    return payloads


@pytest.fixture
def incident(slack: LocalSlack) -> dict[str, Any]:
    attachment = {"color": "#ff0000", "blocks": [{"type": "section", "text": TEXT, "accessory": DETAILS}]}
    return slack.workspace.post(
        CHANNEL, user="U0BOT", bot_id="B0BOT", text="down", blocks=BLOCKS, attachments=[attachment]
    )


async def answer(payload: dict[str, Any], **fields: Any) -> tuple[int, str]:
    response = await AsyncWebhookClient(payload["response_url"], retry_handlers=[]).send(**fields)
    return response.status_code, response.body


def whispers(slack: LocalSlack) -> list[str]:
    return [ephemeral.text for ephemeral in slack.workspace.ephemerals.values()]


async def test_a_command_carries_all_that_slack_sends(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    assert await slack.interactions.command(CHANNEL, ALICE, "/connection  Dock 7 ") is None
    (payload,) = got
    assert payload.pop("response_url").startswith(slack.url + "/response/")
    assert payload.pop("trigger_id")
    assert payload == {
        "token": "sandbox",
        "team_id": "T0SANDBOX",
        "team_domain": "sandbox",
        "channel_id": CHANNEL,
        "channel_name": "alerts",
        "user_id": ALICE,
        "user_name": "alice",
        "command": "/connection",
        "text": "Dock 7",
        "api_app_id": "A0BOT",
        "is_enterprise_install": "false",
    }
    await slack.interactions.command("G0OPS", ALICE, "/connection")
    assert got[1]["channel_name"] == "privategroup"


async def test_unknown_commands_and_threads_never_reach_the_app(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    assert await slack.interactions.command(CHANNEL, ALICE, "/weather") == "no_such_command"
    assert (
        await slack.interactions.command(CHANNEL, ALICE, "/connection 1", thread_ts="1.0") == "not_supported_in_threads"
    )
    assert got == []


async def test_a_click_tells_where_and_on_what(
    slack: LocalSlack, got: list[dict[str, Any]], incident: dict[str, Any]
) -> None:
    ts = incident["ts"]
    assert await slack.interactions.click(CHANNEL, BOB, action_id="ack", block_id="row", message_ts=ts) is None
    payload = got[0]
    assert payload["type"] == "block_actions"
    assert payload["container"] == {
        "type": "message",
        "channel_id": CHANNEL,
        "is_ephemeral": False,
        "message_ts": ts,
    }
    assert payload["message"]["text"] == "down"
    assert payload["user"] == {"id": BOB, "username": "bob", "name": "bob", "team_id": "T0SANDBOX"}
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("ack", "row", "7")
    assert action["action_ts"]
    assert await slack.interactions.click(CHANNEL, BOB, action_id="details", message_ts=ts) is None


async def test_a_click_in_a_thread_names_it(slack: LocalSlack, got: list[dict[str, Any]], incident: Any) -> None:
    reply = slack.workspace.post(CHANNEL, user="U0BOT", text="x", blocks=BLOCKS, thread_ts=incident["ts"])
    await slack.interactions.click(CHANNEL, BOB, action_id="ack", message_ts=reply["ts"])
    assert got[0]["container"]["thread_ts"] == incident["ts"]


async def test_a_menu_sends_the_chosen_option(slack: LocalSlack, got: list[dict[str, Any]], incident: Any) -> None:
    menu, ts = incident["blocks"][1]["elements"][1]["action_id"], incident["ts"]
    assert await slack.interactions.click(CHANNEL, BOB, action_id=menu, message_ts=ts, value="8h") is None
    assert got[0]["actions"][0]["selected_option"]["value"] == "8h"
    assert await slack.interactions.click(CHANNEL, BOB, action_id=menu, message_ts=ts, value="9h") == "no_such_action"


async def test_what_is_not_there_cannot_be_clicked(slack: LocalSlack, got: list[Any], incident: Any) -> None:
    click = slack.interactions.click
    assert await click(CHANNEL, BOB, action_id="ack", message_ts="1.0") == "message_not_found"
    assert await click(CHANNEL, BOB, action_id="ack", block_id="b", message_ts=incident["ts"]) == "no_such_action"
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    await answer(got[0], text="for alice", blocks=BLOCKS)
    (whisper,) = slack.workspace.ephemerals
    assert await click(CHANNEL, BOB, action_id="ack", ephemeral=whisper) == "message_not_found"


async def test_a_response_url_is_good_five_times_in_half_an_hour(
    slack: LocalSlack, got: list[dict[str, Any]], hands: Any
) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    await slack.interactions.command(CHANNEL, ALICE, "/connection 2")
    status, body = await answer(got[0], blocks=[{"type": "poem"}])
    assert status == 404
    assert "unsupported type: poem [json-pointer:/blocks/0/type]" in body
    for number in range(5):
        assert await answer(got[0], text=str(number)) == (200, "ok")
    assert whispers(slack) == ["0", "1", "2", "3", "4"]
    status, body = await answer(got[0], text="6")
    assert status == 404
    assert "used_url" in body
    hands.now += 1801
    assert "expired_url" in (await answer(got[1], text="late"))[1]
    assert "invalid_token" in (await answer({"response_url": slack.url + "/response/x"}, text="late"))[1]
    async with aiohttp.ClientSession() as session:
        for data in ("{", "[]"):
            async with session.post(got[1]["response_url"], data=data) as response:
                assert response.status == 404


async def test_a_payload_that_is_no_object_is_refused(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    async with aiohttp.ClientSession() as session:
        for data in ("{", "[]"):
            async with session.post(got[0]["response_url"], data=data) as response:
                assert (await response.json())["error"] == "invalid_payload"


async def test_an_answer_replaces_or_deletes_the_one_before(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    await answer(got[0], text="first", replace_original=True)
    await answer(got[0], text="second", replace_original=True)
    assert whispers(slack) == ["second"]
    await answer(got[0], delete_original=True)
    await answer(got[0], delete_original=True)
    assert whispers(slack) == []


async def test_deleting_before_anything_was_answered_does_nothing(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    assert await answer(got[0], delete_original=True) == (200, "ok")


async def test_a_shared_answer_is_a_message_of_the_bot(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    await answer(got[0], text="private", blocks=BLOCKS)
    (whisper,) = slack.workspace.ephemerals
    assert await slack.interactions.click(CHANNEL, ALICE, action_id="ack", ephemeral=whisper) is None
    assert got[1]["container"]["is_ephemeral"] is True
    assert got[1]["container"]["message_ts"] == whisper
    assert "message" not in got[1]
    await answer(got[1], text="shared", response_type="in_channel")
    await answer(got[1], text="done", replace_original=True)
    assert [(message["text"], message["bot_id"]) for message in slack.messages()] == [("shared", "B0BOT")]
    assert whispers(slack) == ["done"]


async def test_a_click_on_a_message_is_answered_privately_unless_it_replaces(
    slack: LocalSlack, got: list[dict[str, Any]], incident: dict[str, Any]
) -> None:
    ts = incident["ts"]
    await slack.interactions.click(CHANNEL, BOB, action_id="ack", message_ts=ts)
    await answer(got[0], text="already acknowledged")
    assert whispers(slack) == ["already acknowledged"]
    await answer(got[0], text="acknowledged", replace_original=True)
    (message,) = slack.messages()
    assert (message["ts"], message["text"]) == (ts, "acknowledged")
    assert "blocks" not in message
    await answer(got[0], delete_original=True)
    assert slack.messages() == []
    assert "message_not_found" in (await answer(got[0], text="x"))[1]


async def test_answers_can_be_made_to_fail_like_any_call(slack: LocalSlack, got: list[dict[str, Any]]) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    slack.fail("response_url", Fault.http(500))
    assert (await answer(got[0], text="x"))[0] == 500
    assert slack.made("response_url")[0].outcome == "status"
    slack.faults.refusing = "internal_error"
    assert (await answer(got[0], text="x"))[0] == 404


async def test_a_modal_opens_with_a_fresh_trigger_once(
    slack: LocalSlack, web: AsyncWebClient, got: list[dict[str, Any]], hands: Any
) -> None:
    for _ in range(2):
        await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    opened = await web.views_open(trigger_id=got[0]["trigger_id"], view=MODAL)
    assert slack.workspace.views[opened["view"]["id"]]["opened_by"] == ALICE
    for trigger, error in (("guess", "invalid_trigger_id"), (got[0]["trigger_id"], "exchanged_trigger_id")):
        with pytest.raises(SlackApiError, match=error):
            await web.views_open(trigger_id=trigger, view=MODAL)
    hands.now += 3.5
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await web.views_open(trigger_id=got[1]["trigger_id"], view=MODAL)


async def test_a_modal_is_updated_by_either_id_and_its_hash_guards_it(
    slack: LocalSlack, web: AsyncWebClient, got: list[dict[str, Any]]
) -> None:
    await slack.interactions.command(CHANNEL, ALICE, "/connection 1")
    view = (await web.views_open(trigger_id=got[0]["trigger_id"], view=MODAL))["view"]
    changed = MODAL | {"blocks": HOME["blocks"]}
    again = (await web.views_update(view_id=view["id"], view=changed, hash=view["hash"]))["view"]
    assert (again["id"], again["blocks"][0]["type"]) == (view["id"], "actions")
    assert (await web.views_update(external_id="mine", view=changed))["view"]["id"] == view["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_update(view_id=view["id"], view=changed, hash=view["hash"])
    for unknown in ({"view_id": "V0"}, {"external_id": "theirs"}):
        with pytest.raises(SlackApiError, match="not_found"):
            await web.views_update(view=changed, **unknown)


async def test_the_home_tab_is_published_for_each_user_and_can_be_clicked(
    slack: LocalSlack, web: AsyncWebClient, got: list[dict[str, Any]]
) -> None:
    await slack.interactions.open_home(ALICE)
    assert "view" not in got[0]["event"]
    first = (await web.views_publish(user_id=ALICE, view=HOME))["view"]
    second = (await web.views_publish(user_id=ALICE, view=HOME, hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_publish(user_id=BOB, view=HOME, hash="1.x")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await web.views_publish(user_id="U0NONE", view=HOME)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await web.views_publish(user_id=ALICE, view=MODAL)
    await slack.interactions.open_home(ALICE)
    assert got[1]["event"]["view"]["id"] == first["id"]
    home = slack.workspace.homes[ALICE]
    assert await slack.interactions.click_view(ALICE, home, action_id="ack") is None
    assert got[2]["container"] == {"type": "view", "view_id": first["id"]}
    assert await slack.interactions.click_view(ALICE, home, action_id="nothing") == "no_such_action"
