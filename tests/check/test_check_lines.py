"""One line for each thing that was asked."""

from __future__ import annotations

from bot.check.lines import Line, warning, wrong


def test_a_line_says_how_it_is_what_was_asked_and_what_was_found() -> None:
    assert str(Line(what="database", said="readable")) == "ok       database: readable"


def test_a_line_that_is_not_ok_says_what_to_do() -> None:
    assert str(wrong("slack", "no answer", "try again")) == "wrong    slack: no answer → try again"
    assert str(warning("slack", "slow", "wait")) == "warning  slack: slow → wait"


def test_foreign_text_stays_on_its_line_and_steers_no_terminal() -> None:
    assert str(Line(what="slack", said="Team\nok  all\x1b[2J\u202e")) == "ok       slack: Team ok all [2J"
