"""Whatever ItemPath answers, nothing flips that has not flipped, nothing is removed that is there, and no other site notices.

Real servers, the real client, real pollers on a real database. Each trouble lasts for two polls, for a connection counts
as removed when two complete reads did not list it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.clock import Clock
from bot.core.events import EventKind
from bot.core.incidents import EpisodeKind
from bot.core.policy import Policy
from bot.itempath.client import ItemPathClient
from bot.poller import Poller
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.itempath_site import FIELDS
from bot.store.store import Store
from bot.telemetry import Metrics

Rows = list[dict[str, Any]]
ALARMS = {EventKind.WENT_DOWN, EventKind.WENT_UP, EventKind.ADDED, EventKind.REMOVED}
CONNECTIONS = (
    {"id": 1, "name": "PowerPick", "type": "MSSQL", "status": 1, "integrationCount": 3},
    {"id": 2, "name": "Web Services", "status": 0},
    {"id": "a-uuid", "name": "SAP", "status": 1, "latestLog": {"id": 7, "error": "timed out", "status": 0}},
)


class Plant:
    """A site in trouble, and another one beside it."""

    def __init__(
        self, store: Store, site: SimulatedItemPath, other: SimulatedItemPath, pollers: dict[str, Poller]
    ) -> None:
        self.store = store
        self.site = site
        self.poller = pollers[site.name]
        self._other = other
        self._pollers = pollers

    async def alarms(self) -> list[tuple[str, EventKind]]:
        """What was down when watching began is none."""
        found = [
            (stored.event.connection, stored.event.kind)
            for stored in await self.store.events()
            if stored.event.kind in ALARMS and stored.event.reason != "baseline"
        ]
        return sorted(found)

    async def poll(self, times: int = 2) -> None:
        """Of the troubled site; the other one can be read all the time."""
        for _ in range(times):
            await self.poller.poll()
        await self._pollers[self._other.name].poll()
        assert self._pollers[self._other.name].trouble is None

    async def stays_calm(self) -> None:
        """The trouble was never taken for a change; once it is over all is as before, and a true flip is seen at once."""
        assert await self.alarms() == []
        await self.poll(1)
        assert self.poller.trouble is None
        assert await self.alarms() == []
        episodes = await self.store.episodes(site=self.site.name, going_on=True)
        assert [episode.connection for episode in episodes if episode.kind is EpisodeKind.OUTAGE] == ["2"]
        self.site.set_status(1, 0)
        await self.poll(1)
        assert await self.alarms() == [("1", EventKind.WENT_DOWN)]


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    async with AsyncExitStack() as stack:
        store = await Store.open(f"sqlite:///{tmp_path}/bot.db", write=True)
        stack.push_async_callback(store.close)
        sites = (
            SimulatedItemPath("plant", connections=copy.deepcopy(CONNECTIONS)),
            SimulatedItemPath("other", connections=[{"id": 1, "name": "Elsewhere", "status": 1}]),
        )
        pollers: dict[str, Poller] = {}
        for site in sites:
            await stack.enter_async_context(site)
            client = ItemPathClient(url=site.url, token=site.token, attempts=1, timeout=0.3, trust_env=False)
            await stack.enter_async_context(client)
            pollers[site.name] = Poller(
                client=client,
                store=store,
                policy=Policy(site=site.name, home="C0ALERTS", interval=timedelta(seconds=30)),
                peers=(),
                clock=Clock(),
                metrics=Metrics(version="test"),
                committed=lambda: None,
            )
        made = Plant(store, sites[0], sites[1], pollers)
        await made.poll(1)
        yield made


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_server_in_trouble_flips_and_removes_nothing(plant: Plant, fault: Fault) -> None:
    plant.site.player.huge_bytes = 40 * 1024 * 1024 if fault is Fault.HUGE else 0
    await plant.site.set_fault(fault)
    await plant.poll()
    assert plant.poller.trouble is not None
    await plant.site.set_fault(None)
    await plant.stays_calm()


def answering(body: bytes, *, status: int = 200) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type="application/json")

    return answer


async def answer_with(plant: Plant, *bodies: Any, what: object) -> None:
    """The next polls are answered so, and nothing comes of it."""
    plant.site.script(*(answering(each if isinstance(each, bytes) else json.dumps(each).encode()) for each in bodies))
    await plant.poll(len(bodies))
    assert await plant.alarms() == [], what


async def test_what_is_no_success_is_not_read_whatever_it_holds(plant: Plant) -> None:
    """A list without connections would say that all are gone."""
    for status in (206, 304, 400, 404, 409, 429, 500, 503):
        step = answering(b"[]", status=status)
        plant.site.script(step, step)
        await plant.poll()
        assert plant.poller.trouble is not None, status
        assert await plant.alarms() == [], status
    await plant.stays_calm()


async def test_a_wrong_type_in_any_field_costs_its_row_its_state_and_no_more(plant: Plant) -> None:
    """Neither that connection nor another counts as down, up or gone, the one without a readable id included."""
    for field in FIELDS:
        first, *others = plant.site.rows()
        await answer_with(plant, [first | {field: {"a": 1}}, *others], [first | {field: [1]}, *others], what=field)
        assert plant.poller.trouble is None, field
    await plant.stays_calm()


async def test_a_status_that_makes_no_sense_is_unknown_and_flips_nothing(plant: Plant) -> None:
    for status in (None, "up", "", 2, -1, 0.5, 10**30, "1.0", [0], {"value": 0}):
        rows = [row | {"status": status} for row in plant.site.rows()]
        await answer_with(plant, rows, rows, what=status)
        assert plant.poller.trouble is None, status
    await plant.stays_calm()


IDS: tuple[Callable[[Any], Any], ...] = (
    str,
    lambda given: f" {given} ",
    lambda given: float(given) if given in (1, 2) else given,
)


async def test_an_id_that_changes_its_type_is_the_same_connection(plant: Plant) -> None:
    """1, "1", " 1 " and 1.0."""
    for other in IDS:
        rows = [row | {"id": other(row["id"])} for row in plant.site.rows()]
        await answer_with(plant, rows, rows, what=rows)
        assert plant.poller.trouble is None
    await plant.stays_calm()


def twice(rows: Rows, **differing: Any) -> Rows:
    return [*rows, *(row | differing for row in rows)]


BODIES: dict[str, Callable[[Rows], Any]] = {
    "each row twice": twice,
    "each id twice, up and down": lambda rows: [*twice(rows, status=0), *twice(rows, status=1)],
    "the other way round": lambda rows: rows[::-1],
    "rows that are none": lambda rows: [None, 1, "x", [], *rows],
    "no row but one, and one without an id": lambda rows: [rows[1], {"name": "?"}],
    "wrapped": lambda rows: {"connections": rows, "errors": []},
    "nothing": lambda _: b"",
    "null": lambda _: None,
    "a wrapped null": lambda _: {"connections": None},
    "an empty list of something else": lambda _: {"errors": []},
    "a message": lambda _: {"msg": "busy"},
    "only rows without ids": lambda rows: [{"name": row["name"]} for row in rows],
    "half of it": lambda rows: json.dumps(rows).encode()[:-9],
    "a page": lambda _: b"<!doctype html><title>Sign in</title>",
    "deep nesting": lambda _: b"[" * 5000 + b"]" * 5000,
    "deep nesting in a field": lambda rows: json.dumps(rows).encode().replace(b'"timed out"', b"[" * 900 + b"]" * 900),
    "more values than there can be": lambda _: b"[" + b"[]," * 600_000 + b"[]]",
    "an endless number": lambda _: b'[{"id": ' + b"9" * 5000 + b"}]",
}


async def test_a_body_that_is_not_what_it_should_be_flips_and_removes_nothing(plant: Plant) -> None:
    for what, made in BODIES.items():
        body = made(plant.site.rows())
        await answer_with(plant, body, body, what=what)
    await plant.stays_calm()


@pytest.mark.parametrize("steps", [1, 7, -13])
async def test_pages_that_shift_while_they_are_read_remove_nothing(plant: Plant, steps: int) -> None:
    """A list of several pages that never holds still: a read is whole, or it is none."""
    for number in range(100, 157):
        plant.site.add(id=number, name=f"Dock {number}", status=1)
    await plant.poll(1)
    added = await plant.alarms()
    plant.site.quirks.default_limit = plant.site.quirks.limit_cap = 25
    plant.site.quirks.after_page = lambda: plant.site.rotate(steps)
    await plant.poll(6)
    assert await plant.alarms() == added
    plant.site.quirks.after_page = None
    await plant.poll(1)
    assert plant.poller.trouble is None
    assert await plant.alarms() == added


async def test_rows_that_go_while_pages_are_read_take_no_other_along(plant: Plant) -> None:
    """One row goes from the front after each first page, so the next page begins one row too late: the ids that were read
    are as many as the server counts, and yet one is missing. Only what is missing twice in a row is gone.
    """
    for number in range(100, 157):
        plant.site.add(id=number, name=f"Dock {number}", status=1)
    await plant.poll(1)
    plant.site.quirks.default_limit = plant.site.quirks.limit_cap = 25
    gone: list[str] = []

    def remove_one() -> None:
        if len(gone) < 3 and not dict(plant.site.requests[-1].query):
            first = plant.site.rows()[3]["id"]
            plant.site.remove(first)
            gone.append(str(first))

    plant.site.quirks.after_page = remove_one
    await plant.poll(6)
    plant.site.quirks.after_page = None
    await plant.poll(2)
    assert len(gone) == 3
    removed = [connection for connection, kind in await plant.alarms() if kind is EventKind.REMOVED]
    assert sorted(removed) == sorted(gone)
