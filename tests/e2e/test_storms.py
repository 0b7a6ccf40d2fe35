"""Recorded storms, through the whole bot: what people are told, how often, and that in the end all of it is true.

Contract section 4, rules 4, 6, 7, 8 and 12. Every count is exact; the moments are the world's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.settings import Maintenance
from tests.e2e.stepped import START
from tests.e2e.storm import Storm, connections

NOBODY = "Nobody has acknowledged it yet."
EIGHT = "Line 001, Line 002, Line 003, Line 004, Line 005, Line 006, Line 007, Line 008"


def at(minutes: float) -> str:
    """A moment so long after the start."""
    return f"{START + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S} UTC"


def watching(number: int, site: str = "berlin") -> str:
    return (
        f"root 🔵 Watching {number} connections of ItemPath {site}, all up. "
        "From now on a message says when one goes down, is up again or logs a new error. "
        "Type /connection help to see what you can ask."
    )


def over(number: int, start: float, end: float, span: str, most: str = "all", *, first: float | None = None) -> str:
    """`first`: when it was first told, if it had been over before."""
    something, since = ("Something", "") if first is None else ("Most recently something", f"First told {at(first)}. ")
    return (
        f"🟢 All {number} connections of berlin that were down are up again. {something} was down for {span}, "
        f"from {at(start)} to {at(end)}. {since}At the worst, {most} of them were down at once."
    )


def names(numbers: Iterable[int]) -> str:
    return ", ".join(f"Line {n:03d}" for n in numbers)


async def test_five_hundred_die_in_one_poll(tmp_path: Path) -> None:
    """Two notifications; all five hundred are named, and all are green again within the budget for edits."""
    async with Storm(tmp_path, sites={"berlin": connections(500)}) as storm:
        await storm.start()
        storm.set_all(0, range(1, 501))
        await storm.polls(2)
        pages = range(ROOT_HOLDS + 1, 501, LIST_HOLDS)
        first = "; ".join(f"🔴 Line {n:03d} berlin/{n}, {501 - n} integrations" for n in range(1, ROOT_HOLDS + 1))
        assert storm.told()[:2] == [
            watching(500),
            (
                f"root 🔴 500 of 500 connections of berlin are down. All fell {at(0.5)}. 125,250 integrations stop. {NOBODY} "
                f"Down, greatest impact first: {first}; 🔴 and 480 more in the thread."
            ),
        ]
        assert [line[: line.index(": ")] for line in storm.told()[2:]] == [
            f"reply 🔴 {n} to {min(500, n + 49)} of 500 connections of berlin in this outage" for n in pages
        ]
        assert len([mark for mark in storm.shown().values() if mark == "down"]) == 500
        assert (storm.notifications(), storm.edits()) == (2, 0)

        storm.set_all(1, range(1, 501))
        await storm.polls(2)
        end = over(500, 0.5, 1.5, "1 min")
        assert storm.told()[1] == (
            f"root {end} 🟢 500 up again: {names(range(1, ROOT_HOLDS + 1))} and 480 more in the thread."
        )
        assert [line[: line.index(": ")] for line in storm.told()[2:-1]] == [
            f"reply 🟢 {n} to {min(500, n + 49)} of 500 connections of berlin in this outage" for n in pages
        ]
        assert storm.told()[-1] == f"broadcast {end}"
        assert (storm.notifications(), storm.edits()) == (3, 1 + len(pages))
        assert await storm.reasons() == {
            "group_over: all_over": 1,
            "went_down: grouped": 500,
            "went_up: grouped": 500,
        }


async def test_sixty_die_two_a_poll(tmp_path: Path) -> None:
    """Four of their own, a group, and one broadcast for each doubling of it."""
    async with Storm(tmp_path, sites={"berlin": connections(60)}) as storm:
        await storm.start()
        for n in range(1, 60, 2):
            storm.set_all(0, (n, n + 1))
            await storm.polls()
        assert sum(mark == "down" for mark in storm.shown().values()) == 60
        told = [line for line in storm.told() if not line.startswith("reply")]
        apart = "4 in other messages"
        assert [line.partition(".")[0] for line in told] == [
            watching(60).partition(".")[0],
            *(f"root 🔴 Line {n:03d} is down" for n in range(1, 5)),
            f"root 🔴 60 of 60 connections of berlin are down: 56 here, {apart}",
            *(
                f"broadcast 🔴 Now {n + 4} of 60 connections of berlin are down: {n} here ({n // 2} when last told), {apart}"
                for n in (4, 8, 16, 32)
            ),
        ]
        assert told[5].startswith(
            f"root 🔴 60 of 60 connections of berlin are down: 56 here, {apart}. The first here fell {at(1.5)}, the latest "
            f"{at(15)}. Here 1,596 integrations stop. {NOBODY} Down here, greatest impact first: 🔴 Line 005 berlin/5, 56 integrations, "
            f"since {at(1.5)}; 🔴 Line 006 berlin/6, 55 integrations, since {at(1.5)}; "
        )
        storm.set_all(1, range(1, 61))
        await storm.polls(2)

        end = over(56, 1.5, 15.5, "14 min")
        each = [(1, 0.5, "15 min"), (2, 0.5, "15 min"), (3, 1, "14 min 30 s"), (4, 1, "14 min 30 s")]
        one_by_one = [
            f"🟢 Line {n:03d} is up again after {span}. berlin/{n}: Downtime {span}, from {at(start)} to {at(15.5)}."
            for n, start, span in each
        ]
        told = [line for line in storm.told() if not line.startswith("reply")]
        assert told[1:5] == [f"root {line}" for line in one_by_one]
        assert told[5] == f"root {end} 🟢 56 up again: {names(range(5, 25))} and 36 more in the thread."
        assert told[10:] == [f"broadcast {line}" for line in (*one_by_one, end)]
        assert storm.notifications() == 1 + 4 + 1 + 4 + 5
        # The root at each of 27 polls, the list of what it cannot hold from its twelfth on, and all that has ended.
        assert storm.edits() <= 27 + 18 + 6
        assert await storm.reasons() == {
            "group_grew: doubled": 4,
            "group_over: all_over": 1,
            "went_down: grouped": 56,
            "went_down: seen": 4,
            "went_up: grouped": 56,
            "went_up: seen": 4,
        }


async def test_forty_flap_together_for_ten_minutes(tmp_path: Path) -> None:
    """The fourth change makes it flapping: edits only, and one broadcast on what it came to."""
    async with Storm(tmp_path, sites={"berlin": connections(40)}) as storm:
        await storm.start()
        for n in range(20):
            storm.set_all(n % 2, range(1, 41))
            await storm.polls()
        assert storm.told()[1].startswith(
            "root 🟡 Connections of berlin are flapping together: 19 changes so far, all up now. All fell "
        )
        storm.set_all(0, range(1, 4))
        await storm.polls(12)

        red = "; ".join(f"🔴 Line {n:03d} berlin/{n}, {41 - n} integrations" for n in range(1, 4))
        down = f"3 of 40 connections of berlin are down. All fell {at(10.5)}. 117 integrations stop."
        fell = f"It begins again: 40 of 40 connections of berlin are down. All fell {at(1.5)}. 820 integrations stop."
        assert [line for line in storm.told() if not line.startswith("reply")] == [
            watching(40),
            (
                f"root 🔴 {down} {NOBODY} Down, greatest impact first: {red}; 🟢 37 up again: {names(range(4, 21))} "
                "and 20 more in the thread."
            ),
            f"broadcast {over(40, 0.5, 1, '30 s')}",
            f"broadcast 🔴 {fell} {NOBODY} Greatest impact: {EIGHT} and 32 more.",
            f"broadcast {over(40, 1.5, 2, '30 s', first=0.5)}",
            (
                f"broadcast 🔴 Flapping ended 5 min ago: {down} It was flapping before: 20 changes. {NOBODY} "
                f"Down: {names(range(1, 4))}."
            ),
        ]
        # Root and list at each of 20 changes, and once more as it settles.
        assert storm.edits() <= 2 * 21
        assert await storm.reasons() == {
            "flapping: group_flips": 1,
            "group_over: all_over": 2,
            "group_reopened: fell_again": 1,
            "settled: held": 1,
            "went_down: grouped": 403,
            "went_up: flapping": 320,
            "went_up: grouped": 80,
        }


async def test_forty_flap_each_in_its_own_time_for_ten_minutes(tmp_path: Path) -> None:
    """Some of them are always down: one root, edits, and one broadcast in the end."""
    async with Storm(tmp_path, sites={"berlin": connections(40)}) as storm:
        await storm.start()
        for n in range(20):
            for line in range(1, 41):
                storm.site.set_status(line, (n + line) // (1 + line % 4) % 2)
            await storm.polls()
        shown = [line.partition(".")[0] for line in storm.told() if not line.startswith("reply")]
        assert shown == [
            watching(40).partition(".")[0],
            f"root 🔴 {sum(row['status'] == 0 for row in storm.site.rows())} of 40 connections of berlin are down",
        ]
        storm.set_all(1, range(1, 41))
        await storm.polls(2)

        assert storm.notifications() == 3
        assert storm.told()[-1].startswith("broadcast 🟢 All 40 connections of berlin that were down are up again. ")
        assert storm.edits() <= 2 * 21
        reasons = await storm.reasons()
        falls = reasons.pop("went_down: grouped")
        assert falls > 200
        assert reasons == {"group_over: all_over": 1, "went_up: grouped": falls}


async def test_one_error_every_poll_for_an_hour(tmp_path: Path) -> None:
    """One root, one reply for the other kind of error, and their counts."""
    async with Storm(tmp_path, sites={"berlin": connections(3)}, every=timedelta(minutes=1)) as storm:
        await storm.start()
        for n in range(60):
            text = f"HTTP 503 after {n + 2} s from 10.0.0.{n}" if n % 10 else f"Order {4500017300 + n} rejected"
            storm.site.write_error(1, text)
            await storm.polls()
        assert storm.edits() == 59
        storm.site.write_log(1)
        await storm.polls()

        assert storm.told() == [
            watching(3),
            (
                f"root 🟢 Line 001 no longer reports an error. berlin/1: Seen 6 times, first {at(1)} and last {at(51)}. Its "
                f"newest log has no error, since {at(61)}. 1 other error in the thread. Error: Order 4500017350 rejected"
            ),
            (
                f"reply 🟠 Line 001 reports another error. berlin/1: Seen 54 times, first {at(2)} and last {at(60)}. Error: "
                "HTTP 503 after 61 s from 10.0.0.59"
            ),
        ]
        assert (storm.notifications(), storm.edits()) == (2, 60)
        assert await storm.reasons() == {
            "error: counted": 58,
            "error: new_error": 1,
            "error: new_family": 1,
            "error_over: clean_log": 1,
        }


async def test_itempath_restarts_twice(tmp_path: Path) -> None:
    """Each time it is away for a poll, and for one more everything is down: the same group, no site lost."""
    async with Storm(tmp_path, sites={"berlin": connections(30)}) as storm:
        await storm.start()
        for _ in range(2):
            await storm.site.set_fault("unreachable")
            await storm.polls()
            await storm.site.set_fault(None)
            storm.set_all(0, range(1, 31))
            await storm.polls()
            storm.set_all(1, range(1, 31))
            await storm.polls(4)

        again = f"30 of 30 connections of berlin are down. All fell {at(4)}. 465 integrations stop. {NOBODY}"
        second = over(30, 4, 4.5, "30 s", first=1)
        assert [line for line in storm.told() if not line.startswith("reply")] == [
            watching(30),
            f"root {second} 🟢 30 up again: {names(range(1, 21))} and 10 more in the thread.",
            f"broadcast {over(30, 1, 1.5, '30 s')}",
            f"broadcast 🔴 It begins again: {again} Greatest impact: {EIGHT} and 22 more.",
            f"broadcast {second}",
        ]
        assert storm.edits() == 6
        assert await storm.reasons() == {
            "group_over: all_over": 2,
            "group_reopened: fell_again": 1,
            "went_down: grouped": 60,
            "went_up: grouped": 60,
        }


async def test_a_planned_maintenance(tmp_path: Path) -> None:
    """Nothing new is said; what had a root ends with a plain reply; what did not come back is told at the end."""
    async with Storm(tmp_path, sites={"berlin": connections(30)}) as storm:
        start, end = (START + timedelta(minutes=minutes) for minutes in (5, 35))
        storm.maintenance = (Maintenance(start=start, end=end, site="ber*", reason="Switches are replaced"),)
        storm.settings["routes"] = ({"mention": "here"},)
        await storm.start()
        storm.set_all(0, (1,))
        await storm.passes(minutes=6)
        assert storm.told()[1] == (
            f"root 🔴 Line 001 is down. berlin/1: down since {at(0.5)}. 30 integrations stop. {NOBODY} 🔇 Maintenance until "
            f"{at(35)}: Switches are replaced."
        )
        storm.set_all(1, (1,))
        storm.set_all(0, range(2, 22))
        storm.site.write_error(25, "Link lost")
        await storm.polls(4)
        storm.set_all(1, range(4, 22))
        storm.site.write_log(25)
        await storm.polls(4)
        told = storm.told()
        assert told[1:] == [
            f"{kind} 🟢 Line 001 is up again after 6 min. berlin/1: Downtime 6 min, from {at(0.5)} to {at(6.5)}."
            for kind in ("root", "reply")
        ]
        assert await storm.reasons(silent=[f"berlin/{n}" for n in range(2, 22)])
        await storm.passes(minutes=30)

        assert storm.told() == [
            *told,
            *(
                f"root 🔴 Line {n:03d} is down. berlin/{n}: down since {at(6.5)}. {31 - n} integrations stop. {NOBODY} "
                "<!here>"
                for n in (2, 3)
            ),
        ]
        assert storm.edits() == 2
        assert await storm.reasons(silent=[f"berlin/{n}" for n in range(4, 22)]) == {
            "announced: mute_ended": 2,
            "error: muted": 1,
            "error_over: clean_log": 1,
            "went_down: muted": 20,
            "went_down: seen": 1,
            "went_up: muted": 1,
            "went_up: outage_not_announced": 18,
        }


async def test_all_sites_of_a_channel_are_lost_at_once(tmp_path: Path) -> None:
    """One root and one broadcast for three sites; what fell meanwhile is told as fallen between two moments."""
    sites = {name: connections(8) for name in ("berlin", "graz", "rotterdam")}
    async with Storm(tmp_path, sites=sites) as storm:
        await storm.start()
        for site in storm.sites.values():
            await site.set_fault("html")
        await storm.polls(4)
        page = "The reply is a web page and not JSON: perhaps a login page or a proxy's own page."
        lost = [line for line in storm.told() if not line.startswith("root 🔵")]
        assert [line.partition("; ")[0].partition(f": {page}")[0] for line in lost] == [
            (
                f"root 🟣 3 of 3 sites cannot be read: perhaps this bot's own network. No sight of berlin, graz and "
                f"rotterdam since {at(0.5)}: the state of their connections is unknown. {NOBODY} 🟣 berlin cannot be read since {at(0.5)}"
            )
        ]
        storm.set_all(0, range(1, 9), site="berlin")
        storm.set_all(0, (1,), site="graz")
        await storm.polls(4)
        await storm.sites["graz"].set_fault(None)
        await storm.polls()
        assert storm.told()[3].startswith("root 🟣 2 of 3 sites cannot be read: perhaps this bot's own network. ")
        for site in storm.sites.values():
            await site.set_fault(None)
        await storm.polls()

        each = [
            f"🟢 {name} can be read again after {span}"
            for name, span in zip(sites, ("4 min 30 s", "4 min", "4 min 30 s"), strict=True)
        ]
        unseen = f"between {at(0)} and {{}}, while the site could not be read."
        red = "; ".join(f"🔴 Line {n:03d} berlin/{n}, {9 - n} integration{'s' * (n < 8)}" for n in range(1, 9))
        span = f"From {at(0.5)} to {at(5)} not all of them could be read, perhaps this bot's own network."
        assert storm.told()[3:] == [
            f"root 🟢 All 3 sites can be read again after 4 min 30 s. {span} {'; '.join(each)}.",
            f"root 🔴 Line 001 is down. graz/1: went down {unseen.format(at(4.5))} 8 integrations stop. {NOBODY}",
            (
                f"root 🔴 8 of 8 connections of berlin are down. All went down {unseen.format(at(5))} 36 integrations "
                f"stop. {NOBODY} Down, greatest impact first: {red}."
            ),
            f"broadcast 🟢 All 3 sites can be read again; this bot was blind for 4 min 30 s. {span} {'; '.join(each)}.",
        ]
        assert storm.notifications() == 3 + 4
        assert storm.edits() <= 2 + 3
        assert await storm.reasons() == {
            "sight_lost: not_itempath": 1,
            "sight_lost: several_sites": 2,
            "sight_regained: read_again": 1,
            "sight_regained: several_sites": 2,
            "went_down: grouped": 8,
            "went_down: while_blind": 1,
        }
