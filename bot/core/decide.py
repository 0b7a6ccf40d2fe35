"""The one decision: what a poll, a command or a timer changes.

`decide` is pure: the same state, cause, time and policy give the same decision, and nothing happens until it is
committed. Each rule of "what reaches the channel" has its own module beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core import baseline, ownership, reminders, routing, rows, sight
from bot.core.draft import Draft
from bot.core.policy import Policy
from bot.core.state import Acknowledge, AckReply, Cause, Decision, Due, Failed, Polled, SiteState


def decide(state: SiteState, cause: Cause, *, now: datetime, policy: Policy) -> Decision:
    """What `cause` changes in `state` at `now`.

    A poll, good or failed:

    1. What is not yet posted follows a corrected route.
    2. If nothing was polled for long, one message tells the gap.
    3. A failed poll may lose sight of the site; a good one regains it.
    4. The first snapshot ever is the baseline; every other is compared, row by row.
    5. What has been down for long is reminded of.

    Due: reminders only. Acknowledge: the thread changes, and the reply says how it went.
    """
    draft = Draft(state, now=now, policy=policy)
    reply: AckReply | None = None
    match cause:
        case Polled():
            _polled(draft, cause)
        case Failed():
            routing.follow(draft)
            sight.tell_gap(draft)
            sight.failed(draft, cause.failure)
        case Acknowledge():
            reply = ownership.acknowledge(draft, cause)
        case Due():
            reminders.remind(draft)
        case _:  # pragma: no cover
            assert_never(cause)
    return draft.decision(next_due=reminders.next_due(draft), reply=reply)


def _polled(draft: Draft, cause: Polled) -> None:
    routing.follow(draft)
    sight.tell_gap(draft)
    sighting = sight.regained(draft, resumed=cause.resumed)
    draft.site = replace(draft.site, tried_at=draft.now, good_at=draft.now, fails=0, failing_since=None)
    if draft.site.baseline_at is None:
        baseline.tell(draft, cause.snapshot)
    else:
        rows.compare(draft, cause.snapshot, sighting)
    reminders.remind(draft)
