"""`list`, `history`, `mute` and `unmute` as they are typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import State
from bot.settings.values import format_duration
from bot.slack.commands.grammar import parse, parse_tidied
from bot.slack.commands.vocabulary import (
    FILTERS,
    LONGEST_MUTE,
    SPANS,
    Ack,
    Help,
    History,
    Listing,
    LookUp,
    Mute,
    Unmute,
)
from bot.slack.commands.words import LONGEST, words


def problem(text: str, *, sites: tuple[str, ...] = ()) -> Help:
    command = parse(text, sites=sites)
    assert isinstance(command, Help)
    assert command.problem is not None
    return command


@pytest.mark.parametrize(
    ("text", "state", "filters"),
    [
        ("list", None, {}),
        ("LIST Down", State.DOWN, {}),
        ("list down down", State.DOWN, {}),
        ("list unknown site=berlin", State.UNKNOWN, {"site": "berlin"}),
        ("list site=plant up Type=MS*", State.UP, {"site": "plant", "type": "MS*"}),
        ('list name="SAP Orders" auth=“Basic Auth”', None, {"name": "SAP Orders", "auth": "Basic Auth"}),
        ("list app=2 name='a=b c'", None, {"app": "2", "name": "a=b c"}),
        ("list name=a=b", None, {"name": "a=b"}),
        ('list name="half open', None, {"name": "half open"}),
        ('list name="half open"down', State.DOWN, {"name": "half open"}),
        ("list name=Bob's", None, {"name": "Bob's"}),
    ],
)
def test_a_list_takes_a_state_and_filters_in_any_order(text: str, state: State | None, filters: dict[str, str]) -> None:
    command = parse(text)
    assert isinstance(command, Listing)
    assert (command.state, dict(command.filters), command.page) == (state, filters, 1)


@pytest.mark.parametrize(
    ("text", "says", "guess"),
    [
        ("list dwon", "does not know", "list down"),
        ("list dwon site=plant", "does not know", "list down site=plant"),
        ("list tpye=MSSQL", "does not know", "list type=MSSQL"),
        ('list ste="a b" down', "does not know", 'list site="a b" down'),
        ("list site", "does not know", "list site=…"),
        ("list colour=red", "does not know", None),
        ("list =x", "does not know", "list name=x"),
        ('list "down"', "does not know", "list down"),
        ("list lift", "does not know", "list name=lift"),
        ("list down lift 7 site=plant", "does not know", 'list down name="lift 7" site=plant'),
        ('list "Lift 7"', "does not know", 'list name="Lift 7"'),
        ("list berlin down", "does not know", "list site=berlin down"),
        ("list berln", "does not know", "list site=berlin"),
        ("list down berln", "does not know", "list down site=berlin"),
        ("list offline", "does not know", "list down"),
        ("list unacknowledged", "does not know", "list down"),
        ("list open site=plant", "does not know", "list down site=plant"),
        ("list flapping", "does not know", "list down"),
        ("list unmuted", "does not know", "list"),
        ("list all", "does not know", "list"),
        ("list mutes", "does not know", "list muted"),
        ("list mutd up", "does not know", "list muted up"),
        ("list ack", "does not know", "list acknowledged"),
        ("list lift muted", "does not know", "list name=lift muted"),
        ('list name="lift 7 down', "quotation mark is not closed", 'list name="lift 7" down'),
        ("list “lift site=plant", "quotation mark is not closed", None),
        ('list down name="a b site=plant muted', "not closed", 'list down name="a b" site=plant muted'),
        ("list name = lift", "does not know", "list name=lift"),
        ("list name= lift", "needs what to look for", "list name=lift"),
        ("list site: berlin down", "does not know", "list site=berlin down"),
        ("list lift name=x", "does not know", None),
        ("list ,", "does not know", "list name=,"),
        ("list name=", "needs what to look for", None),
        ('list name=""', "needs what to look for", None),
        ("list site=a site=b", "takes site= once", None),
        ("list down up", "one state at a time", "list"),
        ("list down up site=plant", "one state at a time", "list site=plant"),
        ("list page=0", "from 1 on", "list page=2"),
        ("list page=x", "from 1 on", "list page=2"),
        ("list page=²", "from 1 on", "list page=2"),
        ("list page=99999999999", "from 1 on", "list page=2"),
    ],
)
def test_a_wrong_word_of_a_list_is_answered_with_the_nearest(text: str, says: str, guess: str | None) -> None:
    answer = problem(text, sites=("plant", "berlin"))
    assert says in str(answer.problem)
    assert answer.guess == guess
    assert answer.word == "list"
    if guess is not None and "…" not in guess:
        assert isinstance(parse(guess), Listing)


@given(
    state=st.none() | st.sampled_from(State),
    filters=st.dictionaries(st.sampled_from(FILTERS), st.text("ab *ü'=", min_size=1, max_size=200), max_size=5),
    page=st.integers(1, 10_000),
)
def test_a_paging_button_asks_for_another_page_of_the_same(
    state: State | None, filters: dict[str, str], page: int
) -> None:
    """However much was typed, and within what the value of a button may have."""
    typed = " ".join(["list", *([state] if state else []), *(f'{key}="{value}"' for key, value in filters.items())])
    command = parse(typed)
    if not isinstance(command, Listing):
        return
    value = command.text(page=page)
    assert len(value) <= 2000
    again = parse_tidied(value)
    assert isinstance(again, Listing)
    assert (again.state, again.filters, again.page) == (command.state, command.filters, page)
    assert again.text(page=1) == command.text(page=1)


@pytest.mark.parametrize(
    ("text", "ref", "span"),
    [
        ("history 5", "5", "24h"),
        ("history plant/5 7d", "plant/5", "7d"),
        ("history Web Services 30D", "Web Services", "30d"),
        ('history "Dock 7d"', "Dock 7d", "24h"),
        ('history "Dock 7d" 7d', "Dock 7d", "7d"),
        ("history 7d", "7d", "24h"),
        ("history Dock 24 hours", "Dock", "24h"),
        ("history Dock 1 day", "Dock", "24h"),
        ("history Dock 7 d", "Dock", "7d"),
        ("history Dock 1 week", "Dock", "7d"),
        ("history Dock 1month", "Dock", "30d"),
        ("history Line 4 S", "Line 4 S", "24h"),
        ("history Dock 4a", "Dock 4a", "24h"),
        ("history Dock 12", "Dock 12", "24h"),
        ('history "Dock', "Dock", "24h"),
        ('history "Dock"7d', "Dock", "7d"),
    ],
)
def test_history_takes_a_connection_and_a_span(text: str, ref: str, span: str) -> None:
    assert parse(text) == History(ref=ref, span=span)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("history 5 6d", "history 5 7d"),
        ("history Web Services 3wks", "history Web Services 30d"),
        ("history x 48h", "history x 7d"),
        ("history x 2 weeks", "history x 30d"),
        ("history x 90d", "history x 30d"),
    ],
)
def test_another_span_is_answered_with_the_nearest(text: str, guess: str) -> None:
    answer = problem(text)
    assert "looks back 24h, 7d or 30d" in str(answer.problem)
    assert answer.guess == guess
    near = parse(guess)
    assert isinstance(near, History)
    assert near.span in SPANS


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ('history "Dock 7d', 'history "Dock" 7d'),
        ("history plant/“Dock 1 week", 'history plant/"Dock" 7d'),
        ('history "Dock 90d', 'history "Dock" 30d'),
    ],
)
def test_a_span_within_an_open_quotation_is_no_part_of_the_name(text: str, guess: str) -> None:
    answer = problem(text)
    assert answer.problem == "The quotation mark is not closed."
    assert answer.guess == guess


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


@pytest.mark.parametrize(("text", "ref"), [("unmute 5", "5"), ("Unmute plant/*", "plant/*"), ('unmute "A b"', "A b")])
def test_unmute_takes_the_rest_as_a_name(text: str, ref: str) -> None:
    assert parse(text) == Unmute(ref)


@pytest.mark.parametrize("text", ["unmute", 'unmute ""', "history", 'history "" 7d', "history ''"])
def test_a_command_without_its_connection_says_what_it_needs(text: str) -> None:
    assert "needs the connection" in str(problem(text).problem)


@pytest.mark.parametrize("word", ["list", "list down", "history 5 7d", "mute 5 2h", "unmute 5"])
def test_what_is_quoted_is_a_name_even_if_it_reads_like_a_command(word: str) -> None:
    assert parse(f'"{word}"') == LookUp(word)
    assert parse(f"ack “{word}”") == Ack(word)


@given(
    st.sampled_from(["list", "history", "mute", "unmute", "ack"]),
    st.text("abdhms0123456789 =\"'“”*/…\u2019page", max_size=80) | st.text(max_size=800),
)
def test_whatever_follows_a_word_is_understood_or_answered_with_a_sentence(word: str, rest: str) -> None:
    command = parse(f"{word} {rest}")
    if isinstance(command, Help):
        assert command.problem is None or command.problem.endswith(".")
        assert command.guess is None or len(command.guess) <= 2 * LONGEST
        assert command.guess is None or "…" in command.guess or not isinstance(parse(command.guess), Help)
    elif isinstance(command, Mute):
        assert timedelta(0) < command.length <= LONGEST_MUTE
    elif isinstance(command, History):
        assert command.ref
        assert command.span in SPANS


@given(st.text("ab =/\"'“”", max_size=60))
def test_words_lose_nothing_but_blanks(text: str) -> None:
    assert "".join(word.raw for word in words(text)).replace(" ", "") == text.replace(" ", "")
