"""`incidents`: what the store knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.output import moment
from bot.core.connection import Connection, Failure, Log
from bot.core.diff import Change, ChangeKind, FieldChange
from bot.core.events import Event, EventKind
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind, Family, Person, Phase, Thread, ThreadKind, Why
from bot.core.state import Decision
from bot.store.store import Store
from tests.cli.typed import Cli

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE


def row(id_: str, name: str) -> Connection:
    return Connection(id=id_, name=name, status=0)


def episode(n: int, connection: str, start: datetime, **fields: Any) -> Episode:
    given = {"kind": EpisodeKind.OUTAGE, "why": Why.SEEN} | fields
    return Episode(id=f"vienna#{n}", site="vienna", connection=connection, start=start, **given)


def event(connection: str, at: datetime, kind: EventKind, reason: str, **fields: Any) -> Event:
    return Event(site="vienna", connection=connection, at=at, kind=kind, reason=reason, **fields)


def error(text: str) -> Family:
    log = Log(id="1", error=text)
    return Family(fingerprint="f", log=log, count=3, first_at=NOW, last_at=NOW, message=0)


OPEN = episode(
    1,
    "7",
    NOW - 50 * HOUR,
    row=row("7", "Web\x1b[2J Services"),
    families=(error("first"), error("refused\npassword=hunter2")),
    thread="vienna/1",
)
BLIND = episode(
    2,
    SITE,
    NOW - 30 * MINUTE,
    kind=EpisodeKind.BLIND,
    failure=Failure(kind="timeout", message="No answer in time.", advice="Look."),
)
OVER = episode(
    3,
    "8",
    NOW - 20 * MINUTE,
    why=Why.WHILE_AWAY,
    not_before=NOW - 25 * MINUTE,
    end=NOW - 15 * MINUTE,
    end_why=Why.SEEN,
    closing=Closing.NOT_WATCHED,
)
THREAD = Thread(
    id="vienna/1",
    site="vienna",
    kind=ThreadKind.OUTAGE,
    channel="#alerts",
    opened=NOW,
    ack_by=Person(id="U1", name="Ann"),
    ack_at=NOW - MINUTE,
)
EVENTS = (
    event("7", OPEN.start - MINUTE, EventKind.ERROR, "new_error"),
    event("7", OPEN.start, EventKind.WENT_DOWN, "seen", thread="vienna/1"),
    event("7", NOW - MINUTE, EventKind.ACKNOWLEDGED, "by_person", data={"by": {"id": "U1", "name": "Ann"}}),
    event(SITE, NOW, EventKind.REMINDED, "still_down", thread="vienna/1"),
    event(SITE, NOW, EventKind.GROUP_OVER, "all_over", thread="vienna/2"),
    event(SITE, BLIND.start, EventKind.SIGHT_LOST, "muted"),
    event("8", OVER.start, EventKind.WENT_DOWN, "while_away"),
)
ADDED = Change(kind=ChangeKind.ADDED, connection="8", name="Crane\x1b[2J")
CHANGED = Change(
    kind=ChangeKind.CHANGED,
    connection="9",
    name="Lift",
    fields=(FieldChange(field="url", before="a", after="b"), FieldChange(field="name", before="A", after="Lift")),
)
GONE = Change(kind=ChangeKind.REMOVED, connection="7", name="password=hunter2")
AWAY = {"from": (NOW - HOUR).isoformat(), "to": NOW.isoformat()}
NOTICES = (
    event(SITE, NOW - 9 * HOUR, EventKind.BASELINE, "first_snapshot", thread="vienna/3", data={"watched": 2}),
    event("8", NOW - 2 * HOUR, EventKind.ADDED, "listed", thread="vienna/4", data=ADDED.as_json()),
    event("9", NOW - 2 * HOUR, EventKind.CHANGED, "listed", thread="vienna/4", data=CHANGED.as_json()),
    event("7", NOW - HOUR, EventKind.REMOVED, "muted", data=GONE.as_json()),
    event(SITE, NOW, EventKind.AWAY, "silent_for_long", thread="vienna/5", data=AWAY),
)
LISTED = replace(THREAD, id="vienna/4", kind=ThreadKind.CHANGES, ack_by=None, ack_at=None)


@pytest.fixture
async def store(cli: Cli) -> AsyncIterator[Store]:
    """A database that is held by a running bot, and the environment that names it."""
    url = f"sqlite:///{cli.cwd}/bot.db"
    cli.set(BOT_DATABASE_URL=url)
    opened = await Store.open(url, write=True)
    yield opened
    await opened.close()


async def commit(store: Store, **decided: Any) -> None:
    async with store.tick("vienna", now=NOW, lately=HOUR) as tick:
        await tick.apply(Decision(site=tick.state.site, **decided), NOW)


async def test_open_incidents_come_first_and_say_all_in_words(cli: Cli, store: Store) -> None:
    await commit(store, episodes=(OPEN, BLIND, OVER), threads=(THREAD,), events=EVENTS)
    told = await cli("incidents")
    assert told.code == 0
    _, blind, down, over = told.lines
    assert blind.startswith("open    ")
    assert "vienna/*" in blind
    assert "(the site itself)" in blind
    assert "No answer in time." in blind
    for words in (f"{OPEN.start:%Y-%m-%d %H:%M:%S UTC}", "2 d 2 h", "vienna/7", "outage", "seen", "Ann", "vienna/1"):
        assert words in down
    assert "refused password=" in down
    assert over.startswith("closed  ")
    assert "5 min" in over
    assert "no longer watched" in over


async def test_what_flaps_is_no_closed_incident_while_it_is_up_for_the_moment(cli: Cli, store: Store) -> None:
    flapping = replace(OPEN, end=NOW - MINUTE, end_why=Why.SEEN, closing=Closing.RECOVERED)
    await commit(store, episodes=(flapping, OVER), threads=(replace(THREAD, phase=Phase.FLAPPING),))
    _, first, second = (await cli("incidents")).lines
    assert (first.split()[0], second.split()[0]) == ("flapping", "closed")
    assert [told["state"] for told in (await cli("incidents", "--json")).json] == ["flapping", "closed"]


async def test_foreign_text_steers_no_terminal_and_shows_no_credential(cli: Cli, store: Store) -> None:
    await commit(store, episodes=(OPEN,), threads=(THREAD,))
    for words in ([], ["--json"]):
        told = await cli("incidents", *words)
        assert told.out.replace("\n", "").isprintable()
        assert "hunter2" not in told.out


async def test_json_has_every_field_and_the_events_with_their_reasons(cli: Cli, store: Store) -> None:
    await commit(store, episodes=(OPEN, BLIND, OVER), threads=(THREAD,), events=EVENTS)
    blind, down, over = (await cli("incidents", "--json")).json
    assert {key: down[key] for key in ("state", "kind", "reference", "why", "thread", "channel", "closing")} == {
        "state": "open",
        "kind": "outage",
        "reference": "vienna/7",
        "why": "seen",
        "thread": "vienna/1",
        "channel": "#alerts",
        "closing": None,
    }
    assert down["downtimeSeconds"] >= 180_000
    assert down["since"] == OPEN.start.isoformat()
    assert down["acknowledgedBy"] == {"id": "U1", "name": "Ann"}
    assert [each["count"] for each in down["errors"]] == [3, 3]
    assert [(each["kind"], each["reason"]) for each in down["events"]] == [
        ("went_down", "seen"),
        ("acknowledged", "by_person"),
        ("reminded", "still_down"),
    ]
    assert [each["connection"] for each in down["events"]] == ["7", "7", None]
    assert blind["connection"] is None
    assert [(each["kind"], each["reason"]) for each in blind["events"]] == [("sight_lost", "muted")]
    assert blind["failure"]["kind"] == "timeout"
    assert over["downtimeSeconds"] == 300
    assert (over["endWhy"], over["closing"]) == ("seen", "no_longer_watched")
    assert over["notBefore"] == (NOW - 25 * MINUTE).isoformat()
    assert [each["reason"] for each in over["events"]] == ["while_away"]


async def test_a_mute_of_the_whole_site_is_among_the_events_of_each_that_it_silenced(cli: Cli, store: Store) -> None:
    """Why nobody was reminded."""
    events = (
        event(SITE, OVER.start - MINUTE, EventKind.MUTED, "by_person"),
        event(SITE, NOW - MINUTE, EventKind.UNMUTED, "by_person"),
    )
    await commit(store, episodes=(OPEN, BLIND, OVER), threads=(THREAD,), events=events)
    told = {each["reference"]: each["events"] for each in (await cli("incidents", "--json")).json}
    both = ["muted", "unmuted"]
    assert {ref: [e["kind"] for e in each] for ref, each in told.items()} == {
        "vienna/7": both,
        "vienna/*": both,
        "vienna/8": [],
    }


async def test_what_is_said_of_a_thread_that_sites_share_is_among_the_events_of_each(cli: Cli, store: Store) -> None:
    """How each of them was lost is its own."""
    shared = replace(THREAD, id="graz/4", site="graz", kind=ThreadKind.SITE)
    lost, taken = EventKind.SIGHT_LOST, EventKind.ACKNOWLEDGED
    own = event(SITE, BLIND.start, lost, "several_sites", thread=shared.id)
    of_graz = (
        replace(own, site="graz", reason="unreachable"),
        replace(own, site="graz", at=NOW, kind=taken, reason="by_person"),
        replace(own, site="graz", at=NOW, kind=EventKind.NOT_REMINDED, reason="acknowledged"),
    )
    async with store.tick("graz", now=NOW, lately=HOUR) as tick:
        await tick.apply(Decision(site=tick.state.site, threads=(shared,), events=of_graz), NOW)
    await commit(store, episodes=(replace(BLIND, thread=shared.id),), events=(own,))
    (blind,) = (await cli("incidents", "--json")).json
    assert [e["reason"] for e in blind["events"]] == ["several_sites", "by_person", "acknowledged"]


async def test_a_recovery_that_had_to_be_confirmed_is_among_the_events_of_its_outage(cli: Cli, store: Store) -> None:
    """The end is when it was first seen up, the event when that was certain; and the next fall is another's."""
    over = replace(OVER, closing=Closing.RECOVERED, end=NOW - 15 * MINUTE)
    events = (
        event("8", OVER.start, EventKind.WENT_DOWN, "seen"),
        event("8", NOW - 14 * MINUTE, EventKind.WENT_UP, "seen"),
        event("8", NOW - 5 * MINUTE, EventKind.WENT_DOWN, "seen"),
        event("8", NOW - 4 * MINUTE, EventKind.WENT_UP, "seen"),
    )
    await commit(store, episodes=(over,), events=events)
    (told,) = (await cli("incidents", "--json")).json
    assert [e["at"] for e in told["events"]] == [e.at.isoformat() for e in events[:2]]


