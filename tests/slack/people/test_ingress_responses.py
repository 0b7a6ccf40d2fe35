"""The way back: answers to a `response_url`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.slack.commands.people import Reached
from bot.slack.ingress.responses import ATTEMPTS, PATIENCE, Responses

ANSWER = {"response_type": "ephemeral", "text": "hi", "blocks": [{"type": "divider"}]}


class Slack:
    """Takes posts and answers them as scripted, then with `ok`."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.script: list[web.Response | None] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        answer = self.script.pop(0) if self.script else web.Response(text="ok")
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


@pytest.fixture
async def far() -> AsyncIterator[Slack]:
    slack = Slack()
    application = web.Application()
    application.router.add_post("/commands/T1/secret-token", slack.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}/commands/T1/secret-token"
    yield slack
    await runner.cleanup()


@pytest.fixture
async def responses(far: Slack) -> AsyncIterator[Responses]:
    made = Responses(api_url=far.url.replace("commands", "api"), timeout=2.0, backoff=0.001)
    yield made
    await made.close()


async def test_an_answer_is_posted_as_it_is(far: Slack, responses: Responses) -> None:
    assert await responses.post(far.url, ANSWER)
    assert far.got == [ANSWER]


@pytest.mark.parametrize(
    "trouble",
    [
        lambda: web.Response(status=503),
        lambda: web.Response(status=429, headers={"Retry-After": "0"}),
        lambda: web.Response(status=200, text='{"ok": false, "error": "internal_error"}'),
        lambda: None,
    ],
)
async def test_what_may_pass_is_tried_again(far: Slack, responses: Responses, trouble: Any) -> None:
    far.script = [trouble(), trouble()]
    assert await responses.post(far.url, ANSWER)
    assert far.got == [ANSWER] * 3


async def test_attempts_are_counted_as_an_address_is_good_for_five(far: Slack, responses: Responses) -> None:
    far.script = [web.Response(status=503) for _ in range(10)]
    assert not await responses.post(far.url, ANSWER)
    assert len(far.got) == ATTEMPTS < 5


async def test_what_all_see_is_not_repeated_after_an_answer_was_lost(far: Slack, responses: Responses) -> None:
    far.script = [None]
    assert await responses.post(far.url, ANSWER, repeatable=False) is Reached.UNKNOWN
    assert len(far.got) == 1
    # Certainly not accepted: that may be repeated.
    far.script = [web.Response(status=429, headers={"Retry-After": "0"})]
    assert await responses.post(far.url, ANSWER, repeatable=False)


async def test_what_a_person_has_to_hear_is_tried_for_minutes(far: Slack) -> None:
    patient = Responses(api_url=far.url.replace("commands", "api"), timeout=2.0, patience=(0.001, 0.001, 0.002, 0.01))
    far.script = [web.Response(status=503) for _ in range(3)]
    far.script.append(web.Response(status=429, headers={"Retry-After": "0"}))
    assert await patient.post(far.url, ANSWER, patient=True)
    assert len(far.got) == len(PATIENCE) + 1 == 5
    far.script = [web.Response(status=429, headers={"Retry-After": "1"})]
    assert await patient.post(far.url, ANSWER, patient=True) is Reached.REFUSED
    await patient.close()
    assert sum(PATIENCE) < 30 * 60


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (404, "expired_url", "expired_url"),
        (404, '{"ok": false, "error": "used_url"}', "used_url"),
        (200, '{"ok": false, "error": "used_url"}', "used_url"),
        (200, '{"ok": false}', "http_200"),
        (400, "<html>", "http_400"),
        (302, "", "http_302"),
        (404, "[]", "http_404"),
    ],
)
async def test_a_refusal_is_not_tried_again(
    far: Slack, responses: Responses, status: int, text: str, error: str
) -> None:
    far.script = [web.Response(status=status, text=text)]
    with capture_logs() as logs:
        assert await responses.post(far.url, ANSWER) is Reached.REFUSED
    assert len(far.got) == 1
    assert logs[-1]["error"] == error


@pytest.mark.parametrize("text", ["ok", "", '{"ok": true}', "{}", "[]", "5", "[" * 1500])
async def test_slacks_yes_has_many_forms(far: Slack, responses: Responses, text: str) -> None:
    far.script = [web.Response(text=text)]
    assert await responses.post(far.url, ANSWER)


async def test_a_wait_that_nobody_would_sit_out_is_not_waited(far: Slack, responses: Responses) -> None:
    far.script = [web.Response(status=429, headers={"Retry-After": "60"})]
    assert not await responses.post(far.url, ANSWER)
    far.script = [web.Response(status=429, headers={"Retry-After": "soon"})]
    assert await responses.post(far.url, ANSWER)


async def test_what_slack_calls_malformed_is_sent_as_text(far: Slack, responses: Responses) -> None:
    far.script = [web.Response(status=400, text="invalid_blocks")]
    assert await responses.post(far.url, ANSWER)
    assert far.got[1] == {"response_type": "ephemeral", "text": "hi"}


async def test_nothing_listens_there(far: Slack, responses: Responses, unused_tcp_port: int) -> None:
    own = Responses(api_url=f"http://127.0.0.1:{unused_tcp_port}/api/", backoff=0.001)
    assert not await own.post(f"http://127.0.0.1:{unused_tcp_port}/x", ANSWER)
    await own.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "/response/1",
        "http://hooks.slack.com/commands/T1/1",
        "https://hooks.slack.com.evil.example/commands",
        "https://evilslack.com/commands",
        "https://169.254.169.254/latest",
        "http://127.0.0.2:1/commands",
        "ftp://127.0.0.1/commands",
        "file:///etc/passwd",
        "https://[broken/",
        "https://user@slack.com@evil.example/",
    ],
)
async def test_nobody_but_slack_is_posted_to(responses: Responses, url: str) -> None:
    with capture_logs() as logs:
        assert not await responses.post(url, ANSWER)
    assert "none of Slack's" in logs[0]["event"]


@pytest.mark.parametrize("url", ["https://hooks.slack.com/commands/T1/1", "https://hooks.slack-gov.com/actions/x"])
async def test_slacks_own_hosts_are_known(url: str) -> None:
    assert Responses(api_url="https://slack.com/api/")._may(url)


@pytest.mark.parametrize("host", ["x..slack.com", f"{'x' * 70}.slack.com"])
async def test_a_host_that_no_name_server_can_be_asked_for_breaks_nothing(responses: Responses, host: str) -> None:
    with capture_logs() as logs:
        assert not await responses.post(f"https://{host}/commands", ANSWER)
    assert [entry["error"] for entry in logs] == ["no_such_address"]


def test_a_stand_in_for_slack_may_answer_at_another_port() -> None:
    assert Responses(api_url="http://127.0.0.1:1/api/")._may("http://127.0.0.1:2/response/x")
    assert not Responses(api_url="https://proxy.example/api/")._may("http://proxy.example/response/x")


async def test_an_address_never_stands_in_a_log(far: Slack, responses: Responses) -> None:
    far.script = [web.Response(status=400, text="invalid_blocks"), web.Response(status=404, text="used_url")]
    with capture_logs() as logs:
        await responses.post(far.url, ANSWER)
        await responses.post("https://evil.example/secret-token", ANSWER)
    assert len(logs) == 3
    assert "secret-token" not in str(logs)
