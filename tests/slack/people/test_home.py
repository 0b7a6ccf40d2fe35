"""The Home tab: what it shows, to whom, and when it is shown anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.connection import Connection, Failure, Log, State
from bot.core.cron import parse_cron
from bot.core.incidents import EVERY, Episode, EpisodeKind, Family, Mute, Person, Silence, Thread, ThreadKind, Why
from bot.core.maintenance import Window
from bot.core.state import SiteRecord
from bot.sandbox.itempath_faults import Fault
from bot.slack.home.board import Board, SiteBoard
from bot.slack.home.view import bare, unreadable, view
from tests.slack.people.homes import opened, payload, published, shown
from tests.slack.people.household import House
from tests.slack.people.test_commands_laws import NOW, moments

Build = Callable[..., Any]


async def test_who_opens_it_sees_every_site_the_worst_first(house: House) -> None:
    house.sites["plant"].write_error(1, "login failed: password=hunter2")
    await house.poll()
    await house.ask("ack 2")
    board = (await opened(house)).splitlines()
    assert board[0] == "🔴 1 connection down"
    assert board[1].startswith("As of 2")
    assert board[2].startswith("🔴 plant: 1 down, ")
    assert board[3].startswith("Last read 2")
    assert board[4].startswith("🔴 Web Services plant/2 already down when watching began, 2")
    assert board[4].endswith(", stops 1 integration. Acknowledged by alice.")
    assert board[5].startswith("🟠 PowerPick plant/1 reports an error since 2")
    assert board[5].endswith("Not acknowledged yet. login failed: password=[masked]")
    assert board[6] == "🟢 berlin: 4 up"


async def test_without_trouble_it_says_so(build: Build) -> None:
    house: House = await build(sites={"plant": [{"id": n, "name": f"Dock {n}", "status": 1} for n in (1, 2)]})
    board = await opened(house)
    assert "🟢 All 2 connections up" in board
    assert "Muted" not in board


async def test_what_was_never_read_is_not_said_to_be_fine(build: Build) -> None:
    house: House = await build(polled=False)
    board = await opened(house)
    assert "🟣 2 sites not readable" in board
    assert "plant: not read yet, nothing is known about it" in board
    assert "Never read yet." in board


async def test_a_site_that_cannot_be_read_is_told_with_the_reason_and_what_was_down(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    assert "The last poll failed." in await opened(house)
    await house.poll()
    board = await opened(house)
    first, *_ = board.splitlines()
    assert first == "🟣 1 site not readable"
    assert "🟣 plant: cannot be read, " in board
    assert "Unreadable since 2" in board
    assert "Down when it was last read:" in board
    assert board.index("plant") < board.index("berlin")


async def test_a_row_that_cannot_be_read_is_unknown(house: House) -> None:
    house.sites["berlin"].change(7, name={"not": "a name"})
    house.sites["berlin"].extra_rows.append({"name": "without an id"})
    await house.poll()
    board = await opened(house)
    assert "🔴 1 connection down, 1 unknown" in board
    assert "🟣 berlin: 1 unknown, 3 up" in board
    assert "1 row could not be understood." in board


async def test_what_is_silent_is_listed_with_its_end_its_author_and_its_reason(build: Build) -> None:
    windows = (
        Window(name="SAP*", site="berlin", schedule=parse_cron("* * * * *"), duration=timedelta(hours=1), reason="w"),
        Window(schedule=parse_cron("0 0 1 1 *"), duration=timedelta(hours=1)),
        Window(site="ber*", schedule=parse_cron("* * * * *"), duration=timedelta(hours=1)),
    )
    house: House = await build(maintenance=windows)
    await house.ask("mute 2 2h crane")
    await house.ask("mute plant/* 3h")
    board = await opened(house)
    silent = board[board.index("Muted and in maintenance") :].splitlines()
    assert silent[1].startswith("Web Services plant/2: 🔇 Muted until 2")
    assert silent[1].endswith("by alice: crane.")
    assert silent[2].startswith("All of plant: 🔇 Muted until 2")
    assert silent[3].startswith("Connections named SAP* of berlin: 🔇 Maintenance until 2")
    assert silent[4].startswith("All of ber*: 🔇 Maintenance until 2")
    assert len(silent) == 5
    # The site and the incident say so in their places, too.
    assert "🔇 Silent until 2" in board
    assert board.index("🔇 Muted until") < board.index("Muted and in maintenance")


async def test_what_fell_in_silence_is_not_said_to_have_been_told(house: House) -> None:
    await house.ask("mute berlin/7 2h")
    house.sites["berlin"].set_status(7, 0)
    await house.poll()
    assert "Not announced. 🔇 Silent until 2" in await opened(house)


# To whom, and when


async def test_another_workspace_is_refused(house: House) -> None:
    await house.handlers.event(payload(house, team_id="T0OTHER"))
    assert published(house) == 0


# Whatever burns


async def test_five_hundred_connections_down_fit(build: Build) -> None:
    rows = [{"id": n, "name": f"Dock {n} " + "&<" * 90, "status": 0, "integrationCount": n} for n in range(500)]
    house: House = await build(sites={"plant": rows})
    board = await opened(house)
    assert "🔴 plant: 500 down" in board
    assert "Dock 499 " in board
    assert "and 485 more: /connection list down site=plant" in board


def site(name: str, **more: Any) -> SiteBoard:
    usual: dict[str, Any] = {
        "record": SiteRecord(name=name, baseline_at=NOW, good_at=NOW),
        "counts": {State.UP: 1, State.DOWN: 0, State.UNKNOWN: 0},
        "blind": None,
        "incidents": (),
        "silences": (),
        "silent": {},
    }
    return SiteBoard(name=name, **(usual | more))


def test_many_sites_and_mutes_fit() -> None:
    ana = Person(id="U1", name="ana")
    down = Episode(
        id="s#1",
        site="s",
        connection="1",
        kind=EpisodeKind.OUTAGE,
        start=NOW,
        why=Why.SEEN,
        thread="s/1",
        row=Connection(id="1", name="&<" * 300, latest_log=Log(id="1", error="&<" * 600)),
    )
    thread = Thread(id="s/1", site="s", kind=ThreadKind.OUTAGE, channel="C", opened=NOW, ack_by=ana)
    sites = tuple(site(f"site-{n}", incidents=(down,) * 40) for n in range(120))
    mutes = tuple(
        (Mute(id=str(n), site="site-1", connection=str(n), by=ana, reason="&<" * 300, start=NOW, end=NOW), None)
        for n in range(90)
    )
    board = Board(at=NOW, sites=sites, threads={"s/1": thread}, mutes=mutes, maintenance=())
    text = shown(view(board))
    assert "and 80 other sites: site-40 up, site-41 up" in text
    assert text.count("🔴 ") <= 60 + 2
    assert "and 70 more" in text
    few = replace(board, sites=sites[:41], mutes=())
    assert "and 1 other site: site-40 up" in shown(view(few))
    assert "and more" not in shown(view(few))


texts = (
    st.text(max_size=20)
    | st.sampled_from(["", "<!channel>", "*b*", "\u202e\x00\ud800"])
    | st.just("&<`*_").map(lambda text: text * 300)
)


people = st.builds(Person, id=texts, name=texts)


rows = st.builds(Connection, id=texts, name=texts, integration_count=st.none() | st.integers(-1, 9))


families = st.builds(
    Family,
    fingerprint=texts,
    log=st.builds(Log, id=texts, error=texts),
    count=st.integers(1, 9),
    first_at=moments,
    last_at=moments,
    message=st.just(0),
)


incidents = st.builds(
    Episode,
    id=texts,
    site=texts,
    connection=texts.filter(bool),
    kind=st.sampled_from([EpisodeKind.OUTAGE, EpisodeKind.ERROR]),
    start=moments,
    why=st.sampled_from(Why),
    row=st.none() | rows,
    families=st.lists(families, max_size=2).map(tuple),
    thread=st.sampled_from([None, "plant/1", "plant/2"]),
)


threads = st.builds(
    Thread,
    id=st.just("plant/1"),
    site=texts,
    kind=st.just(ThreadKind.OUTAGE),
    channel=texts,
    opened=moments,
    ack_by=st.none() | people,
    silence=st.none() | st.builds(Silence, until=moments, reason=texts, by=st.none() | people),
)


site_records = st.builds(
    SiteRecord,
    name=st.just("plant"),
    baseline_at=st.none() | moments,
    good_at=st.none() | moments,
    fails=st.integers(0, 3),
    nameless=st.integers(0, 3),
)


mutes = st.builds(
    Mute,
    id=texts,
    site=texts,
    connection=texts | st.just(EVERY),
    by=people,
    reason=texts,
    start=st.just(NOW),
    end=st.just(NOW + timedelta(hours=1)),
)


blindnesses = st.builds(
    Episode,
    id=texts,
    site=texts,
    connection=st.just(""),
    kind=st.just(EpisodeKind.BLIND),
    start=moments,
    why=st.just(Why.SEEN),
    failure=st.none() | st.builds(Failure, kind=st.just("timeout"), message=texts, advice=texts),
)


sites_ = st.builds(
    SiteBoard,
    name=texts.filter(bool),
    record=st.none() | site_records,
    counts=st.fixed_dictionaries({state: st.integers(0, 600) for state in State}),
    blind=st.none() | blindnesses,
    incidents=st.lists(incidents, max_size=4).map(tuple),
    silences=st.lists(mutes.map(lambda mute: mute.silence), max_size=2).map(tuple),
    silent=st.dictionaries(texts, mutes.map(lambda mute: mute.silence), max_size=2),
)


boards = st.builds(
    Board,
    at=moments,
    sites=st.lists(sites_, max_size=4).map(tuple),
    threads=st.builds(lambda thread: {"plant/1": thread}, threads),
    mutes=st.lists(st.tuples(mutes, st.none() | texts), max_size=3).map(tuple),
    maintenance=st.lists(
        st.tuples(st.builds(Window, site=st.none() | texts, name=st.none() | texts, reason=texts), moments), max_size=2
    ).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(boards)
def test_every_board_can_be_shown_and_calls_nobody(board: Board) -> None:
    for home in (view(board), bare(board), unreadable()):
        text = shown(home)
        json.dumps(home).encode()
        assert '"type": "user"' not in json.dumps(home)
        assert '"type": "broadcast"' not in json.dumps(home)
        assert text
    fine = all(s.known and not s.blind and not s.counts[State.DOWN] + s.counts[State.UNKNOWN] for s in board.sites)
    assert shown(view(board)).startswith("🟢") == fine
