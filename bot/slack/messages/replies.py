"""Replies: one event each, told in a thread and sometimes in the channel too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core.connection import State
from bot.core.incidents import Episode, EpisodeKind, Json, Message, MessageKind, Thread, ThreadKind, ThreadView
from bot.slack.blocks import Foreign, Line
from bot.slack.messages import groups, outages, sites
from bot.slack.messages.members import Beside
from bot.slack.messages.phrases import (
    IN_DETAIL,
    REASON_LIMIT,
    acknowledged,
    called,
    enumerated,
    episode_of,
    family_of,
    member,
    name,
    names,
    number,
    reference,
    silenced,
    times_seen,
    told,
)
from bot.slack.messages.post import ACKNOWLEDGED_SIGN, ERROR_SIGN, HEARD_SIGN, SILENT_SIGN, Post
from bot.slack.wording import count, duration, sign


def reply(view: ThreadView, message: Message, *, now: datetime) -> Post:
    """`message` is not a root. Raises `LookupError` when it tells an episode that the view does not have."""
    match message.kind:
        case MessageKind.RECOVERED:
            return _recovered(view, message)
        case MessageKind.ERROR:
            return _error(episode_of(view, message), str(message.params["fingerprint"]))
        case MessageKind.SETTLED:
            return _settled(view, message, now)
        case MessageKind.GROWN | MessageKind.REOPENED | MessageKind.OVER | MessageKind.LIST:
            return _of_group(view, message)
        case MessageKind.REMINDER | MessageKind.ESCALATED:
            return _still(view, now, escalated=message.kind is MessageKind.ESCALATED)
        case MessageKind.ACKNOWLEDGED | MessageKind.MUTED | MessageKind.UNMUTED:
            return _by_person(view, message)
        case MessageKind.ROOT:  # pragma: no cover
            raise ValueError("a root is no reply")
    assert_never(message.kind)


def _recovered(view: ThreadView, message: Message) -> Post:
    episode, error = episode_of(view, message), message.params["error"]
    if episode.kind is EpisodeKind.BLIND:
        return sites.regained(view, episode)
    return outages.recovered(episode, error=None if error is None else str(error), fell_again=episode is view.earlier)


def _error(episode: Episode, fingerprint: str) -> Post:
    family = family_of(episode, fingerprint)
    another = "an error while down" if episode.kind is EpisodeKind.OUTAGE else "another error"
    return Post(
        sign=ERROR_SIGN,
        headline=(name(episode), f" {'reports' if episode.open else 'reported'} {another}"),
        body=((reference(episode.site, episode.connection), ": ", *times_seen(family)),),
        error=family.log.error,
    )


def _of_group(view: ThreadView, message: Message) -> Post:
    params, beside = message.params, Beside.told(message.params)
    match message.kind:
        case MessageKind.LIST:
            return groups.listed(view, number(params["page"]))
        case MessageKind.OVER:
            return groups.over(view, beside)
        case MessageKind.GROWN:
            news = groups.grown(view, number(params["down"]), was=number(params["was"]), beside=beside)
        case _:
            news = groups.reopened(view, number(params["down"]), beside)
    return news or _over_by_now(view.thread)


def _still(view: ThreadView, now: datetime, *, escalated: bool) -> Post:
    """A reminder, or for others and in other words an escalation."""
    thread, post = view.thread, _still_so(view, now)
    if post is None:
        return _over_by_now(thread)
    if escalated and (thread.escalate_to or thread.ack_by is not None):
        post = replace(post, headline=("Escalated: ", *post.headline))
    elif escalated:
        # It calls nobody by name; whoever reads it is meant.
        post = replace(post, headline=("Not acknowledged by anybody: ", *post.headline))
    return replace(post, mentions=called(thread, thread.escalate_to if escalated else thread.mentions))


def _still_so(view: ThreadView, now: datetime) -> Post | None:
    match view.thread.kind:
        case ThreadKind.GROUP:
            return groups.still_down(view, now=now)
        case ThreadKind.SITE:
            return sites.still_blind(view, now=now)
    still = [episode for episode in view.episodes if episode.open]
    if not still:
        return None
    if view.thread.kind is ThreadKind.BASELINE:
        return _baseline_still_down(view.thread, still, now=now)
    return outages.still_down(view.thread, still[0], now=now)


def _baseline_still_down(thread: Thread, still: list[Episode], *, now: datetime) -> Post:
    few = len(still) <= IN_DETAIL
    how_long = f"still down, for at least {duration(now - min(e.start for e in still))} now"
    site = Foreign(thread.site, style="bold")
    who: Line = (f"{len(still):,} connections of ", site, " are ") if len(still) > 1 else (name(still[0]), " is ")
    return Post(
        sign=sign(State.DOWN),
        headline=(*who, how_long),
        body=told(() if few else ("Down: ", *names(still), "."), acknowledged(thread)),
        items=tuple(member(thread, episode) for episode in still) if few else (),
        lead=0 if few else None,
    )


def _over_by_now(thread: Thread) -> Post:
    # It ended between the commit and the sending; the root has said so, and nobody is called for it.
    what: Line = (Foreign(thread.site, style="bold"), ": what this thread was about is over")
    return Post(sign=sign(State.UP), headline=what)


def _settled(view: ThreadView, message: Message, now: datetime) -> Post:
    down, changes = number(message.params["down"]), number(message.params["changes"])
    if view.thread.kind is ThreadKind.GROUP:
        return groups.settled(view, down=down, changes=changes, beside=Beside.told(message.params), now=now)
    return outages.settled(view.thread, view.episodes[-1], down=down > 0, changes=changes, now=now)


def _by_person(view: ThreadView, message: Message) -> Post:
    by, params = message.params["by"], message.params
    who = Foreign(str(by["name"]) if isinstance(by, dict) else "", style="bold")
    if message.kind is MessageKind.ACKNOWLEDGED:
        at = datetime.fromisoformat(str(params["at"]))
        return Post(
            sign=ACKNOWLEDGED_SIGN,
            headline=(who, " has acknowledged ", *_subject(view)),
            body=(("Since ", at, ". No more reminders until it is over."),),
        )
    about = _about(params["site"], params["connections"])
    if message.kind is MessageKind.UNMUTED:
        return Post(sign=HEARD_SIGN, headline=(who, " has unmuted ", *about), body=(_heard(view, params["site"]),))
    until, reason = datetime.fromisoformat(str(params["until"])), str(params["reason"])
    return Post(
        sign=SILENT_SIGN,
        headline=(who, " has muted ", *about),
        body=told(
            ("No new alerts or reminders until ", until, ". Existing messages are still updated."),
            ("Reason: ", Foreign(reason, REASON_LIMIT)) if reason.strip() else (),
        ),
    )


def _subject(view: ThreadView) -> Line:
    """What a thread is about, to follow after a verb: a notification shows nothing else of the thread."""
    site = Foreign(view.thread.site, style="bold")
    match view.thread.kind:
        case _ if not view.episodes:
            return ("this",)
        case ThreadKind.GROUP:
            return (f"the outage of {count(len(view.episodes), 'connection')} of ", site)
        case ThreadKind.SITE:
            return ("that ", *enumerated([episode.site for episode in view.episodes]), " could not be read")
        case ThreadKind.BASELINE:
            return ("what was down in ", site, " when watching began")
    about = view.episodes[-1]
    return (name(about),) if about.kind is EpisodeKind.OUTAGE else ("the error of ", name(about))


def _about(site: Json, connections: Json) -> Line:
    """What somebody has muted or unmuted, by name: a whole site, or connections."""
    if site is not None:
        return ("all of ", Foreign(str(site), style="bold"))
    return enumerated([str(each) for each in connections] if isinstance(connections, Sequence) else [])


def _heard(view: ThreadView, site: Json) -> Line:
    """What a lifted mute comes to, as sentences: something wider, or of one of many something else, may still hold."""
    if still := silenced(view.thread.silence):
        return still
    if site is not None or len(view.episodes) > 1:
        return ("New problems are announced again, unless something else silences them.",)
    return ("New problems are announced again.",)
