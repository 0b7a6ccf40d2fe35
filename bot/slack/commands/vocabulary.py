"""The words of the slash command, and what each of them asks for, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bot.core.connection import State

HELP = "help"
ACK = "ack"
LIST = "list"
HISTORY = "history"
MUTE = "mute"
UNMUTE = "unmute"
WORDS = (HELP, ACK, LIST, HISTORY, MUTE, UNMUTE)

SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
"""What `history` looks back on; the first unless another is named."""
LONGEST_MUTE = timedelta(days=30)
"""A silence that outlives the memory of who wanted it is a fault that nobody sees."""
FILTERS = ("site", "type", "app", "name", "auth")
MUTED, ACKNOWLEDGED = "muted", "acknowledged"
MARKS = (MUTED, ACKNOWLEDGED)
"""What `list` shows beside a state, and takes like one."""
PAGE = "page"
LAST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class LookUp:
    """Show the connection that `ref` names: an id, `site/id`, or (the beginning of) a name."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table of connections."""

    state: State | None = None
    marks: tuple[str, ...] = ()
    """Each of these `MARKS` they must have."""
    filters: tuple[tuple[str, str], ...] = ()
    """Pairs of one of `FILTERS`, each at most once, and what is looked for: a glob, or the text itself."""
    page: int = 1
    words: tuple[str, ...] = ()
    """What was typed after `list`, without the page."""

    def text(self, *, page: int) -> str:
        """The command that asks for another page of the same."""
        return " ".join((LIST, *self.words, f"{PAGE}={page}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What became of `ref` lately."""

    ref: str
    span: str = next(iter(SPANS))
    """One of `SPANS`."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody takes care of what `ref` names."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Nothing new is to be said about `ref` for a while."""

    ref: str
    length: timedelta
    reason: str = ""
    longer: tuple[Mute, ...] = ()
    """What is meant instead if there is a connection of exactly that name, the longest name first: what looks like the
    length may be the end of it, as in `Lift 2h 1h`.
    """


@dataclass(frozen=True, slots=True)
class Unmute:
    """Everything is to be said about `ref` again."""

    ref: str


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be asked."""

    problem: str | None = None
    """What was wrong with what was asked, as a sentence of the bot's own."""
    guess: str | None = None
    """What may have been meant, as it can be typed."""
    others: tuple[str, ...] = ()
    """What else may have been, the likeliest first, if `guess` names nothing that is known."""
    word: str = ""
    """The word of the grammar that was typed; empty when it was none."""
    unknown: str = ""
    """What was not understood, as it was typed, to follow after `problem`; foreign text."""


Command: TypeAlias = LookUp | Listing | History | Ack | Mute | Unmute | Help
