"""What can be typed, and what is said when it was not understood."""

from __future__ import annotations

import io
import re
import sys

import pytest

import bot
from bot.cli.app import main
from bot.cli.output import Column, complain, say, say_table, shown
from tests.cli.typed import Cli


async def test_the_help_tells_of_every_verb(cli: Cli) -> None:
    told = await cli("--help")
    assert told.code == 0
    for verb in ("run", "check", "demo", "connections", "incidents"):
        assert f"\n  {verb} " in told.out


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("run", ["--config"]),
        ("check", ["--config", "--send"]),
        ("demo", ["--port"]),
        (
            "connections",
            [
                *("--config", "--name", "--app-id", "--type", "--authentication", "--order-by", "--page"),
                *("--limit", "--count", "--site", "--json"),
            ],
        ),
        ("incidents", ["--config", "--json"]),
    ],
)
async def test_the_help_of_a_verb_tells_of_its_options(cli: Cli, verb: str, options: list[str]) -> None:
    told = await cli(verb, "--help")
    assert told.code == 0
    assert re.findall(r"^  (?:-\w, )?(--[\w-]+)", told.out, re.MULTILINE) == [*options, "--help"]


async def test_the_demonstration_takes_no_configuration(cli: Cli) -> None:
    assert (await cli("demo", "--config", "bot.toml")).code == 2


async def test_a_mistyped_verb_gets_the_nearest_one_suggested(cli: Cli) -> None:
    told = await cli("conections")
    assert told.code == 2
    assert "Did you mean 'connections'?" in told.err


async def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    assert (await cli("--version")).out == f"itempath-bot {bot.__version__}\n"


def test_a_terminal_that_lacks_a_character_still_gets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    ascii_only = io.TextIOWrapper(written, encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", ascii_only)
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["itempath-bot", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    say("wrong → mend")
    assert written.getvalue().endswith(b"wrong \\u2192 mend\n")


def test_foreign_text_steers_no_terminal_and_shows_no_credential() -> None:
    assert shown("a\x1b[2J\x9b31m\nb\u202ec") == "a [2J 31m bc"
    assert "hunter2" not in shown("postgres://app:hunter2@db/x")
    assert shown(None) == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, *, columns: int, term: str = "dumb") -> list[str]:
    """The lines that a terminal gets to see."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    say_table(COLUMNS, ROWS)
    return terminal.getvalue().splitlines()


COLUMNS = [Column(name="state"), Column(name="name", whole=False), Column(name="error", at_least=60, whole=False)]
ROWS = [["down", "Web [bold]Services[/bold] of the warehouse", "connection refused :boom:"]]


def test_colour_stands_beside_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;31mdown" in on_terminal(monkeypatch, columns=120, term="xterm-256color")[1]


def test_without_colour_the_words_remain_and_markup_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_terminal(monkeypatch, columns=120) == [
        "STATE  NAME                                        ERROR",
        "down   Web [bold]Services[/bold] of the warehouse  connection refused :boom:",
    ]


def test_a_narrow_terminal_gets_fewer_columns_and_no_longer_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(monkeypatch, columns=24)
    assert max(map(len, lines)) <= 24
    assert lines[0].split() == ["STATE", "NAME"]
    assert "warehouse" in "".join(lines)


def test_a_pipe_gets_one_whole_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(COLUMNS, [["down", "x" * 500, "y" * 500]])
    assert capsys.readouterr().out.splitlines()[1] == f"down   {'x' * 500}  {'y' * 500}"


def test_complaints_stay_out_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no")
    assert capsys.readouterr() == ("", "no\n")
