"""What an error of Slack's holds up and for how long, and what of it is said in the log: once, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.slack.errors import NotSent, RateLimited, Refused, Scope, SlackError, advice
from bot.slack.pace import BACK_OFF_MOST, POST, REMEMBERED, WORKSPACE, Pace
from bot.store.outbox import MessageKey, Outgoing

_log = structlog.get_logger(__name__)

MOST_WHILE_AWAY = timedelta(seconds=30)
"""While Slack is out of reach or broken it is tried at least so often: it comes back without anybody's doing."""

CALM = timedelta(minutes=10)
"""A limit that was not met for so long is said again."""


class Waits:
    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._troubles: dict[str, str] = {}
        self._limited_at: dict[str, datetime] = {}

    def after(self, error: SlackError, outgoing: Outgoing, method: str, now: datetime) -> datetime:
        """Until when to wait with this message; whatever else the error is about waits too."""
        place = self.pace.place(method, outgoing.channel)
        if _speaks(error):
            self._works_again(WORKSPACE)
        if isinstance(error, RateLimited):
            until = now + timedelta(seconds=error.retry_after)
            # The limit on posts is the channel's, every other the method's.
            what = place if method == POST else method
            self._slowed(what, error.retry_after, now)
            self.pace.obey(what, until)
            return until
        scope = error.scope if isinstance(error, Refused) else None
        if isinstance(error, NotSent) or scope is Scope.WORKSPACE:
            what, name = WORKSPACE, "anything"
        elif scope is Scope.METHOD:
            what = name = method
        elif scope is Scope.CHANNEL:
            what = name = place
        else:
            what = label(outgoing.key)
            name = f"message {what}"
        self.say(what, f"slack does not take {name}: {error.error}", advice=advice(error.error).remedy)
        return self.pace.back_off(what, now, most=BACK_OFF_MOST if isinstance(error, Refused) else MOST_WHILE_AWAY)

    def works(self, outgoing: Outgoing, method: str) -> None:
        for what in (WORKSPACE, method, self.pace.place(method, outgoing.channel), label(outgoing.key)):
            self._works_again(what)

    def _works_again(self, what: str) -> None:
        self.pace.release(what)
        if self._troubles.pop(what, None) is not None:
            _log.info("slack takes it again", what=what)

    def _slowed(self, what: str, seconds: float, now: datetime) -> None:
        """A limit that is met again and again is one state of things, said once, and over when it has long not been met:
        between two refusals calls succeed, which tells nobody anything.
        """
        last = self._limited_at.pop(what, None)
        self._limited_at[what] = now
        if len(self._limited_at) > REMEMBERED:
            del self._limited_at[next(iter(self._limited_at))]
        if last is None or not last <= now <= last + CALM:
            _log.warning(f"slack asks to slow down: {what}", seconds=seconds)

    def say(self, what: str, trouble: str, **more: str) -> None:
        """Said once, until it works again or is something else."""
        if self._troubles.get(what) == trouble:
            return
        self._troubles[what] = trouble
        if len(self._troubles) > REMEMBERED:
            del self._troubles[next(iter(self._troubles))]
        _log.warning(trouble, **more)


def _speaks(error: SlackError) -> bool:
    """Slack knows us and has answered, whatever it is that it does not like."""
    return isinstance(error, RateLimited) or (isinstance(error, Refused) and error.scope is not Scope.WORKSPACE)


def label(key: MessageKey) -> str:
    """A message, as the log calls it."""
    return f"{key.thread}#{key.n}"
