"""The one decision: what a poll, a command or a timer changes.

`decide` is pure: the same state, cause, time and policy give the same decision, and nothing happens until it is
committed. Each rule of "what reaches the channel" has its own module beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core import announce, baseline, dropped, flapping, groups, ownership, reminders, routing, rows, sight, silence
from bot.core.draft import Draft
from bot.core.policy import Policy
from bot.core.state import (
    Acknowledge,
    Cause,
    Decision,
    Dropped,
    Due,
    Failed,
    Muting,
    Polled,
    Reply,
    SiteState,
    Unmuting,
)


def decide(state: SiteState, cause: Cause, *, now: datetime, policy: Policy) -> Decision:
    """What `cause` changes in `state` at `now`.

    A poll, good or failed:

    1. What is not yet posted follows a corrected route.
    2. If nothing was recorded for long, one message tells the gap.
    3. A failed poll may lose sight of the site; a good one regains it.
    4. The first snapshot ever is the baseline; every other is compared, row by row.

    A person acknowledges, mutes or unmutes; the reply says how it went. A timer has no part of its own. Of a site that is
    dropped everything is closed.

    Whatever it was, then:

    5. What is down and not silent is announced, one by one or together.
    6. What has held for long enough is said to be final, and what is over is closed.
    7. What has been down for long is reminded of.
    """
    draft = Draft(state, now=now, policy=policy)
    reply: Reply | None = None
    match cause:
        case Polled():
            _polled(draft, cause)
        case Failed():
            routing.follow(draft)
            sight.tell_gap(draft, cause)
            sight.failed(draft, cause.failure)
        case Acknowledge():
            reply = ownership.acknowledge(draft, cause)
        case Muting():
            reply = silence.mute(draft, cause)
        case Unmuting():
            reply = silence.unmute(draft, cause)
        case Due():
            pass
        case Dropped():
            dropped.drop(draft)
        case _:  # pragma: no cover
            assert_never(cause)
    _conclude(draft)
    return draft.decision(next_due=_next_due(draft), reply=reply)


def _polled(draft: Draft, cause: Polled) -> None:
    routing.follow(draft)
    sight.tell_gap(draft, cause)
    sighting = sight.regained(draft, cause)
    draft.site = replace(draft.site, tried_at=draft.now, good_at=draft.now, fails=0, failing_since=None)
    snapshot = rows.in_order(cause.snapshot)
    if draft.site.baseline_at is None:
        baseline.tell(draft, snapshot)
    else:
        rows.compare(draft, snapshot, sighting)


def _conclude(draft: Draft) -> None:
    sight.tell_blindness(draft)
    if draft.sees:
        announce.announce(draft)
    groups.judge(draft)
    flapping.settle(draft)
    silence.show(draft)
    groups.list_members(draft)
    reminders.remind(draft)


def _next_due(draft: Draft) -> datetime | None:
    times = (reminders.next_due(draft), flapping.next_settling(draft), silence.next_end(draft))
    return min((at for at in times if at is not None), default=None)
