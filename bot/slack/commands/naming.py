"""Which connection a person means: by id, by `site/id`, or by name, among those that are remembered. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.maintenance import glob
from bot.core.state import ConnectionRecord
from bot.slack.commands.guesses import near_site
from bot.slack.commands.words import folded, unquoted
from bot.slack.wording import natural

COMPARED = 1000
"""Names among which the nearest are searched; more take too long for a slip of the pen."""
COMPARED_LENGTH = 80
ALIKE = 100
"""Names that are put in order: of many that are equally near, those that people count first come first."""
NEAREST = 3
REWRITTEN = 10
"""Connections that are offered where their reference was only written in another way."""

# What people put between a site and an id in place of the slash, or around an id.
_JOINTS = " /:-\u2013_#.,;"

# Documented as a uuid, shown as an integer (ItemPath's page on connections).
_ID = re.compile(r"\d{1,20}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Exactly one is meant."""

    record: ConnectionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """Several may be meant."""

    records: tuple[ConnectionRecord, ...]
    """In the order in which people look for a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSites:
    """Whole sites are named: one by its name, or all."""

    sites: tuple[str, ...]
    records: tuple[ConnectionRecord, ...] = ()
    """Connections whose names begin like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed:
    """None is remembered by this name."""

    nearest: tuple[ConnectionRecord, ...] = ()
    """Those whose names come closest, the closest first."""
    rewritten: tuple[ConnectionRecord, ...] = ()
    """Those that are named, but in another way than is understood: `berlin 1`, `#1`."""
    site: str = ""
    """The site whose name comes closest, where it may be meant."""


Resolution: TypeAlias = Named | Ambiguous | OfSites | Unnamed


def name_of(record: ConnectionRecord) -> str:
    return record.row.name if record.row else record.id


def exactly(ref: str, records: Sequence[ConnectionRecord], *, sites: Collection[str]) -> Named | Ambiguous | None:
    """Those with this id, else with this `site/id`, else with this name. An exact id beats a name."""
    found = [record for record in records if record.id == ref]
    if not found and (split := split_site(ref, sites)) is not None:
        site, rest = split
        there = [record for record in records if record.site == site]
        found = [record for record in there if record.id == rest] or _whole(rest, there)
    return _judged(found or _whole(ref, records))


def loosely(ref: str, records: Sequence[ConnectionRecord], *, sites: Collection[str], near: bool = True) -> Resolution:
    """Those of the site that is named, else those whose name begins like this or fits this pattern. If there are none, those
    that are named in another way than is understood, those whose name comes nearest, and the site whose name does. `near`:
    the nearest connections are wanted, which takes a while.
    """
    if ref in ("*", "*/*") and sites:
        return OfSites(sites=tuple(sorted(sites, key=natural)))
    split = split_site(ref, sites) or split_site(f"{ref}/", sites)
    wanted, there = folded(ref), records
    if split is not None:
        site, rest = split
        if rest in ("", "*"):
            return OfSites(sites=(site,), records=tuple(_sorted(_beginning(wanted, records) if "/" not in ref else ())))
        wanted = folded(rest)
        there = [record for record in records if record.site == site]
    found = _judged(_beginning(wanted, there) or _fitting(wanted, there))
    if found is not None:
        return found
    rewritten = tuple(_sorted(_rewritten(ref, records, sites))[:REWRITTEN])
    return Unnamed(nearest=_nearest(wanted, there) if near else (), rewritten=rewritten, site=_whole_site(ref, sites))


def split_site(ref: str, sites: Collection[str]) -> tuple[str, str] | None:
    """`site/rest` as its parts, if there is such a site. A name may have a slash in it, too."""
    site, slash, rest = ref.partition("/")
    known = site.strip().casefold()
    return (known, unquoted(rest)) if slash and known in sites else None


