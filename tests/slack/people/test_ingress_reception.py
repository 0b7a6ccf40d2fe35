"""Slack hears back within three seconds, and the person gets an answer, whatever it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.slack.commands.people import Reached
from bot.slack.ingress.reception import Reception
from bot.slack.ingress.responses import Responses

ANSWER = {"text": "answer"}


class Work:
    """Handlers that do as they are told."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.error: Exception | None = None
        self.cancelled = False

    async def command(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return ANSWER

    async def event(self, payload: Mapping[str, Any]) -> None:
        await self.command(payload)

    async def action(self, payload: Mapping[str, Any], respond: Any) -> None:
        await respond(await self.command(payload), repeatable=False)


class Post(Responses):
    """Remembers what is posted."""

    def __init__(self) -> None:
        super().__init__(api_url="https://slack.com/api/")
        self.posted: list[tuple[str, str, bool]] = []
        self.arrived = asyncio.Event()
        self.patient: list[bool] = []
        self.reached = Reached.TAKEN

    async def post(
        self, url: str, answer: Mapping[str, Any], *, repeatable: bool = True, patient: bool = False
    ) -> Reached:
        self.posted.append((url, str(answer["text"]), repeatable))
        self.patient.append(patient)
        self.arrived.set()
        return self.reached

    async def arrives(self) -> None:
        async with asyncio.timeout(10):
            await self.arrived.wait()


PAYLOAD = {"response_url": "https://hooks.slack.com/x"}


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def post() -> Post:
    return Post()


def reception(work: Any, post: Post, **more: float) -> Reception:
    return Reception(handlers=work, responses=post, **({"ready_within": 0.05} | more))


async def test_an_answer_that_is_ready_goes_with_the_acknowledgement(work: Work, post: Post) -> None:
    work.go.set()
    desk = reception(work, post)
    assert await desk.command(PAYLOAD) == ANSWER
    await desk.close()
    assert post.posted == []


async def test_an_answer_that_is_late_follows(work: Work, post: Post) -> None:
    desk = reception(work, post)
    assert await desk.command(PAYLOAD) is None
    work.go.set()
    await post.arrives()
    assert post.posted == [("https://hooks.slack.com/x", "answer", True)]
    await desk.close()


async def test_when_slack_hangs_up_the_answer_still_follows(work: Work, post: Post) -> None:
    desk = reception(work, post, ready_within=60)
    waiting = asyncio.create_task(desk.command(PAYLOAD))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    work.go.set()
    await post.arrives()
    assert [text for _, text, _ in post.posted] == ["answer"]
    await desk.close()


async def test_a_click_is_handled_after_its_acknowledgement(work: Work, post: Post) -> None:
    desk = reception(work, post)
    desk.action(PAYLOAD)
    assert post.posted == []
    work.go.set()
    await post.arrives()
    assert post.posted == [("https://hooks.slack.com/x", "answer", False)]
    await desk.close()


async def test_an_answer_that_missed_its_acknowledgement_follows(work: Work, post: Post) -> None:
    desk = reception(work, post)
    desk.follow_up(PAYLOAD, ANSWER)
    await desk.close()
    assert post.posted == [("https://hooks.slack.com/x", "answer", True)]


async def test_a_failure_is_logged_and_told(work: Work, post: Post) -> None:
    work.error = RuntimeError("boom")
    work.go.set()
    desk = reception(work, post)
    with capture_logs() as logs:
        answer = await desk.command(PAYLOAD)
        desk.action(PAYLOAD)
        await post.arrives()
    assert answer is not None
    assert "Something went wrong" in answer["text"]
    assert "Something went wrong" in post.posted[0][1]
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("a command failed", "error"),
        ("a click failed", "error"),
    ]
    await desk.close()


async def test_what_takes_too_long_is_given_up_and_told(work: Work, post: Post) -> None:
    desk = reception(work, post, at_most=0.02, ready_within=60)
    answer = await desk.command(PAYLOAD)
    assert answer is not None
    assert "took too long" in answer["text"]
    desk.action(PAYLOAD)
    await post.arrives()
    assert "took too long" in post.posted[0][1]
    await desk.close()


async def test_what_is_under_way_is_waited_for_when_the_bot_stops(work: Work, post: Post) -> None:
    desk = reception(work, post)
    await desk.command(PAYLOAD)
    asyncio.get_running_loop().call_later(0.05, work.go.set)
    await desk.close(grace=10)
    assert [text for _, text, _ in post.posted] == ["answer"]


async def test_what_does_not_end_is_ended_when_the_bot_stops(work: Work, post: Post) -> None:
    desk = reception(work, post)
    await desk.command(PAYLOAD)
    with capture_logs() as logs:
        await desk.close(grace=0.01)
    assert work.cancelled
    assert post.posted == []
    assert {line["event"] for line in logs} == {"an answer was given up because the bot stops"}


async def test_an_event_is_handled_after_its_acknowledgement(work: Work, post: Post) -> None:
    desk = reception(work, post)
    desk.event(PAYLOAD)
    work.go.set()
    await desk.close()
    assert not work.cancelled
    assert post.posted == []


async def test_an_event_that_fails_or_takes_too_long_costs_no_more_than_itself(work: Work, post: Post) -> None:
    desk = reception(work, post, at_most=0.02)
    with capture_logs() as logs:
        desk.event(PAYLOAD)
        await desk.close()
        work.error = RuntimeError("boom")
        work.go.set()
        desk.event(PAYLOAD)
        await desk.close()
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("an event took too long", "warning"),
        ("an event failed", "error"),
    ]
    assert post.posted == []


async def test_what_slack_did_to_an_answer_is_told_with_patience_and_holds_nobody_up(post: Post) -> None:
    """While Slack refuses everything, the word of it is tried for minutes, beyond the time that a click has."""

    class Shares:
        def __init__(self) -> None:
            self.said: list[Reached] = []

        async def action(self, payload: Mapping[str, Any], respond: Any) -> None:
            self.said.append(await respond({"text": "shared"}, repeatable=False))
            self.said.append(await respond({"text": "not shared"}))

    shares = Shares()
    post.reached = Reached.REFUSED
    desk = reception(shares, post)
    desk.action(PAYLOAD)
    await desk.close()
    assert [text for _, text, _ in post.posted] == ["shared", "not shared"]
    assert post.patient == [False, True]
    assert shares.said == [Reached.REFUSED, Reached.UNKNOWN]