async def test_a_notice_is_worded_as_people_write(cli: Cli, store: Store) -> None:
    rows = Change(kind=ChangeKind.UNREADABLE, connection=None, name="1", detail="no id")
    events = (
        event(SITE, NOW - 3 * HOUR, EventKind.BASELINE, "first_snapshot", thread="vienna/3", data={"watched": 1}),
        event("", NOW - 2 * HOUR, EventKind.UNREADABLE, "listed", thread="vienna/4", data=rows.as_json()),
        event(SITE, NOW, EventKind.AWAY, "not_recorded", thread="vienna/5", data=AWAY),
    )
    await commit(store, events=events)
    told = (await cli("incidents")).out
    assert "watching 1 connection began" in told
    assert "unreadable: 1 row without an id" in told
    assert f"nothing was recorded from {moment(NOW - HOUR)} to {moment(NOW)}" in told


async def test_a_person_is_shown_the_latest_and_json_has_them_all(cli: Cli, store: Store) -> None:
    closed = [
        episode(n, "8", NOW - n * MINUTE, end=NOW, end_why=Why.SEEN, closing=Closing.RECOVERED) for n in range(11, 41)
    ]
    await commit(store, episodes=(OPEN, *closed), threads=(THREAD,))
    assert len((await cli("incidents")).lines) == 1 + 1 + 20
    assert len((await cli("incidents", "--json")).json) == 1 + 30


