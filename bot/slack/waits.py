"""What an error of Slack's holds up and for how long, and what of it is said in the log: once, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.slack.errors import NotSent, RateLimited, Refused, Scope, SlackError
from bot.slack.pace import BACK_OFF_MOST, POST, REMEMBERED, WORKSPACE, Pace
from bot.store.outbox import MessageKey, Outgoing

_log = structlog.get_logger(__name__)

MOST_WHILE_AWAY = timedelta(seconds=30)
"""While Slack is out of reach or broken it is tried at least so often: it comes back without anybody's doing."""


class Waits:
    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._troubles: dict[str, str] = {}

    def after(self, error: SlackError, outgoing: Outgoing, method: str, now: datetime) -> datetime:
        """Until when to wait with this message; whatever else the error is about waits too."""
        place = self.pace.place(method, outgoing.channel)
        if _speaks(error):
            self._works_again(WORKSPACE)
        if isinstance(error, RateLimited):
            until = now + timedelta(seconds=error.retry_after)
            # The limit on posts is the channel's, every other the method's.
            what = place if method == POST else method
            self.say(what, f"slack asks to slow down: {what}")
            self.pace.obey(what, until)
            return until
        scope = error.scope if isinstance(error, Refused) else None
        if isinstance(error, NotSent) or scope is Scope.WORKSPACE:
            what = WORKSPACE
        elif scope is Scope.METHOD:
            what = method
        elif scope is Scope.CHANNEL:
            what = place
        else:
            what = label(outgoing.key)
        self.say(what, f"slack does not take {what}: {error.error}")
        return self.pace.back_off(what, now, most=BACK_OFF_MOST if isinstance(error, Refused) else MOST_WHILE_AWAY)

    def works(self, outgoing: Outgoing, method: str) -> None:
        for what in (WORKSPACE, method, self.pace.place(method, outgoing.channel), label(outgoing.key)):
            self._works_again(what)

    def _works_again(self, what: str) -> None:
        self.pace.release(what)
        if self._troubles.pop(what, None) is not None:
            _log.info("slack takes it again", what=what)

    def say(self, what: str, trouble: str) -> None:
        """Said once, until it works again or is something else."""
        if self._troubles.get(what) == trouble:
            return
        self._troubles[what] = trouble
        if len(self._troubles) > REMEMBERED:
            del self._troubles[next(iter(self._troubles))]
        _log.warning(trouble)


def _speaks(error: SlackError) -> bool:
    """Slack knows us and has answered, whatever it is that it does not like."""
    return isinstance(error, RateLimited) or (isinstance(error, Refused) and error.scope is not Scope.WORKSPACE)


def label(key: MessageKey) -> str:
    """A message, as the log calls it."""
    return f"{key.thread}#{key.n}"
