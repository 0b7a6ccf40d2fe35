"""One connection that is down, flaps, or is up again: its root and what is told below it."""

from __future__ import annotations

from datetime import datetime

from bot.core.connection import State
from bot.core.incidents import Closing, Episode, Phase, Thread
from bot.slack.blocks import Line
from bot.slack.messages.phrases import (
    acknowledged,
    connection_facts,
    families_seen,
    fell,
    length,
    name,
    outage_error,
    reference,
    sentences,
    silenced,
    span,
    standing,
    stops,
    told,
)
from bot.slack.messages.post import FLAPPING_SIGN, OVER_SIGN, Post
from bot.slack.wording import count, duration, sign


def root(thread: Thread, episode: Episode) -> Post:
    if thread.phase is Phase.FLAPPING:
        return _flapping(thread, episode)
    return _down(thread, episode) if episode.open else _over(thread, episode)


def _down(thread: Thread, episode: Episode) -> Post:
    log = outage_error(episode)
    at_root = [family for family in episode.families if family.message == 0]
    others = tuple(family for family in at_root if family.log is not log)
    repeats = next((family.count for family in at_root if family.log is log), 1)
    return Post(
        sign=sign(State.DOWN),
        headline=(name(episode), " is down"),
        body=told(
            (*_where(episode), *fell(episode), "."),
            sentences(stops(episode), acknowledged(thread)),
            silenced(thread.silence),
            flapped(thread.changes),
            (f"{count(len(others), 'other error')} came with it.",) if others else (),
        ),
        items=families_seen(others),
        error=log.error if log else None,
        error_label=f"Error, seen {repeats:,} times" if repeats > 1 else "Error",
        facts=connection_facts(episode.row) if episode.row else (),
    )


def _over(thread: Thread, episode: Episode) -> Post:
    mark, state = _end(episode)
    errors = families_seen(episode.families)
    return Post(
        sign=mark,
        headline=(name(episode), state),
        body=told(
            (*_where(episode), *span(episode)),
            acknowledged(thread),
            flapped(thread.changes),
            ("Errors meanwhile:",) if errors else (),
        ),
        items=errors,
    )


def _flapping(thread: Thread, episode: Episode) -> Post:
    log = outage_error(episode) if episode.open else None
    gone = episode.closing is Closing.NOT_WATCHED
    now = "down" if episode.open else "no longer watched" if gone else "up"
    return Post(
        sign=sign(State.DOWN) if episode.open else FLAPPING_SIGN,
        headline=(name(episode), f" is flapping: {count(thread.changes, 'change')} so far, now {now}"),
        body=told(
            (*_where(episode), *standing(episode), "."),
            sentences(stops(episode) if episode.open else (), acknowledged(thread)),
            silenced(thread.silence),
            until_it_holds(thread),
        ),
        error=log.error if log else None,
        facts=connection_facts(episode.row) if episode.row else (),
    )


def until_it_holds(thread: Thread) -> Line:
    """What to expect of something that flaps, as sentences."""
    told_first: Line = ("First told ", thread.opened, ".")
    if thread.settle_at is None:
        return told_first
    return (*told_first, " The outcome is announced once it stays put, not before ", thread.settle_at, ".")


def flapped(changes: int) -> Line:
    """Of what does not flap any more, as a sentence."""
    return (f"It was flapping before: {count(changes, 'change')}.",) if changes > 0 else ()


def recovered(episode: Episode, *, error: str | None, fell_again: bool = False) -> Post:
    """In the past tense when it has fallen again before this could be sent."""
    mark, state = _end(episode)
    if fell_again:
        mark, state = OVER_SIGN, f" was up again after {length(episode)}, and fell again"
    return Post(
        sign=mark,
        headline=(name(episode), state),
        body=((*_where(episode), *span(episode)),),
        error=error,
        error_label="Its log says",
    )


def settled(thread: Thread, episode: Episode, *, down: bool, changes: int, now: datetime) -> Post:
    """What it came to; in the past tense when it has changed again before this could be sent."""
    before = flapped(changes)
    if episode.open is not down:
        headline: Line = ("Flapping had ended: ", name(episode), f" was {'down' if down else 'up'}")
        return Post(
            sign=OVER_SIGN,
            headline=headline,
            body=told((*_where(episode), "by now ", *standing(episode), "."), before),
        )
    gone = episode.closing is Closing.NOT_WATCHED
    mark = OVER_SIGN if gone else sign(State.DOWN if down else State.UP)
    state = "no longer watched" if gone else "down" if down else "up"
    held = duration(now - (episode.end or episode.start))
    return Post(
        sign=mark,
        headline=(f"Flapping ended {held} ago: ", name(episode), f" is {state}"),
        body=told(
            (*_where(episode), *standing(episode), "."),
            sentences(stops(episode), acknowledged(thread)) if down else (),
            before,
        ),
    )


def still_down(thread: Thread, episode: Episode, *, now: datetime) -> Post:
    log = outage_error(episode)
    return Post(
        sign=sign(State.DOWN),
        headline=(name(episode), f" is still down, for {duration(now - episode.start)} now"),
        body=told(
            (*_where(episode), *fell(episode), "."),
            sentences(stops(episode), acknowledged(thread)),
        ),
        error=log.error if log else None,
    )


def _where(episode: Episode) -> Line:
    return (reference(episode.site, episode.connection), ": ")


def _end(episode: Episode) -> tuple[str, str]:
    """Sign and end of the headline of what is over."""
    if episode.closing is Closing.NOT_WATCHED:
        return OVER_SIGN, " is no longer watched"
    return sign(State.UP), f" is up again after {length(episode)}"