async def test_what_belongs_to_no_incident_has_its_reason_too(cli: Cli, store: Store) -> None:
    """Behind the incidents, in their shape: one entry for each message, and for each line that was left out of one."""
    await commit(store, episodes=(OPEN,), threads=(THREAD, LISTED), events=(*EVENTS, *NOTICES))
    incident, *notices = (await cli("incidents", "--json")).json

    assert incident["kind"] == "outage"
    assert all(incident.keys() <= notice.keys() for notice in notices)
    assert [(n["kind"], n["state"], n["reference"], n["why"], n["thread"], n["what"]) for n in notices] == [
        (
            "notice",
            "closed",
            "vienna/*",
            "silent_for_long",
            "vienna/5",
            [f"nothing was watched from {AWAY['from']} to {AWAY['to']}"],
        ),
        ("notice", "closed", "vienna/7", "muted", None, ["removed: password=[masked]"]),
        ("notice", "closed", "vienna/*", "listed", "vienna/4", ["added: Crane\x1b[2J", "changed: Lift (url, name)"]),
        ("notice", "closed", "vienna/*", "first_snapshot", "vienna/3", ["watching 2 connections began"]),
    ]
    assert notices[2]["channel"] == "#alerts"
    assert [e["data"]["kind"] for e in notices[2]["events"]] == ["added", "changed"]
    assert notices[1]["since"] == notices[1]["until"] == (NOW - HOUR).isoformat()


