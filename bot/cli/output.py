"""How answers reach a terminal, a pipe or a program. Foreign text is data here too: it can move no cursor."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.masking import mask
from bot.slack.wording import clean

_UNBOUNDED = 100_000
"""Columns of a pipe: whoever reads there wants whole lines."""

STYLES = {"up": "green", "down": "bold red", "unknown": "yellow", "open": "bold red", "closed": "green"}
"""Colour beside words, never instead of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    at_least: int = 0
    """Columns that a terminal must have for this one to be shown."""
    whole: bool = True
    """Never broken over lines; prose may be."""


def say(text: str) -> None:
    """A line on standard output, now: a pipe that is closed is noticed here and not at the end of the process."""
    print(text, flush=True)  # noqa: T201


def complain(text: str) -> None:
    """Words about what is wrong, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def say_json(value: Any) -> None:
    """ASCII: no character of another's text can mean something to a terminal."""
    say(json.dumps(value, indent=2))


def shown(text: str | None) -> str:
    """Foreign text on one line: nothing in it steers a terminal or looks like a credential."""
    return mask(clean(text)) if text else ""


def moment(at: datetime | None) -> str:
    """In the zone of whoever reads."""
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def say_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, heading: bool = True) -> None:
    """On a terminal as wide as it is, with what does not fit left out; in a pipe whole, one line for each row."""
    from rich.console import Console  # noqa: PLC0415 - errors are told without it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _UNBOUNDED
    fitting = [column for column in columns if column.at_least <= width]
    table = Table(box=None, pad_edge=False, show_header=heading, padding=(0, 2, 0, 0))
    for column in fitting:
        table.add_column(column.name.upper(), no_wrap=column.whole or not terminal, overflow="fold")
    places = [columns.index(column) for column in fitting]
    for row in rows:
        # As `Text`, brackets are brackets and not markup.
        table.add_row(*(Text(row[place], style=STYLES.get(row[place], "")) for place in places))
    written = io.StringIO()
    console = Console(
        file=written,
        width=width,
        # Says nothing here, but without it a plain terminal is taken to be 80 columns wide.
        height=25,
        force_terminal=terminal,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(table)
    say("\n".join(line.rstrip() for line in written.getvalue().splitlines()))
