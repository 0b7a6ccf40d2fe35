"""What is typed, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.commands.grammar import meant, parse
from bot.slack.commands.vocabulary import Ack, Help, LookUp
from bot.slack.commands.words import LONGEST, folded, tidy, unquoted

SINGLE_LOW, SINGLE_OPEN, SINGLE_CLOSE = "\u201a", "\u2018", "\u2019"


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "help", "HELP", " help ", "?", "--help", "-h", '""', '"', "\u200b"])
def test_nothing_and_help_ask_for_the_grammar(text: str) -> None:
    assert parse(text) == Help()


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("5", "5"),
        ("plant/5", "plant/5"),
        ("Web Services", "Web Services"),
        ("  Web \u00a0\n Services\t", "Web Services"),
        ("\u200bWeb\u202e Services", "Web Services"),
        ("lists down", "lists down"),
        ("help desk", "help desk"),
        ("acknowledge", "acknowledge"),
    ],
)
def test_anything_else_names_a_connection(text: str, ref: str) -> None:
    assert parse(text) == LookUp(ref)


@pytest.mark.parametrize("word", ["help", "ack", "ack 5", "?"])
@pytest.mark.parametrize(
    "quotes",
    ['""', "''", "“”", "„“", "””", "«»", "»«", "``", SINGLE_OPEN + SINGLE_CLOSE, SINGLE_LOW + SINGLE_OPEN],
)
def test_what_is_quoted_is_a_name_even_if_it_reads_like_a_command(word: str, quotes: str) -> None:
    assert parse(f"{quotes[0]}{word}{quotes[1]}") == LookUp(word)
    assert parse(f"ack {quotes[0]}{word}{quotes[1]}") == Ack(word)


def test_a_closing_quotation_mark_that_was_forgotten_is_not_missed() -> None:
    assert parse('"Web Services') == LookUp("Web Services")
    assert unquoted("Web's") == "Web's"
    assert unquoted("“Web'") == "Web'"


@pytest.mark.parametrize(("text", "ref"), [("ack 5", "5"), ("ACK  plant/5", "plant/5"), ("ack ack", "ack")])
def test_ack_takes_the_rest_as_a_name(text: str, ref: str) -> None:
    assert parse(text) == Ack(ref)


@pytest.mark.parametrize("text", ["ack", "ack ", 'ack ""', "Ack\n"])
def test_ack_alone_says_what_it_needs(text: str) -> None:
    command = parse(text)
    assert isinstance(command, Help)
    assert "needs" in str(command.problem)


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("R&amp;D &lt;north&gt;", "R&D <north>"),
        ("&amp;lt;", "&lt;"),
        ("a <b> c", "a <b> c"),
        ("<http://erp.example.com|erp.example.com>", "erp.example.com"),
        ("<https://erp.example.com/x>", "https://erp.example.com/x"),
        ("<mailto:ops@example.com|ops@example.com>", "ops@example.com"),
        ("<mailto:ops@example.com>", "ops@example.com"),
        ("<tel:5551234|555-1234>", "555-1234"),
        ("<@U0ALICE|alice>", "@alice"),
        ("<@U0ALICE>", "@U0ALICE"),
        ("<#C0ALERTS|alerts>", "#alerts"),
        ("<!here>", "<!here>"),
    ],
)
def test_what_slack_makes_of_a_text_is_taken_back(sent: str, typed: str) -> None:
    assert tidy(sent) == typed


def test_names_are_compared_without_case_blanks_and_kinds_of_quotation_marks() -> None:
    assert folded("Bob\u2019s  „Erp“") == folded('bob\'s "ERP"')
    assert folded("Stra\u00dfe") == folded("STRASSE")
    assert folded("Cafe\u0301") == folded("Caf\u00e9")


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("hlep", "help"),
        ("halp me", "help"),
        ("akc 5", "ack 5"),
        ("akc", None),
        ("Acknowledge 5", "ack 5"),
        ("Web Services", None),
        ("lst", "list"),
        ("hsitory 5 7d", "history 5 7d"),
        ("hist 5", "history 5"),
        ("HIST 5 7d", "history 5 7d"),
        ("ackn 5", "ack 5"),
        ("unm 5", "unmute 5"),
        ("mut 5 1h", "mute 5 1h"),
        ("lis down", "list down"),
        ("hel", "help"),
        ("mutte", None),
        ("mutte Lift 2", "mute Lift 2 2h"),
        ("mutes", "list muted"),
        ("muted", "list muted"),
        ("dwon", "list down"),
        ("offline", "list down"),
        ("all", "list"),
        ("down site=plant", "list down site=plant"),
        ("site", None),
        ("lift 5", None),
        ('"Lift 2"2h', None),
    ],
)
def test_a_mistyped_command_is_recognised(text: str, guess: str | None) -> None:
    assert next(iter(meant(text)), None) == guess


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("down berlin", "list down site=berlin"),
        ("Berlin down", "list site=berlin down"),
        ("berlin offline", "list site=berlin down"),
        ("muted plant", "list muted site=plant"),
        ("down lift", "list down name=lift"),
        ("crane down", None),
        ("berlin 1", None),
    ],
)
def test_a_state_and_a_site_are_taken_for_a_list(text: str, guess: str | None) -> None:
    assert next(iter(meant(text, sites=("berlin", "plant"))), None) == guess


@given(st.text() | st.text(alphabet="<>|&;@#! \"'`/ack\u201c\u00a0\ud800\u202e"))
def test_any_text_is_a_command(text: str) -> None:
    command = parse(text)
    if isinstance(command, LookUp | Ack):
        assert command.ref
        assert len(command.ref) <= LONGEST
        assert command.ref == command.ref.strip()
        meant(command.ref)


@pytest.mark.parametrize(
    "text",
    ['mute PowerPick "driver update', "mute Bob's “SAP 2h", 'mute a name= b "', 'list name="x y z', "history a “7d"],
)
def test_a_quotation_mark_that_is_never_closed_costs_no_time(text: str) -> None:
    """It takes in whatever a guess puts behind it, so that the guess is as wrong, and so is the guess at that. While
    the text is read nothing else in the bot runs.
    """
    command = parse(text)
    if isinstance(command, Help) and command.guess is not None:
        assert not isinstance(parse(command.guess), Help)


TYPED = (
    "mute unmute list history ack help 1 vienna/1 vienna/* vienna PowerPick for 2h 1h30m 90 min and , ²h 25h 999999999999999w "
    '0s 1ms " \' “ ” site= name= name : page= page=² down all * = type="IBM … 24h 7d 5 S <@U1>'
)


@given(st.lists(st.sampled_from(TYPED.split()), max_size=8).map(" ".join))
def test_any_words_of_the_grammar_are_a_command_and_what_is_guessed_is_one(text: str) -> None:
    command = parse(text, sites=("vienna",))
    if isinstance(command, Help) and command.guess is not None and "…" not in command.guess:
        assert not isinstance(parse(command.guess, sites=("vienna",)), Help)


def test_a_very_long_text_is_cut_to_a_beginning_of_itself() -> None:
    assert parse("x" * 1_000_000) == LookUp("x" * LONGEST)
    assert parse("&amp;" * 1_000_000) == LookUp("&" * LONGEST)
    assert isinstance(parse("<http://" + "a" * 100_000), LookUp)
