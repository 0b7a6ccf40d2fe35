"""When the bot could not see: a site out of reach, or the bot itself away. It says so, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.connection import Failure, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import SITE, Closing, EpisodeKind, MessageKind, Thread, ThreadKind, Why
from bot.core.silence import silence, voice
from bot.core.state import ConnectionRecord, Failed, Polled


@dataclass(frozen=True, slots=True)
class Sighting:
    """How the reads before this one bear on what it shows."""

    why: Why
    """How it comes that a change is seen now."""
    last_good: datetime | None
    """The good read before this one."""

    def confirmed_at(self, record: ConnectionRecord) -> datetime | None:
        """When the known state of a connection was last confirmed before this read; `None` if there is none."""
        return None if record.known is State.UNKNOWN else record.seen_at or self.last_good


NOT_RECORDED = "not_recorded"
"""The reason of a gap in which the bot ran, and its database took nothing."""


def tell_gap(draft: Draft, poll: Polled | Failed) -> None:
    """Nothing was recorded for long: the bot was off, or its database took nothing. One message for each channel.

    A wall clock that was set forward is no absence: a bot that has run all the time knows better.
    """
    alive_at, longest = draft.before.alive_at, draft.policy.away_after
    if alive_at is None or draft.now - alive_at <= longest:
        return
    if poll.unwatched is not None and poll.unwatched <= longest:
        return
    span = {"from": alive_at.isoformat(), "to": draft.now.isoformat()}
    reason = NOT_RECORDED if poll.unrecorded else "silent_for_long"
    thread = draft.open_notice(ThreadKind.AWAY, draft.policy.home, params={**span, "reason": reason})
    draft.log(EventKind.AWAY, reason=reason, thread=thread.id, data=span)


def failed(draft: Draft, failure: Failure) -> None:
    """One more failed poll; after `unreachable_after` of them the site counts as unreachable."""
    site = draft.site
    site = replace(site, tried_at=draft.now, fails=site.fails + 1, failing_since=site.failing_since or draft.now)
    draft.site = site
    if (episode := draft.blind) is not None:
        if episode.failure != failure:
            draft.episodes[episode.id] = replace(episode, failure=failure)
            # Other words for the same kind of trouble (a port, a count of seconds) are no news.
            if episode.thread is not None and (episode.failure is None or episode.failure.kind != failure.kind):
                draft.touch(episode.thread)
        return
    if site.fails < draft.policy.unreachable_after:
        return
    draft.open_new_episode(
        SITE,
        EpisodeKind.BLIND,
        start=site.failing_since,
        why=Why.SEEN,
        not_before=site.good_at,
        failure=failure,
    )
    tell_blindness(draft, reason=failure.kind)


def tell_blindness(draft: Draft, *, reason: str = "mute_ended") -> None:
    """A root for a blindness that nobody was told of, unless something keeps the site silent.

    Sites of one channel that are lost at the same time share the first one's root: the cause may be the bot's own network.
    That root has called whom the first site's route names; reminders and the escalation call those of all.
    """
    episode = draft.blind
    if episode is None or episode.thread is not None:
        return
    muted = silence(draft, SITE)
    if muted is not None:
        if reason != "mute_ended":
            draft.log(EventKind.SIGHT_LOST, reason=reason, muted=muted)
        return
    route, shared = draft.policy.site_route, _lost_before(draft)
    thread = shared or draft.open_thread(ThreadKind.SITE, route)
    draft.call_too(thread.id, [route])
    draft.announce(episode, thread.id, told_at=draft.now)
    draft.touch(thread.id, watched=draft.policy.sites_in_channel)
    failure = episode.failure
    draft.log(
        EventKind.SIGHT_LOST,
        reason=reason if shared is None else "several_sites",
        thread=thread.id,
        data={} if failure is None else {"kind": failure.kind, "message": failure.message},
    )


def _lost_before(draft: Draft) -> Thread | None:
    """The root of another site of this channel that was lost within the last two intervals."""
    since = draft.now - 2 * draft.policy.interval
    found = [
        thread
        for thread in draft.threads.values()
        if thread.kind is ThreadKind.SITE
        and thread.site != draft.site.name
        and thread.open
        and thread.channel == draft.policy.home
        and thread.opened >= since
    ]
    return min(found, key=lambda thread: (thread.opened, thread.id), default=None)


def regained(draft: Draft, poll: Polled) -> Sighting:
    """The site could be read: the end of a blindness, if there was one."""
    last_good = draft.site.good_at
    episode = draft.blind
    if episode is None:
        return Sighting(_unseen(draft, poll, away=poll.resumed) if last_good is not None else Why.SEEN, last_good)
    why = _unseen(draft, poll, away=poll.first)
    thread = draft.close_episode(episode, Closing.RECOVERED, why=why, not_before=draft.site.tried_at)
    reason = "read_again"
    muted = None
    if thread is None:
        reason = "loss_not_announced"
    elif thread.open:
        reason = "several_sites"
    else:
        muted = silence(draft, SITE)
        draft.tell(
            thread.id,
            voice(muted),
            MessageKind.RECOVERED,
            {"episode": episode.id, "error": None},
            moot_from=thread.revision,
        )
    draft.log(EventKind.SIGHT_REGAINED, reason=reason, thread=episode.thread, muted=muted)
    return Sighting(Why.WHILE_BLIND, last_good)


def _unseen(draft: Draft, poll: Polled, *, away: bool) -> Why:
    """Why what changed before this read was not seen as it happened, if it was not."""
    if poll.unrecorded and not away:
        return Why.WHILE_UNRECORDED
    # A machine that was suspended goes on as if nothing had been.
    away = away or (poll.unwatched is not None and poll.unwatched > draft.policy.away_after)
    return Why.WHILE_AWAY if away else Why.SEEN
