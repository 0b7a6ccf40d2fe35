"""Storms: hours of trouble through the whole bot, on a clock that stands still until everything that is due is done.

All of it is exact: moments, order, and how many messages and edits there were.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot.sandbox.slack.workspace import Message
from bot.service import Service
from bot.settings import Maintenance, Settings
from tests.e2e.stepped import Stepped
from tests.e2e.world import ALERTS, World, connection

ROOT = Path(__file__).parents[2]
POLL = timedelta(seconds=30)
MARKS = {"🔴": "down", "🟢": "up", "🟠": "error", "🟣": "unknown", "🟡": "flapping", "⚪": "over"}
MOST_CHARACTERS = 12_000
"""Of one message in all (Slack refuses more)."""
EDITS_A_MINUTE = 50
"""chat.update is tier 3 (Slack's page "Rate limits")."""


def connections(number: int, **fields: Any) -> list[dict[str, Any]]:
    """`Line 001`, `Line 002`, …, the first with the greatest impact."""
    return [
        connection(n, f"Line {n:03d}", **{"isTestable": False, "integrationCount": number - n + 1, **fields})
        for n in range(1, number + 1)
    ]


class Storm(World):
    """A world on a stepped clock."""

    clock: Stepped

    def __init__(
        self, folder: Path, *, sites: Mapping[str, Sequence[Mapping[str, Any]]], every: timedelta = POLL
    ) -> None:
        """`every` is the poll interval."""
        super().__init__(folder, sites=sites, speed=1.0, clock=Stepped())
        self.settings["sites"] = {name: {"poll_interval": every} for name in sites}
        self._every = every
        self.maintenance: tuple[Maintenance, ...] = ()

    def configured(self) -> Settings:
        return super().configured().model_copy(update={"maintenance": self.maintenance})

    async def start(self) -> None:
        """Returns when the baselines are in the channel, a second before the next poll."""
        await super().start()
        for client in self.service.clients.values():
            # What a poll repeats, it repeats after a real pause.
            client._attempts = 1
        self.clock.loops = frozenset(
            ["delivery", "reach", "home tab", "housekeeping", *(f"poll {name}" for name in self.sites)]
        )
        await self.clock.go_on(self._every - timedelta(seconds=1))

    def _prepare(self, service: Service) -> None:
        for n, poller in enumerate(service.pollers):
            # Sites are read at the same moment, and in the same order each time.
            poller.run = partial(self._later, n * timedelta.resolution, poller.run)  # type: ignore[method-assign]

    async def _later(self, span: timedelta, run: Callable[[], Awaitable[None]]) -> None:
        await self.clock.sleep(span.total_seconds())
        await run()

    async def stop(self) -> None:
        self.clock.loops = frozenset()
        await super().stop()

    async def polls(self, number: int = 1) -> None:
        """So many more polls of each site, and everything that follows until a second before the next."""
        await self.clock.go_on(number * self._every)

    async def passes(self, **span: float) -> None:
        await self.clock.go_on(timedelta(**span))

    def set_all(self, status: int, refs: Iterable[int], *, site: str | None = None) -> None:
        of = self.site if site is None else self.sites[site]
        for ref in refs:
            of.set_status(ref, status)

    # What came of it

    def told(self, channel: str = ALERTS) -> list[str]:
        """Everything in the channel as it reads now, with its times, in the order in which it was posted."""
        return [f"{_kind(m)} {_read(m['text'])}" for m in self.slack.messages(channel)]

    def notifications(self, channel: str = ALERTS) -> int:
        """How often people looked up: new roots and broadcasts, those of the baselines too."""
        return sum(not line.startswith("reply ") for line in self.told(channel))

    def edits(self) -> int:
        return len(self.slack.made("chat.update"))

    async def reasons(self, *, silent: Collection[str] = (), blind: Collection[str] = ()) -> dict[str, int]:
        """`kind: reason` of every event of an incident that `incidents --json` shows, counted; once all of this holds:

        Slack took every call as it came, within its limits. What the channel shows red is down, and what is down is
        shown red. Every outage has a thread that tells it. Of both, `silent` references are kept out of the channel by a
        mute; connections of `blind` sites are to stay as they were last seen.
        """
        self.kept_to_slacks_limits()
        down = {f"{name}/{row['id']}" for name, site in self.sites.items() for row in site.rows() if row["status"] == 0}
        red = {ref for ref, mark in self.shown().items() if mark == "down"}
        assert _seen(red, blind) == _seen(down, blind) - set(silent)
        lost = [m["text"] for m in self.slack.messages() if _kind(m) == "root" and m["text"].startswith("🟣")]
        assert len(lost) == len(blind), lost
        incidents = [i for i in await self.incidents() if i["kind"] != "notice"]
        untold = {i["reference"] for i in incidents if i["kind"] == "outage" and i["thread"] is None}
        assert untold <= set(silent)
        events = {
            (event["at"], event["kind"], event["reason"], event["thread"], event["connection"], incident["site"])
            for incident in incidents
            for event in incident["events"]
        }
        return dict(sorted(Counter(f"{kind}: {reason}" for _, kind, reason, *_ in events).items()))

    async def notices(self) -> list[tuple[str, str]]:
        """Site and reason of everything that belongs to no incident, told or left out, the oldest first."""
        return [(i["site"], i["why"]) for i in reversed(await self.incidents()) if i["kind"] == "notice"]

    def kept_to_slacks_limits(self, *, refused: Collection[str] = ()) -> None:
        """`refused`: outcomes of calls that Slack did not take, as it was told to."""
        calls = [c for c in self.slack.calls.log if c.method.startswith("chat.")]
        assert {c.outcome for c in calls} == {"ok", *refused}
        for method, most, seconds in (("chat.update", EDITS_A_MINUTE, 60.0), ("chat.postMessage", 1, 1.0)):
            times = [c.at for c in calls if c.method == method and c.outcome == "ok"]
            assert all(later - first >= seconds for first, later in zip(times, times[most:], strict=False)), method
        for message in self.slack.messages():
            assert sum(map(len, _strings(message.get("blocks", [])))) <= MOST_CHARACTERS

    def shown(self, channel: str = ALERTS) -> dict[str, str]:
        """How each connection stands in the channel, by `site/id`: red wherever a root or its list has it red."""
        shown: dict[str, str] = {}
        for message in self.slack.messages(channel):
            for ref, mark in _standing(message):
                if shown.get(ref) != "down":
                    shown[ref] = mark
        return shown

    async def incidents(self) -> list[dict[str, Any]]:
        """As `python -m bot incidents --json` tells them, beside the running bot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "incidents",
            "--json",
            env={n: v for n, v in os.environ.items() if n.startswith("COV")}
            | {"PYTHONPATH": str(ROOT), "BOT_DATABASE_URL": f"sqlite:///{self.database}", "PATH": os.environ["PATH"]},
            cwd=self.database.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        told: list[dict[str, Any]] = json.loads(out)
        return told


def _read(text: str) -> str:
    """`text` where Slack cannot show its moments in the reader's zone."""
    return re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)


