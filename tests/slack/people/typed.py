"""What becomes of a command that is typed."""

from __future__ import annotations

from bot.slack.commands.grammar import parse
from bot.slack.commands.vocabulary import Help


def problem(text: str, *, sites: tuple[str, ...] = ()) -> Help:
    """What is said to one that is wrong."""
    command = parse(text, sites=sites)
    assert isinstance(command, Help)
    assert command.problem is not None
    return command
