"""Real bots over random histories, killed with SIGKILL at random moments; in the end the channel is held to the truth.

    python -m tests.crash.torture --histories 300 [--seed 1] [--at-once 2] [--postgresql]

Each history is a site whose connections fall and rise, and a bot (`python -m bot run`) that polls it. The bot is killed
while it reads, decides, commits or sends, while Slack holds an answer to a post or an edit that it has taken, or holds
the request before it takes it; and is started again, now and then with another channel. The truth is what the site did:
each downtime was polled before it ended, so each has exactly one root with exactly one recovery below it, except the last
one of a connection that stays down. A root that Slack took only when the outage was over tells both at once, and owes no
broadcast.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e.process import Outside
from tests.e2e.world import connection
from tests.store.embedded import create, server

T = TypeVar("T")

NAMES = ("Ada", "Bea", "Cid")
"""Fewer than make a group: each outage has a root of its own."""
CHANNELS = ("#alerts", "#elsewhere")
"""The route is corrected now and then: what Slack does not have goes to the new channel, what it has goes on in the old."""
CHANGES = 6
WITHIN = 90.0
"""Real seconds until what is missing counts as lost; generous, because machines that run tests are busy."""
HELD_WITHIN = 30.0
"""Real seconds until a call that a kill waits for will not come."""
KILLS = ("at once", "after a moment", "an answer to a post", "an answer to an edit", "a post", "an edit")
_GATES = {
    "an answer to a post": ("chat.postMessage", False),
    "an answer to an edit": ("chat.update", False),
    "a post": ("chat.postMessage", True),
    "an edit": ("chat.update", True),
}
BASELINE = "Watching"
_ABOUT = re.compile(r"(Ada|Bea|Cid) is (down|up again)")


@dataclass
class Tally:
    lost: int = 0
    doubled: int = 0
    broken: int = 0
    """Histories that could not be played to their end."""
    kills: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.lost += other.lost
        self.doubled += other.doubled
        self.broken += other.broken
        self.kills += other.kills

    @property
    def clean(self) -> bool:
        return self.lost == self.doubled == self.broken == 0

    def __str__(self) -> str:
        return f"{self.lost} lost, {self.doubled} duplicated" + f", {self.broken} broken off" * bool(self.broken)


class History:
    """One site, one bot, one channel; `dice` decides on everything that is left to chance."""

    def __init__(self, outside: Outside, dice: random.Random, **settings: str) -> None:
        """`settings`: of the bot, beyond what it needs, as environment variables."""
        self._outside = outside
        self._settings = settings
        self._dice = dice
        self._down: set[str] = set()
        self._falls: Counter[str] = Counter()
        self._rises: Counter[str] = Counter()
        self._last_rose = False
        self.tally = Tally()

    async def play(self) -> None:
        outside = self._outside
        for number, name in enumerate(NAMES, start=2):
            outside.site.add(**connection(number, name))
        await outside.start(**self._settings)
        await outside.sees(outside.lines)
        for _ in range(CHANGES):
            await self._change_and_kill()
            await outside.start(**self._settings, SLACK_CHANNEL=self._dice.choice(CHANNELS))
            # The truth is seen once before it changes again.
            await outside.site.polled(2)
        await self._compare()

    async def _change_and_kill(self) -> None:
        outside, how = self._outside, self._dice.choice(KILLS)
        with ExitStack() as gates:
            gate = None
            if how in _GATES:
                method, before = _GATES[how]
                gate = gates.enter_context(outside.slack.gate(method, before=before))
            self._change()
            await outside.site.polled()
            if gate is not None and self._will_come(gate.method):
                # An outage that was over before Slack had its root is told by that root alone: no edit comes.
                with contextlib.suppress(TimeoutError):
                    await outside.slack.wait_for(lambda: gate.held, within=HELD_WITHIN)
                how = how if gate.held else "nothing came to be held"
            elif how != "at once":
                await asyncio.sleep(self._dice.uniform(0.0, 0.6))
            self.tally.kills[how] += 1
            await outside.kill()

    def _will_come(self, method: str) -> bool:
        """An edit comes with a rise only; a fall and a rise are both posts."""
        return method == "chat.postMessage" or self._last_rose

    def _change(self) -> None:
        # A fourth change would be flapping, and told otherwise.
        name = self._dice.choice([n for n in NAMES if self._falls[n] + self._rises[n] < 3])
        self._last_rose = name in self._down
        number = NAMES.index(name) + 2
        if self._last_rose:
            self._down.remove(name)
            self._rises[name] += 1
        else:
            self._down.add(name)
            self._falls[name] += 1
        self._outside.site.set_status(number, int(self._last_rose))

    async def _compare(self) -> None:
        """Wait until nothing is missing, or for long; then count what is missing and what is too much."""
        with contextlib.suppress(TimeoutError):
            await self._outside.slack.wait_for(lambda: not self._wanted() - self._shown(), within=WITHIN)
        await self._outside.idle()
        wanted, shown = self._wanted(), self._shown()
        self.tally.lost = (wanted - shown).total()
        self.tally.doubled = (shown - wanted).total()

    def _wanted(self) -> Counter[tuple[str, str, str]]:
        """How often each thing should be told: its kind, about whom, and below which root."""
        wanted: Counter[tuple[str, str, str]] = Counter({("root", BASELINE, ""): 1})
        for name in NAMES:
            wanted["root", name, "up again"] = self._rises[name]
            wanted["broadcast", name, "up again"] = self._rises[name] - self._born_over()[name]
            wanted["root", name, "down"] = int(name in self._down)
        return +wanted

    def _born_over(self) -> Counter[str]:
        """Roots that were posted as recovered, by name."""
        posts = [call.arguments for call in self._outside.slack.made("chat.postMessage") if call.outcome == "ok"]
        abouts = [_ABOUT.search(post["text"]) for post in posts if post.get("thread_ts") is None]
        return Counter(about[1] for about in abouts if about is not None and about[2] == "up again")

    def _shown(self) -> Counter[tuple[str, str, str]]:
        shown: Counter[tuple[str, str, str]] = Counter()
        root: str | None = None
        for line in self._outside.lines():
            about = _ABOUT.search(line)
            kind = line.split()[0]
            if kind == "root":
                root = about[1] if about else None
            if about is None:
                shown[kind, BASELINE if BASELINE in line else line, ""] += 1
            else:
                # One that stands below another's root counts as too much, and as missing where it belongs.
                place = about[1] if kind == "root" or root == about[1] else f"{about[1]} below {root}"
                shown[kind, place, about[2]] += 1
        return shown


async def torture(
    *, histories: int, seed: int, folder: Path, on: str | None = None, at_once: int = 1, say: bool = True
) -> Tally:
    """So many histories, `at_once` of them beside each other, each from a seed of its own that follows from `seed`; with
    `on`, the URL of a PostgreSQL server without a database's name, each in a database of its own there.
    """
    tally = Tally()
    turn = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with turn:
            own = folder / str(number)
            own.mkdir()
            settings = {"BOT_DATABASE_URL": await create(on, f"history_{number}")} if on else {}
            async with Outside(own) as outside:
                history = History(outside, random.Random(f"{seed}/{number}"), **settings)
                try:
                    await history.play()
                except Exception:  # noqa: BLE001 - it counts, and the others go on
                    history.tally.broken = 1
                    sys.stdout.write(traceback.format_exc())
                found = history.tally
                if not found.clean:
                    # The seed does not repeat what the kernel does with a kill: the bot's log is what is left of it.
                    told = "\n".join(outside.lines())
                    sys.stdout.write(f"history {number + 1}: {told}\n{outside.log.read_text()}\n")
        tally.add(found)
        if say:
            sys.stdout.write(f"history {number + 1} of {histories}: {found}\n")
            sys.stdout.flush()

    async with asyncio.TaskGroup() as playing:
        for number in range(histories):
            playing.create_task(one(number))
    return tally


async def until_told(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM and SIGINT end it in order, once: the bot that it has started ends with it. Raises `CancelledError` then."""
    task = asyncio.current_task()
    assert task is not None
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, lambda: task.cancelling() or task.cancel())
    return await work


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--at-once", type=int, default=2, help="histories beside each other")
    parser.add_argument("--postgresql", action="store_true", help="on an embedded server instead of a file")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    sys.stdout.write(f"seed {seed}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(server()) if given.postgresql else None
        try:
            played = torture(histories=given.histories, seed=seed, folder=folder, on=url, at_once=given.at_once)
            tally = asyncio.run(until_told(played))
        except asyncio.CancelledError:
            sys.stdout.write("told to end\n")
            return 1
    kills = ", ".join(f"{how} {times}" for how, times in sorted(tally.kills.items()))
    sys.stdout.write(f"{given.histories} histories, seed {seed}, {tally.kills.total()} kills ({kills}): {tally}\n")
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main())
