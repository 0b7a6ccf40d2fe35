"""`POST /slack/events`: what is taken, what is refused, and that it leads to the same handlers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs
from yarl import URL

from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.request_url import RequestUrl
from bot.slack.ingress import http as http_module
from bot.slack.ingress.http import MAX_BODY
from bot.slack.ingress.reception import READY_WITHIN
from tests.slack.people.door import FORM, Open
from tests.slack.people.household import House, read


async def test_a_command_is_answered_in_the_response(door: Open) -> None:
    assert await door.house.slack.interactions.command("C0ALERTS", "U0ALICE", "/connection 2") is None
    (whisper,) = door.whispers()
    assert "Web Services is down" in whisper.text
    assert whisper.user == "U0ALICE"


async def test_a_slow_answer_follows_its_acknowledgement(door: Open) -> None:
    door.reception._ready_within = 0.01
    await door.house.sites["plant"].set_fault(Fault.TIMEOUT)
    assert await door.house.slack.interactions.command("C0ALERTS", "U0ALICE", "/connection powerpick") is None
    await door.house.slack.wait_for(door.whispers)
    assert "was up when last read" in door.whispers()[0].text


async def test_a_command_is_acknowledged_in_time_while_itempath_hangs(door: Open) -> None:
    """With the times as they are in earnest: Slack would show an error after three seconds."""
    door.reception._ready_within = READY_WITHIN
    await door.house.sites["plant"].set_fault(Fault.TIMEOUT)
    assert await door.house.slack.interactions.command("C0ALERTS", "U0ALICE", "/connection powerpick") is None
    await door.house.slack.wait_for(door.whispers)
    assert "could not be read from ItemPath" in door.whispers()[0].text


async def test_commands_are_acknowledged_in_time_while_a_crowd_clicks(door: Open) -> None:
    """Slack shows an error after three seconds. Whoever waits for a turn gets the answer afterwards; who only looks
    waits for nobody.
    """
    door.reception._ready_within = 0.2
    house, slack = door.house, door.house.slack
    message = _with_button(house, "acknowledge", await house.thread("2"))
    click, command = slack.interactions.click, slack.interactions.command
    async with house.pollers["plant"]._in_line:
        crowd = [click("C0ALERTS", "U0BOB", action_id="acknowledge", message_ts=message) for _ in range(15)]
        asked = [command("C0ALERTS", "U0ALICE", f"/connection {text}") for text in ("list", "ack 2")]
        assert await asyncio.gather(*crowd, *asked) == [None] * 17
        await slack.wait_for(door.whispers)
        assert ["acknowledged" in whisper.text for whisper in door.whispers()] == [False]
    await slack.wait_for(lambda: len(door.whispers()) == 17)
    assert sum("You have acknowledged" in whisper.text for whisper in door.whispers()) == 1


def _with_button(house: House, action: str, value: str) -> str:
    """The `ts` of a message of the bot with a button on it."""
    button = {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": "x"}, "value": value}
    blocks = [{"type": "actions", "elements": [button]}]
    message = house.slack.workspace.post("C0ALERTS", user="U0BOT", text="x", blocks=blocks, bot_id="B0BOT")
    return str(message["ts"])


async def test_a_button_acknowledges_and_says_so_privately(door: Open) -> None:
    slack, house = door.house.slack, door.house
    thread = await house.thread("2")
    message = _with_button(house, "acknowledge", thread)
    assert await slack.interactions.click("C0ALERTS", "U0BOB", action_id="acknowledge", message_ts=message) is None
    await slack.wait_for(door.whispers)
    assert "You have acknowledged" in door.whispers()[0].text
    assert "Acknowledged by bob" in await house.ask("2")
    # The message it was on is left alone.
    assert slack.messages()[0]["text"] == "x"


async def test_an_answer_is_shared_and_its_private_form_taken_away(door: Open) -> None:
    slack = door.house.slack
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection 2") is None
    (whisper,) = door.whispers()
    assert await slack.interactions.click("C0ALERTS", "U0ALICE", action_id="share", ephemeral=whisper.id) is None
    await slack.wait_for(lambda: slack.messages() and not door.whispers())
    (message,) = slack.messages()
    shown = read(message)
    assert "Web Services is down" in shown
    assert "Shared by alice." in shown


async def test_the_url_is_verified(door: Open) -> None:
    assert await door.door.verify()
    assert await door.send('{"type": "url_verification", "challenge": 5}', "application/json") == (
        200,
        '{"challenge": "5"}',
    )


async def test_the_home_tab_is_shown_to_who_opens_it(door: Open) -> None:
    slack = door.house.slack
    assert await slack.interactions.open_home("U0BOB") is None
    await slack.wait_for(lambda: slack.workspace.homes)
    assert "Web Services" in str(slack.workspace.homes["U0BOB"]["blocks"])
    assert set(slack.workspace.homes) == {"U0BOB"}


async def test_details_open_in_a_modal(door: Open) -> None:
    """The trigger comes with the click; what hangs is waited for behind the modal, not before it."""
    slack, house = door.house.slack, door.house
    message = _with_button(house, "details", await house.thread("2"))
    await house.sites["plant"].set_fault(Fault.TIMEOUT)
    assert await slack.interactions.click("C0ALERTS", "U0BOB", action_id="details", message_ts=message) is None
    await slack.wait_for(lambda: "Loading" in str(slack.workspace.views))
    await slack.wait_for(lambda: "was down when last read" in str(slack.workspace.views))
    assert door.whispers() == []


async def test_a_table_is_turned_in_its_place(door: Open) -> None:
    slack, house = door.house.slack, door.house
    for number in range(100, 130):
        house.sites["berlin"].add(id=number, name=f"Dock {number}", status=1)
    await house.poll()
    assert await slack.interactions.command("C0ALERTS", "U0ALICE", "/connection list site=berlin") is None
    (whisper,) = door.whispers()
    assert "Page 1 of 2" in whisper.text
    assert await slack.interactions.click("C0ALERTS", "U0ALICE", action_id="turn_page_on", ephemeral=whisper.id) is None
    await slack.wait_for(lambda: "Page 2 of 2" in door.whispers()[0].text)
    assert [shown.id for shown in door.whispers()] == [whisper.id]


async def test_everything_is_acknowledged_in_time_while_itempath_hangs(door: Open) -> None:
    """Neither a table nor a history nor a mute asks ItemPath: they come with their acknowledgement."""
    door.reception._ready_within = READY_WITHIN
    for site in door.house.sites.values():
        await site.set_fault(Fault.TIMEOUT)
    for text in ("list", "history 2 7d", "mute 2 1h", "unmute 2", "ack 2"):
        before = len(door.whispers())
        assert await door.house.slack.interactions.command("C0ALERTS", "U0ALICE", f"/connection {text}") is None
        assert len(door.whispers()) == before + 1


async def test_events_are_acknowledged(door: Open) -> None:
    assert await door.send("ssl_check=1&token=x") == (200, "")
    assert (await door.send('{"type": "event_callback"}', "application/json", X_Slack_Retry_Num="3"))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Slack_Signature": ""},
        {"X_Slack_Signature": "v0=" + "0" * 64},
        {"X_Slack_Signature": "v0=\u00e9"},
        {"X_Slack_Request_Timestamp": ""},
        {"X_Slack_Request_Timestamp": "soon"},
        {"X_Slack_Request_Timestamp": "9" * 400},
        {"X_Slack_Request_Timestamp": "9" * 5000},
        {"X_Slack_Request_Timestamp": "nan"},
        {"X_Slack_Request_Timestamp": "1"},
    ],
)
async def test_what_is_not_signed_rightly_is_refused(door: Open, headers: dict[str, str]) -> None:
    body = "command=%2Fconnection&text=ack+2&team_id=x"
    status, text = await door.send(body, **headers)
    assert status == 401
    assert "signature" in text


async def test_without_signature_or_time_stamp_nothing_is_taken(door: Open) -> None:
    url = str(door.door.url)
    async with aiohttp.ClientSession() as session, session.post(url, data={"command": "/connection"}) as response:
        assert response.status == 401


async def test_another_secret_does_not_pass(door: Open) -> None:
    forger = RequestUrl(door.house.slack.workspace, signing_secret="guess")
    forger.url = door.door.url
    assert (await forger.send("command=x", FORM))[0] == 401


@pytest.mark.parametrize(("age", "status"), [(299, 200), (301, 401), (-299, 200), (-301, 401)])
async def test_a_signature_is_good_for_five_minutes(door: Open, age: float, status: int) -> None:
    stamp = int(door.house.slack.workspace.now())
    door.now[0] = stamp + age
    assert (await door.send("ssl_check=1"))[0] == status


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"X_Slack_Signature": ""}, "without a signature"),
        ({"X_Slack_Request_Timestamp": "1"}, "this machine's clock is wrong"),
        ({"X_Slack_Request_Timestamp": "soon"}, "SLACK_SIGNING_SECRET is not that of this app"),
        ({"X_Slack_Signature": "v0=hunter2"}, "SLACK_SIGNING_SECRET is not that of this app"),
    ],
)
async def test_the_log_says_why_a_request_was_refused_and_nothing_of_it(
    door: Open, headers: dict[str, str], why: str
) -> None:
    with capture_logs() as logs:
        await door.send("command=%2Fconnection&text=hunter3", **headers)
    (told,) = logs
    assert why in told["reason"]
    assert told["times"] == 1
    assert not {"hunter2", "hunter3", door.house.slack.signing_secret} & set(re.findall(r"\w+", str(told)))


async def test_strangers_do_not_fill_the_log(door: Open) -> None:
    with capture_logs() as logs:
        for _ in range(5):
            await door.send("command=x", X_Slack_Signature="v0=0")
        door.now[0] += 61
        await door.send("command=x", X_Slack_Signature="v0=0")
    assert [entry["times"] for entry in logs] == [1, 5]


async def test_a_body_that_is_no_utf8_is_refused(door: Open) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(door.now[0])), "X-Slack-Signature": "v0=x", "Content-Type": FORM}
    url = str(door.door.url)
    async with aiohttp.ClientSession() as session, session.post(url, data=b"\xff", headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ("", FORM, "Neither a command nor an interaction"),
        ("a=b", FORM, "Neither a command nor an interaction"),
        ("&".join(f"a{n}=b" for n in range(200)), FORM, "too many fields"),
        ("payload=nonsense", FORM, "`payload` is no JSON object"),
        ("payload=[]", FORM, "`payload` is no JSON object"),
        ("payload=" + "[" * 100_000, FORM, "`payload` is no JSON object"),
        ("nonsense", "application/json", "no JSON object"),
        ("[]", "application/json", "no JSON object"),
        ("<x/>", "text/xml", "Neither a form nor JSON"),
    ],
)
async def test_nonsense_is_refused_in_words(door: Open, body: str, content_type: str, says: str) -> None:
    status, text = await door.send(body, content_type)
    assert status == 400
    assert says in text


async def test_an_interaction_of_an_unknown_kind_is_acknowledged(door: Open) -> None:
    body = "payload=" + json.dumps({"type": "view_closed", "view": {}})
    assert await door.send(body) == (200, "")


async def test_a_body_is_not_read_beyond_its_limit(door: Open) -> None:
    status, text = await door.send("a" * (MAX_BODY + 1))
    assert status == 413
    assert "larger" in text


async def test_a_body_that_does_not_come_is_not_waited_for(door: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "BODY_WITHIN", 0.05)
    never = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        await never.wait()

    url = str(door.door.url)
    async with aiohttp.ClientSession() as session, session.post(url, data=slowly()) as response:
        assert response.status == 408
        never.set()


@pytest.mark.parametrize("framing", ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"])
async def test_who_hangs_up_half_way_leaves_no_trace_in_the_log(
    door: Open, framing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stranger, as nothing was signed yet: a traceback for each would fill the disk."""
    url = door.door.url
    assert url is not None
    began = asyncio.Event()
    read = http_module._read

    async def reading(request: web.Request) -> bytes | None:
        began.set()
        try:
            return await read(request)
        finally:
            ended.set()

    ended = asyncio.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_module, "_read", reading)
        _, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
        writer.write(f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{framing}".encode())
        await began.wait()
        writer.transport.abort()
        await ended.wait()
    assert (await door.send("a=b", "text/plain"))[0] == 400
    assert not caplog.records