def _rewritten(ref: str, records: Sequence[ConnectionRecord], sites: Collection[str]) -> list[ConnectionRecord]:
    """Those of a site that is named, or nearly, beside their id or name; or else those with this id or name alone."""
    bare = ref.strip(_JOINTS)
    for site, rest in _apart(bare, sites):
        there = [record for record in records if record.site == site]
        found = [record for record in there if record.id == rest] or _whole(rest, there)
        if found or (found := _beginning(folded(rest), there)):
            return found
    if bare in ("", ref):
        return []
    found = [record for record in records if record.id == bare]
    return found or _whole(bare, records) or _beginning(folded(bare), records)


def _apart(text: str, sites: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each site that the text begins with, the longest first, then one that its first word comes near, then one that it
    ends with; and the rest.
    """
    beginning = [(site, len(site)) for site in sites if text[: len(site)].casefold() == site]
    first = re.split(r"[\s/:]", text, maxsplit=1)[0]
    near = near_site(first, sites) or ""
    for site, length in (*sorted(beginning, key=lambda each: -each[1]), (near, len(first))):
        rest = unquoted(text[length:].lstrip(_JOINTS))
        if site and rest:
            yield site, rest
    before, _, last = text.rpartition(" ")
    if (site := last.strip("()").casefold()) in sites and before:
        yield site, unquoted(before.rstrip(_JOINTS))


def _whole_site(ref: str, sites: Collection[str]) -> str:
    """The site whose name comes near, if no more than a site is named."""
    name = ref.removesuffix("*").strip(_JOINTS)
    return "" if re.search(r"[\s/:]", name) else near_site(name, sites) or ""


def may_be_id(text: str) -> bool:
    """Whether ItemPath could have a connection with this id that the bot has not seen yet."""
    return _ID.fullmatch(text) is not None


def _whole(name: str, records: Iterable[ConnectionRecord]) -> list[ConnectionRecord]:
    wanted = folded(name)
    return [record for record in records if folded(name_of(record)) == wanted]


def _beginning(wanted: str, records: Iterable[ConnectionRecord]) -> list[ConnectionRecord]:
    return [record for record in records if wanted and folded(name_of(record)).startswith(wanted)]


def _fitting(wanted: str, records: Iterable[ConnectionRecord]) -> list[ConnectionRecord]:
    if not {"*", "?"}.intersection(wanted):
        return []
    return [record for record in records if glob(wanted, folded(name_of(record)))]


def _sorted(records: Iterable[ConnectionRecord]) -> list[ConnectionRecord]:
    return sorted(records, key=lambda record: (natural(name_of(record)), record.site, natural(record.id), record.id))


def _judged(found: Sequence[ConnectionRecord]) -> Named | Ambiguous | None:
    if not found:
        return None
    return Named(record=found[0]) if len(found) == 1 else Ambiguous(records=tuple(_sorted(found)))


def _nearest(wanted: str, records: Sequence[ConnectionRecord]) -> tuple[ConnectionRecord, ...]:
    wanted = wanted[:COMPARED_LENGTH]
    by_name: dict[str, list[ConnectionRecord]] = {}
    for record in records[:COMPARED]:
        by_name.setdefault(folded(name_of(record))[:COMPARED_LENGTH], []).append(record)
    inside = [name for name in by_name if len(wanted) > 1 and wanted in name]
    alike = difflib.get_close_matches(wanted, by_name, n=ALIKE, cutoff=0.5)
    compared = difflib.SequenceMatcher(None, b=wanted)

    def closest(name: str) -> tuple[bool, float, tuple[tuple[str, int], ...]]:
        compared.set_seq1(name)
        return name not in contained, -compared.ratio(), natural(name)

    contained = set(inside)
    names = sorted({*inside[:ALIKE], *alike}, key=closest)
    return tuple(_first(record for name in names for record in by_name[name]))


def _first(records: Iterable[ConnectionRecord]) -> Iterator[ConnectionRecord]:
    return (record for _, record in zip(range(NEAREST), records, strict=False))
