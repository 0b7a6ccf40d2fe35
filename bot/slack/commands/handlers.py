"""What a person's command or click leads to. Transport-free: payloads in, answers out."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol

import structlog

from bot.core.incidents import SITE, Person
from bot.core.state import Acknowledge, AckReply
from bot.slack.commands import replies
from bot.slack.commands.grammar import ACK, Ack, LookUp, parse
from bot.slack.commands.lookup import Lookup, Missing, Several, Sight
from bot.slack.commands.naming import name_of, split_site
from bot.slack.commands.people import Clicked, asked, clicked
from bot.slack.commands.replies import Answer
from bot.slack.errors import SlackError
from bot.slack.messages import ACKNOWLEDGE
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError

_log = structlog.get_logger(__name__)

Acknowledges = Callable[[Acknowledge], Awaitable[AckReply | None]]
"""A site's `Poller.acknowledge`: returns after the commit, or raises `StoreError`."""

SHARES_REMEMBERED = 200


class Respond(Protocol):
    """Posts to the `response_url` of what is being handled; whether Slack took it. Nothing is raised."""

    async def __call__(self, answer: Mapping[str, Any], *, repeatable: bool = True) -> bool:
        """`repeatable`: showing it twice would do no harm."""


class Handlers:
    def __init__(
        self,
        *,
        lookup: Lookup,
        workspace: Workspace,
        acknowledge: Mapping[str, Acknowledges],
        operators: Collection[str] = (),
    ) -> None:
        """`acknowledge` by site; `operators` are the ids of those who may, empty for everyone of the workspace."""
        self._lookup = lookup
        self._workspace = workspace
        self._acknowledge = acknowledge
        self._operators = frozenset(operators)
        self._shared: deque[str] = deque(maxlen=SHARES_REMEMBERED)

    async def command(self, payload: Mapping[str, Any]) -> Answer:
        """The answer to a slash command."""
        ask = asked(payload)
        try:
            if (refusal := await self._stranger(ask.team)) is not None:
                return refusal
            command = parse(ask.text)
            if isinstance(command, LookUp):
                return self._shown(command.ref, await self._lookup.find(command.ref), ask.command)
            if isinstance(command, Ack):
                return await self._ack(command.ref, ask.person, ask.command)
            return replies.help_(command=ask.command, problem=command.problem)
        except StoreError as error:
            return _no_database(error)

    async def action(self, payload: Mapping[str, Any], respond: Respond) -> None:
        """A click. What is to be said about it goes through `respond`."""
        click = clicked(payload)
        if click is None or click.action not in (ACKNOWLEDGE, replies.SHARE):
            return
        try:
            refusal = await self._stranger(click.team)
            if refusal is not None:
                await respond(refusal)
            elif click.action == ACKNOWLEDGE:
                await respond(await self._ack_thread(click))
            else:
                await self._share(click, respond)
        except StoreError as error:
            await respond(_no_database(error))

    async def _stranger(self, team: str) -> Answer | None:
        """Words for somebody of another workspace. While the bot's own was never known, nobody can be told apart."""
        own = await self._workspace.team_id()
        if own is None:
            try:
                own = (await self._workspace.identity()).team_id
            except SlackError as error:
                _log.warning("a person was not answered: the own workspace is not known", reason=error.error)
                return replies.sentence(
                    "This bot could not yet ask Slack which workspace it belongs to",
                    "Until then it answers nobody. Please try again in a moment.",
                )
        if team == own:
            return None
        _log.info("refused somebody of another workspace", team=team)
        return replies.sentence(
            "This bot answers the people of its own workspace only",
            "You are a guest from another one. Ask somebody there to look it up, and to share the answer.",
        )

    def _shown(self, ref: str, found: Sight | Several | Missing, command: str) -> Answer:
        if isinstance(found, Sight):
            return replies.connection(found)
        if isinstance(found, Several):
            return replies.several(found, ask=command)
        return replies.missing(ref, found, command=command)

    async def _ack(self, ref: str, person: Person, command: str) -> Answer:
        if (refusal := self._not_allowed(person)) is not None:
            return refusal
        split = split_site(ref, self._acknowledge)
        if split is not None and split[1] == "*":
            return await self._record(split[0], Acknowledge(by=person, connection=SITE), about=split[0])
        found = await self._lookup.named(ref)
        if isinstance(found, Several):
            return replies.several(found, ask=f"{command} {ACK}")
        if isinstance(found, Missing):
            return replies.missing(ref, found, command=command, word=ACK)
        return await self._record(found.site, Acknowledge(by=person, connection=found.id), about=name_of(found))

    async def _ack_thread(self, click: Clicked) -> Answer:
        if (refusal := self._not_allowed(click.person)) is not None:
            return refusal
        site = click.value.rpartition("/")[0]
        return await self._record(site, Acknowledge(by=click.person, thread=click.value))

    async def _record(self, site: str, cause: Acknowledge, *, about: str | None = None) -> Answer:
        """`about`: a name for what is acknowledged; without it, that of the thread."""
        acknowledge = self._acknowledge.get(site)
        if acknowledge is None:
            return replies.sentence(
                "This bot does not watch that site any more", "Its incidents can no longer be acknowledged."
            )
        try:
            reply = await acknowledge(cause)
        except StoreError as error:
            _log.warning("an acknowledgement was not recorded", site=site, reason=str(error))
            return replies.sentence(
                "Not acknowledged: the bot's database did not take it",
                "Nothing was recorded. Please try again; if it goes on, the bot's log and /status say why.",
            )
        if about is None and cause.thread is not None:
            with suppress(StoreError):  # it is recorded; a name for it is a nicety
                about = await self._lookup.about(cause.thread)
        return replies.acknowledgement(reply, about=about)

    def _not_allowed(self, person: Person) -> Answer | None:
        if not self._operators or person.id in self._operators:
            return None
        return replies.sentence(
            "You may look everything up here, but not acknowledge",
            "Whoever runs this bot has named those who may, in its settings (`operators`).",
        )

    async def _share(self, click: Clicked, respond: Respond) -> None:
        if click.place in self._shared:
            return  # a second click before the first was done
        self._shared.append(click.place)
        done = False
        try:
            done = await self._shared_now(click, respond)
        finally:
            if not done:
                self._shared.remove(click.place)

    async def _shared_now(self, click: Clicked, respond: Respond) -> bool:
        site, _, connection = click.value.partition("/")
        found = await self._lookup.look(site, connection)
        if isinstance(found, Missing):
            await respond(replies.sentence("This bot does not watch that site any more", "There is nothing to share."))
            return False
        # Seen by all: better missing than twice.
        if await respond(replies.connection(found, shared_by=click.person), repeatable=False):
            await respond({"delete_original": True})
            return True
        await respond(
            replies.sentence(
                "Slack did not confirm that it was shared", "If it is not in the channel, please share it again."
            )
        )
        return False


def _no_database(error: StoreError) -> Answer:
    _log.warning("a person could not be answered", reason=str(error))
    return replies.sentence(
        "The bot cannot read its database at the moment",
        "Please try again; if it goes on, the bot's log and /status say why.",
    )
