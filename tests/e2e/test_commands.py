"""Every row of what can be asked of `/connection`, asked once of the whole bot by Socket Mode; and wrong, ambiguous, empty,
very long and hostile words in the place of each.

A table per test: what is typed, and what is answered, in the order in which it is asked of one world.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.sandbox.slack.workspace import Ephemeral
from bot.slack.wording import NAME_LIMIT
from tests.e2e.world import ALERTS, World, connection

SITES = {
    "vienna": [
        connection(1, "PowerPick", type="MSSQL", appId=7, authentication="Basic", integrationCount=3),
        connection(2, "SAP Orders"),
        connection(3, "SAP Stock", status=0, integrationCount=2),
        connection(4, "Scale", type="OPC", status=None),
        *(connection(n, f"Dock {n}") for n in range(10, 32)),
    ],
    "graz": [connection(1, "Crane", status=0), connection(40, "Lift"), connection(41, "Lift 2h")],
}
GRAMMAR = " /connection help lists everything you can ask."
"""Behind it, below every mistake, stands what can be asked."""


@pytest.fixture
async def world(make: Callable[..., Any]) -> World:
    """Two sites; Crane and SAP Stock are down, Scale is unknown, the rest is up."""
    made: World = await make(sites=SITES)
    await made.start()
    await made.slack.wait_for(lambda: len(made.lines()) == len(SITES))
    return made


async def answers(world: World, asked: Sequence[str]) -> dict[str, str]:
    """Without the grammar that stands below a mistake."""
    return {text: (await world.asks(f"/connection {text}")).partition(GRAMMAR)[0] for text in asked}


def latest(world: World) -> Ephemeral:
    return list(world.slack.workspace.ephemerals.values())[-1]


def read_live(name: str, reference: str) -> str:
    return f"🟢 {name} is up. {reference}: read from ItemPath just now. Up since <time>. Not given by ItemPath: Latest log."


def unknown(name: str, guess: str = "/connection list shows every connection.") -> str:
    return f"🔵 No connection is known as {name}. {guess}"


def muted(what: str, by: str = "by alice.") -> str:
    return (
        f"🔇 {what}. 🔇 Muted until <time> {by} Messages in the channel are still updated. "
        "What is still down at the end, and nobody has acknowledged, is told then, or with its alert's next reminder."
    )


TOLD_NOW = "What went down while it was muted, and still is, is announced now."


async def test_one_connection(world: World) -> None:
    """`<id>`, `<site>/<id>`, `<name>`: an id beats a name, a whole name one that begins so."""
    powerpick = read_live("PowerPick", "vienna/1")
    lift = read_live("Lift", "graz/40")
    expected = {
        "40": lift,
        "graz/40": lift,
        "vienna/1": powerpick,
        "VIENNA/1": powerpick,
        "PowerPick": powerpick,
        "POWERPICK": powerpick,
        "power": powerpick,
        '"PowerPick"': powerpick,
        "“power pick”": unknown("power pick", "Did you mean /connection vienna/1 PowerPick?"),
        "vienna/power": powerpick,
        "lift": lift,
        "lift 2": read_live("Lift 2h", "graz/41"),
        "1": "🔵 2 connections may be meant. /connection graz/1 Crane; /connection vienna/1 PowerPick.",
        "sap": "🔵 2 connections may be meant. /connection vienna/2 SAP Orders; /connection vienna/3 SAP Stock.",
        "99": unknown("99"),
        "vienna/99": unknown("vienna/99"),
        "oslo/1": unknown("oslo/1"),
        "PowerPuck": unknown("PowerPuck", "Did you mean /connection vienna/1 PowerPick?"),
        "crane": "🔴 Crane is down. graz/1: read from ItemPath just now. Down since <time>. 🔴 Open outage: already down "
        "when watching began, <time>, for <span> so far. Nobody has acknowledged it yet. "
        "Not given by ItemPath: Latest log.",
        "scale": "🟣 Scale: state unknown. vienna/4: read from ItemPath just now. At the last poll its state was unknown. "
        "ItemPath gives no status that means up or down. Not given by ItemPath: Status, Latest log.",
    }
    before = world.lines()
    assert await answers(world, list(expected)) == expected
    assert world.lines() == before


async def test_help(world: World) -> None:
    """`help`, nothing, or anything else."""
    for text in ("", "help", "HELP", "?"):
        answer = await world.asks(f"/connection {text}")
        assert answer.startswith("🔵 What you can ask. Only you see the answers, until you share one.")
        for words in ("&lt;site&gt;/&lt;id&gt;", "list", "history", "ack", "mute", "unmute", "ack|mute|unmute", "help"):
            assert f"/connection {words} " in answer
    guesses = {
        "hist 40": "history 40",
        "histroy 40 7d": "history 40 7d",
        "acknowledge 40": "ack 40",
        "mutte 40 1h": "mute 40 1h",
        "unmtue 40": "unmute 40",
        "dwon": "list down",
    }
    assert await answers(world, [*guesses, "frobnicate 40"]) == {
        "frobnicate 40": unknown("frobnicate 40"),
        **{text: unknown(text, f"Did you mean /connection {guess}?") for text, guess in guesses.items()},
    }


async def test_list(world: World) -> None:
    """Each state and each filter: what the text says, and which rows the table has, the worst first."""
    docks = [f"vienna/{n}" for n in range(10, 32)]
    one_up, one_down = "🟢 1 of 29 connections. 1 up.", "🔴 1 of 29 connections. 1 down. Down: "
    crane, stock = "Crane graz/1 for <span>", "SAP Stock vienna/3 for <span>"
    every = "🔴 All 29 connections. 2 down, 1 unknown, 26 up. Page"
    worst = ["vienna/3", "graz/1", "vienna/4", "vienna/1", *docks[:16]]
    rest = [*docks[16:], "graz/40", "graz/41", "vienna/2"]
    expected: dict[str, tuple[str, list[str]]] = {
        "list": (f"{every} 1 of 2: 1 to 20, worst first. Down: {stock}, {crane}.", worst),
        "list page=2": (f"{every} 2 of 2: 21 to 29, worst first.", rest),
        "list page=99": (f"{every} 2 of 2: 21 to 29, worst first.", rest),
        "list down": (f"🔴 2 of 29 connections. 2 down. Down: {stock}, {crane}.", ["vienna/3", "graz/1"]),
        "LIST Up type=mssql": (one_up, ["vienna/1"]),
        "list unknown": ("🟣 1 of 29 connections. 1 unknown. Unknown: Scale vienna/4.", ["vienna/4"]),
        "list site=graz": (
            f"🔴 3 of 29 connections. 1 down, 2 up. Down: {crane}.",
            ["graz/1", "graz/40", "graz/41"],
        ),
        "graz": (f"🔴 3 of 29 connections. 1 down, 2 up. Down: {crane}.", ["graz/1", "graz/40", "graz/41"]),
        "list type=M*": (one_up, ["vienna/1"]),
        "list app=7": (one_up, ["vienna/1"]),
        "list auth=basic": (one_up, ["vienna/1"]),
        'list name="SAP Orders"': (one_up, ["vienna/2"]),
        "list name=dock page=2": (
            "🟢 22 of 29 connections. 22 up. Page 2 of 2: 21 to 22, worst first.",
            docks[20:],
        ),
        "list down site=vienna": (f"{one_down}{stock}.", ["vienna/3"]),
        "list type=zzz": ("🔵 No connection fits type=zzz. 29 connections in all are watched.", []),
        "list muted": ("🔵 No connection is muted. 29 connections in all are watched.", []),
        "list acknowledged": ("🔵 No connection is acknowledged. 29 connections in all are watched.", []),
    }
    found = {}
    for text in expected:
        said = await world.asks(f"/connection {text}")
        found[text] = (said, re.findall(r"  ((?:vienna|graz)/\d+)", _table(latest(world))))
    assert found == expected

    assert await answers(world, ["list dwon", "list down up", "list page=0", "list colour=red", "list name="]) == {
        "list dwon": "🔵 list does not know this word: dwon. Did you mean /connection list down?",
        "list down up": "🔵 list takes one state at a time: down, up or unknown. Did you mean /connection list?",
        "list page=0": "🔵 A page is a number from 1 on. Did you mean /connection list page=2?",
        "list colour=red": "🔵 list does not know this word: colour=red.",
        "list name=": "🔵 name= needs what to look for, e.g. name=SAP*.",
    }


def _table(answer: Ephemeral) -> str:
    inside = [part for block in answer.blocks if block["type"] == "rich_text" for part in block["elements"]]
    return "".join(part["elements"][0]["text"] for part in inside if part["type"] == "rich_text_preformatted")


async def test_history(world: World) -> None:
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: any("PowerPick is down" in line for line in world.lines()))
    await world.asks("/connection ack powerpick")
    world.site.set_status(1, 1)
    await world.slack.wait_for(lambda: any("PowerPick is up again" in line for line in world.lines()))

    seen = " % of the time seen: <span> of the last <span>. "
    span = "from <time> to <time>. Not seen for <span> in all, 99 % of the span; first seen <time>. "
    unwatched = "Not watched (or no longer on record) for <span>."
    lift = f"🔵 Lift was up 100{seen}graz/40: {span}Up for <span>, without a downtime. {unwatched}"
    expected = {
        "history 40": lift,
        "history graz/40 24h": lift,
        'history "Lift" 7d': lift,
        "history lift 30d": lift,
        "history sap": "🔵 2 connections may be meant. /connection history vienna/2 24h SAP Orders; "
        "/connection history vienna/3 24h SAP Stock.",
        "history": "🔵 history needs the connection that you want to look back on.",
        "history 99": unknown("99"),
        "history 40 8d": "🔵 history looks back 24h, 7d or 30d; a name that ends like a length needs quotation marks. "
        "Did you mean /connection history 40 30d?",
    }
    assert await answers(world, list(expected)) == expected
    text = await world.asks("/connection history powerpick")
    assert re.sub(r"was up [\d.]+ %", "was up <part> %", text) == (
        f"🔵 PowerPick was up <part>{seen}vienna/1: {span}Up for <span>, down for <span> in 1 downtime. {unwatched} "
        "1 of 1 acknowledged, after <span> on average."
    )


async def test_ack_mute_and_unmute_of_one(world: World) -> None:
    """Each is also said in its thread, if it has one."""
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: any("PowerPick is down" in line for line in world.lines()))
    expected = {
        "ack vienna/1": "👀 You have acknowledged PowerPick. Its thread says so. No more reminders until it is over.",
        "ack powerpick": "👀 PowerPick was acknowledged before. By alice, <time>. Nothing has changed.",
        "ack 40": "🔵 Lift has no open incident: nothing to acknowledge.",
        "list acknowledged": "🔴 1 of 29 connections is acknowledged. 1 down. 🔇 muted or in maintenance, 👀 acknowledged. "
        "Down: PowerPick vienna/1 for <span>.",
        "mute powerpick 1h30m driver update": muted("PowerPick is muted", "by alice: driver update."),
        "mute lift 2h": muted("Lift is muted"),
        "mute Lift 2h 1h": muted("Lift 2h is muted"),
        "list muted": "🔴 3 of 29 connections are muted. 1 down, 2 up. 🔇 muted or in maintenance, 👀 acknowledged. "
        "Down: PowerPick vienna/1 for <span>.",
        "unmute powerpick": f"🔔 PowerPick is no longer muted. Its thread says so. {TOLD_NOW}",
        "unmute graz/40": f"🔔 Lift is no longer muted. {TOLD_NOW}",
        "unmute lift": "🔵 Lift is not muted by anybody. Nothing has changed.",
    }
    vienna, graz, _ = world.lines()
    assert await answers(world, list(expected)) == expected
    await world.shows(
        vienna,
        graz,
        "root 🔴 PowerPick is down. vienna/1: down since <time>. 3 integrations stop. Acknowledged by alice, <time>.",
        "  reply 👀 alice has acknowledged PowerPick. Since <time>. No more reminders until it is over.",
        "  reply 🔇 alice has muted PowerPick. No new alerts or reminders until <time>. "
        "Existing messages are still updated. Reason: driver update",
        "  reply 🔔 alice has unmuted PowerPick. New problems are announced again.",
    )


async def test_ack_mute_and_unmute_of_a_whole_site(world: World) -> None:
    """It is said in the threads of what is open there, and of the other site nothing."""
    world.site.set_status(1, 0)
    await world.slack.wait_for(lambda: any("PowerPick is down" in line for line in world.lines()))
    await world.asks("/connection ack vienna/1")
    expected = {
        "ack vienna": "🔵 vienna is a site, not a connection. Did you mean /connection ack vienna/*? "
        "That is all 2 open incidents of it.",
        "ack vienna/*": "👀 You have acknowledged vienna: 1 open incident. Its thread says so. "
        "No more reminders until it is over. 1 more had been acknowledged before.",
        "mute Vienna/* 30 min disks": muted("vienna is muted as a whole", "by alice: disks."),
        "unmute vienna/1": "🔵 PowerPick is not muted on its own. 🔇 Muted until <time> by alice: disks. "
        "The whole site is muted: /connection unmute vienna/* ends that.",
        "list muted down": "🔴 2 of 29 connections are muted. 2 down. 🔇 muted or in maintenance, 👀 acknowledged. "
        "Down: PowerPick vienna/1 for <span>, SAP Stock vienna/3 for <span>.",
        "unmute vienna/*": f"🔔 vienna is no longer muted. Its threads say so. {TOLD_NOW}",
        "ack graz/*": "👀 You have acknowledged graz: 1 open incident. Its thread says so. "
        "No more reminders until it is over.",
    }
    assert await answers(world, list(expected)) == expected
    await world.settled()
    said = [line for line in world.lines() if line.startswith("  reply")]
    for line, times in (
        ("alice has muted all of vienna. No new alerts or reminders until <time>.", 2),
        ("alice has unmuted all of vienna. New problems are announced again, unless something else silences them.", 2),
        ("alice has acknowledged what was down in vienna when watching began.", 1),
        ("alice has acknowledged what was down in graz when watching began.", 1),
        ("alice has acknowledged PowerPick.", 1),
    ):
        assert sum(line in reply for reply in said) == times, line
    assert len(said) == 7


async def test_what_cannot_be_done_is_answered_and_changes_nothing(world: World) -> None:
    long = "needs to know for how long: 30m, 2h, 1h30m or 7d. Did you mean /connection"
    expected = {
        "ack": "🔵 ack needs the connection that you take care of.",
        "unmute": "🔵 unmute needs the connection that you want to hear about again.",
        "mute": "🔵 mute needs the connection, and for how long: 30m, 2h, 1h30m or 7d.",
        "mute 40": f"🔵 mute {long} mute 40 2h?",
        "mute 40 soon": f"🔵 mute {long} mute 40 2h soon?",
        "mute 40 90": f"🔵 mute {long} mute 40 90m?",
        "mute 40 31d": "🔵 mute lasts 30d at most: what is silent for longer is forgotten. "
        "Did you mean /connection mute 40 30d?",
        "mute 40 0s": "🔵 mute lasts one second at least: write 30m, 2h, 1h30m or 7d. Did you mean /connection mute 40 2h?",
        "mute 2h 40": "🔵 mute takes the connection first, and then for how long. Did you mean /connection mute 40 2h?",
        "ack sap": "🔵 2 connections may be meant. /connection ack vienna/2 SAP Orders; /connection ack vienna/3 SAP Stock.",
        "mute 1 2h": "🔵 2 connections may be meant. /connection mute graz/1 2h Crane; "
        "/connection mute vienna/1 2h PowerPick.",
        "unmute sap": "🔵 2 connections may be meant. /connection unmute vienna/2 SAP Orders; "
        "/connection unmute vienna/3 SAP Stock.",
        "mute graz 1h": "🔵 graz is a site, not a connection. Did you mean /connection mute graz/* 1h? "
        "That is all 3 connections of it.",
        "mute * 1h": "🔵 2 sites may be meant. Did you mean one of these? /connection mute graz/* 1h all 3 connections of it; "
        "/connection mute vienna/* 1h all 26 connections of it.",
        "ack 99": unknown("99"),
        "mute oslo/* 1h": unknown("oslo/*"),
        "unmute oslo/*": unknown("oslo/*"),
        "unmute vienna/*": "🔵 vienna is not muted by anybody. Nothing has changed.",
        "list muted": "🔵 No connection is muted. 29 connections in all are watched.",
        "list acknowledged": "🔵 No connection is acknowledged. 29 connections in all are watched.",
    }
    before = world.lines()
    assert await answers(world, list(expected)) == expected
    assert world.lines() == before


HOSTILE = {
    "<!channel>": "&lt;!channel&gt;",
    "<@U0BOB>": "@U0BOB",
    "<https://evil.example|click>": "click",
    "*bold* _it_ ~no~": "*bold* _it_ ~no~",
    "a`b``c": "a`b``c",
    "a\0b\u202ec\u200f\u2066d": "a bcd",
    "&lt;!here&gt; & <b>": "&lt;!here&gt; &amp; &lt;b&gt;",
    "x\n> y": "x &gt; y",
    "'; DROP TABLE connections; --": "; DROP TABLE connections; --",
    "x" * 5000: f"{'x' * (NAME_LIMIT - 1)}…",
}
"""What is typed, and how it is shown as text: as it is, and without what makes it more than text."""


async def test_hostile_words_are_words(world: World) -> None:
    """In the place of each argument, where nobody else sees them, and as a reason, which everybody does."""
    before = world.lines()
    for typed, shown in HOSTILE.items():
        for question in ("ack {}", "unmute {}", "history {}", 'mute "{}" 1h', "vienna/{}", 'list name="{}"', "{}"):
            answer = await world.asks(f"/connection {question.format(typed)}")
            _is_text(latest(world).text, latest(world).blocks)
        assert answer.startswith(f"🔵 No connection is known as {shown}. ")
    assert world.lines() == before

    for typed in HOSTILE:
        answer = await world.asks(f"/connection mute crane 1h why: {typed}")
        assert answer.startswith("🔇 Crane is muted. 🔇 Muted until <time> by alice: why: ")
    await world.settled()
    said = [message for message in world.slack.messages(ALERTS) if "has muted Crane" in message["text"]]
    assert len(said) == len(HOSTILE)
    for message in said:
        _is_text(message["text"], message["blocks"])


def _is_text(text: str, blocks: Sequence[Any]) -> None:
    """Nothing in it pings, links or formats."""
    shown = json.dumps(blocks, ensure_ascii=False)
    assert not re.search(r"<(?!!date\^)", text)
    assert not re.search(r'"type": "(?:user|usergroup|broadcast|channel|link)"', shown)
    assert not re.search("[\0\u200f\u202e\u2066]|" + r"\\u0000", text + shown)
    assert len(text) <= 4000
