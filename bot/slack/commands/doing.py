"""Acknowledging and muting: who may, what is meant, and how it went. Confirmed only after its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias, assert_never

import structlog

from bot.clock import Clock
from bot.core.incidents import EVERY, Person
from bot.core.state import Acknowledge, AckOutcome, AckReply, MuteReply, Muting, Reply, Unmuting
from bot.settings.values import format_duration
from bot.slack.commands import guidance, replies
from bot.slack.commands.lookup import Lookup
from bot.slack.commands.mutes import muted
from bot.slack.commands.naming import name_of, split_site
from bot.slack.commands.people import COMMAND, Clicked
from bot.slack.commands.remembered import Missing, Several, Whole
from bot.slack.commands.replies import Answer
from bot.slack.commands.vocabulary import ACK, MUTE, UNMUTE, Ack, Mute, Unmute
from bot.store.errors import StoreError

_log = structlog.get_logger(__name__)

Act: TypeAlias = Acknowledge | Muting | Unmuting
Acts = Callable[[Act], Awaitable[Reply | None]]
"""A site's `Poller.act`: returns after the commit, or raises `StoreError`."""

BUTTON_MUTES = timedelta(hours=1)
"""For how long the button does: long enough to look, short enough to be forgotten without harm."""

REASON_REPEATED = 80
"""Characters of a reason in a command to be copied."""


