"""What is said about a connection, an episode or a thread in more than one message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from bot.core.connection import Connection, Log, State
from bot.core.incidents import (
    SITE,
    Closing,
    Episode,
    EpisodeKind,
    Family,
    Message,
    Phase,
    Silence,
    Thread,
    ThreadView,
    Why,
)
from bot.slack.blocks import Fact, Foreign, Line, Span
from bot.slack.messages.post import OVER_SIGN, SILENT_SIGN
from bot.slack.wording import ADDRESS_LIMIT, NAME_LIMIT, count, duration, impact, sign

IN_DETAIL = 12
"""So many connections are listed with details, one a line; more are only named."""
NAMED = 60
NAMED_LIMIT = 40
"""60 names of 40 characters: a fifth of what a message may have."""
NAMED_IN_NEWS = 8
"""So many where a sentence is to be read at a glance."""
FAMILIES_LISTED = 5
FAMILY_LIMIT = 200
REF_LIMIT = 80
REASON_LIMIT = 200
PARTS_NAMED = 3
"""So many different silences within one thread are told with their reasons."""

_WHILE = {
    Why.WHILE_BLIND: "while the site could not be read",
    Why.WHILE_AWAY: "while this bot was away",
    Why.WHILE_UNRECORDED: "while this bot could record nothing",
}


def name(episode: Episode) -> Foreign:
    """What it is about: the connection's name, or the site's."""
    if episode.connection == SITE:
        return Foreign(episode.site, style="bold")
    return Foreign(episode.row.name if episode.row else episode.connection, style="bold")


def reference(site: str, connection: str) -> Foreign:
    """`site/id`, as commands take it."""
    return Foreign(f"{site}/{connection}", REF_LIMIT, style="code")


def fell(episode: Episode) -> Line:
    """Since when it is down and how well that is known, to follow after a name; without a full stop."""
    match episode.why:
        case Why.BASELINE:
            return ("already down when watching began, ", episode.start)
        case Why.ADDED:
            return ("already down when it was added, ", episode.start)
        case Why.FIRST_KNOWN:
            return ("down when ItemPath first reported its state, ", episode.start)
        case Why.WHILE_BLIND | Why.WHILE_AWAY | Why.WHILE_UNRECORDED:
            return ("went down ", *unseen(episode))
        case Why.SEEN:
            return ("down since ", episode.start)
        case _:
            assert_never(episode.why)


def unseen(episode: Episode) -> Line:
    """Of a fall that nobody saw, between when it was and why that is not known exactly."""
    return (*_between(episode.not_before, episode.start), ", ", _WHILE[episode.why])


def standing(episode: Episode) -> Line:
    """How it is now, to follow after a name; without a full stop."""
    if episode.end is None:
        return fell(episode)
    if episode.closing is Closing.NOT_WATCHED:
        return ("no longer watched since ", episode.end)
    return ("up since ", episode.end, f", after {length(episode)} down")


def rose(episode: Episode) -> Line:
    """When it was over, if the bot did not see it happen; else nothing. A whole sentence."""
    if episode.end is None or episode.end_why is None or not episode.end_why.vague:
        return ()
    between = _between(episode.end_not_before, episode.end)
    return ("It ended ", *between, ", ", _WHILE[episode.end_why], ".")


def _between(earliest: datetime | None, latest: datetime) -> Line:
    return ("before ", latest) if earliest is None else ("between ", earliest, " and ", latest)


def length(*episodes: Episode) -> str:
    """How long closed episodes lasted, from the first start to the last end.

    The bot's sightings give it; how they may differ from the truth is said.
    """
    first = min(episodes, key=lambda e: e.start)
    last = max(episodes, key=lambda e: e.end or e.start)
    late_start = first.why is not Why.SEEN
    late_end = last.end_why is not None and last.end_why.vague
    bound = {(True, False): "at least ", (False, True): "at most ", (True, True): "about "}.get(
        (late_start, late_end), ""
    )
    known = (last.end or last.start) - first.start
    if bound and known < timedelta(seconds=1):
        return f"{bound}{0 if late_start else 1} s"  # not "at least less than 1 s"
    return bound + duration(known)


def span(episode: Episode) -> Line:
    """`Downtime 2 h 5 min, from … to ….` and what is not known exactly, as sentences."""
    word = "Blind for " if episode.kind is EpisodeKind.BLIND else "Downtime "
    line: Line = (f"{word}{length(episode)}, from ", episode.start, " to ", episode.end or episode.start, ".")
    if episode.why is not Why.SEEN:
        line += (" It " if episode.why.vague else " It was ", *fell(episode), ".")
    return (*line, " ", *late) if (late := rose(episode)) else line


def acknowledged(thread: Thread) -> Line:
    """Who has it, as a sentence; a person is named, not mentioned."""
    if thread.ack_by is None:
        return ("Nobody has acknowledged it yet.",) if thread.open else ()
    at: Line = (", ", thread.ack_at) if thread.ack_at else ()
    return ("Acknowledged by ", Foreign(thread.ack_by.name, style="bold"), *at, ".")


def flaps(thread: Thread) -> Line:
    """Of what changes too often to be over for good, as a sentence."""
    return (f"It is flapping: {count(thread.changes, 'change')} so far.",) if thread.phase is Phase.FLAPPING else ()


def silenced(silence: Silence | None) -> Line:
    """What keeps it silent, until when and why, as a sentence; nothing when nothing does."""
    if silence is None:
        return ()
    word = "Muted" if silence.by else "Maintenance"
    return (f"{SILENT_SIGN} {word} until ", silence.until, *_by_and_why(silence))


def _by_and_why(silence: Silence) -> Line:
    by: Line = (" by ", Foreign(silence.by.name, style="bold")) if silence.by else ()
    why: Line = (": ", Foreign(silence.reason, REASON_LIMIT)) if silence.reason.strip() else ()
    return (*by, *why, ".")


def hushed(thread: Thread) -> tuple[Line, ...]:
    """What keeps a thread about many silent, each of its parts by itself, as lines."""
    if not thread.silences:
        return told(silenced(thread.silence))
    shown, rest = thread.silences[:PARTS_NAMED], thread.silences[PARTS_NAMED:]
    lines = [_hushed(part.silence, len(part.connections)) for part in shown]
    if rest:
        number = sum(len(part.connections) for part in rest)
        lines.append((f"{SILENT_SIGN} {number:,} more of them muted, the last until ", rest[-1].silence.until, "."))
    return tuple(lines)


def hushed_until(thread: Thread, episode: Episode) -> Line:
    """Until when one of many is silent, to stand in its line; nothing when that is said of all, or nothing is."""
    silence = thread.silence_of(episode.connection) if thread.silences else None
    return (f", {SILENT_SIGN} until ", silence.until) if silence and episode.open else ()


def _hushed(silence: Silence, number: int) -> Line:
    word = "muted" if silence.by else "in maintenance"
    return (f"{SILENT_SIGN} {number:,} of them {word} until ", silence.until, *_by_and_why(silence))


def called(thread: Thread, mentions: tuple[str, ...]) -> tuple[str, ...]:
    """Whom it may ping at this moment: nobody once somebody has it, or while it is silent, or when it is over."""
    return mentions if thread.open and thread.ack_by is None and thread.silence is None else ()


def stops(episode: Episode) -> Line:
    """What the outage stops, as a sentence, if ItemPath tells."""
    words = impact(episode.row.integration_count) if episode.row else None
    return (words,) if words else ()


def sentences(*lines: Line) -> Line:
    """Those that say something, as one line."""
    return tuple(span for line in told(*lines) for span in (" ", *line))[1:]


def told(*lines: Line) -> tuple[Line, ...]:
    """The lines that say something."""
    return tuple(line for line in lines if line)


def member(thread: Thread, episode: Episode) -> Line:
    """One connection of several, as it is now."""
    who: Line = (name(episode), " ", reference(episode.site, episode.connection))
    if episode.open:
        log = outage_error(episode)
        error: Line = (": ", Foreign(log.error or "", 120)) if log else ()
        return (f"{sign(State.DOWN)} down: ", *who, *hushed_until(thread, episode), *error)
    if episode.closing is Closing.NOT_WATCHED:
        return (f"{OVER_SIGN} no longer watched: ", *who)
    since: Line = (", ", episode.end) if episode.end else ()
    return (f"{sign(State.UP)} up again: ", *who, f" after {length(episode)}", *since)


def outage_error(episode: Episode) -> Log | None:
    """The error told with an outage: the one that came with it, else the one its latest log still shows."""
    came_with_it = [family for family in episode.families if family.message == 0]
    if came_with_it:
        return max(came_with_it, key=lambda family: family.last_at).log
    latest = episode.row.latest_log if episode.row else None
    return latest if latest and latest.has_error else None


def episode_of(view: ThreadView, message: Message) -> Episode:
    """The episode that a reply tells. Raises `LookupError` when the view does not have it."""
    wanted = message.params["episode"]
    for episode in (*view.episodes, view.earlier):
        if episode is not None and episode.id == wanted:
            return episode
    raise LookupError(f"thread {view.thread.id} has no episode {wanted!r}")


def number(value: object) -> int:
    """A count from a message's `params`."""
    return value if isinstance(value, int) else 0


