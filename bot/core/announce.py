"""Outages that are to be announced: each its own root, or, when many come within a short time, one root for them all.

Whatever made them due (they fell, a mute ended, sight was regained, the bot came back) they are counted alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core import groups
from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import Episode, EpisodeKind, ThreadKind
from bot.core.policy import Route
from bot.core.silence import silence


def announce(draft: Draft) -> None:
    """Tell every open outage that nobody was told of and that nothing silences."""
    by_channel: dict[str, list[tuple[Episode, Route]]] = {}
    for episode in [e for e in draft.episodes.values() if _untold(draft, e)]:
        muted = silence(draft, episode.connection)
        if muted is not None:
            if episode.id in draft.fell:
                reason = draft.fell[episode.id]
                draft.log(EventKind.WENT_DOWN, reason=reason, connection=episode.connection, muted=muted)
            continue
        route = draft.policy.route(episode.row)
        by_channel.setdefault(route.channel, []).append((episode, route))
    for channel, found in by_channel.items():
        found.sort(key=lambda pair: _impact(pair[0]))
        _tell(draft, channel, found)


def _untold(draft: Draft, episode: Episode) -> bool:
    """What is down, as far as can be seen now, and nobody was told."""
    record = draft.connections.get(episode.connection)
    return (
        episode.kind is EpisodeKind.OUTAGE
        and episode.open
        and episode.thread is None
        and episode.site == draft.site.name
        and (episode.id in draft.fell or (record is not None and record.state(blind=False) is State.DOWN))
    )


def _impact(episode: Episode) -> tuple[int, int, str]:
    """Greatest impact first; then by id, so that the order of rows decides nothing."""
    stops = episode.row.integration_count if episode.row is not None else None
    return (-(stops or 0), len(episode.connection), episode.connection)


def _tell(draft: Draft, channel: str, found: Sequence[tuple[Episode, Route]]) -> None:
    joining = groups.to_join(draft, channel)
    if joining is not None or _told_lately(draft, channel) + len(found) >= draft.policy.group_over:
        group = groups.join(draft, joining, found)
        for episode, _ in found:
            _log(draft, episode, reason="grouped", thread=group)
        return
    for episode, route in found:
        thread = draft.open_thread(ThreadKind.OUTAGE, route)
        draft.announce(episode, thread.id, told_at=draft.now)
        _log(draft, episode, reason=draft.fell.get(episode.id, "mute_ended"), thread=thread.id)


def _told_lately(draft: Draft, channel: str) -> int:
    since = draft.now - draft.policy.group_window
    return sum(
        1
        for e in draft.episodes.values()
        if e.kind is EpisodeKind.OUTAGE
        and e.site == draft.site.name
        and e.told_at is not None
        and e.told_at > since
        and e.thread in draft.threads
        and draft.threads[e.thread].channel == channel
    )


def _log(draft: Draft, episode: Episode, *, reason: str, thread: str) -> None:
    kind = EventKind.WENT_DOWN if episode.id in draft.fell else EventKind.ANNOUNCED
    draft.log(kind, reason=reason, connection=episode.connection, thread=thread)
