"""How fast Slack may be spoken to, and what has to wait for how long. Time is handed in; nothing here sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

POST_EVERY = timedelta(seconds=1)
"""chat.postMessage: one message per second and channel (Slack's page "Rate limits", special tier)."""

PER_MINUTE = 40
AT_ONCE = 8
"""chat.update and conversations.history are tier 3: about 50 a minute for the workspace, each. A bucket of 8, refilled
with 40 a minute, never lets more than 48 through in any minute (two may arrive late), and a single one at once."""

BACK_OFF_FIRST = timedelta(seconds=4)
"""After a refusal. A person who mends a channel or a token sees the effect within ten seconds at first…"""
BACK_OFF_MOST = timedelta(minutes=5)
"""…and in the end within five minutes."""

LONGEST = timedelta(hours=1)
"""Nothing is ever told to wait longer; what seems to was told so by a clock that was ahead."""
REMEMBERED = 1000

WORKSPACE = "workspace"
POST = "chat.postMessage"
EDIT = "chat.update"
LOOK = "conversations.history"
"""Stands for `conversations.replies` too: both are read to find out what became of a post."""


class Budget:
    """A token bucket for one method of the whole workspace."""

    def __init__(self) -> None:
        self._tokens = float(AT_ONCE)
        self._at: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        """`now` if a call may go, else when one may."""
        self._refill(now)
        if self._tokens >= 1:
            return now
        return now + timedelta(minutes=(1 - self._tokens) / PER_MINUTE)

    def spend(self, now: datetime) -> None:
        self._refill(now)
        self._tokens -= 1

    def _refill(self, now: datetime) -> None:
        if self._at is not None:
            minutes = max(0.0, (now - self._at) / timedelta(minutes=1))
            self._tokens = min(float(AT_ONCE), self._tokens + minutes * PER_MINUTE)
        self._at = now


@dataclass(slots=True)
class _Refusals:
    until: datetime
    times: int = 0


class Pace:
    """What was said when, who asked us to wait, and who refused.

    `what` is a method, `WORKSPACE`, a method in a channel (`place`), or a message.
    """

    def __init__(self) -> None:
        self._budgets = {EDIT: Budget(), LOOK: Budget()}
        self._next_post: dict[str, datetime] = {}
        self._limits: dict[str, datetime] = {}
        self._refusals: dict[str, _Refusals] = {}
        self._ids: dict[str, str] = {}
        self._seen: datetime | None = None

    def known_as(self, channel: str, channel_id: str) -> None:
        """A channel that is configured under its id and under its name is one channel, and has one pace."""
        self._ids[channel] = channel_id

    def channel(self, channel: str) -> str:
        return self._ids.get(channel, channel)

    def place(self, method: str, channel: str) -> str:
        return f"{method} in {self.channel(channel)}"

    def saw(self, now: datetime) -> None:
        """Once a round: a clock that was set back takes along what waits, and what is long over is forgotten."""
        if self._seen is not None and now < self._seen:
            back = self._seen - now
            self._next_post = {what: at - back for what, at in self._next_post.items()}
            self._limits = {what: at - back for what, at in self._limits.items()}
            for refusals in self._refusals.values():
                refusals.until -= back
        self._seen = now
        if len(self._next_post) + len(self._limits) + len(self._refusals) > REMEMBERED:
            over = now - LONGEST
            self._next_post = {what: at for what, at in self._next_post.items() if at > over}
            self._limits = {what: at for what, at in self._limits.items() if at > over}
            self._refusals = {what: refusals for what, refusals in self._refusals.items() if refusals.until > over}

    def posted(self, channel: str, now: datetime) -> None:
        self._next_post[self.channel(channel)] = now + POST_EVERY

    def spend(self, method: str, now: datetime) -> None:
        """A call of a method that is limited for the whole workspace."""
        self._budgets[method].spend(now)

    def obey(self, what: str, until: datetime) -> None:
        """Slack asked for it: nothing goes there before `until`, whatever else works meanwhile."""
        self._limits[what] = max(until, self._limits.get(what, until))

    def back_off(self, what: str, now: datetime, *, most: timedelta = BACK_OFF_MOST) -> datetime:
        """`what` was refused: until when it waits, twice as long each time. Refusals of calls that were under way
        together are one.
        """
        refusals = self._refusals.setdefault(what, _Refusals(now))
        if refusals.until <= now:
            refusals.until = now + min(BACK_OFF_FIRST * (1 << min(refusals.times, 10)), most)
            refusals.times += 1
        return refusals.until

    def release(self, *names: str) -> None:
        """These work: what was refused goes on, and the next refusal starts anew."""
        for what in names:
            self._refusals.pop(what, None)

    def doubtful(self, what: str) -> bool:
        """It was refused, and has not worked since."""
        return what in self._refusals

    def refused_until(self, what: str, now: datetime) -> datetime:
        """`now` if nothing holds it up."""
        refusals = self._refusals.get(what)
        return now if refusals is None else max(now, refusals.until)

    def post_at(self, channel: str, now: datetime) -> datetime:
        """When a new message may go to the channel."""
        return max(self._next_post.get(self.channel(channel), now), self._allowed_at(POST, channel, now))

    def edit_at(self, channel: str, now: datetime) -> datetime:
        return max(self._budgets[EDIT].ready_at(now), self._allowed_at(EDIT, channel, now))

    def look_at(self, channel: str, now: datetime) -> datetime:
        return max(self._budgets[LOOK].ready_at(now), self._allowed_at(LOOK, channel, now))

    def _allowed_at(self, method: str, channel: str, now: datetime) -> datetime:
        names = (WORKSPACE, method, self.place(method, channel))
        return max(now, *(self._limits.get(what, now) for what in names), *(self.refused_until(w, now) for w in names))