async def test_a_person_is_told_the_latest_notices_below_the_incidents(cli: Cli, store: Store) -> None:
    more = [
        event("3", NOW - 4 * HOUR, EventKind.STALE, "listed"),
        *(
            event(str(n), NOW - 3 * HOUR, EventKind.ADDED, "listed", thread="vienna/6", data=ADDED.as_json())
            for n in range(10, 15)
        ),
    ]
    await commit(store, events=(*more, *NOTICES))
    told = await cli("incidents")

    assert told.lines[:2] == ["No incident is known.", ""]
    heading, away, removed, listed, added, bare, began = told.lines[2:]
    assert heading.split() == ["NOTICE", "SITE", "WHAT", "REASON", "THREAD"]
    assert "nothing was watched from" in away
    assert removed.rstrip().endswith("muted")
    assert "hunter2" not in told.out
    assert "\x1b" not in told.out
    assert "changed: Lift (url, name)" in listed
    assert "; and 2 more" in added
    assert bare.split()[-2:] == ["stale", "listed"]
    assert "first snapshot" in began


@pytest.mark.usefixtures("store")
async def test_without_incidents_it_says_so(cli: Cli) -> None:
    told = await cli("incidents")
    assert (told.code, told.out) == (0, "No incident is known.\n")
    assert (await cli("incidents", "--json")).json == []


async def test_before_the_first_run_nothing_is_known_and_nothing_is_made(cli: Cli) -> None:
    told = await cli("incidents")
    assert (told.code, told.out) == (0, "No incident is known.\n")
    assert "does not exist" in told.err
    assert "Start `run` once" in told.err
    assert not (cli.cwd / "data").exists()


async def test_of_a_database_without_tables_nothing_is_known_either(cli: Cli) -> None:
    """As somebody makes one on a server for the bot's first `run`."""
    cli.write("data/bot.db", "")
    told = await cli("incidents")
    assert (told.code, told.out) == (0, "No incident is known.\n")
    assert "is empty" in told.err
    assert "Start `run` once" in told.err
