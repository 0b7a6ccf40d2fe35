"""Whatever answers, `SlackCalls` has a typed word for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.slack.server import LocalSlack
from bot.slack.calls import DEFAULT_RETRY_AFTER, LEAST_RETRY_AFTER, MOST_RETRY_AFTER, SlackCalls
from bot.slack.errors import (
    ADVICE,
    Ambiguous,
    Gone,
    Malformed,
    NotSent,
    Obstacle,
    RateLimited,
    Refused,
    Scope,
    SlackError,
    advice,
    from_answer,
)
from bot.telemetry import Metrics


@asynccontextmanager
async def answering(**response: Any) -> AsyncIterator[SlackCalls]:
    """A server that gives this answer to everything."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(**response)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    calls = SlackCalls(token="xoxb-t", api_url=f"http://127.0.0.1:{runner.addresses[0][1]}/api/", trust_env=False)
    try:
        yield calls
    finally:
        await calls.close()
        await runner.cleanup()


async def outcome(**response: Any) -> SlackError:
    async with answering(**response) as calls:
        with pytest.raises(SlackError) as caught:
            await calls.call("chat.postMessage", channel="C1")
        return caught.value


JSON = {"content_type": "application/json"}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"text": "[]", **JSON}, "unreadable_answer"),
        ({"text": "[1]", **JSON}, "unreadable_answer"),
        ({"text": '"ok"', **JSON}, "unreadable_answer"),
        ({"text": "null", **JSON}, "unreadable_answer"),
        ({"text": "{}", **JSON}, "unreadable_answer"),
        ({"text": '{"ok": false}', **JSON}, "unreadable_answer"),
        ({"text": '{"ok": tr', **JSON}, "unreadable_answer"),
        ({"body": b'{"ok": "\xff"}', **JSON}, "unreadable_answer"),
        ({"text": "[" * 100_000, **JSON}, "unreadable_answer"),
        ({"text": "ok", "content_type": "text/plain"}, "unreadable_answer"),
        ({"text": "<html>", "content_type": "text/html"}, "unreadable_answer"),
        ({"body": b"\x1f\x8b", "content_type": "application/gzip"}, "unreadable_answer"),
        ({"text": "", "status": 200}, "unreadable_answer"),
        ({"text": "gone", "status": 503, "content_type": "text/plain"}, "http_503"),
        ({"text": "<html>", "status": 502, "content_type": "text/html"}, "http_502"),
        ({"text": "<html>", "status": 500, **JSON}, "http_500"),
        ({"text": "no", "status": 403, "content_type": "text/plain"}, "http_403"),
        ({"text": '{"ok": false, "error": "fatal_error"}', **JSON}, "fatal_error"),
        ({"text": '{"ok": false, "error": "internal_error"}', "status": 500, **JSON}, "http_500"),
    ],
)
async def test_an_answer_that_tells_nothing_is_ambiguous(response: dict[str, Any], error: str) -> None:
    found = await outcome(**response)
    assert isinstance(found, Ambiguous)
    assert found.error == error


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("0", LEAST_RETRY_AFTER),
        ("-3", LEAST_RETRY_AFTER),
        ("99999999999999999999", MOST_RETRY_AFTER),
        ("inf", DEFAULT_RETRY_AFTER),
        ("nan", DEFAULT_RETRY_AFTER),
        ("soon", DEFAULT_RETRY_AFTER),
        (None, DEFAULT_RETRY_AFTER),
    ],
)
@pytest.mark.parametrize("word", ["ratelimited", "rate_limited"])
@pytest.mark.parametrize("status", [200, 429])
async def test_retry_after_is_read_whatever_stands_there(
    given: str | None, seconds: float, word: str, status: int
) -> None:
    headers = {"X-Other": "1"} | ({} if given is None else {"Retry-After": given})
    found = await outcome(text=f'{{"ok": false, "error": "{word}"}}', status=status, headers=headers, **JSON)
    assert isinstance(found, RateLimited)
    assert found.retry_after == seconds


async def test_a_429_without_json_is_one_too() -> None:
    found = await outcome(text="slow down", status=429, headers={"retry-after": "3"}, content_type="text/plain")
    assert isinstance(found, RateLimited)
    assert found.retry_after == 3


async def test_a_refusal_names_the_scope_that_is_missing() -> None:
    found = await outcome(text='{"ok": false, "error": "missing_scope", "needed": "channels:history"}', **JSON)
    assert isinstance(found, Refused)
    assert (found.scope, found.needed) == (Scope.METHOD, "channels:history")


