"""What a person's command or click leads to. Transport-free: payloads in, answers out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, assert_never

import structlog

from bot.clock import Clock
from bot.core.incidents import Person
from bot.slack.commands import guidance, history, replies, tables
from bot.slack.commands.details import Details
from bot.slack.commands.doing import Doing
from bot.slack.commands.grammar import meant, parse, parse_tidied
from bot.slack.commands.likely import Likely
from bot.slack.commands.lookup import Lookup, Sight
from bot.slack.commands.people import COMMAND, Asked, Clicked, Reached, Respond, asked, clicked, looked_home
from bot.slack.commands.remembered import Missing, Several, Whole
from bot.slack.commands.replies import Answer
from bot.slack.commands.survey import Survey
from bot.slack.commands.tables import AGAIN, TURN
from bot.slack.commands.vocabulary import HISTORY, Ack, Help, History, Listing, LookUp, Mute, Unmute
from bot.slack.errors import SlackError
from bot.slack.messages import ACKNOWLEDGE, DETAILS, MUTE
from bot.slack.workspace import Workspace
from bot.store.errors import StoreError

_log = structlog.get_logger(__name__)

SHARES_REMEMBERED = 200


class Opens(Protocol):
    """Who shows the Home tab."""

    async def opened(self, user: str) -> None: ...


class Handlers:
    def __init__(
        self,
        *,
        lookup: Lookup,
        survey: Survey,
        doing: Doing,
        details: Details,
        home: Opens,
        workspace: Workspace,
        clock: Clock,
    ) -> None:
        self._lookup = lookup
        self._survey = survey
        self._doing = doing
        self._details = details
        self._home = home
        self._workspace = workspace
        self._clock = clock
        self._likely = Likely(lookup=lookup, doing=doing, sites=survey.sites)
        self._shared: deque[str] = deque(maxlen=SHARES_REMEMBERED)

    async def command(self, payload: Mapping[str, Any]) -> Answer:
        """The answer to a slash command."""
        ask = asked(payload)
        try:
            return await self._stranger(ask.team) or await self._answered(ask)
        except StoreError as error:
            return replies.no_database(error)

    async def _answered(self, ask: Asked) -> Answer:
        command = parse(ask.text, sites=self._survey.sites)
        match command:
            case Ack() | Mute() | Unmute():
                return await self._doing.command(command, ask.person, ask.command)
            case Listing():
                return await self._table(command, ask.command)
            case History():
                return await self._looked_back(command, ask.command)
            case LookUp():
                return await self._shown(command.ref, ask.command)
            case Help():
                return await self._helped(command, ask.command)
            case _:
                assert_never(command)

    async def action(self, payload: Mapping[str, Any], respond: Respond) -> None:
        """A click. What is to be said about it goes through `respond`."""
        click = clicked(payload)
        if click is None:
            return
        turns = click.action.startswith(TURN)
        if not turns and click.action not in (ACKNOWLEDGE, MUTE, DETAILS, replies.SHARE, replies.UNMUTE):
            return
        try:
            refusal = await self._stranger(click.team)
            if refusal is not None:
                await respond(refusal)
            elif turns:
                await respond(await self._turned(click))
            elif click.action == ACKNOWLEDGE:
                await respond(await self._doing.acknowledge(click))
            elif click.action == MUTE:
                await respond(await self._doing.mute(click))
            elif click.action == replies.UNMUTE:
                await respond(await self._doing.unmute(click))
            elif click.action == DETAILS:
                await self._details.open(click, respond)
            else:
                await self._share(click, respond)
        except StoreError as error:
            await respond(replies.no_database(error))

    async def event(self, payload: Mapping[str, Any]) -> None:
        """Something of the Events API. Whoever looks at the Home tab gets it."""
        look = looked_home(payload)
        if look is None:
            return
        try:
            refusal = await self._stranger(look.team)
        except StoreError as error:
            _log.warning("the Home tab was not shown", reason=str(error))
            return
        if refusal is None:
            await self._home.opened(look.user)

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
                    "Until then it cannot answer anybody. Please try again in a moment.",
                )
        if team == own:
            return None
        _log.info("refused somebody of another workspace", team=team)
        return replies.sentence(
            "This bot answers the people of its own workspace only",
            "You are a guest from another one. Ask somebody there to look it up, and to share the answer.",
        )

    async def _shown(self, ref: str, command: str) -> Answer:
        found = await self._lookup.find(ref)
        if isinstance(found, Sight):
            return replies.connection(found, command=command)
        if isinstance(found, Whole) and not found.refs:
            # Who asks for a site by its name wants to see it.
            (site, _), *others = found.sites
            filters = () if others else (("site", site),)
            return await self._table(Listing(filters=filters, words=tuple("=".join(f) for f in filters)), command)
        guess: str | None = None
        if isinstance(found, Missing) and not found.rewritten:
            likely = await self._likely.best(meant(ref, sites=self._survey.sites), command)
            if isinstance(likely, dict):
                return likely
            guess = likely
        return guidance.unclear(guidance.Typed(command=command, ref=ref), found, guess=guess)

    async def _helped(self, wrong: Help, command: str) -> Answer:
        """What was wrong, and what to type instead, if that names anything; else what comes near to the name."""
        if wrong.guess is None:
            return guidance.help_(wrong, command=command)
        likely = await self._likely.best((wrong.guess, *wrong.others), command)
        if likely is None:
            likely = await self._likely.nearest(wrong.guess, command)
        if isinstance(likely, dict):
            return likely
        return guidance.help_(replace(wrong, guess=likely), command=command)

    async def _table(self, listing: Listing, command: str, *, shared_by: Person | None = None) -> Answer:
        listed = await self._survey.list(listing)
        return tables.table(listed, at=self._clock.now(), command=command, shared_by=shared_by)

    async def _looked_back(self, asked_for: History, command: str, *, shared_by: Person | None = None) -> Answer:
        found = await self._lookup.named(asked_for.ref)
        if isinstance(found, Several | Whole | Missing):
            typed = guidance.Typed(command=command, word=HISTORY, ref=asked_for.ref, rest=asked_for.span)
            return guidance.unclear(typed, found)
        return history.history(await self._survey.look_back(found, asked_for.span), shared_by=shared_by)

    async def _turned(self, click: Clicked) -> Answer:
        """Another page, in the place of the one that was clicked."""
        listing = parse_tidied(click.value)
        if not isinstance(listing, Listing):
            return replies.sentence("There is no such page any more", "Please ask for the list again.")
        return await self._table(listing, COMMAND) | {"replace_original": True}

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
        shared = await self._for_all(click)
        if shared is None:
            await respond(replies.sentence("This bot no longer watches that site", "There is nothing to share."))
            return False
        # Seen by all: better missing than twice.
        reached = await respond(shared, repeatable=False)
        if reached:
            await respond({"delete_original": True})
            return True
        if reached is Reached.REFUSED:
            said = replies.sentence(
                "Not shared: Slack did not accept it", "Nothing was posted. Please try again in a minute."
            )
        else:
            said = replies.sentence(
                "Slack did not say whether it was shared",
                "Please look in the channel, and share it again only if it is not there.",
            )
        await respond(said)
        return False

    async def _for_all(self, click: Clicked) -> Answer | None:
        """What the person sees, read anew, for everybody; `None` when there is nothing any more."""
        if click.value.startswith(AGAIN):
            command = parse_tidied(click.value.removeprefix(AGAIN))
            if isinstance(command, Listing):
                return await self._table(command, COMMAND, shared_by=click.person)
            if isinstance(command, History):
                return await self._history_for_all(command, click.person)
            return None
        site, _, connection = click.value.partition("/")
        found = await self._lookup.look(site, connection)
        return None if isinstance(found, Missing) else replies.connection(found, shared_by=click.person)

    async def _history_for_all(self, asked_for: History, person: Person) -> Answer | None:
        found = await self._lookup.named(asked_for.ref)
        if isinstance(found, Several | Whole | Missing):
            return None
        return history.history(await self._survey.look_back(found, asked_for.span), shared_by=person)
