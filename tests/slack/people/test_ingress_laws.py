"""Whatever stands in a field of what Slack sends, by either way: it is acknowledged, nothing breaks, no secret is logged."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.slack.commands import replies
from bot.slack.commands.tables import AGAIN, TURN
from bot.slack.messages import ACKNOWLEDGE, DETAILS, MUTE
from tests.slack.people.door import Open

SECRET = "v3rification-t0ken"
FOREIGN = [
    "",
    " ",
    "\x00",
    "\ud800",
    "💥" * 3000,
    "help",
    "list",
    "plant/1",
    "plant/*",
    "nowhere/1",
    "mute 1 1h",
    f"{AGAIN}list",
    "https://hooks.slack.example/",
    "https://x..slack.com/",
    f"https://{'x' * 70}.slack.com/",
    "http://[",
    "//",
    10**400,
    -1,
]
TEXTS = [
    "ack",
    "unmute",
    "mute 1 9999d",
    'list name="\ud800"',
    "history 1 \x00",
    '"' * 99,
    "list page=99999999999999999999",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(FOREIGN + TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
ACTIONS = [ACKNOWLEDGE, MUTE, DETAILS, replies.UNMUTE, replies.SHARE, f"{TURN}1"]

# One house for all examples: what one of them does to it, the next one finds.
patient = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands, at every depth."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _changed(payload: Any, path: tuple[str | int, ...], value: Any) -> Any:
    payload = copy.deepcopy(payload)
    inner = payload
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return payload


def around(payload: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """With something else in the place of any field, or of two."""
    once = st.builds(_changed, st.just(payload), st.sampled_from(list(_places(payload))), values)
    return once | once.flatmap(
        lambda changed: st.builds(_changed, st.just(changed), st.sampled_from(list(_places(changed))), values)
    )


COMMAND = {
    "token": SECRET,
    "team_id": "T0SANDBOX",
    "user_id": "U0ALICE",
    "user_name": "alice",
    "channel_id": "C0ALERTS",
    "command": "/connection",
    "text": "1",
    "trigger_id": f"1.{SECRET}",
    "response_url": f"https://hooks.slack.example/commands/{SECRET}",
}


def click(action: str) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "token": SECRET,
        "team": {"id": "T0SANDBOX"},
        "user": {"id": "U0ALICE", "name": "alice", "team_id": "T0SANDBOX"},
        "container": {"type": "message", "channel_id": "C0ALERTS", "message_ts": "1.000100"},
        "trigger_id": f"1.{SECRET}",
        "response_url": f"https://hooks.slack.example/actions/{SECRET}",
        "actions": [{"type": "button", "action_id": action, "value": "plant/1"}],
    }


EVENT = {
    "type": "event_callback",
    "token": SECRET,
    "team_id": "T0SANDBOX",
    "event": {"type": "app_home_opened", "user": "U0ALICE", "tab": "home"},
}


async def quiet(door: Open) -> None:
    """Everything that was taken is done."""
    while tasks := set(door.reception._tasks):
        await asyncio.gather(*tasks)


async def harmless(door: Open, how: Any) -> Any:
    with capture_logs() as logs:
        came = await how
        await quiet(door)
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert SECRET not in repr(logs)
    return came


@patient
@given(around(COMMAND))
async def test_a_form_with_anything_in_any_field_is_answered(door: Open, payload: dict[str, Any]) -> None:
    body = urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in payload.items()}, errors="replace")
    status, _ = await harmless(door, door.send(body))
    assert status in (200, 400)


@patient
@given(around(COMMAND))
async def test_a_command_of_socket_mode_with_anything_in_any_field_is_answered(
    door: Open, payload: dict[str, Any]
) -> None:
    answer = await harmless(door, door.reception.command(payload))
    assert json.dumps(answer)


@patient
@given(st.sampled_from(ACTIONS).map(click), st.sampled_from([v for v in FOREIGN if isinstance(v, str)]))
async def test_an_answer_to_any_address_breaks_nothing(door: Open, payload: dict[str, Any], url: str) -> None:
    payload = payload | {"response_url": url}
    status, _ = await harmless(door, door.send(urlencode({"payload": json.dumps(payload)})))
    assert status == 200


@patient
@given(st.sampled_from(ACTIONS).map(click).flatmap(around))
async def test_a_click_with_anything_in_any_field_is_taken(door: Open, payload: dict[str, Any]) -> None:
    status, _ = await harmless(door, door.send(urlencode({"payload": json.dumps(payload)})))
    assert status == 200


@patient
@given(around(EVENT))
async def test_an_event_with_anything_in_any_field_is_taken(door: Open, payload: dict[str, Any]) -> None:
    status, _ = await harmless(door, door.send(json.dumps(payload), "application/json"))
    assert status == 200


@patient
@given(values, st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
async def test_any_json_in_place_of_all_of_it_is_taken_or_refused(door: Open, payload: Any, kind: str) -> None:
    body = json.dumps(payload)
    status, _ = await harmless(
        door, door.send(body if kind == "application/json" else urlencode({"payload": body}), kind)
    )
    assert status == 200 if isinstance(payload, dict) else status == 400