async def test_whatever_the_sdk_raises_is_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(text="{}") as calls:

        async def stumble(*_: Any, **__: Any) -> None:
            raise RuntimeError("surprise")

        monkeypatch.setattr("slack_sdk.web.async_client.AsyncWebClient.api_call", stumble)
        with pytest.raises(Ambiguous, match="unreadable_answer"):
            await calls.call("chat.postMessage")


async def test_a_slack_out_of_reach_has_certainly_taken_nothing(unused_tcp_port: int) -> None:
    calls = SlackCalls(token="xoxb-t", api_url=f"http://127.0.0.1:{unused_tcp_port}/api/", trust_env=False)
    with pytest.raises(NotSent, match="unreachable"):
        await calls.call("chat.postMessage")
    await calls.close()


@pytest.mark.parametrize(
    ("begin", "proxy", "obstacle"),
    [
        # The server speaks plain HTTP.
        ("https://", None, Obstacle.CERTIFICATE),
        ("http://", "http://127.0.0.1:9", Obstacle.PROXY),
        ("http:///", None, Obstacle.ADDRESS),
    ],
)
async def test_what_is_in_the_way_to_slack_is_known_and_no_secret_goes_with_it(
    begin: str, proxy: str | None, obstacle: Obstacle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    if proxy is not None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
    async with answering() as plain:
        calls = SlackCalls(token="xoxb-t", api_url=plain.api_url.replace("http://", begin))
        try:
            with pytest.raises(NotSent, match="unreachable") as caught:
                await calls.call("chat.postMessage")
        finally:
            await calls.close()

    assert caught.value.obstacle is obstacle
    assert caught.value.__cause__ is None


async def test_after_the_end_nothing_is_sent_and_no_session_is_left_open() -> None:
    calls = SlackCalls(token="xoxb-t", api_url="http://127.0.0.1:9/api/")
    await calls.close()
    with pytest.raises(NotSent, match="closed"):
        await calls.call("chat.postMessage")


async def test_many_first_calls_at_once_share_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    true = aiohttp.ClientSession.__init__

    def counted(self: aiohttp.ClientSession, *args: Any, **more: Any) -> None:
        nonlocal opened
        opened += 1
        true(self, *args, **more)

    async with LocalSlack() as slack:
        monkeypatch.setattr(aiohttp.ClientSession, "__init__", counted)
        metrics = Metrics(version="test")
        calls = SlackCalls(token=slack.bot_token, api_url=slack.api_url, counts=metrics, trust_env=False)
        answers = await asyncio.gather(*(calls.call("auth.test") for _ in range(20)))
        await calls.close()
    assert opened == 1
    assert {answer["bot_id"] for answer in answers} == {slack.workspace.bot.bot_id}
    assert calls.scopes == frozenset(slack.scopes)
    assert b'itempath_bot_messages_total{method="auth.test",outcome="ok"} 20.0' in metrics.render()[0]


async def test_a_proxy_of_the_environment_is_not_used_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would take it by itself, and pass over NO_PROXY."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with LocalSlack() as slack:
        for trust_env in (False, True):
            calls = SlackCalls(token=slack.bot_token, api_url=slack.api_url, trust_env=trust_env)
            await calls.call("auth.test")
            await calls.close()


@pytest.mark.parametrize(
    ("error", "kind", "scope"),
    [
        ("invalid_blocks", Malformed, Scope.MESSAGE),
        ("thread_not_found", Gone, Scope.MESSAGE),
        ("not_in_channel", Refused, Scope.CHANNEL),
        ("token_revoked", Refused, Scope.WORKSPACE),
        ("missing_scope", Refused, Scope.METHOD),
        ("never_heard_of", Refused, Scope.MESSAGE),
    ],
)
def test_a_refusal_knows_what_it_is_about(error: str, kind: type[Refused], scope: Scope) -> None:
    found = from_answer(error)
    assert type(found) is kind
    assert isinstance(found, Refused)
    assert (found.error, found.scope, str(found)) == (error, scope, error)


def test_every_error_has_words_for_a_person() -> None:
    for error in (*ADVICE, "http_503", "internal_error", "never_heard_of"):
        told = advice(error)
        assert told.meaning
        assert told.remedy
    assert advice("http_503") == advice("fatal_error") != advice("never_heard_of")
