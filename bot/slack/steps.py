"""The four things a delivery does: post, edit, look up the fate of a post, look for a twin. One call each, then a commit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.core.incidents import Role
from bot.slack import fate
from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, Gone, Malformed, NotSent, RateLimited, Refused, Scope, SlackError
from bot.slack.messages import Rendered, render
from bot.slack.pace import BACK_OFF_MOST, EDIT, LOOK, POST, WORKSPACE, Pace
from bot.slack.plan import Action, Step
from bot.slack.workspace import Workspace
from bot.store.outbox import Claim, Form, MessageKey, Outgoing
from bot.store.store import Store

_log = structlog.get_logger(__name__)

TWIN_FIRST = timedelta(seconds=10)
TWIN_EVERY = timedelta(seconds=30)
TWIN_UNTIL = timedelta(minutes=5)
"""A post that was sent again is checked for a late twin so long (contract, "Delivery")."""

MOST_WHILE_AWAY = timedelta(seconds=30)
"""While Slack is out of reach or broken it is tried at least so often: it comes back without anybody's doing."""

_SIMPLER = {Form.FULL: Form.SIMPLE, Form.SIMPLE: Form.PLAIN}


class Steps:
    def __init__(
        self,
        *,
        store: Store,
        calls: SlackCalls,
        workspace: Workspace,
        clock: Clock,
        pace: Pace,
        adopt_wait: timedelta,
        interactive: bool,
    ) -> None:
        self._store = store
        self._outbox = store.outbox
        self._calls = calls
        self._workspace = workspace
        self._clock = clock
        self._pace = pace
        self._adopt_wait = adopt_wait
        self._interactive = interactive
        self._troubles: dict[str, str] = {}

    async def take(self, step: Step) -> None:
        """Raises `StoreError` only."""
        match step.action:
            case Action.POST:
                await self._post(step.outgoing)
            case Action.EDIT:
                await self._edit(step.outgoing)
            case Action.LOOK:
                await self._look(step.outgoing)
            case Action.TWIN:
                await self._twin(step.outgoing)

    # Post

    async def _post(self, outgoing: Outgoing) -> None:
        try:
            channel = await self._channel_to_post(outgoing)
        except SlackError as error:
            await self._refused(outgoing, error)
            return
        claim = await self._outbox.claim(outgoing.key, now=self._clock.now())
        if claim is None:
            return
        outgoing = claim.outgoing
        content = self._content(claim)
        if content is None:
            await self._refused(outgoing, Refused("cannot_render", scope=Scope.MESSAGE))
            return
        reply = outgoing.message.role is not Role.ROOT
        self._pace.posted(outgoing.channel, self._clock.now())
        try:
            answer = await self._calls.call(
                POST,
                channel=channel,
                thread_ts=outgoing.root_ts if reply else None,
                reply_broadcast=True if outgoing.message.role is Role.BROADCAST else None,
                metadata=fate.metadata(outgoing.delivery_key(self._store.install_id)),
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
        except SlackError as error:
            await self._not_accepted(outgoing, error)
            return
        channel_id = str(answer.get("channel") or channel)
        await self._workspace.remember(outgoing.channel, channel_id)
        await self._sent(outgoing, channel_id=channel_id, ts=str(answer["ts"]))

    async def _channel_to_post(self, outgoing: Outgoing) -> str:
        """A reply goes where its root is; a root to its channel's id, or by name where ids cannot be looked up."""
        if outgoing.message.role is not Role.ROOT and outgoing.root_channel_id is not None:
            return outgoing.root_channel_id
        try:
            return await self._workspace.channel_id(outgoing.channel)
        except Refused as error:
            if error.scope is Scope.METHOD:
                return outgoing.channel
            raise

    async def _not_accepted(self, outgoing: Outgoing, error: SlackError) -> None:
        """A post did not succeed: certainly or perhaps."""
        key = outgoing.key
        if isinstance(error, Ambiguous):
            now = self._clock.now()
            await self._outbox.unsure(key, generation=outgoing.generation, error=error.error, due_at=now, looked=False)
        elif isinstance(error, Malformed) and outgoing.form in _SIMPLER:
            _log.warning("slack calls a message malformed; trying a simpler form", message=str(key), error=error.error)
            await self._outbox.simpler(key, form=_SIMPLER[outgoing.form])
        elif isinstance(error, Gone) and outgoing.message.role is not Role.ROOT:
            # The thread is gone: its root is posted anew, and the reply goes below that.
            await self._outbox.refused(
                key, generation=outgoing.generation, error=error.error, due_at=self._clock.now(), held=False
            )
            await self._outbox.repost(MessageKey(thread=key.thread, n=0))
        else:
            await self._refused(outgoing, error)

    async def _refused(self, outgoing: Outgoing, error: SlackError) -> None:
        """A post was certainly not accepted; it waits."""
        until = self._wait(error, outgoing, POST, self._clock.now())
        await self._outbox.refused(
            outgoing.key,
            generation=outgoing.generation,
            error=error.error,
            due_at=until,
            held=isinstance(error, Refused),
        )

    async def _sent(self, outgoing: Outgoing, *, channel_id: str, ts: str) -> None:
        self._works(outgoing, POST)
        await self._outbox.sent(
            outgoing.key,
            generation=outgoing.generation,
            channel_id=channel_id,
            ts=ts,
            now=self._clock.now(),
            twin_at=self._clock.now() + TWIN_FIRST,
        )

    # Edit

    async def _edit(self, outgoing: Outgoing) -> None:
        claim = await self._outbox.look(outgoing.key)
        if claim is None or claim.outgoing.ts is None:
            return
        outgoing = claim.outgoing
        content = self._content(claim)
        try:
            if content is None:
                raise Refused("cannot_render", scope=Scope.MESSAGE)
            await self._calls.call(EDIT, channel=outgoing.channel_id, ts=outgoing.ts, **content)
        except SlackError as error:
            await self._edit_failed(outgoing, error)
            return
        self._works(outgoing, EDIT)
        await self._outbox.shown(outgoing.key, generation=outgoing.generation, revision=outgoing.message.revision)

    async def _edit_failed(self, outgoing: Outgoing, error: SlackError) -> None:
        key = outgoing.key
        if isinstance(error, Gone):
            _log.warning("a message can no longer be edited; posting it anew", message=str(key), error=error.error)
            await self._outbox.repost(key)
        elif isinstance(error, Malformed) and outgoing.form in _SIMPLER:
            await self._outbox.simpler(key, form=_SIMPLER[outgoing.form])
        else:
            until = self._wait(error, outgoing, EDIT, self._clock.now())
            await self._outbox.edit_refused(key, generation=outgoing.generation, error=error.error, due_at=until)

    # Look

    async def _look(self, outgoing: Outgoing) -> None:
        key = outgoing.key
        try:
            channel, found = await self._find(outgoing)
        except SlackError as error:
            if isinstance(error, Refused) and error.error == "missing_scope":
                # Without a `*:history` scope nothing can be looked up: at least once is what is left.
                self._said("history", "cannot look up what became of a message: the app lacks a *:history scope")
                await self._outbox.absent(key, generation=outgoing.generation, due_at=self._resend_at(outgoing))
                return
            until = self._wait(error, outgoing, LOOK, self._clock.now())
            await self._outbox.unsure(
                key, generation=outgoing.generation, error=error.error, due_at=until, looked=False
            )
            return
        if found:
            _log.info("a message that never was confirmed had arrived", message=str(key))
            self._works(outgoing, LOOK)
            await self._sent(outgoing, channel_id=channel, ts=found[0])
            await self._delete(channel, found[1:])
        elif outgoing.looks == 0:
            await self._outbox.unsure(
                key,
                generation=outgoing.generation,
                error=outgoing.error or "no_answer",
                due_at=self._clock.now() + self._adopt_wait,
                looked=True,
            )
        else:
            _log.info("a message that never was confirmed had not arrived; sending it again", message=str(key))
            await self._outbox.absent(key, generation=outgoing.generation, due_at=self._resend_at(outgoing))

    def _resend_at(self, outgoing: Outgoing) -> datetime:
        """At once the first time; a Slack that keeps swallowing posts is given more and more time."""
        wait = timedelta(seconds=min(2.0 ** min(outgoing.attempts, 10), MOST_WHILE_AWAY.total_seconds()))
        return self._clock.now() + (wait if outgoing.attempts > 1 else timedelta(0))

    async def _find(self, outgoing: Outgoing) -> tuple[str, list[str]]:
        """Where it was looked for, and every `ts` under which it is there."""
        channel = outgoing.channel_id or outgoing.root_channel_id
        if channel is None:
            channel = await self._workspace.channel_id(outgoing.channel)
        identity = await self._workspace.identity()
        since = outgoing.first_tried_at or outgoing.created_at
        root_ts = None if outgoing.message.role is Role.ROOT else outgoing.root_ts
        found = await fate.find(
            self._calls,
            key=outgoing.delivery_key(self._store.install_id),
            bot_id=identity.bot_id,
            channel=channel,
            root_ts=root_ts,
            since=since,
        )
        return channel, found

    # Twin

    async def _twin(self, outgoing: Outgoing) -> None:
        now = self._clock.now()
        over = outgoing.tried_at is None or now - outgoing.tried_at > TWIN_UNTIL
        next_at = None if over else now + TWIN_EVERY
        try:
            channel, found = await self._find(outgoing)
        except SlackError as error:
            self._wait(error, outgoing, LOOK, now)
        else:
            await self._delete(channel, [ts for ts in found if ts != outgoing.ts])
        await self._outbox.twin_looked(outgoing.key, next_at=next_at)

    async def _delete(self, channel: str, twins: list[str]) -> None:
        for ts in twins:
            try:
                await self._calls.call("chat.delete", channel=channel, ts=ts)
            except SlackError as error:
                _log.warning("a duplicate could not be deleted", channel=channel, ts=ts, error=error.error)
            else:
                _log.info("deleted a duplicate", channel=channel, ts=ts)

    # Shared

    def _content(self, claim: Claim) -> dict[str, Any] | None:
        """What to send; `None` when it cannot be rendered, which costs this message's thread only."""
        try:
            rendered: Rendered = render(
                claim.view,
                claim.outgoing.message,
                form=claim.outgoing.form,
                now=self._clock.now(),
                interactive=self._interactive,
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with one message, the others go on
            _log.exception("a message cannot be rendered", message=str(claim.outgoing.key))
            return None
        return rendered.arguments()

    def _wait(self, error: SlackError, outgoing: Outgoing, method: str, now: datetime) -> datetime:
        """Until when to wait after an error, holding up what the error is about and no more."""
        channel = outgoing.channel
        if isinstance(error, RateLimited):
            until = now + timedelta(seconds=error.retry_after)
            # The limit on posts is the channel's, every other the method's.
            self._pace.hold(channel if method == POST else method, until)
            return until
        scope = error.scope if isinstance(error, Refused) else None
        if isinstance(error, NotSent) or scope is Scope.WORKSPACE:
            what = WORKSPACE
        elif scope is Scope.METHOD:
            what = method
        elif scope is Scope.CHANNEL:
            what = channel
        else:
            what = str(outgoing.key)
        self._said(what, f"slack does not take {what}: {error.error}")
        return self._pace.back_off(what, now, most=BACK_OFF_MOST if isinstance(error, Refused) else MOST_WHILE_AWAY)

    def _works(self, outgoing: Outgoing, method: str) -> None:
        for what in (WORKSPACE, method, outgoing.channel, str(outgoing.key)):
            self._pace.release(what)
            if self._troubles.pop(what, None) is not None:
                _log.info("slack takes it again", what=what)

    def _said(self, what: str, trouble: str) -> None:
        """Said once, until it works again or is something else."""
        if self._troubles.get(what) != trouble:
            self._troubles[what] = trouble
            _log.warning(trouble)
