"""Maintenance of the settings: silence that nobody has to set (contract, rule 12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.cron import parse_cron
from bot.core.incidents import Silence
from bot.core.maintenance import Window
from tests.core.story import INTERVAL, START, Story, down, up


def test_maintenance_is_a_mute_that_nobody_has_to_set() -> None:
    window = Window(name="connection 1", reason="new firewall", start=START, end=START + timedelta(hours=1))
    story = Story(up("1"), up("2"), maintenance=(window,))
    story.poll(down("1"), up("2"))
    assert not story.sent
    assert story.last.next_due == START + timedelta(hours=1)
    story.poll(down("1"), down("2"))
    assert len(story.roots) == 1

    story.now = START + timedelta(hours=1)
    story.due()
    assert len(story.roots) == 2


def test_maintenance_shows_on_what_was_told_before() -> None:
    window = Window(start=START + timedelta(minutes=1), end=START + timedelta(hours=1))
    story = Story(up(), maintenance=(window,))
    story.poll(down())
    silence = Silence(until=START + timedelta(hours=1), reason="planned maintenance")

    assert story.roots == [] or story.roots[0].silence == silence


def test_a_window_with_a_name_says_nothing_about_the_site() -> None:
    window = Window(name="*", start=START, end=START + timedelta(hours=1))
    story = Story(up(), maintenance=(window,))
    story.fail()
    story.fail()

    assert len(story.roots) == 1


def test_a_window_of_another_site_says_nothing_here() -> None:
    window = Window(site="rotterdam", start=START, end=START + timedelta(hours=1))
    story = Story(up(), maintenance=(window,))
    story.poll(down())

    assert len(story.roots) == 1


def berlin(*moment: int, fold: int = 0) -> datetime:
    year, month, day, hour, minute = moment
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("schedule", "hours", "now", "until"),
    [
        ("0 2 * * sun", 2, berlin(2026, 11, 22, 2, 30), berlin(2026, 11, 22, 4, 0)),
        ("0 2 * * sun", 2, berlin(2026, 11, 22, 4, 0), None),
        ("0 2 * * sun", 2, berlin(2026, 11, 23, 2, 30), None),
        ("30 22 * * *", 4, berlin(2026, 11, 24, 1, 0), berlin(2026, 11, 24, 2, 30)),
        ("*/10 * * * *", 0.1, berlin(2026, 11, 24, 12, 5), berlin(2026, 11, 24, 12, 6)),
        ("0 0 13 * fri", 1, berlin(2026, 11, 20, 0, 30), berlin(2026, 11, 20, 1, 0)),
        ("0 0 13 * *", 1, berlin(2026, 11, 20, 0, 30), None),
        ("0 0 1 1 *", 72, berlin(2027, 1, 3, 23, 0), berlin(2027, 1, 4, 0, 0)),
        # The clock was put back on 25 October 2026: 02:00 came twice, and the first one counts.
        ("0 2 25 10 *", 1, berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 25, 2, 0, fold=1)),
    ],
)
def test_a_schedule_opens_in_its_own_zone(schedule: str, hours: float, now: datetime, until: datetime | None) -> None:
    window = Window(schedule=parse_cron(schedule), duration=timedelta(hours=hours), zone=BERLIN)

    found = window.until(now.astimezone(UTC))
    assert found == (None if until is None else until.astimezone(UTC))


def test_a_window_without_a_time_is_never_open() -> None:
    assert Window().until(START) is None
    assert Window(start=START, end=START + INTERVAL).until(START + INTERVAL) is None