def family_of(episode: Episode, fingerprint: str) -> Family:
    """Raises `LookupError` when the episode has no such family."""
    for family in episode.families:
        if family.fingerprint == fingerprint:
            return family
    raise LookupError(f"episode {episode.id} has no such error family")


def times_seen(family: Family) -> Line:
    """How often and when, as a sentence."""
    if family.count == 1:
        return ("Seen once, ", family.first_at, ".")
    return (f"Seen {family.count:,} times, first ", family.first_at, " and last ", family.last_at, ".")


def families_seen(families: Sequence[Family]) -> tuple[Line, ...]:
    """One line for each kind of error, the oldest first."""
    lines: list[Line] = [
        (f"{count(family.count, 'time')}: ", Foreign(family.log.error or "", FAMILY_LIMIT))
        for family in families[:FAMILIES_LISTED]
    ]
    if (more := len(families) - FAMILIES_LISTED) > 0:
        lines.append((f"and {count(more, 'other error')}",))
    return tuple(lines)


def names(episodes: Sequence[Episode], *, bold: bool = True) -> Line:
    """The names in one line, as many as fit."""
    spans: list[str | Foreign] = []
    for episode in episodes[:NAMED]:
        spans += [", ", Foreign(name(episode).text, NAMED_LIMIT, style="bold" if bold else None)]
    if (more := len(episodes) - NAMED) > 0:
        spans.append(f" and {more:,} more")
    return tuple(spans[1:])


