"""A mass outage is one thread: its root says how many of how many are down and lists them, its replies when it got worse.

Joining and recovering are edits. Each doubling of the number down is a broadcast, and so is the end. A group that falls
again soon is reopened by a broadcast, and one that does so again and again counts as flapping: edits, until it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.connection import State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import Episode, EpisodeKind, MessageKind, Phase, Role, Thread, ThreadKind
from bot.core.policy import Route, together
from bot.core.silence import silence, silence_of_all, voice

ROOT_HOLDS = 20
"""Members that the root itself lists, one a line."""
LIST_HOLDS = 50
"""Members that one reply lists; with names and references well within what a message may have."""


def to_join(draft: Draft, channel: str) -> Thread | None:
    """The open group that still takes members."""
    since = draft.now - draft.policy.group_window
    open_groups = [t for t in _groups(draft, channel) if t.open and t.joined_at is not None and t.joined_at >= since]
    return max(open_groups, key=lambda t: t.opened, default=None)


def join(draft: Draft, group: Thread | None, members: Sequence[tuple[Episode, Route]]) -> str:
    """Put the members into the group, or into one that falls again with them, or into a new one; its id."""
    channel = members[0][1].channel
    routes = [route for _, route in members]
    known = group or _fallen_again(draft, channel, members)
    thread = known or draft.open_thread(ThreadKind.GROUP, together(channel, routes))
    draft.call_too(thread.id, routes)
    for episode, _ in members:
        draft.announce(episode, thread.id, told_at=draft.now)
    draft.touch(thread.id, joined_at=draft.now, watched=len(draft.connections))
    if known is None:
        draft.threads[thread.id] = replace(draft.threads[thread.id], told_down=len(members))
    elif known.open:
        _grow(draft, known)
    else:
        _reopen(draft, known)
    return thread.id


def judge(draft: Draft) -> None:
    """When all is known that fell and rose: close the groups of which nothing is down any more.

    A flapping one has only changed once more, and what it came to must hold anew.
    """
    for thread in _groups(draft):
        if thread.open and draft.sees:
            thread = _count(draft, thread)  # noqa: PLW2901 - the same thread, newer
        over = not _down(draft, thread.id)
        if thread.phase is Phase.OPEN and over:
            _close(draft, thread)
        elif thread.phase is Phase.FLAPPING and over != _was_over(draft, thread.id):
            settle_at = draft.now + draft.policy.settle_after
            draft.threads[thread.id] = replace(thread, changes=thread.changes + 1, settle_at=settle_at)


def list_members(draft: Draft) -> None:
    """What the root cannot hold is listed in the thread, page by page; edited when something happens to a member."""
    for thread in _groups(draft):
        before = draft.before.threads.get(thread.id)
        silences = () if before is None else before.silences
        changed = any(draft.before.episodes.get(e.id) != e for e in draft.episodes_in(thread.id))
        if changed or silences != thread.silences:
            _list(draft, thread)


def others(draft: Draft, group: str) -> dict[str, int]:
    """How many more of the site are down beside a group: `elsewhere` in other messages, `unsaid` in none.

    What is about to be told in this decision counts as told. What is untold and cannot be seen now is not known to be
    down, and counts as neither.
    """
    elsewhere = unsaid = 0
    for episode in draft.episodes.values():
        if episode.kind is not EpisodeKind.OUTAGE or not episode.open or episode.site != draft.site.name:
            continue
        if episode.thread == group:
            continue
        if episode.thread is not None:
            elsewhere += 1
        elif silence(draft, episode.connection) is not None:
            unsaid += 1
        elif draft.connections[episode.connection].state(blind=False) is State.DOWN:
            elsewhere += 1
    return {"elsewhere": elsewhere, "unsaid": unsaid}


def _groups(draft: Draft, channel: str | None = None) -> list[Thread]:
    return [
        t
        for t in draft.threads.values()
        if t.kind is ThreadKind.GROUP and t.site == draft.site.name and channel in (None, t.channel)
    ]


def _fallen_again(draft: Draft, channel: str, members: Sequence[tuple[Episode, Route]]) -> Thread | None:
    """The group that now falls again: that with the most of these, if at least half of them were in one that closed lately.

    What befalls others is no sequel but a mass outage of its own, which calls somebody.
    """
    since = draft.now - draft.policy.flap_window
    closed = [t for t in _groups(draft, channel) if t.closed is not None and not t.open and t.closed >= since]
    fallen = {episode.connection for episode, _ in members}
    of = {group.id: fallen.intersection(e.connection for e in draft.episodes_in(group.id)) for group in closed}
    if 2 * len(set().union(*of.values())) < len(fallen):
        return None
    return max(closed, key=lambda t: (len(of[t.id]), t.closed or t.opened, t.opened), default=None)


def _down(draft: Draft, group: str) -> list[Episode]:
    return [e for e in draft.episodes_in(group) if e.open]


def _count(draft: Draft, group: Thread) -> Thread:
    """Of how many it tells, and how many others are down beside it; the root shows both."""
    watched, beside = len(draft.connections), others(draft, group.id)
    if (watched, beside) == (group.watched, {"elsewhere": group.elsewhere, "unsaid": group.unsaid}):
        return group
    return draft.touch(group.id, watched=watched, elsewhere=beside["elsewhere"], unsaid=beside["unsaid"])


def _reopen(draft: Draft, group: Thread) -> None:
    down = _down(draft, group.id)
    flips = _flips(draft, group)
    flapping = len(flips) >= draft.policy.flap_threshold
    draft.threads[group.id] = replace(
        draft.threads[group.id],
        phase=Phase.FLAPPING if flapping else Phase.OPEN,
        closed=None,
        ack_by=None,
        ack_at=None,
        flips=flips,
        changes=len(flips) if flapping else 0,
        told_down=len(down),
        settle_at=draft.now + draft.policy.settle_after if flapping else None,
    )
    if flapping:
        draft.log(EventKind.FLAPPING, reason="group_flips", thread=group.id, data={"changes": len(flips)})
    else:
        params = {"down": len(down), **others(draft, group.id)}
        # Who makes it fall again may be heard, and so may this.
        draft.tell(group.id, Role.BROADCAST, MessageKind.REOPENED, params)
        draft.log(EventKind.GROUP_REOPENED, reason="fell_again", thread=group.id, data={"down": len(down)})


def _grow(draft: Draft, group: Thread) -> None:
    down = _down(draft, group.id)
    if group.phase is Phase.FLAPPING:
        return
    if len(down) >= 2 * max(1, group.told_down):
        params = {"down": len(down), "was": group.told_down, **others(draft, group.id)}
        draft.tell(group.id, Role.BROADCAST, MessageKind.GROWN, params)
        draft.threads[group.id] = replace(draft.threads[group.id], told_down=len(down))
        draft.log(EventKind.GROUP_GREW, reason="doubled", thread=group.id, data={"down": len(down)})


def _close(draft: Draft, group: Thread) -> None:
    members = list(draft.episodes_in(group.id))
    thread = draft.close_thread(group.id)
    draft.threads[group.id] = thread = replace(thread, flips=_flips(draft, group))
    connections = {e.connection for e in members}
    muted = silence_of_all(draft, members)
    draft.tell(
        group.id,
        voice(muted),
        MessageKind.OVER,
        {"members": len(connections), **others(draft, group.id)},
        moot_from=thread.revision,
    )
    draft.log(EventKind.GROUP_OVER, reason="all_over", thread=group.id, data={"members": len(connections)}, muted=muted)


def _flips(draft: Draft, group: Thread) -> tuple[datetime, ...]:
    since = draft.now - draft.policy.flap_window
    return (*(at for at in group.flips if at > since), draft.now)


def _list(draft: Draft, group: Thread) -> None:
    members = len({e.connection for e in draft.episodes_in(group.id)})
    pages = -(-max(0, members - ROOT_HOLDS) // LIST_HOLDS)
    for n in group.lists:
        draft.revise(group.id, n, group.revision)
    for page in range(len(group.lists), pages):
        n = draft.tell(group.id, Role.REPLY, MessageKind.LIST, {"page": page})
        thread = draft.threads[group.id]
        draft.threads[group.id] = replace(thread, lists=(*thread.lists, n))


def _was_over(draft: Draft, group: str) -> bool:
    """Whether nothing of it was down before this decision."""
    if draft.before.threads[group].phase is not Phase.FLAPPING:
        return not _down(draft, group)
    return not any(e.open for e in draft.before.episodes.values() if e.thread == group)
