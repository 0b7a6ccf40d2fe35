"""Mutes and maintenance: nothing new is said for a while; what is told already is edited and ends with a plain reply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import (
    EVERY,
    SITE,
    Episode,
    Json,
    MessageKind,
    Mute,
    Phase,
    Role,
    Silence,
    SilentPart,
    Thread,
    ThreadKind,
)
from bot.core.state import MuteOutcome, MuteReply, Muting, Unmuting

REPEATED_WITHIN = timedelta(minutes=1)
"""The same person's same mute, so soon again, is an impatient click or something that Slack delivered twice."""


def silence(draft: Draft, connection: str) -> Silence | None:
    """What keeps a connection (or the site, `SITE`) silent now: that which lasts longest."""
    record = draft.connections.get(connection)
    name = record.row.name if record is not None and record.row is not None else None
    return _longest(draft, draft.mutes.values(), connection, site=draft.site.name, name=name)


def silence_of(draft: Draft, episode: Episode) -> Silence | None:
    """As `silence`; in a root that sites share, of another site's blindness too."""
    if episode.site == draft.site.name:
        return silence(draft, episode.connection)
    mutes = (mute for mute in draft.before.peers_mutes if mute.site == episode.site)
    return _longest(draft, mutes, episode.connection, site=episode.site, name=None)


def _longest(draft: Draft, mutes: Iterable[Mute], connection: str, *, site: str, name: str | None) -> Silence | None:
    of_people = [mute.silence for mute in mutes if mute.covers(connection, draft.now)]
    planned = [window.silence(until) for window, until in draft.maintenance if window.covers(site, name)]
    return max([*of_people, *planned], key=lambda s: s.until, default=None)


def silence_of_all(draft: Draft, episodes: Sequence[Episode]) -> Silence | None:
    """What keeps all of these silent, until the first may be heard again; `None` if there is one that may be heard now."""
    silences = [found for episode in episodes if (found := silence_of(draft, episode)) is not None]
    return min(silences, key=lambda s: s.until) if silences and len(silences) == len(episodes) else None


def voice(muted: Silence | None) -> Role:
    """A reply is shared with the channel, unless all that it is about is silent."""
    return Role.BROADCAST if muted is None else Role.REPLY


def show(draft: Draft) -> None:
    """Roots say what silences them, until when and why; and no longer, once it is over."""
    for thread in list(draft.threads.values()):
        if thread.site != draft.site.name or not thread.open:
            continue
        going_on = draft.going_on(thread)
        present, parts = silence_of_all(draft, going_on), _parts(draft, thread, going_on)
        if (present, parts) != (thread.silence, thread.silences):
            draft.touch(thread.id, silence=present, silences=parts)
        if thread.silence is not None and thread.silence.until <= draft.now and present is None:
            # Not where a person ended it: whoever did so looks at it, and the thread says so.
            draft.threads[thread.id] = replace(draft.threads[thread.id], owed=thread.phase is Phase.OPEN)


def _parts(draft: Draft, thread: Thread, episodes: Sequence[Episode]) -> tuple[SilentPart, ...]:
    """What silences the parts of a thread about many, unless one silence or none says it of all."""
    if thread.kind not in (ThreadKind.GROUP, ThreadKind.BASELINE):
        return ()
    parts: dict[Silence, list[str]] = {}
    for episode in episodes:
        if (found := silence(draft, episode.connection)) is not None:
            parts.setdefault(found, []).append(episode.connection)
    if [len(connections) for connections in parts.values()] == [len(episodes)]:
        return ()
    ordered = sorted(parts.items(), key=lambda part: (part[0].until, part[1]))
    return tuple(SilentPart(silence=found, connections=tuple(connections)) for found, connections in ordered)


def next_end(draft: Draft) -> datetime | None:
    """When the first of what is silent now may be heard again."""
    mutes = (*draft.mutes.values(), *draft.before.peers_mutes)
    ends = [mute.end for mute in mutes if mute.start <= draft.now < mute.end]
    return min([*ends, *(until for _, until in draft.maintenance)], default=None)


