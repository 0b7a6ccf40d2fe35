"""Everything together: what the channel alone tells in the end (contract section 4, all of it)."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.everything import everything, play
from tests.e2e.storm import Storm

MUTED = ("rotterdam/3", *(f"graz/{n}" for n in range(2, 8)))
"""By Bob, and by the maintenance of the conveyors."""
NOBODY = "Nobody has acknowledged it yet."

DOWN_NOW = [
    (
        "🔴 Watching 12 connections of ItemPath graz, 1 already down. 🔴 down: Label printer graz/1. "
        f"{NOBODY} "
        "From now on a message says when one goes down, is up again or logs a new error. "
        "Type /connection help to see what you can ask."
    ),
    (
        "🔴 SAP S/4HANA Orders is down. rotterdam/1: down since 2026-11-24 03:01:30 UTC. 10 integrations stop. "
        f"{NOBODY} Error: HTTP 503 from sap-gw-2: no worker is free <!here>"
    ),
    (
        "🔴 13 of 120 connections of berlin are down: 12 here, 1 in another message. All here fell 2026-11-24 03:02:30 UTC. "
        "Here 105 integrations stop. "
        "Acknowledged by alice, 2026-11-24 03:03:29 UTC. All 12 report: No route to host 10.20.4.1 (switch core-2). "
        "Down here, greatest impact first: "
        + "; ".join(f"🔴 Shuttle {n:02d} berlin/{n}, {10 - n // 4} integrations" for n in range(1, 13))
        + "; 🟢 78 up again: "
        + ", ".join(f"Shuttle {n:02d}" for n in range(13, 21))
        + " and 70 more in the thread."
    ),
    (
        "🔴 3 of 30 connections of rotterdam are down: 1 here, 1 in another message, 1 muted. The one here fell "
        "2026-11-24 03:13:30 UTC. Here 8 integrations stop. "
        f"{NOBODY} Down here, greatest impact first: 🔴 Dock door 11 rotterdam/11, 8 integrations; 🟢 2 up again: "
        "Dock door 12, Dock door 13."
    ),
    (
        "🔴 Pick station 11 is down. berlin/101: went down between 2026-11-24 03:18:00 UTC and "
        "2026-11-24 03:25:29 UTC, while this bot was away. 1 integration stops. "
        f"{NOBODY}"
    ),
    (
        "🟣 ItemPath graz cannot be read. Blind since 2026-11-24 03:27:59 UTC: the state of its connections is unknown. "
        "ItemPath refused the application token (401). Make a new application token in ItemPath and set ITEMPATH_TOKEN "
        "(or the site's token_env, token_file) to it. Acknowledged by bob, 2026-11-24 03:29:58 UTC."
    ),
]
"""What, where, since when, how bad, and who has it."""

TOLD = """
root 🔴 SAP S/4HANA Orders is down
root 🔴 13 of 120 connections of berlin are down: 12 here, 1 in another message
root 🟢 Warehouse Cloud no longer reports an error
root 🟢 Dock door 11 is up again after 30 s
root 🟢 Dock door 12 is up again after 30 s
root 🟢 Dock door 13 is up again after 30 s
broadcast 🟢 Dock door 11 is up again after 30 s
broadcast 🟢 Dock door 12 is up again after 30 s
broadcast 🟢 Dock door 13 is up again after 30 s
root 🔴 3 of 30 connections of rotterdam are down: 1 here, 1 in another message, 1 muted
broadcast 🟢 All 3 connections of rotterdam in this outage are up again
broadcast 🔴 It begins again: 4 of 30 connections of rotterdam are down: 3 here, 1 in another message
broadcast 🟢 All 3 connections of rotterdam in this outage are up again
broadcast 🔴 Not acknowledged by anybody: Label printer is still down, for at least 8 min now
broadcast 🔴 Escalated: SAP S/4HANA Orders is still down, for 8 min now
root 🟢 All 108 connections of berlin in this outage are up again
broadcast 🟢 All 108 connections of berlin in this outage are up again
broadcast 🔴 It begins again: 120 of 120 connections of berlin are down: 108 here, 12 in other messages
broadcast 🟢 All 108 connections of berlin in this outage are up again
broadcast 🔴 Label printer is still down, for at least 12 min now
broadcast 🔴 SAP S/4HANA Orders is still down, for 12 min now
root 🟢 All 3 sites can be read again after 2 min
broadcast 🟢 All 3 sites can be read again; this bot was blind for 2 min
root 🔴 Pick station 11 is down
broadcast 🔴 Label printer is still down, for at least 25 min 29 s now
broadcast 🔴 Flapping ended 12 min ago: 3 of 30 connections of rotterdam are down: 1 here, 1 in another message, 1 muted
broadcast 🔴 SAP S/4HANA Orders is still down, for 24 min 1 s now
root 🔵 Nothing was watched for 7 min 28 s
root 🟣 ItemPath graz cannot be read
broadcast 🔴 Not acknowledged by anybody: Pick station 11 is still down, for 8 min now
broadcast 🔴 Not acknowledged by anybody: 3 of 30 connections of rotterdam are still down: 1 here (for 19 min 59 s now), 1 in another message, 1 muted
broadcast 🔴 Pick station 11 is still down, for 12 min now
broadcast 🔴 3 of 30 connections of rotterdam are still down: 1 here (for 23 min 59 s now), 1 in another message, 1 muted
broadcast 🔴 SAP S/4HANA Orders is still down, for 36 min now
""".strip().splitlines()
"""Every notification behind the three baselines, as it reads in the end."""

REASONS = {
    "acknowledged: by_person": 91,
    "baseline: first_snapshot": 1,
    "error: counted": 19,
    "error: new_error": 1,
    "error_over: clean_log": 1,
    "escalated: nobody_acknowledged": 4,
    "flapping: group_flips": 1,
    "group_over: all_over": 4,
    "group_reopened: fell_again": 2,
    "not_escalated: acknowledged": 2,
    "not_reminded: acknowledged": 2,
    "not_reminded: not_seen": 1,
    "reminded: still_down": 7,
    "settled: held": 1,
    "sight_lost: credentials": 1,
    "sight_lost: several_sites": 2,
    "sight_lost: unreachable": 1,
    "sight_regained: read_again": 1,
    "sight_regained: several_sites": 2,
    "went_down: baseline": 1,
    "went_down: grouped": 334,
    "went_down: muted": 7,
    "went_down: seen": 4,
    "went_down: while_away": 1,
    "went_up: flapping": 21,
    "went_up: grouped": 300,
    "went_up: seen": 3,
}


async def test_the_channel_alone_says_what_is_down_since_when_and_who_has_it(tmp_path: Path) -> None:
    """Three sites, one channel: mass outage, flapping, errors, restarts, a lost network, mutes, a bot that was off."""
    async with everything(tmp_path) as storm:
        await play(storm)

        roots = [line.removeprefix("root ") for line in storm.told() if line.startswith("root ")]
        assert [root for root in roots if root[0] in "🔴🟠🟡🟣"] == DOWN_NOW
        assert [line.partition(". ")[0] for line in _notifications(storm)[3:]] == TOLD
        assert storm.edits() <= 70
        # What cannot be read is said to be unknown, and stays as it was told last.
        assert storm.shown()["graz/1"] == "down"
        assert await storm.reasons(silent=MUTED, blind=("graz",)) == REASONS
        assert sorted(await storm.notices()) == [
            ("berlin", "first_snapshot"),
            ("berlin", "silent_for_long"),
            ("graz", "first_snapshot"),
            ("rotterdam", "first_snapshot"),
        ]


def _notifications(storm: Storm) -> list[str]:
    return [line for line in storm.told() if not line.startswith("reply ")]
