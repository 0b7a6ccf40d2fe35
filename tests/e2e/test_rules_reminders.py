"""What is still down is said again (contract section 4, rule 11)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.e2e.world import World

EVERY = timedelta(minutes=1)
"""Three real seconds."""
REMINDER = (
    "  broadcast 🔴 PowerPick is still down, for <span> now. default/1: down since <time>. 3 integrations stop. "
    "Nobody has acknowledged it yet. <!here>"
)


@pytest.fixture
async def reminding(world: World) -> World:
    world.settings["alerts"] = {"remind_every": EVERY}
    world.settings["routes"] = ({"mention": "here"},)
    await world.start()
    await world.slack.wait_for(world.lines)
    return world


async def test_an_outage_is_reminded_of_with_its_mention_as_long_as_it_lasts(reminding: World) -> None:
    reminding.site.set_status(1, 0)
    first = await reminding.slack.wait_for(lambda: _broadcasts(reminding))
    second = await reminding.slack.wait_for(lambda: _broadcasts(reminding)[1:])

    assert [*first, *second] == [REMINDER, REMINDER]
    times = [float(m["ts"]) for m in reminding.slack.messages() if m.get("subtype") == "thread_broadcast"]
    assert times[1] - times[0] >= EVERY.total_seconds() - 5

    reminding.site.set_status(1, 1)
    await reminding.slack.wait_for(lambda: "up again" in _broadcasts(reminding)[-1])


async def test_whoever_acknowledges_hears_no_reminder(reminding: World) -> None:
    reminding.site.set_status(1, 0)
    await reminding.slack.wait_for(lambda: "is down" in reminding.lines()[-1])
    assert await reminding.presses("acknowledge", on="is down") is None
    await reminding.slack.wait_for(lambda: "alice has acknowledged PowerPick" in reminding.lines()[-1])
    acknowledged_at = reminding.clock.now()
    while reminding.clock.now() < acknowledged_at + 2 * EVERY:
        await reminding.site.polled()
    await reminding.settled()

    assert _broadcasts(reminding) == []


async def test_a_site_out_of_sight_is_reminded_of_too_even_when_the_bot_was_started_meanwhile(
    reminding: World,
) -> None:
    """Failed polls are enough to know that it is still so; what was down before is not reminded of while blind."""
    reminding.site.set_status(1, 0)
    await reminding.slack.wait_for(lambda: "is down" in reminding.lines()[-1])
    await reminding.site.set_fault("html")
    await reminding.slack.wait_for(lambda: "cannot be read" in reminding.lines()[-1])
    await reminding.restart()
    before = len(_broadcasts(reminding))
    told = await reminding.slack.wait_for(lambda: _broadcasts(reminding)[before:], within=20)

    assert told == [
        (
            "  broadcast 🟣 ItemPath default still cannot be read, for <span> now. Blind since <time>. The reply is a "
            "web page and not JSON: perhaps a login page or a proxy's own page. Nobody has acknowledged it yet. <!here>"
        )
    ]


async def test_while_slack_refuses_reminders_do_not_pile_up(reminding: World) -> None:
    reminding.site.set_status(1, 0)
    await reminding.slack.wait_for(lambda: "is down" in reminding.lines()[-1])
    reminding.slack.faults.refusing = "invalid_auth"
    refused_at = reminding.clock.now()
    while reminding.clock.now() < refused_at + 3.5 * EVERY:
        await reminding.site.polled()
    assert (await reminding.service.store.outbox.pending()).count == 1

    reminding.slack.faults.refusing = None
    await reminding.slack.wait_for(lambda: _broadcasts(reminding), within=20)


def _broadcasts(world: World) -> list[str]:
    return [line for line in world.lines() if line.startswith("  broadcast")]
