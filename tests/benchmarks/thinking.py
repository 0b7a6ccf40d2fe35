"""What is pure: reading a reply, deciding on it, wording a message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC

from bot.core.decide import decide
from bot.itempath.payloads import read_listing
from bot.slack.messages import render
from tests.benchmarks.figure import Figure, cpu
from tests.benchmarks.site import POLICY, START, group, listing, polled, watched

FEW, MANY = 500, 2000
LATER = START + POLICY.interval


def thinking() -> Iterator[Figure]:
    body = listing(FEW)
    parsed = cpu(lambda: json.loads(body))
    flipped = _decided(FEW, status=0)
    for name, value in (
        (f"a reply of {FEW} rows made into values", cpu(lambda: read_listing(body, zone=UTC, now=START))),
        (f"decide: {FEW} connections, nothing new", _decided(FEW, status=1)),
        (f"decide: {FEW} of {FEW} fall at once", flipped),
    ):
        yield Figure(name=name, value=value, floor_name="json.loads of the same reply", floor=parsed)
    yield Figure(
        name=f"decide: {MANY} of {MANY} fall at once",
        value=_decided(MANY, status=0),
        floor_name=f"{MANY // FEW} times {FEW} of {FEW}",
        floor=MANY / FEW * flipped,
    )
    yield _rendered(FEW)


def _decided(number: int, *, status: int) -> float:
    state, cause = watched(number), polled(number, status=status)
    return cpu(lambda: decide(state, cause, now=LATER, policy=POLICY))


def _rendered(number: int) -> Figure:
    view, decision = group(number)
    messages = [message for message in decision.messages if message.thread == view.thread.id]

    def render_all() -> list[object]:
        return [render(view, m, form="full", now=LATER, interactive=True).arguments() for m in messages]

    shown = render_all()
    return Figure(
        name=f"a group of {number} rendered, {len(messages)} messages",
        value=cpu(render_all),
        floor_name="json.dumps of their blocks",
        floor=cpu(lambda: json.dumps(shown)),
    )
