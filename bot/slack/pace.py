"""How fast Slack may be spoken to, and what has to wait for how long. Time is handed in; nothing here sleeps."""

from __future__ import annotations

from datetime import datetime, timedelta

POST_EVERY = timedelta(seconds=1)
"""chat.postMessage: one message per second and channel (Slack's page "Rate limits", special tier)."""

EDITS_PER_MINUTE = 40
EDITS_AT_ONCE = 10
"""chat.update is tier 3: about 50 a minute for the workspace. A bucket of 10, refilled with 40 a minute, never lets more
than 50 through in any minute, and lets a single edit through at once."""


BACK_OFF_FIRST = timedelta(seconds=4)
"""After a refusal. A person who mends a channel or a token sees the effect within ten seconds at first…"""
BACK_OFF_MOST = timedelta(minutes=5)
"""…and in the end within five minutes."""


class EditBudget:
    """A token bucket for edits of the whole workspace."""

    def __init__(self) -> None:
        self._tokens = float(EDITS_AT_ONCE)
        self._at: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        """`now` if an edit may go, else when one may."""
        self._refill(now)
        if self._tokens >= 1:
            return now
        return now + timedelta(minutes=(1 - self._tokens) / EDITS_PER_MINUTE)

    def spend(self, now: datetime) -> None:
        self._refill(now)
        self._tokens -= 1

    def _refill(self, now: datetime) -> None:
        if self._at is not None:
            minutes = max(0.0, (now - self._at) / timedelta(minutes=1))
            self._tokens = min(float(EDITS_AT_ONCE), self._tokens + minutes * EDITS_PER_MINUTE)
        self._at = now


class Pace:
    """What was said when, and who asked us to wait."""

    def __init__(self) -> None:
        self.edits = EditBudget()
        self._next_post: dict[str, datetime] = {}
        self._holds: dict[str, datetime] = {}
        self._refusals: dict[str, int] = {}

    def posted(self, channel: str, now: datetime) -> None:
        self._next_post[channel] = now + POST_EVERY

    def hold(self, what: str, until: datetime) -> None:
        """Nothing goes to `what` (a channel, a method, or `WORKSPACE`) before `until`."""
        self._holds[what] = max(until, self._holds.get(what, until))

    def back_off(self, what: str, now: datetime, *, most: timedelta = BACK_OFF_MOST) -> datetime:
        """`what` was refused: until when it waits, twice as long each time."""
        times = self._refusals.get(what, 0)
        self._refusals[what] = times + 1
        until = now + min(BACK_OFF_FIRST * (1 << min(times, 10)), most)
        self.hold(what, until)
        return until

    def release(self, *names: str) -> None:
        """These work: what was held up goes on, and the next refusal starts anew."""
        for what in names:
            self._holds.pop(what, None)
            self._refusals.pop(what, None)

    def post_at(self, channel: str, now: datetime) -> datetime:
        """When a new message may go to the channel."""
        return max(now, self._next_post.get(channel, now), self._held(now, WORKSPACE, POST, channel))

    def edit_at(self, channel: str, now: datetime) -> datetime:
        return max(self.edits.ready_at(now), self._held(now, WORKSPACE, EDIT, channel))

    def look_at(self, channel: str, now: datetime) -> datetime:
        return max(now, self._held(now, WORKSPACE, LOOK, channel))

    def _held(self, now: datetime, *names: str) -> datetime:
        return max((self._holds.get(name, now) for name in names), default=now)


WORKSPACE = "workspace"
POST = "chat.postMessage"
EDIT = "chat.update"
LOOK = "conversations.history"
"""Stands for `conversations.replies` too: both are read to find out what became of a post."""
