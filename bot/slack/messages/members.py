"""The connections of a mass outage: their order, what they have in common, and each in a line."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.core.connection import State
from bot.core.families import fingerprint
from bot.core.incidents import Closing, Episode, Json, Thread, Why
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.phrases import hushed_until, length, name, number, outage_error, reference, unseen
from bot.slack.messages.post import OVER_SIGN
from bot.slack.wording import count, impact, natural, sign

ERROR_SHARED = 200
NAME_COMPARED = 80


class Beside(NamedTuple):
    """How many more of the site are down than the group has."""

    elsewhere: int
    """In other messages: of their own, of another group, or the first about the site."""
    unsaid: int
    """Silent, and nobody was told."""

    @classmethod
    def told(cls, params: Mapping[str, Json]) -> Beside:
        """Of a reply, as it was when it was decided; what an older version decided does not say."""
        return cls(number(params.get("elsewhere")), number(params.get("unsaid")))

    def words(self) -> str:
        """`5 in other messages, 2 muted`; empty when there is nothing."""
        others = "1 in another message" if self.elsewhere == 1 else f"{self.elsewhere:,} in other messages"
        return ", ".join([*([others] if self.elsewhere else []), *([f"{self.unsaid:,} muted"] if self.unsaid else [])])


class Shared(NamedTuple):
    """An error that most of them report."""

    family: str
    error: str
    number: int
    """How many report it."""


def ranked(members: Sequence[Episode]) -> list[Episode]:
    """Those that are down first, each with the greatest impact first; then as people count them; in the end by id, so that
    nothing else decides.
    """
    return sorted(members, key=_worst_first)


def _worst_first(episode: Episode) -> tuple[bool, int, tuple[tuple[str, int], ...], int, str]:
    by_name = natural(name(episode).text[:NAME_COMPARED])
    return not episode.open, -(_stops(episode) or 0), by_name, len(episode.connection), episode.connection


def down_of(members: Sequence[Episode]) -> list[Episode]:
    return [episode for episode in members if episode.open]


def closed(members: Sequence[Episode], *, gone: bool) -> list[Episode]:
    return [e for e in members if not e.open and (e.closing is Closing.NOT_WATCHED) is gone]


def last_stretch(members: Sequence[Episode]) -> list[Episode]:
    """Of what is over: those of the last time in which something was always down. A group that was reopened had others
    before; of what fell several times only the latest downtime is known.
    """
    latest, *earlier = sorted(members, key=lambda e: e.end or e.start, reverse=True)
    stretch, start = [latest], latest.start
    for episode in earlier:
        if (episode.end or episode.start) < start:
            break
        stretch.append(episode)
        start = min(start, episode.start)
    return stretch


def peak(members: Sequence[Episode]) -> int:
    """How many were down at once. Of what fell several times only the latest downtime is known: perhaps it was more."""
    steps = sorted([*((e.end, -1) for e in members if e.end), *((e.start, 1) for e in members)])
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def fell_since(members: Sequence[Episode], *, some: bool) -> Line:
    """Since when, as a sentence. `some`: they are not all that were spoken of."""
    first = min(members, key=lambda e: (e.start, not e.why.vague))
    last = max(e.start for e in members)
    here = " here" if some else ""
    one = "The one here" if some else "It"
    together = one if len(members) == 1 else f"All{here}"
    if first.why.vague:
        latest: Line = ("; the latest was first seen down ", last) if first.start != last else ()
        who = f"The first{here}" if differ(members) else together
        return (f"{who} went down ", *unseen(first), *latest, ".")
    verb = "fell" if first.why is Why.SEEN else "was first seen down"
    if first.start == last:
        verb = verb.replace("was", "were") if len(members) > 1 else verb
        return (f"{together} {verb} ", last, ".")
    return (f"The first{here} {verb} ", first.start, ", the latest ", last, ".")


def differ(members: Sequence[Episode]) -> bool:
    """Whether they fell at different times, or it is not known alike when."""
    return len({(e.start, e.why.vague and (e.why, e.not_before)) for e in members}) > 1


def stopped(down: Sequence[Episode], *, some: bool) -> Line:
    """What all of them together stop, as a sentence, as far as ItemPath tells. `some` as above."""
    known = [stops for e in down if (stops := _stops(e)) is not None]
    total = sum(max(0, stops) for stops in known)
    if not known or (total == 0 and len(known) < len(down)):
        return ()
    words = impact(total) if total else "No integration uses them."
    sentence = ("At least " if len(known) < len(down) else "") + str(words)
    return (f"Here {sentence[0].lower()}{sentence[1:]}" if some else sentence,)


def member_line(
    thread: Thread,
    episode: Episode,
    *,
    name_limit: int,
    error_limit: int,
    shared: Shared | None = None,
    dated: bool = False,
) -> Line:
    """One line; of what is down with what it stops, when it fell if `dated`, until when it is silent, and why it fell,
    unless most report the same.

    The words for the signs stand above the list: twenty times the same word would hide what differs.
    """
    who: Line = (" ", Foreign(name(episode).text, name_limit, style="bold"), " ")
    who = (*who, reference(episode.site, episode.connection))
    if not episode.open:
        if episode.closing is Closing.NOT_WATCHED:
            return (OVER_SIGN, *who, " no longer watched")
        return (sign(State.UP), *who, f" up again after {length(episode)}")
    stops = _stops(episode) or 0
    bad: Line = (f", {count(stops, 'integration')}",) if stops > 0 else ()
    error = _error(episode)
    tells = error is not None and (shared is None or _family(error) != shared.family)
    since: Line = ()
    if dated:
        since = (", went down ", *unseen(episode)) if episode.why.vague else (", since ", episode.start)
    silent = hushed_until(thread, episode)
    return (
        sign(State.DOWN),
        *who,
        *bad,
        *since,
        *silent,
        *((": ", Foreign(error or "", error_limit)) if tells else ()),
    )


def shared_error(down: Sequence[Episode]) -> Shared | None:
    """The error that at least half of them report, if there is one."""
    errors = {_family(error): error for e in reversed(down) if (error := _error(e)) is not None}
    counted = Counter(_family(error) for e in down if (error := _error(e)) is not None)
    for family, times in counted.most_common(1):
        if times > 1 and 2 * times >= len(down):
            return Shared(family, errors[family], times)
    return None


def said(down: Sequence[Episode]) -> Line:
    """What most of them report, as a sentence."""
    shared = shared_error(down)
    if shared is None:
        return ()
    who = f"All {len(down):,}" if shared.number == len(down) else f"{shared.number:,} of the {len(down):,}"
    stop = "" if shared.error.rstrip().endswith(".") else "."
    return (f"{who} report: ", Foreign(shared.error, ERROR_SHARED), stop)


def _error(episode: Episode) -> str | None:
    log = outage_error(episode)
    return log.error if log else None


@functools.lru_cache(maxsize=2048)  # the members of a group are compared at each of its edits
def _family(error: str) -> str:
    # Of hundreds of long errors only what could be shown is compared.
    return fingerprint(error[:ERROR_SHARED])


def _stops(episode: Episode) -> int | None:
    return episode.row.integration_count if episode.row is not None else None
