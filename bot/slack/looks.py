"""Finding out what became of a post, and taking away what is there twice. One look, then a commit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.core.incidents import Role
from bot.slack import fate
from bot.slack.calls import SlackCalls
from bot.slack.errors import Gone, RateLimited, Refused, Scope, SlackError
from bot.slack.fate import Copy
from bot.slack.pace import BACK_OFF_MOST, LOOK
from bot.slack.waits import MOST_WHILE_AWAY, Waits, label
from bot.slack.workspace import Workspace
from bot.store.outgoing import NO_SUCH_CHANNEL, Outgoing
from bot.store.store import Store

_log = structlog.get_logger(__name__)

TWIN_FIRST = timedelta(seconds=10)
TWIN_EVERY = timedelta(seconds=30)
TWIN_UNTIL = timedelta(minutes=5)
"""A post that was sent again is checked for a late twin so long (contract, "Delivery")."""


class Looks:
    """Every method raises `StoreError` only."""

    def __init__(
        self,
        *,
        store: Store,
        calls: SlackCalls,
        workspace: Workspace,
        clock: Clock,
        waits: Waits,
        adopt_wait: timedelta,
    ) -> None:
        self._outbox = store.outbox
        self._install_id = store.install_id
        self._calls = calls
        self._workspace = workspace
        self._clock = clock
        self._waits = waits
        self._adopt_wait = adopt_wait

    async def look(self, outgoing: Outgoing) -> None:
        """What became of a message that may have been sent."""
        key = outgoing.key
        try:
            channel, found = await self._find(outgoing)
        except SlackError as error:
            if _cannot_be_seen(error):
                # At least once is what is left; and slowly, for each attempt may be one message more.
                self._waits.say(LOOK, f"cannot look up what became of a message, it may appear twice: {_words(error)}")
                await self._absent(outgoing, most=BACK_OFF_MOST)
                return
            until = self._waits.after(error, outgoing, LOOK, self._clock.now())
            await self._outbox.unsure(
                key, generation=outgoing.generation, error=error.error, due_at=until, looked=False
            )
            return
        self._waits.works(outgoing, LOOK)
        # A copy of an earlier attempt may show what is no longer so.
        current = [copy for copy in found if copy.revision in (None, outgoing.first_revision)]
        if current:
            _log.info("a message that was never confirmed had arrived", message=label(key))
            await self._adopt(outgoing, channel, current[0])
            await self._delete(channel, [copy for copy in found if copy is not current[0]])
        elif found:
            await self._replace(outgoing, channel, found)
        elif outgoing.looks == 0:
            await self._outbox.unsure(
                key,
                generation=outgoing.generation,
                error=outgoing.error or "no_answer",
                due_at=self._clock.now() + self._adopt_wait,
                looked=True,
            )
        else:
            _log.info("a message that was never confirmed had not arrived; sending it again", message=label(key))
            await self._absent(outgoing, most=MOST_WHILE_AWAY)

    async def twin(self, outgoing: Outgoing) -> None:
        """Is a message that was sent again there a second time?"""
        now = self._clock.now()
        over = outgoing.tried_at is None or now - outgoing.tried_at > TWIN_UNTIL
        next_at = None if over else now + TWIN_EVERY
        try:
            channel, found = await self._find(outgoing)
        except SlackError as error:
            if not _cannot_be_seen(error):
                # Only a look that was answered can be the last one.
                next_at = max(now + TWIN_EVERY, self._waits.after(error, outgoing, LOOK, now))
        else:
            self._waits.works(outgoing, LOOK)
            again = await self._delete(channel, [copy for copy in found if copy.ts != outgoing.ts])
            next_at = again or next_at
        await self._outbox.twin_looked(outgoing.key, next_at=next_at)

    async def _adopt(self, outgoing: Outgoing, channel: str, copy: Copy) -> None:
        now = self._clock.now()
        await self._outbox.sent(
            outgoing.key,
            generation=outgoing.generation,
            channel_id=channel,
            ts=copy.ts,
            now=now,
            twin_at=now + TWIN_FIRST,
        )

    async def _replace(self, outgoing: Outgoing, channel: str, outdated: list[Copy]) -> None:
        """An earlier attempt arrived after all, and shows an older state: taken away, and sent as it is now."""
        again = await self._delete(channel, outdated)
        if again is None:
            await self._absent(outgoing, most=MOST_WHILE_AWAY)
        else:
            await self._outbox.unsure(
                outgoing.key, generation=outgoing.generation, error="outdated_copy", due_at=again, looked=False
            )

    async def _absent(self, outgoing: Outgoing, *, most: timedelta) -> None:
        """To be sent again: at once the first time; a Slack that keeps swallowing posts is given more and more time."""
        wait = min(timedelta(seconds=1 << min(outgoing.attempts, 10)), most)
        due_at = self._clock.now() + (wait if outgoing.attempts > 1 else timedelta(0))
        await self._outbox.absent(outgoing.key, generation=outgoing.generation, due_at=due_at)

    async def _find(self, outgoing: Outgoing) -> tuple[str, list[Copy]]:
        """Where it was looked for, and every copy that is there."""
        root = outgoing.message.role is Role.ROOT
        channel = outgoing.channel_id or outgoing.root_channel_id
        if channel is None:
            channel = await self._workspace.channel_id(outgoing.channel)
        identity = await self._workspace.identity()
        if not identity.bot_id:
            raise Refused("not_allowed_token_type", scope=Scope.METHOD)
        since = outgoing.first_tried_at or outgoing.created_at
        try:
            found = await fate.find(
                self._calls,
                key=outgoing.delivery_key(self._install_id),
                bot_id=identity.bot_id,
                channel=channel,
                root_ts=None if root else outgoing.root_ts,
                since=since,
                until=outgoing.tried_at or since,
            )
        except Gone:
            # The thread is not there, and neither is what was posted in it.
            found = []
        return channel, found

    async def _delete(self, channel: str, copies: Iterable[Copy]) -> datetime | None:
        """When to try again, if one is still there that may be deleted later."""
        again: datetime | None = None
        for copy in copies:
            try:
                await self._calls.call("chat.delete", channel=channel, ts=copy.ts)
            except Refused as error:
                _log.warning("a duplicate could not be deleted", channel=channel, ts=copy.ts, error=error.error)
            except SlackError as error:
                wait = timedelta(seconds=error.retry_after) if isinstance(error, RateLimited) else TWIN_FIRST
                again = max(self._clock.now() + wait, again or self._clock.now())
            else:
                _log.info("deleted a duplicate", channel=channel, ts=copy.ts)
        return again


def _cannot_be_seen(error: SlackError) -> bool:
    """Refused for a reason that does not keep the bot from posting there: waiting for it would lose the message.

    A missing `*:history` scope, or a public channel that the bot posts to without being in it, for two.
    """
    return isinstance(error, Refused) and error.scope is not Scope.WORKSPACE and error.error != NO_SUCH_CHANNEL


def _words(error: SlackError) -> str:
    needed = getattr(error, "needed", None)
    return f"{error.error} ({needed})" if needed else error.error
