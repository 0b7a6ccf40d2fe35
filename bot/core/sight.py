"""When the bot could not see: a site out of reach, or the bot itself away. It says so, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.connection import Failure, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import Closing, EpisodeKind, MessageKind, Role, ThreadKind, Why
from bot.core.state import ConnectionRecord


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


def tell_gap(draft: Draft) -> None:
    """Nobody polled for long: the bot was off, or could not write what it saw. One message for each channel."""
    alive_at = draft.before.alive_at
    if alive_at is None or draft.now - alive_at <= draft.policy.away_after:
        return
    span = {"from": alive_at.isoformat(), "to": draft.now.isoformat()}
    thread = draft.open_notice(ThreadKind.AWAY, draft.policy.home, params=span)
    draft.log(EventKind.AWAY, reason="silent_for_long", thread=thread.id, data=span)


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
    thread = draft.open_thread(ThreadKind.SITE, draft.policy.site_route, remind=True)
    episode = draft.open_new_episode(
        "",
        EpisodeKind.BLIND,
        start=site.failing_since,
        why=Why.SEEN,
        not_before=site.good_at,
        failure=failure,
        thread=thread.id,
    )
    draft.log(EventKind.SIGHT_LOST, reason=failure.kind, thread=thread.id, data={"message": failure.message})


def regained(draft: Draft, *, resumed: bool) -> Sighting:
    """The site could be read: the end of a blindness, if there was one."""
    last_good = draft.site.good_at
    episode = draft.blind
    if episode is None:
        return Sighting(Why.WHILE_AWAY if resumed and last_good is not None else Why.SEEN, last_good)
    why = Why.WHILE_AWAY if resumed else Why.SEEN
    thread = draft.close_episode(episode, Closing.RECOVERED, why=why, not_before=draft.site.tried_at)
    if thread is not None:
        draft.tell(
            thread.id,
            Role.BROADCAST,
            MessageKind.RECOVERED,
            {"episode": episode.id, "error": None},
            moot_from=thread.revision,
        )
    draft.log(EventKind.SIGHT_REGAINED, reason="read_again", thread=episode.thread)
    return Sighting(Why.WHILE_BLIND, last_good)
