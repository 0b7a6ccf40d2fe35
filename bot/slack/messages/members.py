"""The connections of a mass outage: their order, what they have in common, and each in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from bot.core.connection import State
from bot.core.families import fingerprint
from bot.core.incidents import Closing, Episode, Why
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.phrases import length, name, outage_error, reference, unseen
from bot.slack.messages.post import OVER_SIGN
from bot.slack.wording import count, impact, sign

ERROR_SHARED = 200


class Shared(NamedTuple):
    """An error that most of them report."""

    family: str
    error: str
    number: int
    """How many report it."""


def ranked(members: Sequence[Episode]) -> list[Episode]:
    """Those that are down first, each with the greatest impact first; then by id, so that nothing else decides."""
    return sorted(members, key=lambda e: (not e.open, -(_stops(e) or 0), len(e.connection), e.connection))


def down_of(members: Sequence[Episode]) -> list[Episode]:
    return [episode for episode in members if episode.open]


def closed(members: Sequence[Episode], *, gone: bool) -> list[Episode]:
    return [e for e in members if not e.open and (e.closing is Closing.NOT_WATCHED) is gone]


def peak(members: Sequence[Episode]) -> int:
    """How many were down at once. Of what fell several times only the latest downtime is known: perhaps it was more."""
    steps = sorted([*((e.end, -1) for e in members if e.end), *((e.start, 1) for e in members)])
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def fell_since(members: Sequence[Episode]) -> Line:
    """Since when, as a sentence."""
    first, last = min(members, key=lambda e: e.start), max(e.start for e in members)
    if first.why.vague:
        return ("The first went down ", *unseen(first), ".")
    verb = "fell" if first.why is Why.SEEN else "was first seen down"
    if first.start == last:
        return (f"{'It' if len(members) == 1 else 'All'} {verb} ", last, ".")
    return (f"The first {verb} ", first.start, ", the latest ", last, ".")


def stopped(down: Sequence[Episode]) -> Line:
    """What all of them together stop, as a sentence, as far as ItemPath tells."""
    known = [stops for e in down if (stops := _stops(e)) is not None]
    total = sum(max(0, stops) for stops in known)
    if not known or (total == 0 and len(known) < len(down)):
        return ()
    words = impact(total) if total else "No integration uses them."
    return (("At least " if len(known) < len(down) else "") + str(words),)


def member_line(
    episode: Episode, *, name_limit: int, error_limit: int, shared: Shared | None = None, dated: bool = False
) -> Line:
    """One line; of what is down with what it stops, when it fell if `dated`, and why, unless most report the same.

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
    since: Line = (", since ", episode.start) if dated else ()
    return (sign(State.DOWN), *who, *bad, *since, *((": ", Foreign(error or "", error_limit)) if tells else ()))


def shared_error(down: Sequence[Episode]) -> Shared | None:
    """The error that at least half of them report, if there is one."""
    errors = {_family(error): error for e in reversed(down) if (error := _error(e)) is not None}
    counted = Counter(_family(error) for e in down if (error := _error(e)) is not None)
    for family, number in counted.most_common(1):
        if number > 1 and 2 * number >= len(down):
            return Shared(family, errors[family], number)
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


def _family(error: str) -> str:
    # Of hundreds of long errors only what could be shown is compared.
    return fingerprint(error[:ERROR_SHARED])


def _stops(episode: Episode) -> int | None:
    return episode.row.integration_count if episode.row is not None else None
