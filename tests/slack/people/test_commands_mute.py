"""`mute` and `unmute`, the button, and how a silence is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cron import parse_cron
from bot.core.incidents import EVERY, MessageKind, Mute, Person, Silence
from bot.core.maintenance import Window
from bot.core.state import MuteOutcome, MuteReply, Reply
from bot.sandbox.itempath_faults import Fault
from bot.slack.commands.doing import Act
from bot.slack.commands.mutes import muted
from bot.slack.commands.silences import silences
from bot.store.errors import DatabaseFull
from bot.store.outbox import MessageKey
from tests.slack.people.household import House, read
from tests.slack.people.test_commands_laws import NOW, maybe_text, moments, people, texts, valid

Build = Callable[..., Any]


async def running(house: House) -> list[Mute]:
    return list(await house.store.mutes(now=house.clock.now()))


def minutes(mute: Mute) -> int:
    """Its end is reckoned from the moment it was asked for, its start from that of the commit."""
    return round((mute.end - mute.start) / timedelta(minutes=1))


async def test_a_mute_is_recorded_before_it_is_confirmed_and_shown_in_every_look(house: House) -> None:
    shown = await house.ask("mute web services 2h crane is out")
    assert "🔇 Web Services is muted" in shown
    assert "Muted until 2" in shown
    assert "by alice: crane is out." in shown
    (mute,) = await running(house)
    assert (mute.site, mute.connection, mute.reason) == ("plant", "2", "crane is out")
    assert mute.by == Person(id="U0ALICE", name="alice")
    assert minutes(mute) == 120
    looked = await house.ask("2")
    assert "🔇 Muted until 2" in looked
    assert "by alice: crane is out." in looked
    assert "Muted" not in await house.ask("plant/1")


async def test_a_mute_is_also_said_in_the_thread(house: House) -> None:
    await house.ask("mute 2 2h")
    await house.ask("unmute 2")
    thread = await house.thread("2")
    claims = [await house.store.outbox.look(MessageKey(thread=thread, n=n)) for n in (1, 2)]
    assert [c.outgoing.message.kind for c in claims if c] == [MessageKind.MUTED, MessageKind.UNMUTED]


async def test_only_where_it_is_said_in_a_thread_that_is_told(house: House) -> None:
    """Connection 2 is down, and its thread open; 1 is up."""
    await house.ask("mute 2 2h")
    await house.ask("mute plant/1 2h")
    announced = "What went down while it was muted, and still is, is announced now."
    assert (await house.ask("unmute plant/1")).splitlines()[1:] == [announced]
    assert (await house.ask("unmute 2")).splitlines()[1:] == [f"Its thread says so. {announced}"]


async def test_a_site_with_several_threads_says_it_in_all_of_them(build: Build) -> None:
    rows = [{"id": number, "name": f"Dock {number}", "status": 1} for number in (1, 2)]
    house: House = await build(sites={"plant": rows})
    for number in (1, 2):
        house.sites["plant"].set_status(number, 0)
    await house.poll()
    await house.ask("mute plant/* 2h")
    assert "Its threads say so." in await house.ask("unmute plant/*")


async def test_how_a_mute_is_ended_is_told_under_the_name_that_the_command_has_here(house: House) -> None:
    await house.ask("mute plant/* 2h")
    for text in ("2", "unmute 2"):
        assert "muted: /itempath unmute plant/* ends that." in await house.ask(text, command="/itempath")


async def test_unmuting_ends_it(house: House) -> None:
    await house.ask("mute 2 2h")
    assert "🔔 Web Services is no longer muted" in await house.ask("unmute web")
    assert await running(house) == []
    shown = await house.ask("unmute 2")
    assert "Web Services is not muted by anybody" in shown
    assert "Nothing has changed." in shown


async def test_a_whole_site_is_muted_and_heard_of_again(house: House) -> None:
    assert "plant is muted as a whole" in await house.ask("mute Plant/* 1h30m disks")
    (mute,) = await running(house)
    assert (mute.connection, minutes(mute)) == (EVERY, 90)
    assert "by alice: disks." in await house.ask("plant/1")
    assert "Muted" not in await house.ask("berlin/7")
    shown = await house.ask("unmute 2")
    assert "Web Services is not muted on its own" in shown
    assert "The whole site is muted: /connection unmute plant/* ends that." in shown
    await house.ask("mute 2 1h")
    shown = await house.ask("unmute 2")
    assert "Web Services is still silent" in shown
    assert "by alice: disks." in shown
    assert "plant is no longer muted" in await house.ask("unmute plant/*")


async def test_maintenance_is_shown_with_its_reason_and_end(build: Build) -> None:
    windows = (
        Window(name="Web*", schedule=parse_cron("* * * * *"), duration=timedelta(hours=1), reason="weekly"),
        Window(site="berlin", schedule=parse_cron("* * * * *"), duration=timedelta(hours=1)),
    )
    house: House = await build(maintenance=windows)
    looked = await house.ask("2")
    assert "🔇 Maintenance until 2" in looked
    assert ": weekly." in looked
    assert "Maintenance" not in await house.ask("plant/1")
    assert ": planned maintenance." in await house.ask("berlin/7")
    assert "Maintenance is planned in this bot's settings and cannot be ended here." in await house.ask("unmute 2")


async def test_a_mute_needs_to_know_of_what(house: House) -> None:
    assert "/connection mute berlin/7 90m crane SAP Stock" in await house.ask("mute sap 1h30m crane")
    assert "/connection unmute berlin/7 SAP Stock" in await house.ask("unmute sap")
    assert "/connection mute plant/2 2h Web Services" in await house.ask("mute servces 2h")
    assert "No connection is known as oslo/*" in await house.ask("mute oslo/* 2h")
    assert "needs to know for how long" in await house.ask("mute 2")
    assert await running(house) == []


@pytest.mark.parametrize(
    ("text", "says", "guess"),
    [
        ("mute PowerPick 2", "how long", "mute PowerPick 2h"),
        ("mute web 2", "how long", "mute web 2h"),
        ("mute web services 45 swap", "how long", "mute web services 45m swap"),
        ("mute web 1:30", "how long", "mute web 90m"),
        ("mute web -1h", "how long", "mute web 1h"),
        ("mute web crane is out", "how long", "mute web 2h crane is out"),
        ("mute web until 6:00", "not until when: 30m, 2h, 1h30m or 7d, 30d at most", "mute web 2h"),
        ("mute web forever", "30d at most", "mute web 30d"),
        ("mutte web 2", "No connection is known", "mute web 2h"),
        ("mute 2h web crane", "connection first", "mute web 2h crane"),
        ("mute berlin 1", "No connection is known", "mute berlin/1 2h SAP Orders"),
        ("mute berlin swap", "how long", "mute berlin/* 2h swap"),
        ("mute servces 2", "No connection is known", "mute plant/2 2h Web Services"),
    ],
)
async def test_a_mute_without_a_length_is_answered_with_one_that_can_be_copied(
    house: House, text: str, says: str, guess: str
) -> None:
    said = (await house.ask(text)).splitlines()
    assert says in said[0]
    assert said[1] == f"Did you mean /connection {guess}?"
    assert await running(house) == []


async def test_the_longest_whole_name_that_leaves_a_length_is_muted(build: Build) -> None:
    rows = [{"id": 1, "name": "Lift", "status": 1}, {"id": 2, "name": "Lift 2h", "status": 1}]
    house: House = await build(sites={"plant": rows})
    for text, muted_one, length, reason in (
        ("mute lift 2h 1h", "2", 60, ""),
        ("mute Lift 2h for 30 min oil", "2", 30, "oil"),
        ('mute "Lift" 2h 1h', "1", 120, "1h"),
        ("mute Lift 2h", "1", 120, ""),
        ("mute Lift 1h 2h", "1", 60, "2h"),
    ):
        assert "is muted" in await house.ask(text)
        (mute,) = await running(house)
        assert (mute.connection, minutes(mute), mute.reason) == (muted_one, length, reason), text
        await house.ask("unmute plant/*")


async def test_the_button_mutes_what_goes_on_in_its_thread_for_an_hour(house: House) -> None:
    (said,) = await house.click("mute", await house.thread("2"))
    assert "🔇 Web Services is muted" in read(said)
    assert said["response_type"] == "ephemeral"
    (mute,) = await running(house)
    assert (mute.connection, minutes(mute)) == ("2", 60)


async def test_the_button_of_many_mutes_them_all(build: Build) -> None:
    rows = [{"id": number, "name": f"Dock {number}", "status": 0} for number in (1, 2, 3)]
    house: House = await build(sites={"plant": rows})
    (said,) = await house.click("mute", "plant/1")
    assert "These 3 connections are muted" in read(said)
    assert "To end one early: /connection unmute plant/1; every mute of the site: /connection unmute plant/*." in read(
        said
    )
    assert "[Unmute]" not in read(said)
    assert {mute.connection for mute in await running(house)} == {"1", "2", "3"}


async def test_the_button_of_a_site_that_cannot_be_read_mutes_the_site(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    (said,) = await house.click("mute", await house.thread(""))
    assert "plant is muted as a whole" in read(said)


async def test_whatever_is_shown_as_muted_can_be_unmuted(house: House) -> None:
    """By the reference it is shown with, even when ItemPath does not list the connection any more."""
    await house.ask("mute berlin/7 2h")
    await house.ask("mute berlin/9 2h")
    house.sites["berlin"].remove(7)
    house.sites["berlin"].remove(9)
    await house.poll()
    await house.poll()
    assert "No connection is known as berlin/5" in await house.ask("unmute berlin/5")
    assert "7 is no longer muted" in await house.ask("unmute berlin/7")
    assert "9 is no longer muted" in await house.ask("unmute 9")
    assert await running(house) == []


async def test_a_mute_can_be_ended_where_it_is_shown(house: House) -> None:
    said = await house.handlers.command(house.command_payload("mute 2 2h"))
    assert read(said).splitlines()[-1] == "[Unmute]"
    assert unmute_of(said) == unmute_of(await house.handlers.command(house.command_payload("2"))) == "plant/2"
    (ended,) = await house.click("unmute", "plant/2")
    assert "🔔 Web Services is no longer muted" in read(ended)
    assert await running(house) == []
    (again,) = await house.click("unmute", "plant/2")
    assert "Web Services is not muted by anybody" in read(again)
    assert again["response_type"] == "ephemeral"
    assert "[Unmute]" not in await house.ask("2")


async def test_a_muted_site_can_be_unmuted_where_it_is_confirmed_and_is_named_where_it_shows(house: House) -> None:
    said = await house.handlers.command(house.command_payload("mute plant/* 2h"))
    assert unmute_of(said) == "plant/*"
    looked = await house.ask("2")
    assert "The whole site is muted: /connection unmute plant/* ends that." in looked
    assert "[Unmute]" not in looked
    (ended,) = await house.click("unmute", "plant/*")
    assert "plant is no longer muted" in read(ended)


async def test_what_all_see_has_no_button_that_unmutes(house: House) -> None:
    await house.ask("mute 2 2h")
    shared, _ = await house.click("share", "plant/2")
    assert "🔇 Muted until" in read(shared)
    assert "[Unmute]" not in read(shared)


@pytest.mark.parametrize("value", ["oslo/1", "", "x" * 2000])
async def test_a_button_for_what_is_not_watched_any_more_unmutes_nothing(house: House, value: str) -> None:
    (said,) = await house.click("unmute", value)
    assert "no longer watches that site" in read(said)


def unmute_of(answer: dict[str, Any]) -> str:
    """The value of the button that unmutes."""
    (value,) = [
        element["value"]
        for block in answer["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "unmute"
    ]
    return str(value)


async def test_a_late_or_foreign_click_mutes_nothing(house: House) -> None:
    house.sites["plant"].set_status(1, 0)
    await house.poll()
    thread = await house.thread("1")
    house.sites["plant"].set_status(1, 1)
    await house.poll()
    (said,) = await house.click("mute", thread)
    assert "PowerPick is over: nothing left to mute" in read(said)
    (said,) = await house.click("mute", "oslo/4")
    assert "no longer watches that site" in read(said)
    assert await running(house) == []


async def test_operators_alone_mute(build: Build) -> None:
    house: House = await build(operators=("U0BOB",))
    for text in ("mute 2 2h", "mute plant/* 2h", "unmute 2"):
        assert "but not acknowledge or mute" in await house.ask(text)
    for action, value in (("mute", await house.thread("2")), ("unmute", "plant/2")):
        (said,) = await house.click(action, value)
        assert "Please ask one of them." in read(said)
    assert await running(house) == []
    assert "is muted" in await house.ask("mute 2 2h", user_id="U0BOB", user_name="bob")


async def test_another_workspace_mutes_nothing(house: House) -> None:
    assert "its own workspace only" in await house.ask("mute 2 2h", team_id="T0OTHER")
    assert await running(house) == []


@pytest.mark.parametrize(("text", "word"), [("mute 2 2h", "Not muted"), ("unmute 2", "Not unmuted")])
async def test_a_mute_that_was_not_committed_is_not_confirmed(house: House, text: str, word: str) -> None:
    async def full(cause: Act) -> Reply | None:
        raise DatabaseFull("The database cannot grow.", "Free some space.")

    handlers = house.made(act={"plant": full})
    shown = read(await handlers.command(house.command_payload(text)))
    assert f"{word}: the bot could not write to its database" in shown


@given(
    reply=st.none()
    | st.builds(
        MuteReply,
        outcome=st.sampled_from(MuteOutcome),
        silence=st.none() | st.builds(Silence, until=moments, reason=texts, by=st.none() | people),
        connections=st.lists(texts | st.just(EVERY), max_size=3).map(tuple),
    ),
    about=maybe_text,
)
def test_every_outcome_has_words(reply: MuteReply | None, about: str | None) -> None:
    valid(muted(reply, site="plant", about=about))


def test_what_lasts_longest_is_told_first() -> None:
    ana = Person(id="U1", name="ana")

    def mute(connection: str, hours: int, *, site: str = "p") -> Mute:
        end = NOW + timedelta(hours=hours)
        return Mute(id="1", site=site, connection=connection, by=ana, reason=str(hours), start=NOW, end=end)

    mutes = [mute("1", 1), mute(EVERY, 3), mute("2", 9), mute("1", 9, site="q"), mute("1", 0)]
    window = Window(start=NOW, end=NOW + timedelta(hours=2), reason="2")
    over = Window(start=NOW - timedelta(hours=2), end=NOW, reason="0")
    found = silences(mutes, [window, over], site="p", connection="1", name="One", now=NOW)
    assert [silence.reason for silence in found] == ["3", "2", "1"]
