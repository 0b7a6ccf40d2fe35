"""`ack <ref>`, the buttons, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from bot.core.incidents import Person, ThreadKind
from bot.core.state import AckOutcome, AckReply, Reply
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.faults import Fault as SlackFault
from bot.slack.commands import replies
from bot.slack.commands.doing import Act
from bot.slack.commands.lookup import Lookup
from bot.slack.commands.people import Reached
from bot.slack.workspace import Workspace
from bot.store.errors import DatabaseFull, StoreError
from tests.slack.people.household import House, read

Build = Callable[..., Any]
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


async def test_ack_is_recorded_before_it_is_confirmed(house: House) -> None:
    shown = await house.ask("ack web services")
    assert "You have acknowledged Web Services" in shown
    threads = await house.store.threads([await house.thread("2")])
    (thread,) = threads.values()
    assert thread.ack_by == Person(id="U0ALICE", name="alice")


async def test_a_second_ack_says_who_was_first_and_changes_nothing(house: House) -> None:
    await house.ask("ack 2")
    shown = await house.ask("ack 2", user_id="U0BOB", user_name="bob")
    assert "Web Services was acknowledged before" in shown
    assert "By alice, " in shown
    thread = (await house.store.threads([await house.thread("2")])).popitem()[1]
    assert thread.ack_by == Person(id="U0ALICE", name="alice")


async def test_what_is_up_has_nothing_to_acknowledge(house: House) -> None:
    assert "SAP Stock has no open incident" in await house.ask("ack 7")


async def test_an_unknown_name_is_acknowledged_by_nobody(house: House) -> None:
    assert "No connection is known as nothing" in await house.ask("ack nothing")


async def test_a_site_that_cannot_be_read_is_acknowledged_as_a_whole(house: House) -> None:
    assert "berlin has no open incident: nothing to acknowledge" in await house.ask("ack berlin/*")
    await house.ask("ack 2")
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    shown = await house.ask("ack Plant/*")
    assert "You have acknowledged plant: 1 open incident\n" in shown
    assert "1 more had been acknowledged before." in shown
    assert "Acknowledged by alice" in await house.ask("plant/1")


async def test_a_whole_site_is_acknowledged_with_all_that_is_open_there(house: House) -> None:
    house.sites["plant"].set_status(1, 0)
    house.sites["berlin"].set_status(7, 0)
    await house.poll()
    shown = await house.ask("ack plant/*")
    assert "You have acknowledged plant: 2 open incidents\nTheir threads say so." in shown
    assert "Acknowledged by alice" in await house.ask("plant/1")
    assert "Acknowledged by alice" in await house.ask("2")
    assert "Nobody has acknowledged it yet." in await house.ask("berlin/7")
    shown = await house.ask("ack plant/*", user_id="U0BOB", user_name="bob")
    assert "All 2 open incidents of plant were acknowledged before" in shown
    assert "You have acknowledged berlin" in await house.ask("ack berlin/*")
    assert "berlin was acknowledged before" in await house.ask("ack berlin/*")


async def test_what_could_not_be_recorded_of_a_whole_site_is_said(house: House) -> None:
    house.sites["plant"].set_status(1, 0)
    await house.poll()
    acts: list[Act] = []

    async def full(cause: Act) -> Reply | None:
        if acts:
            raise DatabaseFull("The database cannot grow.", "Free some space.")
        acts.append(cause)
        return await house.pollers["plant"].act(cause)

    handlers = house.made(act={"plant": full})
    shown = read(await handlers.command(house.command_payload("ack plant/*")))
    assert "Only 1 of 2 incidents of plant acknowledged" in shown


# The button


async def test_one_incident_of_a_whole_site_counts_as_one_and_keeps_whose_it_is(build: Any) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "name": f"Lift {n}", "status": 1} for n in range(1, 8)]
    house: House = await build(sites={"plant": rows})
    for row in rows:
        house.sites["plant"].set_status(row["id"], 0)
    await house.poll()
    assert "You have acknowledged plant: 1 open incident" in await house.ask("ack plant/*")
    shown = await house.ask("ack plant/*", user_id="U0BOB", user_name="bob")
    assert "plant was acknowledged before\nBy alice" in shown


async def test_the_button_acknowledges_its_thread(house: House) -> None:
    (said,) = await house.click("acknowledge", await house.thread("2"))
    assert "You have acknowledged Web Services" in read(said)
    assert said["response_type"] == "ephemeral"
    assert said["replace_original"] is False
    assert "Acknowledged by alice" in await house.ask("2")


async def test_a_thread_about_several_connections_is_not_named_after_one(build: Build) -> None:
    rows = [{"id": number, "name": f"Dock {number}", "status": 0} for number in (1, 2)]
    house: House = await build(sites={"plant": rows})
    (said,) = await house.click("acknowledge", "plant/1")
    assert "You have acknowledged this" in read(said)


async def test_a_double_click_is_answered_privately(house: House) -> None:
    thread = await house.thread("2")
    await house.click("acknowledge", thread)
    (said,) = await house.click("acknowledge", thread, user="U0BOB")
    assert "was acknowledged before" in read(said)
    assert said["response_type"] == "ephemeral"


async def test_a_late_click_is_told_that_it_is_over(house: House) -> None:
    house.sites["plant"].set_status(1, 0)
    await house.poll()
    thread = await house.thread("1")
    view = await house.store.thread(thread)
    assert view is not None
    assert view.thread.kind is ThreadKind.OUTAGE
    house.sites["plant"].set_status(1, 1)
    await house.poll()
    (said,) = await house.click("acknowledge", thread)
    assert "is over: nothing left to acknowledge" in read(said)


@pytest.mark.parametrize("value", ["oslo/4", "", "/", "4", "x" * 3000])
async def test_a_click_for_a_site_that_is_not_watched_any_more_says_so(house: House, value: str) -> None:
    (said,) = await house.click("acknowledge", value)
    assert "no longer watches that site" in read(said)


@pytest.mark.parametrize("value", ["plant/999", "plant/"])
async def test_a_click_for_a_thread_that_nobody_knows_is_over(house: House, value: str) -> None:
    (said,) = await house.click("acknowledge", value)
    assert "is over: nothing left to acknowledge" in read(said)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "block_actions"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": ["acknowledge"]},
        {"type": "block_actions", "actions": "acknowledge"},
        {"type": "view_submission", "actions": [{"action_id": "acknowledge", "value": "plant/1"}]},
        {"type": "block_actions", "actions": [{"action_id": "open_thread", "value": "link"}]},
        {"type": "block_actions", "actions": [{"action_id": 5, "value": []}]},
    ],
)
async def test_what_is_no_click_on_a_known_button_is_left_alone(house: House, payload: dict[str, Any]) -> None:
    async def respond(answer: Any, *, repeatable: bool = True) -> Reached:
        raise AssertionError(answer)

    await house.handlers.action(payload, respond)


# Sharing


async def test_sharing_shows_the_same_content_to_the_channel_and_takes_the_private_answer_away(house: House) -> None:
    shared, gone = await house.click("share", "plant/1")
    assert shared["response_type"] == "in_channel"
    assert shared["repeatable"] is False
    shown = read(shared)
    assert "PowerPick is up" in shown
    assert "*Username* `warehouse_user`" in shown
    assert "Shared by alice." in shown
    assert "[Share to channel]" not in shown
    assert gone == {"delete_original": True, "repeatable": True}


async def test_sharing_reads_anew(house: House) -> None:
    assert "PowerPick is up" in await house.ask("plant/1")
    house.sites["plant"].set_status(1, 0)
    shared, _ = await house.click("share", "plant/1")
    assert "PowerPick is down" in read(shared)


async def test_what_is_shared_says_when_it_was_read_and_not_just_now(house: House) -> None:
    """Whoever comes by later reads it as it was."""
    for fault, said in (
        (None, "read from ItemPath."),
        (Fault.SERVER_ERROR, "could not be read from ItemPath. "),
    ):
        await house.sites["plant"].set_fault(fault)
        # A second click on the same answer would share nothing.
        shared, _ = await house.click("share", "plant/1", container={"channel_id": "C1", "message_ts": said})
        shown = read(shared)
        assert re.search(rf"^plant/1: as of {MOMENT}, {said}", shown, re.MULTILINE)
        assert "just now" not in shown
        assert " ago" not in shown
    assert re.search(rf"What follows was read .* before, {MOMENT}\.", shown)


@pytest.mark.parametrize("value", ["?list", "?list down"])
async def test_a_shared_list_says_of_when_it_is(house: House, value: str) -> None:
    shared, _ = await house.click("share", value)
    assert re.search(rf"^As of {MOMENT}\. Shared by alice\.$", read(shared), re.MULTILINE)


async def test_who_shares_is_named_literally(house: House) -> None:
    user = {"id": "U0EVE", "name": "<!channel> *eve*", "team_id": house.slack.workspace.team.id}
    payload = house.click_payload("share", "plant/1", container={"channel_id": "C1", "message_ts": "2"})
    payload["user"] = user
    said = await house.press(payload)
    assert "Shared by <!channel> *eve*." in read(said[0])
    assert "<!channel>" not in said[0]["text"]


async def test_a_double_click_shares_once(house: House) -> None:
    assert len(await house.click("share", "plant/1")) == 2
    assert await house.click("share", "plant/1") == []
    other = {"channel_id": "C0ALERTS", "message_ts": "2.2"}
    assert len(await house.click("share", "plant/1", container=other)) == 2


async def test_what_slack_did_not_confirm_is_told_privately_and_can_be_tried_again(house: House) -> None:
    shared, told = await house.click("share", "plant/1", takes=False)
    assert shared["response_type"] == "in_channel"
    assert "Slack did not say whether it was shared" in read(told)
    assert "only if it is not there" in read(told)
    assert told["response_type"] == "ephemeral"
    assert len(await house.click("share", "plant/1")) == 2


async def test_what_slack_refused_is_said_to_be_nowhere(house: House) -> None:
    _, told = await house.click("share", "plant/1", takes=Reached.REFUSED)
    assert "Not shared: Slack did not accept it\nNothing was posted." in read(told)
    assert told["response_type"] == "ephemeral"


async def test_nothing_is_shared_of_a_site_that_is_not_watched_any_more(house: House) -> None:
    (said,) = await house.click("share", "oslo/1")
    assert "There is nothing to share" in read(said)
    assert said["response_type"] == "ephemeral"


async def test_a_connection_that_is_unknown_by_now_is_shared_as_such(house: House) -> None:
    shared, _ = await house.click("share", "plant/99")
    assert "99 is not in ItemPath" in read(shared)


# Who may


async def test_operators_alone_acknowledge_and_everybody_looks(build: Build) -> None:
    house: House = await build(operators=("U0BOB",))
    assert "but not acknowledge" in await house.ask("ack 2")
    assert "but not acknowledge" in await house.ask("ack plant/*")
    (said,) = await house.click("acknowledge", await house.thread("2"))
    assert "but not acknowledge" in read(said)
    assert "Nobody has acknowledged it yet." in await house.ask("2")
    assert len(await house.click("share", "plant/2")) == 2
    assert "You have acknowledged" in await house.ask("ack 2", user_id="U0BOB", user_name="bob")


@pytest.mark.parametrize(
    "fields",
    [{"team_id": "T0OTHER"}, {"team_id": ""}, {"user_team_id": "T0OTHER"}, {"user_team": "T0OTHER"}, {"team_id": None}],
)
async def test_another_workspace_is_refused(house: House, fields: dict[str, Any]) -> None:
    assert "its own workspace only" in await house.ask("ack 2", **fields)
    assert "its own workspace only" in await house.ask("2", **fields)
    assert "Nobody has acknowledged it yet." in await house.ask("2")


async def test_in_a_shared_channel_the_persons_own_team_counts(house: House) -> None:
    own = house.slack.workspace.team.id
    assert "Web Services" in await house.ask("2", team_id="T0HOST", user_team_id=own)
    thread = await house.thread("2")
    guest = {"id": "U0EVE", "name": "eve", "team_id": "T0OTHER"}
    payload = house.click_payload("acknowledge", thread) | {"user": guest}
    assert "its own workspace only" in read((await house.press(payload))[0])
    host = payload | {"user": {"id": "U0ALICE", "username": "alice", "team_id": own}, "team": {"id": "T0HOST"}}
    assert "You have acknowledged" in read((await house.press(host))[0])
    # Without a team of the person's own, the payload's counts; a person may lack a name, too.
    plain = payload | {"user": {"id": "U0ALICE"}}
    assert "was acknowledged before" in read((await house.press(plain))[0])


async def test_while_the_own_workspace_was_never_known_nobody_is_answered(house: House) -> None:
    house.slack.fail("auth.test", SlackFault.drop(), times=None)
    strange = house.made(workspace=Workspace(house.calls, house.store), act={})
    shown = read(await strange.command(house.command_payload("2")))
    assert "could not yet ask Slack which workspace" in shown
    house.slack.faults.clear()
    assert "Web Services" in read(await strange.command(house.command_payload("2")))


# When the database fails


async def test_an_ack_that_was_not_committed_is_not_confirmed(house: House) -> None:
    async def full(cause: Act) -> Reply | None:
        raise DatabaseFull("The database cannot grow.", "Free some space.")

    handlers = house.made(act={"plant": full})
    shown = read(await handlers.command(house.command_payload("ack 2")))
    assert "Not acknowledged: the bot could not write to its database" in shown


async def test_without_a_database_a_person_is_told_so(house: House) -> None:
    class Broken(Lookup):
        async def find(self, ref: str) -> Any:
            raise StoreError("gone", "mend it")

        async def look(self, site: str, connection: str) -> Any:
            raise StoreError("gone", "mend it")

    await house.workspace.identity()
    lookup = Broken(store=house.store, calls=house.calls, live={}, clock=house.clock)
    house.handlers = house.made(lookup=lookup, act={})
    assert "cannot read its database" in await house.ask("2")
    for _ in range(2):
        (said,) = await house.click("share", "plant/1")
        assert "cannot read its database" in read(said)


def test_a_reply_that_says_little_is_worded_all_the_same() -> None:
    assert "nothing to acknowledge" in read(replies.acknowledgement(None, about="x"))
    already = AckReply(outcome=AckOutcome.ALREADY, by=Person(id="U1", name="ana"))
    assert "By ana. Nothing has changed." in read(replies.acknowledgement(already, about="x"))
