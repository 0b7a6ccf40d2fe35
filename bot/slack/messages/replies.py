"""Replies: one event each, told in a thread and sometimes in the channel too."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from bot.core.connection import State
from bot.core.incidents import Closing, Episode, EpisodeKind, Message, MessageKind, Thread, ThreadKind, ThreadView
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.phrases import (
    IN_DETAIL,
    acknowledged,
    episode_of,
    family_of,
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
from bot.slack.messages.post import ACKNOWLEDGED_SIGN, ERROR_SIGN, OVER_SIGN, Post
from bot.slack.wording import count, duration, sign


def reply(view: ThreadView, message: Message, *, now: datetime) -> Post:
    """`message` is not a root. Raises `LookupError` when it tells an episode that the view does not have."""
    match message.kind:
        case MessageKind.RECOVERED:
            error = message.params["error"]
            return _recovered(episode_of(view, message), error=None if error is None else str(error))
        case MessageKind.ERROR:
            return _error(episode_of(view, message), str(message.params["fingerprint"]))
        case MessageKind.REMINDER:
            return _reminder(view, now)
        case MessageKind.ACKNOWLEDGED:
            return _acknowledged(message)
        case MessageKind.ROOT:  # pragma: no cover
            raise ValueError("a root is no reply")
    assert_never(message.kind)


def _recovered(episode: Episode, *, error: str | None) -> Post:
    if episode.kind is EpisodeKind.BLIND:
        return Post(
            sign=sign(State.UP),
            headline=("ItemPath ", name(episode), f" can be read again; this bot was blind for {length(episode)}"),
            body=(span(episode),),
        )
    if episode.closing is Closing.NOT_WATCHED:
        mark, state = OVER_SIGN, " is no longer watched"
    else:
        mark, state = sign(State.UP), f" is up again after {length(episode)}"
    return Post(
        sign=mark,
        headline=(name(episode), state),
        body=((reference(episode.site, episode.connection), ": ", *span(episode)),),
        error=error,
        error_label="Its log says",
    )


def _error(episode: Episode, fingerprint: str) -> Post:
    family = family_of(episode, fingerprint)
    another = "an error while down" if episode.kind is EpisodeKind.OUTAGE else "another error"
    return Post(
        sign=ERROR_SIGN,
        headline=(name(episode), f" {'reports' if episode.open else 'reported'} {another}"),
        body=((reference(episode.site, episode.connection), ": ", *times_seen(family)),),
        error=family.log.error,
    )


def _reminder(view: ThreadView, now: datetime) -> Post:
    thread = view.thread
    still = [episode for episode in view.episodes if episode.open]
    if not still:
        # It ended between the commit and the sending; the root has said so, and nobody is called for it.
        what: Line = (Foreign(thread.site, style="bold"), ": what this thread is about is over by now")
        return Post(sign=sign(State.UP), headline=what)
    if thread.kind is ThreadKind.BASELINE:
        return _still_down(thread, still)
    episode = still[0]
    if episode.kind is EpisodeKind.BLIND:
        reason: Line = (Foreign(episode.failure.message, 300),) if episode.failure else ()
        return Post(
            sign=sign(State.UNKNOWN),
            headline=("ItemPath ", name(episode), f" still cannot be read, for {duration(now - episode.start)} now"),
            body=told(("Blind since ", episode.start, "."), sentences(reason, acknowledged(thread))),
            mention=thread.mention,
        )
    log = outage_error(episode)
    return Post(
        sign=sign(State.DOWN),
        headline=(name(episode), f" is still down, for {duration(now - episode.start)} now"),
        body=told(
            (reference(episode.site, episode.connection), ": ", *fell(episode), "."),
            sentences(stops(episode), acknowledged(thread)),
        ),
        error=log.error if log else None,
        mention=thread.mention,
    )


def _still_down(thread: Thread, still: list[Episode]) -> Post:
    few = len(still) <= IN_DETAIL
    verb = "is" if len(still) == 1 else "are"
    return Post(
        sign=sign(State.DOWN),
        headline=(f"{count(len(still), 'connection')} of ", Foreign(thread.site, style="bold"), f" {verb} still down"),
        body=told(() if few else ("Down: ", *names(still), "."), acknowledged(thread)),
        items=tuple(member(episode) for episode in still) if few else (),
        mention=thread.mention,
    )


def _acknowledged(message: Message) -> Post:
    by, at = message.params["by"], message.params["at"]
    who = str(by["name"]) if isinstance(by, dict) else ""
    return Post(
        sign=ACKNOWLEDGED_SIGN,
        headline=(Foreign(who, style="bold"), " has acknowledged this"),
        body=(("Acknowledged at ", datetime.fromisoformat(str(at)), ". No reminder follows until it is over."),),
    )