def enumerated(listed: Sequence[str]) -> Line:
    """Names within a sentence: `A`, `A and B`, or as many as can be read at a glance and `10 more`."""
    limit = NAME_LIMIT if len(listed) == 1 else NAMED_LIMIT
    parts: list[Span] = [Foreign(text, limit, style="bold") for text in listed[:NAMED_IN_NEWS]]
    if (more := len(listed) - NAMED_IN_NEWS) > 0:
        parts.append(f"{more:,} more")
    spans: list[Span] = []
    for n, part in enumerate(parts):
        if n > 0:
            spans.append(" and " if n == len(parts) - 1 else ", ")
        spans.append(part)
    return tuple(spans)


def connection_facts(row: Connection) -> tuple[Fact, ...]:
    """What somebody who is woken wants to know of a connection, beside its name, reference and state."""
    log = row.latest_log
    return _known(
        Fact("Type", _text(row.type)),
        Fact("Address", _text(row.url, ADDRESS_LIMIT)),
        Fact("Last connection (ItemPath)", _maybe(row.latest_connection)),
        Fact("Last check (ItemPath)", _maybe(row.last_check)),
        Fact("Latest log (ItemPath)", _maybe(log.at if log else None)),
    )


def all_facts(row: Connection) -> tuple[Fact, ...]:
    """Every field of a connection that ItemPath tells, but name, id and the error of the latest log."""
    log = row.latest_log
    stops = impact(row.integration_count)
    return _known(
        Fact("Impact if down", (stops,) if stops else ()),
        *connection_facts(row),
        Fact("Authentication", _text(row.authentication)),
        Fact("App", _text(row.app_id)),
        Fact("Username", _text(row.username)),
        Fact("Password", _stored(row.password_exists)),
        Fact("Token", _stored(row.token_exists)),
        Fact("Can be tested", () if row.is_testable is None else ("yes" if row.is_testable else "no",)),
        Fact("Status", _number(row.status)),
        Fact("Created (ItemPath)", _maybe(row.created)),
        *(_log_facts(log) if log else ()),
    )


def _log_facts(log: Log) -> tuple[Fact, ...]:
    return (
        Fact("Log", _text(log.id)),
        Fact("Log status", _number(log.status)),
        Fact("Log description", _text(log.description, ADDRESS_LIMIT)),
        Fact("Log took", () if log.seconds is None else (f"{log.seconds:,.2f} s",)),
        Fact("Log app", _text(log.app_id)),
        Fact("Log integration", _text(log.integration_id)),
        Fact("Log workflow", _text(log.workflow_id)),
        Fact("Log task", _text(log.task_id)),
    )


def _known(*facts: Fact) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.value)


def _text(value: str | None, limit: int = 80) -> Line:
    return (Foreign(value, limit),) if value and value.strip() else ()


def _number(value: int | None) -> Line:
    return () if value is None else (Foreign(str(value)),)


def _maybe(at: datetime | None) -> Line:
    return (at,) if at else ()


def _stored(exists: bool | None) -> Line:
    return () if exists is None else ("stored" if exists else "none",)
