"""The board is kept true for who opened it lately, whatever Slack and the database do."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.sandbox.slack.faults import Fault as SlackFault
from bot.slack.home import showing
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError
from bot.store.store import Store
from tests.slack.people.homes import opened, payload, published
from tests.slack.people.household import House


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "other"},
        {"event": {"type": "message"}},
        {"event": "nonsense"},
        {"event": {"type": "app_home_opened", "user": "U0ALICE", "tab": "messages"}},
        {"event": {"type": "app_home_opened", "tab": "home"}},
    ],
)
async def test_another_event_shows_nothing(house: House, fields: dict[str, Any]) -> None:
    await house.handlers.event(payload(house, **fields))
    assert published(house) == 0


async def test_nothing_is_shown_anew_while_nothing_changed(house: House) -> None:
    await opened(house)
    for _ in range(3):
        await house.later(minutes=1)
        await house.home.refresh()
    assert published(house) == 1


async def test_what_changed_is_shown_anew_to_who_opened_it_lately(house: House) -> None:
    await opened(house)
    await opened(house, "U0BOB")
    house.sites["plant"].set_status(1, 0)
    await house.later(minutes=1)
    await house.home.refresh()
    assert published(house) == 4
    for user in ("U0ALICE", "U0BOB"):
        home = house.slack.workspace.homes[user]
        assert "PowerPick" in str(home["blocks"])
    await house.home.refresh()
    assert published(house) == 4


async def test_times_are_shown_anew_before_they_look_as_if_nothing_were_read(house: House) -> None:
    await opened(house)
    await house.later(minutes=5)
    await house.home.refresh()
    assert published(house) == 2


async def test_who_opened_it_long_ago_is_not_kept_up_to_date(house: House) -> None:
    await opened(house)
    await house.later(minutes=31)
    await house.home.refresh()
    assert published(house) == 1


async def test_only_the_latest_viewers_are_kept_up_to_date(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "VIEWERS", 1)
    await opened(house)
    await opened(house, "U0BOB")
    await house.later(minutes=6)
    await house.home.refresh()
    assert [call.arguments["user_id"] for call in house.slack.made("views.publish")] == ["U0ALICE", "U0BOB", "U0BOB"]


async def test_it_is_refreshed_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "EVERY", timedelta(milliseconds=10))
    await opened(house)
    house.clock.ahead += timedelta(minutes=6)
    running = asyncio.create_task(house.home.run())
    await house.slack.wait_for(lambda: published(house) >= 2)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_slack_does_not_take_is_logged_once_and_tried_again(house: House) -> None:
    house.slack.fail("views.publish", SlackFault.says("internal_error"), times=None)
    with capture_logs() as logs:
        await house.handlers.event(payload(house))
        for _ in range(3):
            await house.home.refresh()
    told = [line for line in logs if line["log_level"] == "warning"]
    assert [line["event"] for line in told] == ["showing the Home tab fails"]
    house.slack.faults.clear()
    with capture_logs() as logs:
        await house.home.refresh()
    assert "showing the Home tab recovered" in {line["event"] for line in logs}
    assert "Web Services" in str(house.slack.workspace.homes["U0ALICE"])


async def test_a_token_that_slack_refuses_is_not_tried_with_less(house: House) -> None:
    house.slack.fail("views.publish", SlackFault.says("invalid_auth"), times=1)
    await house.handlers.event(payload(house))
    assert published(house) == 1


async def test_when_slack_asks_to_slow_down_the_rest_waits(house: House) -> None:
    await opened(house)
    await opened(house, "U0BOB")
    house.slack.fail("views.publish", SlackFault.rate_limited(1), times=1)
    await house.later(minutes=6)
    await house.home.refresh()
    assert published(house) == 3
    await house.home.refresh()
    assert published(house) == 5


@pytest.mark.parametrize("error", ["invalid_arguments", "view_too_large"])
async def test_a_board_that_slack_refuses_gets_its_headline_alone(house: House, error: str) -> None:
    house.slack.fail("views.publish", SlackFault.says(error), times=1)
    assert (await opened(house)).startswith("🔴 1 connection down. Type `/connection list`")


async def test_without_a_database_it_says_so_and_recovers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.workspace.identity()

    async def gone(self: Store) -> Any:
        raise StoreError("gone", "mend it")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "sites", gone)
        house.slack.fail("views.publish", SlackFault.says("invalid_arguments"), times=1)
        await house.handlers.event(payload(house))
        assert house.slack.workspace.homes == {}
        assert "cannot read its database" in await opened(house)
        await house.home.refresh()
    await house.home.refresh()
    assert "Web Services" in str(house.slack.workspace.homes["U0ALICE"])


async def test_without_a_database_nobody_is_told_apart(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(self: Store, key: str) -> Any:
        raise StoreError("gone", "mend it")

    monkeypatch.setattr(Store, "meta", gone)
    handlers = house.made(workspace=Workspace(house.calls, house.store))
    await handlers.event(payload(house))
    assert published(house) == 0
