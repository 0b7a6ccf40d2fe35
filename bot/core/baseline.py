"""The first snapshot ever of a site: one message says what is watched from now on, and what is already down."""

from __future__ import annotations

from dataclasses import replace

from bot.core.connection import Snapshot, State
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import EpisodeKind, ThreadKind, Why
from bot.core.policy import together
from bot.core.rows import fresh_record, is_stale, unreadable_record


def tell(draft: Draft, snapshot: Snapshot) -> None:
    for row in snapshot.connections:
        draft.put(fresh_record(draft, row))
    for bad in snapshot.unreadable:
        if bad.id is not None:
            draft.put(unreadable_record(draft, bad.id, bad.problem))
    nameless = sum(1 for bad in snapshot.unreadable if bad.id is None)
    draft.site = replace(draft.site, baseline_at=draft.now, nameless=nameless)
    down = [row for row in snapshot.connections if draft.connections[row.id].known is State.DOWN]
    unclear = sum(1 for row in snapshot.connections if draft.connections[row.id].known is State.UNKNOWN)
    counts = {"watched": len(snapshot.connections), "unreadable": len(snapshot.unreadable), "unclear": unclear}
    route = together(draft.policy.home, [draft.policy.route(row) for row in down])
    if down:
        thread = draft.open_thread(ThreadKind.BASELINE, route, params=counts)
    else:
        thread = draft.open_notice(ThreadKind.BASELINE, route.channel, params=counts)
    for row in down:
        draft.open_new_episode(row.id, EpisodeKind.OUTAGE, start=draft.now, why=Why.BASELINE, row=row, thread=thread.id)
        draft.log(EventKind.WENT_DOWN, reason="baseline", connection=row.id, thread=thread.id)
    stale = sum(1 for row in snapshot.connections if is_stale(draft, row))
    draft.log(EventKind.BASELINE, reason="first_snapshot", thread=thread.id, data={**counts, "stale": stale})
