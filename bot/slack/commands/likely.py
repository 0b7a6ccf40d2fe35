"""Guesses, held against what is known: a command that names nothing is not offered. Nothing is done here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.slack.commands import guidance
from bot.slack.commands.doing import Doing
from bot.slack.commands.grammar import parse_tidied
from bot.slack.commands.lookup import Lookup
from bot.slack.commands.remembered import Missing, Remembered, Several, Whole
from bot.slack.commands.replies import Answer
from bot.slack.commands.vocabulary import HISTORY, Ack, History, Mute, Unmute


class Likely:
    def __init__(self, *, lookup: Lookup, doing: Doing, sites: Collection[str]) -> None:
        self._lookup = lookup
        self._doing = doing
        self._sites = sites

    async def best(self, guesses: Iterable[str], command: str) -> str | Answer | None:
        """The first that names something; or what is said to it, where that has to be named in another way.

        Raises `StoreError`.
        """
        remembered: Remembered | None = None
        for guess in guesses:
            asked = parse_tidied(guess, sites=self._sites)
            if not isinstance(asked, Ack | Mute | Unmute | History):
                return guess
            remembered = remembered or await self._lookup.remembered()
            found = await remembered.named(asked.ref, near=False)
            if not isinstance(found, Missing) or found.rewritten:
                aside = isinstance(found, Missing | Whole)
                return (await self._said(asked, command) if aside else None) or guess
        return None

    async def nearest(self, guess: str, command: str) -> Answer | None:
        """What is said to a guess that names nothing: what comes near. Raises `StoreError`."""
        asked = parse_tidied(guess, sites=self._sites)
        return await self._said(asked, command) if isinstance(asked, Ack | Mute | Unmute | History) else None

    async def _said(self, asked: Ack | Mute | Unmute | History, command: str) -> Answer | None:
        """`None` where it could be done."""
        if isinstance(asked, History):
            found = await self._lookup.named(asked.ref)
            if not isinstance(found, Several | Whole | Missing):
                return None
            typed = guidance.Typed(command=command, word=HISTORY, ref=asked.ref, rest=asked.span)
            return guidance.unclear(typed, found)
        meant = await self._doing.meant(asked, command)
        return None if isinstance(meant, tuple) else meant