class Doing:
    def __init__(
        self, *, lookup: Lookup, act: Mapping[str, Acts], clock: Clock, operators: Collection[str] = ()
    ) -> None:
        """`act` by site; `operators` are the ids of those who may, empty for everyone of the workspace."""
        self._lookup = lookup
        self._act = act
        self._clock = clock
        self._operators = frozenset(operators)

    async def command(self, asked: Ack | Mute | Unmute, person: Person, command: str) -> Answer:
        """Raises `StoreError` when it cannot be found out what is meant."""
        if (refusal := self._not_allowed(person)) is not None:
            return refusal
        if isinstance(asked, Mute):
            asked = await self._longest(asked)
        meant = await self.meant(asked, command)
        if not isinstance(meant, tuple):
            return meant
        site, connection, about = meant
        cause: Act
        match asked:
            case Ack():
                if connection == EVERY:
                    return await self._acknowledge_all(site, person)
                cause = Acknowledge(by=person, connection=connection)
            case Mute():
                until = self._clock.now() + asked.length
                cause = Muting(by=person, until=until, reason=asked.reason, connection=connection)
            case Unmute():
                cause = Unmuting(by=person, connection=connection)
            case _:
                assert_never(asked)
        return await self._record(site, cause, about=about, command=command)

    async def _longest(self, asked: Mute) -> Mute:
        """A whole name beats a shorter one."""
        if not asked.longer:
            return asked
        remembered = await self._lookup.remembered()
        for longer in asked.longer:
            if await remembered.exactly(longer.ref) is not None:
                return longer
        return asked

    async def meant(self, asked: Ack | Mute | Unmute, command: str) -> tuple[str, str, str] | Answer:
        """Site, id (or `EVERY`) and what to call it; or words, if it is not clear."""
        split = split_site(asked.ref, self._act)
        if split is not None and split[1] == EVERY:
            return split[0], EVERY, split[0]
        found = await self._lookup.named(asked.ref)
        if isinstance(found, Missing) and isinstance(asked, Unmute):
            # What is shown as muted can be heard of again, even if ItemPath does not list it any more.
            forgotten = await self._lookup.forgotten(asked.ref)
            if forgotten is not None:
                return *forgotten, forgotten[1]
        if isinstance(found, Several | Whole | Missing):
            word = {Ack: ACK, Mute: MUTE, Unmute: UNMUTE}[type(asked)]
            incidents = None
            if isinstance(found, Whole) and isinstance(asked, Ack):
                incidents = {site: len(await self._lookup.open_threads(site)) for site, _ in found.sites}
            if isinstance(found, Several) and isinstance(asked, Unmute):
                found = await self._lookup.muted_of(found)
                if len(found.refs) == 1:
                    return found.refs[0]  # only this one can be meant
            typed = guidance.Typed(command=command, word=word, ref=asked.ref, rest=_rest(asked))
            return guidance.unclear(typed, found, incidents=incidents)
        return found.site, found.id, name_of(found)

    async def _acknowledge_all(self, site: str, person: Person) -> Answer:
        """Everything that goes on at a site, each in its own thread."""
        threads = await self._lookup.open_threads(site)
        if not threads:
            return replies.acknowledgement(None, about=site)
        done = 0
        for thread in threads:
            act = self._act.get(_home(thread.id))
            try:
                reply = await act(Acknowledge(by=person, thread=thread.id)) if act else None
            except StoreError as error:
                _log.warning("what a person did was not recorded", site=site, reason=str(error))
                return replies.acknowledged_all(site, done=done, of=len(threads), failed=True)
            done += isinstance(reply, AckReply) and reply.outcome is AckOutcome.DONE
            if len(threads) == 1 and not done:
                # Of one it is known who has it, or that it has just ended.
                return replies.acknowledgement(reply if isinstance(reply, AckReply) else None, about=site)
        return replies.acknowledged_all(site, done=done, of=len(threads))

    async def acknowledge(self, click: Clicked) -> Answer:
        """The button: of all that its thread tells."""
        return await self._clicked(click, Acknowledge(by=click.person, thread=click.value))

    async def mute(self, click: Clicked) -> Answer:
        """The button: everything in the thread that goes on."""
        until = self._clock.now() + BUTTON_MUTES
        return await self._clicked(click, Muting(by=click.person, until=until, thread=click.value))

    async def unmute(self, click: Clicked) -> Answer:
        """The button of an answer that tells of a mute: its value is `site/id`, or `site/*`."""
        if (refusal := self._not_allowed(click.person)) is not None:
            return refusal
        site, _, connection = click.value.partition("/")
        about = site
        if connection != EVERY:
            about = connection
            with suppress(StoreError):  # it can be lifted without a name
                about = await self._lookup.name(site, connection)
        return await self._record(site, Unmuting(by=click.person, connection=connection), about=about)

    async def _clicked(self, click: Clicked, cause: Acknowledge | Muting) -> Answer:
        if (refusal := self._not_allowed(click.person)) is not None:
            return refusal
        return await self._record(_home(click.value), cause, thread=click.value)

    async def _record(
        self,
        site: str,
        cause: Act,
        *,
        about: str | None = None,
        thread: str | None = None,
        command: str = COMMAND,
    ) -> Answer:
        """`about`: a name for what is meant; without it, that of the thread. `command`: what people type."""
        act = self._act.get(site)
        if act is None:
            return replies.sentence(
                "This bot no longer watches that site", "Its incidents can no longer be acknowledged or muted."
            )
        try:
            reply = await act(cause)
        except StoreError as error:
            _log.warning("what a person did was not recorded", site=site, reason=str(error))
            done = "acknowledged" if isinstance(cause, Acknowledge) else "muted"
            return replies.sentence(
                f"Not {'unmuted' if isinstance(cause, Unmuting) else done}: the bot could not write to its database",
                "Nothing has changed. Please try again; if it keeps failing, the bot's log and /status say why.",
            )
        if about is None and thread is not None:
            with suppress(StoreError):  # it is recorded; a name for it is a nicety
                about = await self._lookup.about(thread)
        if isinstance(cause, Acknowledge):
            return replies.acknowledgement(reply if isinstance(reply, AckReply) else None, about=about)
        return muted(reply if isinstance(reply, MuteReply) else None, site=site, about=about, command=command)

    def _not_allowed(self, person: Person) -> Answer | None:
        if not self._operators or person.id in self._operators:
            return None
        return replies.sentence(
            "You may look everything up here, but not acknowledge or mute",
            "Only the people named in this bot's settings (operators) may. Please ask one of them.",
        )


def _home(thread: str) -> str:
    """The site that a thread belongs to; others may share it."""
    return thread.rpartition("/")[0]


def _rest(asked: Ack | Mute | Unmute) -> str:
    """What follows the reference when it is named again."""
    if not isinstance(asked, Mute):
        return ""
    # A reason that does not fit into a line is typed again by whoever wants it.
    reason = asked.reason if len(asked.reason) <= REASON_REPEATED else ""
    return f"{format_duration(asked.length)} {reason}".strip()