def mute(draft: Draft, cause: Muting) -> MuteReply:
    connections = _meant(draft, cause)
    if not connections:
        return MuteReply(outcome=MuteOutcome.ENDED)
    if _repeated(draft, cause, connections):
        present = silence(draft, _about(connections[0]))
        return MuteReply(outcome=MuteOutcome.MUTED, silence=present, connections=connections)
    threads = _threads(draft, connections)
    where = _where(draft, threads)
    for connection in connections:
        new = Mute(
            id=f"{draft.site.name}!{draft.next_serial()}",
            site=draft.site.name,
            connection=connection,
            by=cause.by,
            reason=cause.reason,
            start=draft.now,
            end=cause.until,
        )
        _lift(draft, connection)
        draft.mutes[new.id] = new
        said: dict[str, Json] = {"until": cause.until.isoformat(), "reason": cause.reason}
        draft.log(
            EventKind.MUTED,
            reason="by_person",
            connection=_about(connection),
            thread=where.get(connection),
            data={"by": cause.by.as_json(), **said},
        )
    for thread in threads:
        params = {"by": cause.by.as_json(), **said, **_names(draft, connections)}
        draft.tell(thread.id, Role.REPLY, MessageKind.MUTED, params)
    present = silence(draft, _about(connections[0]))
    return MuteReply(outcome=MuteOutcome.MUTED, silence=present, connections=connections)


def unmute(draft: Draft, cause: Unmuting) -> MuteReply:
    """Of a whole site: every mute of it, also those of single connections."""
    meant = {m.connection for m in draft.mutes.values()} if cause.connection == EVERY else {cause.connection}
    lifted = [connection for connection in sorted(meant) if _lift(draft, connection)]
    present = silence(draft, _about(cause.connection))
    if not lifted:
        return MuteReply(outcome=MuteOutcome.NOT_MUTED, silence=present)
    threads = _threads(draft, tuple(lifted))
    where = _where(draft, threads)
    for connection in lifted:
        draft.log(
            EventKind.UNMUTED,
            reason="by_person",
            connection=_about(connection),
            thread=where.get(connection),
            data={"by": cause.by.as_json()},
        )
    # Where nothing was silent there is nothing to say.
    for thread in threads:
        params = {"by": cause.by.as_json(), **_names(draft, (cause.connection,))}
        draft.tell(thread.id, Role.REPLY, MessageKind.UNMUTED, params)
    outcome = MuteOutcome.UNMUTED if present is None else MuteOutcome.STILL_SILENT
    return MuteReply(outcome=outcome, silence=present, connections=(cause.connection,), told=len(threads))


def _meant(draft: Draft, cause: Muting) -> tuple[str, ...]:
    """Ids of connections, or `EVERY`: what was named, or what is open in the thread."""
    if cause.thread is None:
        return () if cause.connection is None else (cause.connection,)
    thread = draft.threads.get(cause.thread)
    if thread is None or not thread.open:
        return ()
    going_on = (e.connection for e in draft.going_on(thread))
    return tuple(dict.fromkeys(EVERY if connection == SITE else connection for connection in going_on))


def _repeated(draft: Draft, cause: Muting, connections: tuple[str, ...]) -> bool:
    """Whether all of it is so already: then there is nothing to say to anybody else."""
    running = {
        m.connection
        for m in draft.mutes.values()
        if (m.by.id, m.reason) == (cause.by.id, cause.reason)
        and m.start <= draft.now < m.end
        and timedelta(0) <= cause.until - m.end < REPEATED_WITHIN
    }
    return running.issuperset(connections)


def _lift(draft: Draft, connection: str) -> bool:
    """End what people have muted with exactly this meaning; True if there was something."""
    running = [m for m in draft.mutes.values() if m.connection == connection and m.end > draft.now]
    for one in running:
        draft.mutes[one.id] = replace(one, end=max(draft.now, one.start))
    return bool(running)


def _threads(draft: Draft, connections: tuple[str, ...]) -> list[Thread]:
    """The open threads in which it is to be said: those about what was meant."""
    every = EVERY in connections
    return [
        thread
        for thread in draft.threads.values()
        if any(
            e.site == draft.site.name and (every or e.connection in connections)
            for e in (draft.going_on(thread) if thread.open else ())
        )
    ]


def _where(draft: Draft, threads: Sequence[Thread]) -> dict[str, str]:
    """In which of these it is said of each connection. Of a whole site it is said in all of them."""
    return {episode.connection: thread.id for thread in threads for episode in draft.going_on(thread)}


def _names(draft: Draft, connections: tuple[str, ...]) -> dict[str, Json]:
    """What is meant, by name."""
    if EVERY in connections:
        return {"site": draft.site.name, "connections": []}
    records = [draft.connections.get(connection) for connection in connections]
    names = [r.row.name if r and r.row else i for i, r in zip(connections, records, strict=True)]
    return {"site": None, "connections": names}


def _about(connection: str) -> str:
    return SITE if connection == EVERY else connection
