"""Roots: a thread as it is at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core.connection import State
from bot.core.incidents import Closing, Episode, Thread, ThreadKind, ThreadView
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.changes import changes
from bot.slack.messages.phrases import (
    IN_DETAIL,
    acknowledged,
    connection_facts,
    families_seen,
    fell,
    length,
    member,
    name,
    names,
    outage_error,
    reference,
    sentences,
    span,
    stops,
    times_seen,
    told,
)
from bot.slack.messages.post import ERROR_SIGN, NOTICE_SIGN, OVER_SIGN, Post
from bot.slack.wording import count, duration, sign

_CALLS = frozenset({ThreadKind.OUTAGE, ThreadKind.ERROR, ThreadKind.SITE})
"""Roots that ping. A baseline pings by its reminders alone."""


def root(view: ThreadView, *, interactive: bool) -> Post:
    thread = view.thread
    match thread.kind:
        case ThreadKind.OUTAGE:
            post = _outage(thread, view.episodes[-1])
        case ThreadKind.ERROR:
            post = _error(thread, view.episodes[-1])
        case ThreadKind.SITE:
            post = _site(thread, view.episodes[-1])
        case ThreadKind.BASELINE:
            post = _baseline(view)
        case ThreadKind.CHANGES:
            post = changes(thread.site, view.root.params)
        case ThreadKind.AWAY:
            post = _away(view)
        case _:
            assert_never(thread.kind)
    # An acknowledged root that has to be posted anew calls nobody a second time.
    waits = thread.open and thread.ack_by is None and any(episode.open for episode in view.episodes)
    return replace(
        post,
        mention=thread.mention if waits and thread.kind in _CALLS else None,
        acknowledge=thread.id if waits and interactive else None,
    )


def _outage(thread: Thread, episode: Episode) -> Post:
    where: Line = (reference(episode.site, episode.connection), ": ")
    if episode.open:
        log = outage_error(episode)
        at_root = [family for family in episode.families if family.message == 0]
        others = tuple(family for family in at_root if family.log is not log)
        repeats = next((family.count for family in at_root if family.log is log), 1)
        return Post(
            sign=sign(State.DOWN),
            headline=(name(episode), " is down"),
            body=told(
                (*where, *fell(episode), "."),
                sentences(stops(episode), acknowledged(thread)),
                (f"{count(len(others), 'other error')} came with it.",) if others else (),
            ),
            items=families_seen(others),
            error=log.error if log else None,
            error_label=f"Error, seen {repeats:,} times" if repeats > 1 else "Error",
            facts=connection_facts(episode.row) if episode.row else (),
        )
    back = episode.closing is not Closing.NOT_WATCHED
    errors = families_seen(episode.families)
    return Post(
        sign=sign(State.UP) if back else OVER_SIGN,
        headline=(name(episode), f" is up again after {length(episode)}" if back else " is no longer watched"),
        body=told((*where, *span(episode)), acknowledged(thread), ("Errors meanwhile:",) if errors else ()),
        items=errors,
    )


def _error(thread: Thread, episode: Episode) -> Post:
    first = next((family for family in episode.families if family.message == 0), episode.families[0])
    others = len(episode.families) - 1
    mark, state, how = _error_state(episode)
    return Post(
        sign=mark,
        headline=(name(episode), state),
        body=told(
            (reference(episode.site, episode.connection), ": ", *times_seen(first)),
            sentences(how, acknowledged(thread)),
            (f"{count(others, 'other error')} in the thread.",) if others else (),
        ),
        error=first.log.error,
        facts=connection_facts(episode.row) if episode.row and episode.open else (),
    )


def _error_state(episode: Episode) -> tuple[str, str, Line]:
    """Sign, end of the headline, and a sentence on how it is now."""
    if episode.end is None:
        return ERROR_SIGN, " reports an error", ("The connection itself was last seen up.",)
    match episode.closing:
        case Closing.NOW_DOWN:
            how: Line = ("It went down ", episode.end, "; that has a message of its own.")
            return OVER_SIGN, " reported an error and is now down", how
        case Closing.NOT_WATCHED:
            return OVER_SIGN, " is no longer watched", ("ItemPath does not list it any more, seen ", episode.end, ".")
    how = ("Its newer log has no error, seen ", episode.end, ".")
    return sign(State.UP), " no longer reports an error", how


def _site(thread: Thread, episode: Episode) -> Post:
    failure = episode.failure
    reason = (Foreign(failure.message, 300),) if failure else ()
    if episode.open:
        return Post(
            sign=sign(State.UNKNOWN),
            headline=("ItemPath ", name(episode), " cannot be read"),
            body=told(
                ("Blind since ", episode.start, ": the state of its connections is unknown."),
                sentences(reason, (Foreign(failure.advice, 300),) if failure else (), acknowledged(thread)),
            ),
        )
    return Post(
        sign=sign(State.UP),
        headline=("ItemPath ", name(episode), f" can be read again after {length(episode)}"),
        body=told(span(episode), ("The reason was: ", *reason) if reason else (), acknowledged(thread)),
    )


def _baseline(view: ThreadView) -> Post:
    thread, episodes, params = view.thread, view.episodes, view.root.params
    watched = ("Watching ", count(_number(params["watched"]), "connection"), " of ", Foreign(thread.site, style="bold"))
    unreadable = _number(params["unreadable"])
    rows: Line = (f"{count(unreadable, 'row')} could not be understood, unknown until then.",) if unreadable else ()
    if not episodes:
        return Post(sign=NOTICE_SIGN, headline=(*watched, ", none known to be down"), body=told(_STARTED, rows))
    down = [episode for episode in episodes if episode.open]
    over = [episode for episode in episodes if not episode.open]
    if not down:
        state = ", what was down at first is over"
    elif over:
        state = f", {len(down):,} of {len(episodes):,} still down"
    else:
        state = f", {len(down):,} already down"
    few = len(episodes) <= IN_DETAIL
    summary = () if few else (_named("Down: ", down), _named("Over: ", over))
    return Post(
        sign=sign(State.DOWN if down else State.UP),
        headline=(*watched, state),
        body=told(_STARTED, *summary, rows, acknowledged(thread)),
        items=tuple(member(episode) for episode in (*down, *over)) if few else (),
    )


_STARTED: Line = ("From now on every change is told here.",)


def _named(word: str, episodes: Sequence[Episode]) -> Line:
    return (word, *names(episodes), ".") if episodes else ()


def _away(view: ThreadView) -> Post:
    start = datetime.fromisoformat(str(view.root.params["from"]))
    end = datetime.fromisoformat(str(view.root.params["to"]))
    return Post(
        sign=NOTICE_SIGN,
        headline=(f"Nothing was watched for {duration(end - start)}",),
        body=(
            ("This bot was away from ", start, " to ", end, "."),
            ("What changed meanwhile and still is so is told; what was over before then was not seen.",),
        ),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
