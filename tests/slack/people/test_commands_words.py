"""`list`, `history` and `unmute` as they are typed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import State
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
from tests.slack.people.typed import problem


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