def _kind(message: Message) -> str:
    if message.get("thread_ts", message["ts"]) == message["ts"]:
        return "root"
    return "broadcast" if message.get("subtype") == "thread_broadcast" else "reply"


_ONE = re.compile(r"\A(\S+) .*?\. ([a-z0-9-]+/\S+): ", re.DOTALL)


def _standing(message: Message) -> Iterator[tuple[str, str]]:
    """References and marks of what a root, or a list below it, says of single connections."""
    text, kind = message["text"], _kind(message)
    if kind != "root" and " in this outage: " not in text:
        return
    if kind == "root" and (one := _ONE.match(text)):
        yield one[2], MARKS.get(one[1], "")
    for line in _items(message.get("blocks", [])):
        words = "".join(line)
        mark = MARKS.get(words[:1])
        if mark is not None and (ref := next((w for w in line if re.fullmatch(r"[a-z0-9-]+/\S+", w)), None)):
            yield ref, mark


def _items(blocks: Any) -> Iterator[list[str]]:
    """The texts of each line of each list."""
    if isinstance(blocks, list):
        for each in blocks:
            yield from _items(each)
    elif isinstance(blocks, dict):
        if blocks.get("type") == "rich_text_list":
            for section in blocks["elements"]:
                yield [element.get("text", "") for element in section["elements"]]
        else:
            yield from _items(blocks.get("elements"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "text" and isinstance(each, str):
                yield each
            else:
                yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _seen(refs: Iterable[str], blind: Collection[str]) -> set[str]:
    return {ref for ref in refs if ref.partition("/")[0] not in blind}
