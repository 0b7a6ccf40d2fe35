"""Slack's rate limits: who may call what, how often.

Source: Slack's page on rate limits. `chat.postMessage` is limited to one message per second and channel (short bursts are
tolerated there without a number being given; none is tolerated here unless configured), everything else by tiers per
method and workspace.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

JITTER = 0.05
"""Seconds by which a window may be missed: a sender that waits a full second can still arrive a few milliseconds early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls` in any `seconds`, for the workspace or for each channel."""

    calls: int
    seconds: float
    by_channel: bool = False


def post_rate(*, burst: int = 1) -> Rate:
    """One message a second and channel; `burst` of them may come at once if the seconds after stay empty."""
    return Rate(calls=burst, seconds=float(burst), by_channel=True)


TIER_2 = Rate(calls=20, seconds=60)
TIER_3 = Rate(calls=50, seconds=60)
TIER_4 = Rate(calls=100, seconds=60)
RATES: Mapping[str, Rate] = {
    "chat.postMessage": post_rate(),
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.list": TIER_2,
    "conversations.info": TIER_3,
    "conversations.join": TIER_3,
    "users.info": TIER_4,
    "views.publish": TIER_4,
    "views.open": TIER_4,
    "views.update": TIER_4,
    # Tier 1 says "1+"; a client that reconnects a few times in a minute is served by the real one too.
    "apps.connections.open": Rate(calls=10, seconds=60),
}


class RateLimits:
    """Counts calls in the workspace's own time."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        rates: Mapping[str, Rate] = RATES,
        speed: float = 1.0,
        jitter: float = JITTER,
        enabled: bool = True,
    ) -> None:
        """`speed` shortens every window by that factor; `jitter` (seconds of `now`) grows with a faster clock."""
        self.jitter = jitter
        self.enabled = enabled
        self.speed = speed
        self.rates = dict(rates)
        self._now = now
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def take(self, method: str, channel: str) -> int | None:
        """Count one call; or the whole seconds to wait before the next will be taken (a refused call is not counted)."""
        rate = self.rates.get(method)
        if rate is None or not self.enabled:
            return None
        now = self._now()
        window = rate.seconds / self.speed
        seen = self._seen.setdefault((method, channel if rate.by_channel else ""), deque())
        while seen and seen[0] + window - self.jitter <= now:
            seen.popleft()
        if len(seen) >= rate.calls:
            return max(1, math.ceil(seen[0] + window - now))
        seen.append(now)
        return None
