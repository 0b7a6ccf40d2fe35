"""Which connection a reference means, among those that are remembered; and what it may mean where that is not clear."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.connection import Failure
from bot.core.state import ConnectionRecord
from bot.slack.commands.naming import Ambiguous, Named, OfSites, Resolution, Unnamed, exactly, loosely, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """More than one connection is meant."""

    refs: tuple[tuple[str, str, str], ...]
    """Site, id and name of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Nothing is known by this name."""

    nearest: tuple[tuple[str, str, str], ...] = ()
    """Site, id and name of those that come nearest."""
    rewritten: bool = False
    """These are named, but in another way than is understood."""
    site: str = ""
    """The site whose name comes nearest, where it may be meant."""
    unanswered: Mapping[str, Failure]
    """Sites that might have had it, had they answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Whole sites are named, by the name of one or as all of them."""

    sites: tuple[tuple[str, int], ...]
    """Each with how many connections of it are watched."""
    refs: tuple[tuple[str, str, str], ...] = ()
    """Site, id and name of the connections whose names begin like that."""


Unclear: TypeAlias = Several | Whole | Missing
"""Anything but one connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Every connection of these sites as it was read once: thousands are not read anew for each thing that may be meant."""

    records: Sequence[ConnectionRecord]
    sites: Collection[str]

    async def named(self, ref: str, *, near: bool = True) -> ConnectionRecord | Unclear:
        """What `ref` names. `near`: what comes nearest is wanted, too."""
        found = await self.exactly(ref) or await self.loosely(ref, near=near)
        return found.record if isinstance(found, Named) else self.told(found, {})

    # Comparing thousands of names takes a while, and the event loop has to go on meanwhile.

    async def exactly(self, ref: str) -> Named | Ambiguous | None:
        return await asyncio.to_thread(exactly, ref, self.records, sites=self.sites)

    async def loosely(self, ref: str, *, near: bool = True) -> Resolution:
        return await asyncio.to_thread(loosely, ref, self.records, sites=self.sites, near=near)

    def told(self, found: Ambiguous | OfSites | Unnamed, unanswered: Mapping[str, Failure]) -> Unclear:
        """What is said of anything but one. `unanswered`: the sites that might have had it, had they answered."""
        if isinstance(found, Ambiguous):
            return Several(refs=tuple(map(_ref, found.records)))
        if isinstance(found, OfSites):
            watched = Counter(record.site for record in self.records)
            sites = tuple((site, watched[site]) for site in found.sites)
            return Whole(sites=sites, refs=tuple(map(_ref, found.records)))
        nearest = tuple(map(_ref, found.rewritten or found.nearest))
        return Missing(nearest=nearest, rewritten=bool(found.rewritten), site=found.site, unanswered=unanswered)


def _ref(record: ConnectionRecord) -> tuple[str, str, str]:
    return record.site, record.id, name_of(record)
