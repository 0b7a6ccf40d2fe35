"""`mute` as it is typed: where the name ends and the length begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.settings.values import format_duration
from bot.slack.commands.grammar import parse
from bot.slack.commands.vocabulary import LONGEST_MUTE, Mute
from tests.slack.people.typed import problem


@pytest.mark.parametrize(
    ("text", "ref", "minutes", "reason"),
    [
        ("mute 5 2h", "5", 120, ""),
        ("MUTE plant/* 1H30M  disk   swap", "plant/*", 90, "disk swap"),
        ("mute Web Services 30m", "Web Services", 30, ""),
        ('mute "Dock 2h" 1d "crane is out"', "Dock 2h", 1440, "crane is out"),
        ('mute plant/"Dock 2h" 45m', 'plant/"Dock 2h"', 45, ""),
        ("mute 5m 2h", "5m", 120, ""),
        ("mute x 30d", "x", 43_200, ""),
        ("mute 5 2 h", "5", 120, ""),
        ("mute Lift 2 2 hours crane is out", "Lift 2", 120, "crane is out"),
        ("mute Lift 2 for 90 min", "Lift 2", 90, ""),
        ("mute x 1h 30m swap", "x", 90, "swap"),
        ("mute x 1 hour and 30 minutes", "x", 90, ""),
        ("mute x 1 hour and lunch", "x", 60, "and lunch"),
        ("mute x an hour", "x", 60, ""),
        ("mute x 1.5h", "x", 90, ""),
        ("mute x 1h30", "x", 90, ""),
        ("mute x 1d2h5 swap", "x", 1565, "swap"),
        ("mute x 1w", "x", 10_080, ""),
        ("mute x 2h 3d printer", "x", 120, "3d printer"),
        ("mute Line 4 S 2h", "Line 4 S", 120, ""),
        ('mute "Lift 2"2h', "Lift 2", 120, ""),
        ('mute x 2h "crane is out', "x", 120, "crane is out"),
    ],
)
def test_mute_takes_a_connection_a_length_and_a_reason(text: str, ref: str, minutes: int, reason: str) -> None:
    command = parse(text)
    assert isinstance(command, Mute)
    assert replace(command, longer=()) == Mute(ref=ref, length=timedelta(minutes=minutes), reason=reason)


@pytest.mark.parametrize(
    ("text", "longer"),
    [
        ("mute Lift 2h", []),
        ("mute Lift 2h 1h", [("Lift 2h", "1h", "")]),
        ("mute Lift 2h for 1h oil", [("Lift 2h", "1h", "oil")]),
        ("mute Lift 2h 30m", [("Lift 2h", "30m", "")]),
        (
            "mute Lift 2h 1h because 30m did not do",
            [("Lift 2h 1h because", "30m", "did not do"), ("Lift 2h", "1h", "because 30m did not do")],
        ),
        ("mute Lift 2h 99d", []),
        ("mute Lift 1h 0s", []),
    ],
)
def test_a_length_behind_the_first_may_be_the_one_behind_a_longer_name(
    text: str, longer: list[tuple[str, str, str]]
) -> None:
    command = parse(text)
    assert isinstance(command, Mute)
    found = [(each.ref, format_duration(each.length), each.reason) for each in command.longer]
    assert found == longer


def test_of_a_reason_full_of_lengths_no_more_than_a_few_are_tried() -> None:
    command = parse("mute Lift 1h" + " 1h" * 100)
    assert isinstance(command, Mute)
    assert [each.ref for each in command.longer] == ["Lift 1h 1h 1h", "Lift 1h 1h", "Lift 1h"]


@pytest.mark.parametrize(
    ("text", "says", "guess"),
    [
        ("mute", "needs the connection, and for how long", None),
        ("mute 2h", "needs the connection, and for how long", None),
        ("mute 2 h", "needs the connection, and for how long", None),
        ('mute "" 2h', "needs the connection, and for how long", None),
        ('mute ""', "needs the connection, and for how long", None),
        ("mute 5", "needs to know for how long", "mute 5 2h"),
        ("mute Web Services", "needs to know for how long", "mute Web Services 2h"),
        ("mute Lift 2", "needs to know for how long", "mute Lift 2 2h"),
        ("mute 5 soon", "needs to know for how long", "mute 5 2h soon"),
        ("mute 5 90", "needs to know for how long", "mute 5 90m"),
        ("mute 5 240", "needs to know for how long", "mute 5 240m"),
        ("mute 5 48", "needs to know for how long", "mute 5 48h"),
        ("mute 5 0", "needs to know for how long", "mute 5 2h"),
        ("mute 5 2026", "needs to know for how long", "mute 5 2h 2026"),
        ("mute 5 503 again", "needs to know for how long", "mute 5 2h 503 again"),
        ("mute 5 20260102", "needs to know for how long", "mute 5 2h 20260102"),
        ("mute lift*", "needs to know for how long", "mute lift* 2h"),
        ('mute "Lift 2', "quotation mark is not closed", 'mute "Lift 2" 2h'),
        ('mute "Lift 2 30m swap', "quotation mark is not closed", 'mute "Lift 2" 30m swap'),
        ("mute plant/“Lift 2 for 30 min", "quotation mark is not closed", 'mute plant/"Lift 2" 30 min'),
        ("mute 't Hoekje 2h", "quotation mark is not closed", 'mute "t Hoekje" 2h'),
        ('mute "', "needs the connection, and for how long", None),
        ('mute "Lift 2" 3 disks', "needs to know for how long", 'mute "Lift 2" 3h disks'),
        ("mute Berlin", "needs to know for how long", "mute berlin/* 2h"),
        ("mute 2h Lift 2", "takes the connection first", "mute Lift 2 2h"),
        ("mute 2 hours Lift 2", "takes the connection first", "mute Lift 2 2hours"),
        ("mute 5 31d", "30d at most", "mute 5 30d"),
        ("mute 5 29d25h", "30d at most", "mute 5 30d"),
        ("mute 5 999999999999999d", "30d at most", "mute 5 30d"),
        ("mute 5 0s", "one second at least", "mute 5 2h"),
        ("mute 5 5ms", "one second at least", "mute 5 2h"),
    ],
)
def test_a_wrong_mute_says_how_to_write_it(text: str, says: str, guess: str | None) -> None:
    answer = problem(text, sites=("plant", "berlin"))
    assert says in str(answer.problem)
    assert answer.guess == guess


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("mute PowerPick 2", ["mute PowerPick 2 2h", "mute PowerPick 2h"]),
        ("mute web 1:30 swap", ["mute web 1:30 swap 2h", "mute web 1:30 2h swap", "mute web 90m swap"]),
        ("mute web -1h", ["mute web -1h 2h", "mute web 1h"]),
        ("mute web (2h)", ["mute web (2h) 2h", "mute web 2h"]),
        ("mute web for 2", ["mute web for 2 2h", "mute web 2h", "mute web 2h for 2"]),
        ("mute web forever", ["mute web forever 2h", "mute web 30d"]),
        ("mute web until 6:00", ["mute web until 6:00 2h", "mute web until 360m", "mute web 2h"]),
        ("mute berlin swap", ["mute berlin swap 2h", "mute berlin/* 2h swap"]),
        ("mute 2h Lift 2", ["mute Lift 2 2h", "mute Lift 2h 2"]),
        ('mute "Lift 2" 1:30', ['mute "Lift 2" 90m']),
        (
            "mute a b c d e f g h",
            [f"mute {'a b c d e f'[:n]} 2h {'a b c d e f g h'[n + 1 :]}" for n in range(11, 0, -2)],
        ),
    ],
)
def test_where_a_name_ends_before_a_length_that_is_missing_is_left_to_what_is_known(
    text: str, guesses: list[str]
) -> None:
    answer = problem(text, sites=("berlin",))
    assert [answer.guess, *answer.others] == guesses


def test_a_mute_may_last_as_long_as_is_allowed() -> None:
    assert parse("mute 5 29d24h") == Mute(ref="5", length=LONGEST_MUTE)
