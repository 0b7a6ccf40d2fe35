"""The things a delivery does: post, edit, and (in `looks`) find out what became of a post. One call each, then a commit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.core.incidents import Role
from bot.slack import fate
from bot.slack.calls import SlackCalls
from bot.slack.errors import Ambiguous, Gone, Malformed, Refused, Scope, SlackError
from bot.slack.looks import TWIN_FIRST, Looks
from bot.slack.messages import Rendered, render
from bot.slack.pace import EDIT, POST, Pace
from bot.slack.plan import CANNOT_RENDER, Action, Step
from bot.slack.waits import Waits, label
from bot.slack.workspace import Workspace
from bot.store.outbox import Claim, Form, MessageKey, Outgoing
from bot.store.store import Store

_log = structlog.get_logger(__name__)

_ADDRESS = re.compile(r"https://[^\s|<>]{1,500}")
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
        self._outbox = store.outbox
        self._install_id = store.install_id
        self._calls = calls
        self._workspace = workspace
        self._clock = clock
        self._pace = pace
        self._waits = waits = Waits(pace)
        self._looks = Looks(
            store=store, calls=calls, workspace=workspace, clock=clock, waits=waits, adopt_wait=adopt_wait
        )
        self._interactive = interactive
        self._accepted: dict[str, tuple[str, str]] = {}
        """Channel id and `ts` of posts that Slack has, by delivery key, until the database knows it too."""

    async def take(self, step: Step) -> None:
        """Raises `StoreError` only."""
        match step.action:
            case Action.POST:
                await self._post(step.outgoing)
            case Action.EDIT:
                await self._edit(step.outgoing)
            case Action.LOOK if await self._stands(step.outgoing):
                await self._look(step.outgoing)
            case Action.TWIN if await self._stands(step.outgoing):
                await self._looks.twin(step.outgoing)

    async def _stands(self, outgoing: Outgoing) -> bool:
        """Whether it still is as it was read: a look may delete copies, and another bot may have taken over meanwhile."""
        return await self._outbox.row(outgoing.key) == outgoing

    # Post

    async def _post(self, outgoing: Outgoing) -> None:
        root = outgoing.message.role is Role.ROOT
        try:
            channel = await self._channel_of_root(outgoing) if root else None
        except SlackError as error:
            await self._refused(outgoing, error)
            return
        claim = await self._outbox.claim(outgoing.key, now=self._clock.now(), channel=outgoing.channel)
        if claim is None:
            return
        outgoing = claim.outgoing
        channel = channel or outgoing.root_channel_id
        if channel is None or (outgoing.root_ts is None and not root):
            # An edit found meanwhile that the root is gone: it is posted anew, and this goes below the new one.
            await self._not_before_its_root(outgoing)
            return
        content = self._content(claim)
        if content is None:
            await self._refused(outgoing, Refused(CANNOT_RENDER, scope=Scope.MESSAGE))
            return
        try:
            channel_id, ts = await self._call_post(outgoing, channel, content)
        except SlackError as error:
            await self._not_accepted(outgoing, error)
            return
        await self._sent(outgoing, channel_id=channel_id, ts=ts)

    async def _channel_of_root(self, outgoing: Outgoing) -> str:
        """Its id, or its name where ids cannot be looked up."""
        try:
            channel = await self._workspace.channel_id(outgoing.channel)
        except Refused as error:
            if error.scope is Scope.METHOD:
                return outgoing.channel
            raise
        self._pace.known_as(outgoing.channel, channel)
        return channel

    async def _call_post(self, outgoing: Outgoing, channel: str, content: dict[str, Any]) -> tuple[str, str]:
        """The id of the channel, and the post's `ts`."""
        key = outgoing.delivery_key(self._install_id)
        self._pace.posted(outgoing.channel, self._clock.now())
        try:
            answer = await self._calls.call(
                POST,
                channel=channel,
                thread_ts=None if outgoing.message.role is Role.ROOT else outgoing.root_ts,
                reply_broadcast=True if outgoing.message.role is Role.BROADCAST else None,
                metadata=fate.metadata(key, revision=outgoing.message.revision),
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
        finally:
            # When it arrived within the call nobody knows: a second from now is a second from then, or more.
            self._pace.posted(outgoing.channel, self._clock.now())
        channel_id, ts = answer.get("channel", channel), answer.get("ts")
        if not isinstance(channel_id, str) or not isinstance(ts, str):
            raise Ambiguous("unreadable_answer")
        self._accepted[key] = (channel_id, ts)
        return channel_id, ts

    async def _not_before_its_root(self, outgoing: Outgoing) -> None:
        await self._outbox.refused(
            outgoing.key,
            channel=outgoing.channel,
            generation=outgoing.generation,
            error="waits_for_its_root",
            due_at=None,
            held=False,
        )

    async def _not_accepted(self, outgoing: Outgoing, error: SlackError) -> None:
        """A post did not succeed: certainly or perhaps."""
        key = outgoing.key
        if isinstance(error, Ambiguous):
            now = self._clock.now()
            await self._outbox.unsure(key, generation=outgoing.generation, error=error.error, due_at=now, looked=False)
        elif isinstance(error, Malformed) and outgoing.form in _SIMPLER:
            _log.warning(
                "slack calls a message malformed; trying a simpler form", message=label(key), error=error.error
            )
            await self._outbox.simpler(key, form=_SIMPLER[outgoing.form])
        elif isinstance(error, Gone) and outgoing.message.role is not Role.ROOT:
            await self._thread_gone(outgoing, error)
        else:
            await self._refused(outgoing, error)

    async def _thread_gone(self, outgoing: Outgoing, error: Gone) -> None:
        """Its root is posted anew, and the reply goes below that."""
        root = await self._outbox.row(MessageKey(thread=outgoing.message.thread, n=0))
        if root is None or root.ts != outgoing.root_ts:
            await self._not_before_its_root(outgoing)
            return
        if not await self._post_anew(root):
            await self._refused(outgoing, error)
            return
        _log.warning("a thread is gone; posting its root anew", message=label(outgoing.key), error=error.error)
        await self._not_before_its_root(outgoing)

    async def _refused(self, outgoing: Outgoing, error: SlackError) -> None:
        """A post was certainly not accepted; it waits."""
        await self._outbox.refused(
            outgoing.key,
            channel=outgoing.channel,
            generation=outgoing.generation,
            error=error.error,
            due_at=self._waits.after(error, outgoing, POST, self._clock.now()),
            held=isinstance(error, Refused),
        )

    async def _sent(self, outgoing: Outgoing, *, channel_id: str, ts: str) -> None:
        self._waits.works(outgoing, POST)
        now = self._clock.now()
        await self._outbox.sent(
            outgoing.key,
            generation=outgoing.generation,
            channel_id=channel_id,
            ts=ts,
            now=now,
            twin_at=now + TWIN_FIRST,
        )
        self._accepted.pop(outgoing.delivery_key(self._install_id), None)
        self._pace.known_as(outgoing.channel, channel_id)
        if outgoing.message.role is Role.ROOT:
            await self._workspace.remember(outgoing.channel, channel_id)

    async def _look(self, outgoing: Outgoing) -> None:
        accepted = self._accepted.get(outgoing.delivery_key(self._install_id))
        if accepted is None:
            await self._looks.look(outgoing)
        else:
            # Slack said so; only the database could not take it.
            await self._sent(outgoing, channel_id=accepted[0], ts=accepted[1])

    # Edit

    async def _edit(self, outgoing: Outgoing) -> None:
        claim = await self._outbox.look(outgoing.key)
        if claim is None or claim.outgoing.ts is None:
            return
        outgoing = claim.outgoing
        content = self._content(claim)
        try:
            if content is None:
                raise Refused(CANNOT_RENDER, scope=Scope.MESSAGE)
            await self._calls.call(EDIT, channel=outgoing.channel_id, ts=outgoing.ts, **content)
        except SlackError as error:
            await self._edit_failed(outgoing, error)
            return
        self._waits.works(outgoing, EDIT)
        await self._outbox.shown(outgoing.key, generation=outgoing.generation, revision=outgoing.message.revision)

    async def _edit_failed(self, outgoing: Outgoing, error: SlackError) -> None:
        key = outgoing.key
        if isinstance(error, Gone) and await self._post_anew(outgoing):
            _log.warning("a message can no longer be edited; posting it anew", message=label(key), error=error.error)
        elif isinstance(error, Malformed) and outgoing.form in _SIMPLER:
            _log.warning("slack calls an edit malformed; trying a simpler form", message=label(key), error=error.error)
            await self._outbox.simpler(key, form=_SIMPLER[outgoing.form])
        else:
            until = self._waits.after(error, outgoing, EDIT, self._clock.now())
            await self._outbox.edit_refused(key, generation=outgoing.generation, error=error.error, due_at=until)

    # Shared

    async def _post_anew(self, outgoing: Outgoing) -> bool:
        """False when that was done a moment ago: a channel where nothing can be edited must not fill up."""
        what, now = f"{label(outgoing.key)} anew", self._clock.now()
        if self._pace.refused_until(what, now) > now:
            return False
        # Before anything is waited for: an edit and a reply may learn at the same time that the root is gone.
        self._pace.back_off(what, now)
        await self._outbox.repost(outgoing.key, replaces=await self._address(outgoing))
        return True

    async def _address(self, outgoing: Outgoing) -> str:
        """Where a message stands in Slack; empty when it does not stand there any more, or Slack does not say."""
        try:
            answer = await self._calls.read("chat.getPermalink", channel=outgoing.channel_id, message_ts=outgoing.ts)
        except SlackError:
            return ""
        link = answer.get("permalink")
        return link if isinstance(link, str) and _ADDRESS.fullmatch(link) else ""

    def _content(self, claim: Claim) -> dict[str, Any] | None:
        """What to send; `None` when it cannot be rendered, which costs this message's thread only."""
        try:
            rendered: Rendered = render(
                claim.view,
                claim.outgoing.message,
                form=claim.outgoing.form,
                replaces=claim.outgoing.replaces,
                now=self._clock.now(),
                interactive=self._interactive,
            )
        except Exception:  # noqa: BLE001
            # Whatever is wrong with one message, the others go on.
            _log.exception("a message cannot be rendered", message=label(claim.outgoing.key))
            return None
        return rendered.arguments()
