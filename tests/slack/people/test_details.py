"""The button Details: a modal that opens at once, and what it shows then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.incidents import SITE
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.faults import Fault as SlackFault
from bot.store.errors import StoreError
from bot.store.store import Store
from tests.slack.people.household import House, read

Build = Callable[..., Any]


async def details(house: House, thread: str, **fields: Any) -> list[dict[str, Any]]:
    """What a click says beside the modal."""
    trigger = house.slack.interactions._triggers.make("U0ALICE")
    return await house.click("details", thread, **({"trigger_id": trigger} | fields))


def modal(house: House) -> str:
    (view,) = house.slack.workspace.views.values()
    assert view["title"]["text"] == "Details"
    return read({"blocks": view["blocks"], "text": "-"})


async def test_a_modal_says_that_it_loads_and_then_shows_the_connection_live(house: House) -> None:
    house.sites["plant"].change(2, username="changed-since")
    assert await details(house, await house.thread("2")) == []
    opened, updated = [c for c in house.slack.calls.log if c.method.startswith("views.")]
    assert opened.method == "views.open"
    assert "Loading" in str(opened.arguments["view"])
    assert updated.method == "views.update"
    shown = modal(house)
    assert "Web Services is down" in shown
    assert "read from ItemPath just now" in shown
    assert "changed-since" in shown
    assert "Share to channel" not in shown


async def test_it_opens_before_anything_is_read(house: House) -> None:
    """A trigger lives for three seconds; a site that hangs takes two."""
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await details(house, await house.thread("2"))
    assert "Web Services was down when last read" in modal(house)


async def test_a_group_shows_its_members_by_state(build: Build) -> None:
    rows = [{"id": n, "name": f"Dock {n}", "status": 0, "integrationCount": n} for n in range(1, 5)]
    house: House = await build(sites={"plant": rows})
    house.sites["plant"].set_status(2, 1)
    house.sites["plant"].remove(3)
    house.sites["plant"].write_error(4, "no route <!channel>")
    await house.poll()
    await house.poll()
    await details(house, "plant/1")
    lines = modal(house).splitlines()
    assert lines[0] == "🔴 4 connections: 2 down, 1 up again, 1 no longer watched"
    assert "Nobody has acknowledged it yet." in lines
    assert lines[2] == "Down:"
    assert lines[3].startswith("🔴 Dock 4 plant/4 since ")
    assert lines[3].endswith("stops 4 integrations: no route <!channel>")
    assert lines[4].startswith("🔴 Dock 1 plant/1 since ")
    assert lines[5:7] == ["Up again:", lines[6]]
    assert lines[6].startswith("🟢 Dock 2 plant/2 after ")
    assert lines[7] == "No longer watched:"
    assert lines[8].startswith("⚪ Dock 3 plant/3 after ")


async def test_of_a_member_that_nobody_saw_falling_it_is_said_between_when(build: Build) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "name": f"Dock {n}", "status": 1} for n in range(1, 6)]
    house: House = await build(sites={"plant": rows})
    plant = house.sites["plant"]
    await plant.set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    for row in rows:
        plant.set_status(row["id"], 0)
    await plant.set_fault(None)
    await house.poll()
    await details(house, await house.thread("1"))
    lines = [line for line in modal(house).splitlines() if line.startswith("🔴 Dock")]
    assert len(lines) == 5
    assert lines[0].startswith("🔴 Dock 1 plant/1, went down between ")
    assert ", while the site could not be read" in lines[0]


async def test_members_of_a_site_that_cannot_be_read_are_shown_as_they_last_stood(build: Build) -> None:
    rows = [{"id": n, "name": f"Dock {n}", "status": 0} for n in range(1, 3)]
    house: House = await build(sites={"plant": rows})
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    await details(house, "plant/1")
    assert "plant cannot be read since 2" in modal(house)
    assert "this is how they last stood." in modal(house)


async def test_a_site_shows_why_it_cannot_be_read_and_that_it_can_again(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    thread = await house.thread(SITE)
    await details(house, thread)
    shown = modal(house)
    assert "🟣 1 site: 1 cannot be read" in shown
    assert "Cannot be read:\n🟣 plant since 2" in shown
    house.slack.workspace.views.clear()
    await house.sites["plant"].set_fault(None)
    await house.poll()
    await details(house, thread)
    shown = modal(house)
    assert "🟢 1 site: 1 can be read again" in shown
    assert "🟢 plant after " in shown


async def test_a_baseline_without_anything_down_says_so(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": 1, "name": "One", "status": 1}]})
    await details(house, "plant/1")
    assert "No connection was down" in modal(house)


async def test_five_hundred_members_fit(build: Build) -> None:
    rows = [{"id": n, "name": f"Dock {n} " + "&<" * 60, "status": 0} for n in range(500)]
    house: House = await build(sites={"plant": rows})
    await details(house, "plant/1")
    shown = read({"blocks": next(iter(house.slack.workspace.views.values()))["blocks"][:2], "text": "-"})
    assert "500 connections: 500 down" in shown
    (view,) = house.slack.workspace.views.values()
    assert "and 400 more" in str(view["blocks"][-1])
    assert len(view["blocks"]) <= 100


async def test_what_is_not_remembered_any_more_says_so(house: House) -> None:
    await details(house, "plant/999")
    assert "Nothing is remembered of this any more" in modal(house)


async def test_a_connection_of_a_site_that_is_not_configured_any_more_is_shown_from_memory(house: House) -> None:
    thread = await house.thread("2")
    house.lookup._live = {}
    await details(house, thread)
    assert "1 connection: 1 down" in modal(house)


async def test_where_no_modal_opens_the_answer_comes_privately(house: House) -> None:
    (said,) = await details(house, await house.thread("2"), trigger_id="late")
    assert "Web Services is down" in read(said)
    assert said["response_type"] == "ephemeral"
    house.slack._api._methods["views.open"] = lambda _: {"ok": True}
    (said,) = await details(house, await house.thread("2"))
    assert "Web Services is down" in read(said)


async def test_a_modal_that_was_closed_meanwhile_is_left_alone(house: House) -> None:
    house.slack.fail("views.update", SlackFault.says("not_found"))
    assert await details(house, await house.thread("2")) == []


async def test_a_modal_that_slack_does_not_fill_is_answered_privately(house: House) -> None:
    house.slack.fail("views.update", SlackFault.drop())
    (said,) = await details(house, await house.thread("2"))
    assert "Web Services is down" in read(said)


@pytest.mark.parametrize("error", ["invalid_arguments", "view_too_large"])
async def test_a_modal_whose_content_slack_refuses_gets_the_text_alone(house: House, error: str) -> None:
    house.slack.fail("views.update", SlackFault.says(error), times=1)
    assert await details(house, await house.thread("2")) == []
    assert "Web Services is down." in modal(house)


async def test_a_token_that_slack_refuses_is_not_tried_with_less(house: House) -> None:
    house.slack.fail("views.update", SlackFault.says("invalid_auth"), times=1)
    (said,) = await details(house, await house.thread("2"))
    assert "Web Services is down" in read(said)
    assert len(house.slack.made("views.update")) == 1


async def test_without_a_database_the_modal_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await house.thread("2")
    await house.workspace.identity()

    async def gone(self: Store, thread_id: str) -> Any:
        raise StoreError("gone", "mend it")

    monkeypatch.setattr(Store, "thread", gone)
    await details(house, thread)
    assert "cannot read its database" in modal(house)


async def test_another_workspace_gets_no_modal(house: House) -> None:
    payload = house.click_payload("details", await house.thread("2"))
    payload["user"]["team_id"] = "T0OTHER"
    said = await house.press(payload)
    assert "its own workspace only" in read(said[0])
    assert house.slack.made("views.open") == []
