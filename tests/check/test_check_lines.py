"""One line for each thing that was asked."""

from __future__ import annotations

from bot.check.lines import Line, numbered, warning, wrong


def test_a_line_says_how_it_is_what_was_asked_and_what_was_found() -> None:
    assert str(Line(what="database", said="readable")) == "ok       database: readable"


def test_a_line_that_is_not_ok_says_what_to_do() -> None:
    assert str(wrong("slack", "no answer", "try again")) == "wrong    slack: no answer → try again"
    assert str(warning("slack", "slow", "wait")) == "warning  slack: slow → wait"


def test_foreign_text_stays_on_its_line_and_steers_no_terminal() -> None:
    assert str(Line(what="slack", said="Team\nok  all\x1b[2J\u202e")) == "ok       slack: Team ok all [2J"


def test_one_of_several_is_told_by_its_number_and_what_it_asks_for() -> None:
    assert (
        numbered("route", 2, {"site": "plant*", "name": None, "type": "MSSQL"}) == "route 2 (site plant*, type MSSQL)"
    )
    assert numbered("maintenance", 1, {"site": None}) == "maintenance 1 (everything)"
