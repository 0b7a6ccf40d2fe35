"""The lines about Slack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.check.lines import Verdict
from bot.check.preflight import preflight
from bot.check.slack import check_slack, refused
from bot.sandbox.slack.calls import Calls
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.workspace import Channel
from bot.settings import Settings
from bot.slack.calls import SlackCalls
from bot.slack.errors import NotSent, Obstacle
from bot.store.store import Store
from tests.check.world import World


async def test_when_all_is_well_every_line_is_ok_and_nothing_is_posted(world: World) -> None:
    lines = await world.lines()
    assert [line.what for line in lines] == [
        "database",
        "site vienna",
        "slack",
        "slack scopes",
        "channel #alerts",
        "socket mode",
    ]
    assert {line.verdict for line in lines} == {Verdict.OK}
    assert world.slack.messages() == []


async def test_no_line_holds_a_secret(world: World) -> None:
    world.more["signing_secret"] = SecretStr(world.slack.signing_secret)
    told = "\n".join(map(str, await world.lines(send=True)))
    for secret in world.settings().secrets():
        assert secret not in told


async def test_who_the_bot_is_and_where_is_named(world: World) -> None:
    assert (await world.about("slack")).said == "the token is good: itempath in Sandbox (T0SANDBOX)"


async def test_who_is_told_without_a_name_is_called_by_the_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    true_call = SlackCalls.call

    async def without_names(calls: SlackCalls, method: str, **arguments: Any) -> Any:
        answer = await true_call(calls, method, **arguments)
        return {key: value for key, value in answer.items() if key not in {"user", "team"}}

    monkeypatch.setattr(SlackCalls, "call", without_names)
    said = (await world.about("slack")).said
    assert re.fullmatch(r"the token is good: U\w+ in workspace \(T0SANDBOX\)", said)


async def test_a_refused_token_keeps_the_rest_from_being_asked_and_every_line_says_so(world: World) -> None:
    """But Socket Mode has a token of its own."""
    world.slack.fail("auth.test", Fault.says("invalid_auth"))
    told = {line.what: line for line in await world.lines(send=True)}
    assert told["slack"].verdict is Verdict.WRONG
    assert "invalid_auth" in told["slack"].said
    unasked = [what for what, line in told.items() if line.verdict is Verdict.UNKNOWN]
    assert unasked == ["slack scopes", "channel #alerts", "test alert to #alerts"]
    assert told["channel #alerts"].said == "not asked: Slack does not accept the bot token"
    assert told["socket mode"].verdict is Verdict.OK


async def test_out_of_reach_every_line_is_there_and_only_the_first_is_wrong(world: World) -> None:
    """No line that is missing may look like one that is well."""
    well = [line.what for line in await world.lines(send=True)]
    await world.slack.stop()
    lines = await world.lines(send=True)
    assert [line.what for line in lines] == well
    assert [line.verdict for line in lines[2:]] == [Verdict.WRONG, *[Verdict.UNKNOWN] * 4]
    assert {line.said for line in lines[3:]} == {"not asked: Slack is out of reach"}


@pytest.mark.parametrize(
    ("api_url", "proxy", "words"),
    [
        ("http://127.0.0.1:9/api/", None, ("127.0.0.1 refuses the connection", "SLACK_API_URL")),
        ("http://slack.invalid/api/", None, ("the name slack.invalid cannot be resolved (DNS)", "name server")),
        (
            "https://slack.com/api/",
            "http://user:hidden@127.0.0.1:9",
            ("the proxy on the way to slack.com", "HTTPS_PROXY"),
        ),
    ],
)
async def test_what_is_in_the_way_to_slack_is_told_with_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch, api_url: str, proxy: str | None, words: tuple[str, str]
) -> None:
    if proxy is not None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    settings = world.settings()
    assert settings.slack is not None
    slack = settings.slack.model_copy(update={"api_url": api_url})
    lines = [line async for line in check_slack(slack, channels=["#alerts"], remembered={}, listen=":8080", send=False)]
    assert lines[0].verdict is Verdict.WRONG
    assert lines[0].said.startswith("Slack is out of reach: ")
    assert words[0] in lines[0].said
    assert words[1] in lines[0].remedy
    assert "hidden" not in str(lines[0])


async def test_who_is_not_trusted_is_not_asked_and_an_address_of_ones_own_is_named(world: World) -> None:
    for obstacle, word in (
        (Obstacle.CERTIFICATE, "TLS"),
        (Obstacle.ADDRESS, "HTTPS_PROXY"),
        (Obstacle.NETWORK, "HTTPS"),
    ):
        told = str(refused("slack", NotSent("unreachable", obstacle=obstacle), world.slack.api_url))
        assert word in told
        assert "SLACK_API_URL" in told


async def test_what_does_not_speak_like_slack_points_to_the_address_and_the_proxy(world: World) -> None:
    world.slack.fail("auth.test", Fault.garbage())
    line = await world.about("slack")
    assert "SLACK_API_URL" in line.remedy
    assert "proxy" in line.remedy


async def test_silence_is_not_called_a_refusal(world: World) -> None:
    world.slack.fail("auth.test", Fault.drop())
    line = await world.about("slack")
    assert line.verdict is Verdict.WRONG
    assert "did not answer" in line.said


async def test_being_told_to_slow_down_is_said_and_socket_mode_not_asked_either(world: World) -> None:
    world.slack.fail("auth.test", Fault.rate_limited())
    told = {line.what: line for line in await world.lines()}
    assert told["slack"].said == "Slack asks to slow down (ratelimited)"
    assert told["socket mode"].said == "not asked: Slack asks to slow down"


async def test_without_the_right_to_post_nothing_works(world: World) -> None:
    world.slack.scopes.remove("chat:write")
    line = await world.about("slack scopes")
    assert line.verdict is Verdict.WRONG
    assert "chat:write" in line.said


async def test_without_the_commands_scope_only_the_command_is_missing(world: World) -> None:
    world.slack.scopes.remove("commands")
    assert (await world.about("slack scopes")).verdict is Verdict.WARNING
    world.more["app_token"] = None
    assert (await world.about("slack scopes")).verdict is Verdict.OK


async def test_scopes_that_slack_does_not_name_are_not_guessed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Calls, "answer", lambda _, body, **__: web.json_response(body))
    assert (await world.about("slack scopes")).verdict is Verdict.WARNING
    assert (await world.about("channel #alerts")).verdict is Verdict.OK


@pytest.mark.parametrize(("channel", "scope"), [("#alerts", "channels:history"), ("C0PRIVATE", "groups:history")])
async def test_without_history_delivery_is_at_least_once_and_the_check_says_so(
    world: World, channel: str, scope: str
) -> None:
    world.channel = channel
    assert (await world.about(f"channel {channel}")).verdict is Verdict.OK
    world.slack.scopes.remove(scope)
    line = await world.about(f"channel {channel}")
    assert line.verdict is Verdict.WARNING
    assert scope in line.said
    assert "at-least-once" in line.said


@pytest.mark.parametrize(
    ("kind", "scope"), [({"is_im": True}, "im:history"), ({"is_mpim": True, "name": "mpdm-a--b-1"}, "mpim:history")]
)
async def test_direct_messages_have_history_scopes_of_their_own(
    world: World, kind: dict[str, object], scope: str
) -> None:
    world.channel = "D0ALICE"
    answer = {"id": "D0ALICE", "is_member": True} | kind
    world.slack._api._methods["conversations.info"] = lambda _: {"ok": True, "channel": answer}
    assert scope in (await world.about("channel D0ALICE")).said
    world.slack.scopes.add(scope)
    assert (await world.about("channel D0ALICE")).verdict is Verdict.OK


async def test_a_channel_that_the_bot_is_not_in_is_wrong_and_says_to_invite_it(world: World) -> None:
    world.channel = "#foreign"
    line = await world.about("channel #foreign")
    assert line.verdict is Verdict.WRONG
    assert line.remedy == f"invite it there: /invite @{world.slack.workspace.bot.name}"
    world.slack.scopes.add("chat:write.public")
    line = await world.about("channel #foreign")
    assert line.verdict is Verdict.WARNING
    assert "/invite" in line.remedy


async def test_an_archived_channel_is_wrong_by_its_id_and_unknown_by_its_name(world: World) -> None:
    world.channel = "C0OLD"
    assert "archived" in (await world.about("channel C0OLD")).said
    world.channel = "#old"
    assert "channel_not_found" in (await world.about("channel #old")).said


@pytest.mark.parametrize("channel", ["#nowhere", "C0NOWHERE"])
async def test_a_channel_that_does_not_exist_is_wrong(world: World, channel: str) -> None:
    world.channel = channel
    line = await world.about(f"channel {channel}")
    assert line.verdict is Verdict.WRONG
    assert "channel_not_found" in line.said


async def test_a_name_cannot_be_looked_up_without_the_right_to_list_but_posted_to(world: World) -> None:
    world.slack.scopes.remove("groups:read")
    line = await world.about("channel #alerts")
    assert line.verdict is Verdict.WARNING
    assert "groups:read" in line.said
    assert (await world.about("test alert to #alerts", send=True)).verdict is Verdict.OK


async def test_an_id_needs_no_look_at_the_channel(world: World) -> None:
    world.channel = "C0ALERTS"
    world.slack.scopes.remove("channels:read")
    line = await world.about("channel C0ALERTS")
    assert line.verdict is Verdict.WARNING
    assert "channels:read" in line.said


@pytest.mark.parametrize("channel", ["C0ALERTS", "#alerts"])
async def test_a_server_that_cannot_be_asked_about_channels_is_tried_by_a_post(world: World, channel: str) -> None:
    """Posting needs neither list nor look, so nothing is known to be wrong."""
    world.channel = channel
    for method in ("conversations.list", "conversations.info"):
        world.slack.fail(method, Fault.says("unknown_method"), times=None)
    about = await world.about(f"channel {channel}")
    assert about.verdict is Verdict.WARNING
    assert "unknown_method" in about.said

    assert (await world.about(f"test alert to {channel}", send=True)).verdict is Verdict.OK
    assert len(world.slack.messages()) == 1


async def test_a_name_is_found_on_a_later_page_too(world: World) -> None:
    for number in range(1000):
        world.slack.workspace.channels[f"B{number:04}"] = Channel(id=f"B{number:04}", name=f"team-{number}")
    assert (await world.about("channel #alerts")).verdict is Verdict.OK
    assert len(world.slack.made("conversations.list")) == 2


async def test_a_name_that_the_bot_remembers_keeps_its_id_although_the_channel_was_renamed(world: World) -> None:
    store = await Store.open(world.database_url, write=True)
    await store.remember_channel("alerts", "C0ALERTS")
    await store.close()
    world.slack.workspace.channels["C0ALERTS"].name = "renamed"
    line = await world.about("channel #alerts")
    assert line.said == "the bot is in it (#renamed, C0ALERTS)"


async def test_send_posts_one_test_to_each_channel_and_says_that_it_is_one(world: World) -> None:
    line = await world.about("test alert to #alerts", send=True)
    assert line.verdict is Verdict.OK
    (message,) = world.slack.messages()
    assert message["text"].startswith("This is a test")


async def test_a_test_that_cannot_be_posted_is_wrong(world: World) -> None:
    world.slack.fail("chat.postMessage", Fault.says("restricted_action"))
    line = await world.about("test alert to #alerts", send=True)
    assert line.verdict is Verdict.WRONG
    assert "restricted_action" in line.said


async def test_nothing_is_sent_to_a_channel_that_is_wrong(world: World) -> None:
    world.channel = "#foreign"
    assert (await world.about("test alert to #foreign", send=True)).said == "not asked: nothing can be posted there"
    assert world.slack.made("chat.postMessage") == []


async def test_socket_mode_is_asked_for_without_connecting(world: World) -> None:
    assert (await world.about("socket mode")).verdict is Verdict.OK
    assert world.slack.sockets.handshakes == 0


async def test_a_refused_app_token_says_which_token_and_where_to_get_one(world: World) -> None:
    world.more["app_token"] = SecretStr("xapp-of-another-app")
    line = await world.about("socket mode")
    assert line.verdict is Verdict.WRONG
    assert "invalid_auth" in line.said
    assert "connections:write" in line.remedy
    assert "xapp-of-another-app" not in str(line)


async def test_socket_mode_without_an_answer_is_wrong_too(world: World) -> None:
    world.slack.fail("apps.connections.open", Fault.http(503))
    assert "did not answer" in (await world.about("socket mode")).said


async def test_a_signing_secret_is_said_to_need_a_way_in(world: World) -> None:
    world.more = {"app_token": None, "signing_secret": SecretStr(world.slack.signing_secret)}
    lines = await world.lines()
    assert [line.what for line in lines][-1] == "request url"
    assert "127.0.0.1:8080" in lines[-1].said


async def test_without_either_way_in_commands_and_buttons_are_off_and_the_check_says_so(world: World) -> None:
    world.more["app_token"] = None
    line = await world.about("commands")
    assert line.verdict is Verdict.WARNING
    assert "SLACK_APP_TOKEN" in line.remedy


async def test_the_check_is_made_for_settings_with_slack() -> None:
    with pytest.raises(ValueError, match="Slack"):
        _ = [line async for line in preflight(Settings(database_url=SecretStr("sqlite:///nowhere/bot.db")), now=None)]  # type: ignore[arg-type]
