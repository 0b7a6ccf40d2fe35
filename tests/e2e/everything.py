"""Everything together: the worst hour of three sites, which one channel has to tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.settings import Maintenance
from tests.e2e.stepped import START
from tests.e2e.storm import Storm
from tests.e2e.world import ALERTS, connection

NO_ROUTE = "No route to host 10.20.4.1 (switch core-2)"
HALL = range(1, 91)
"""What hangs on one switch in Berlin."""
STAY_DOWN = range(1, 13)
FLAPPING = (11, 12, 13)
SAP, WMS, CRANE, FELL_WHILE_AWAY = 1, 2, 3, 101


def _named(names: Sequence[tuple[str, str]], **fields: Any) -> list[dict[str, Any]]:
    return [
        connection(
            n,
            name,
            type=type_,
            url=f"10.20.4.{n}:4840",
            isTestable=False,
            integrationCount=max(1, 10 - n // 4),
            **fields,
        )
        for n, (name, type_) in enumerate(names, start=1)
    ]


BERLIN = _named([(f"Shuttle {n:02d}" if n <= 90 else f"Pick station {n - 90:02d}", "OPC UA") for n in range(1, 121)])
GRAZ = _named([("Label printer", "TCP"), *((f"Conveyor {n}", "OPC UA") for n in range(1, 12))])
ROTTERDAM = _named(
    [
        ("SAP S/4HANA Orders", "REST"),
        ("Warehouse Cloud", "REST"),
        ("Crane 1", "OPC UA"),
        *((f"Dock door {n}", "TCP") for n in range(4, 31)),
    ]
)


def everything(folder: Path) -> Storm:
    """Not yet begun."""
    storm = Storm(folder, sites={"berlin": BERLIN, "graz": GRAZ, "rotterdam": ROTTERDAM})
    storm.settings["alerts"] = {"remind_every": timedelta(minutes=12), "escalate_after": timedelta(minutes=8)}
    storm.settings["routes"] = ({"name": "SAP*", "mention": "here", "escalate_to": "U0BOB"},)
    storm.maintenance = (
        Maintenance(
            start=START + timedelta(minutes=10),
            end=START + timedelta(hours=2),
            site="graz",
            name="Conveyor*",
            reason="Drives are replaced",
        ),
    )
    return storm


async def play(storm: Storm) -> None:
    """From before the baselines to half an hour later, when it has calmed down and not all is well."""
    berlin, graz, rotterdam = (storm.sites[name] for name in ("berlin", "graz", "rotterdam"))
    graz.set_status(1, 0)
    await storm.start()
    await storm.polls(2)
    # 03:01. One alone, with its error; nobody will take it.
    rotterdam.set_status(SAP, 0)
    rotterdam.write_error(SAP, "HTTP 503 from sap-gw-2: no worker is free")
    await storm.polls(2)
    # 03:02. A switch dies: three quarters of Berlin at once. Alice has it.
    for n in HALL:
        berlin.set_status(n, 0)
        berlin.write_error(n, NO_ROUTE)
    await storm.polls(2)
    await press(storm, "acknowledge", on="of berlin are down", user="U0ALICE")
    # 03:03 to 03:13. Three dock doors come and go, and the warehouse's cloud reports the same error at each poll.
    for n in range(20):
        storm.set_all(n % 2, FLAPPING, site="rotterdam")
        rotterdam.write_error(WMS, f"Request {4711 + n} timed out after {n + 2} s")
        if n == 8:
            await ask(storm, "/connection mute rotterdam/3 2h Service of the crane", user="U0BOB")
            rotterdam.set_status(CRANE, 0)
        if n == 10:
            storm.set_all(1, set(HALL) - set(STAY_DOWN), site="berlin")
        # ItemPath in Berlin restarts twice: everything is down for a poll.
        if n in (13, 16):
            storm.set_all(0, range(1, 121), site="berlin")
        if n in (14, 17):
            storm.set_all(1, set(range(1, 121)) - set(STAY_DOWN), site="berlin")
        if n == 15:
            storm.set_all(0, range(2, 8), site="graz")
        await storm.polls()
    storm.set_all(0, FLAPPING[:1], site="rotterdam")
    storm.set_all(1, FLAPPING[1:], site="rotterdam")
    rotterdam.write_log(WMS)
    await storm.polls(2)
    # 03:14. The bot's own network: all sites are gone for two minutes.
    for site in storm.sites.values():
        await site.set_fault("unreachable")
    await storm.polls(4)
    for site in storm.sites.values():
        await site.set_fault(None)
    await storm.polls(4)
    # 03:18. The bot is off for seven minutes.
    await storm.stop()
    berlin.set_status(FELL_WHILE_AWAY, 0)
    storm.clock.skip(minutes=7)
    await storm.start()
    await storm.polls(4)
    # 03:27. Somebody changes the token in Graz. Bob knows.
    await graz.set_fault("credentials")
    await storm.polls(4)
    await press(storm, "acknowledge", on="graz cannot be read", user="U0BOB")
    await storm.passes(minutes=9)


async def press(storm: Storm, action: str, *, on: str, user: str) -> None:
    """On the latest message with these words."""
    message = [m for m in storm.slack.messages() if on in m["text"] and m.get("thread_ts", m["ts"]) == m["ts"]][-1]
    error = await storm.slack.interactions.click(ALERTS, user, action_id=action, message_ts=message["ts"])
    assert error is None
    await storm.clock.quiet()


async def ask(storm: Storm, text: str, *, user: str) -> None:
    assert await storm.slack.interactions.command(ALERTS, user, text) is None
    await storm.clock.quiet()
