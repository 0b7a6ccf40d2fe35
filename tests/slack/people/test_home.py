"""The Home tab: what it shows, to whom, and when it is shown anew."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.core.connection import Connection, Failure, Log, State
from bot.core.cron import parse_cron
from bot.core.incidents import EVERY, Episode, EpisodeKind, Family, Mute, Person, Silence, Thread, ThreadKind, Why
from bot.core.maintenance import Window
from bot.core.state import SiteRecord
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.slack.blocks import check_view
from bot.sandbox.slack.faults import Fault as SlackFault
from bot.slack.home import showing
from bot.slack.home.board import Board, SiteBoard
from bot.slack.home.view import bare, unreadable, view
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError
from bot.store.store import Store
from tests.slack.people.household import House, lines
from tests.slack.people.test_commands_laws import NOW, moments

Build = Callable[..., Any]


def shown(home: Mapping[str, Any]) -> str:
    """Everything that a reader sees of it; fails on what Slack would refuse."""
    check_view(dict(home), kinds=("home",))
    return "\n".join(line for block in home["blocks"] for line in lines(block))


def payload(house: House, user: str = "U0ALICE", **fields: Any) -> dict[str, Any]:
    event = {"type": "app_home_opened", "user": user, "tab": "home"}
    return {"type": "event_callback", "team_id": house.slack.workspace.team.id, "event": event} | fields


async def opened(house: House, user: str = "U0ALICE") -> str:
    await house.handlers.event(payload(house, user))
    home = house.slack.workspace.homes[user]
    return shown({key: home[key] for key in ("type", "blocks")})


def published(house: House) -> int:
    return len(house.slack.made("views.publish"))


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


# When something fails


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
