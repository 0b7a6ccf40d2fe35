"""A root that Slack certainly does not have yet follows a corrected route; an open thread keeps its channel."""

from __future__ import annotations

from dataclasses import replace

from bot.core.draft import Draft
from bot.core.incidents import Thread, ThreadKind


def follow(draft: Draft) -> None:
    for thread_id in draft.before.unposted:
        thread = draft.threads[thread_id]
        channel = _channel(draft, thread)
        if channel != thread.channel:
            draft.threads[thread_id] = replace(thread, channel=channel)


def _channel(draft: Draft, thread: Thread) -> str:
    if thread.kind in (ThreadKind.OUTAGE, ThreadKind.GROUP, ThreadKind.ERROR):
        first = next(draft.episodes_in(thread.id), None)
        return draft.policy.route(first.row if first is not None else None).channel
    if thread.kind is ThreadKind.CHANGES:
        # Its lines were gathered by channel; where each would go now cannot be told from the whole.
        return thread.channel if thread.channel in draft.policy.channels else draft.policy.home
    return draft.policy.home
