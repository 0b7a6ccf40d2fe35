"""The button Details: a modal that opens at once, and then shows what its thread is about, as it is at this moment.

A `trigger_id` lives for three seconds (Slack's page on modals); so the modal opens before anything is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.core.incidents import SITE, ThreadKind
from bot.slack.blocks import section
from bot.slack.calls import SlackCalls
from bot.slack.commands import replies
from bot.slack.commands.lookup import Lookup, Sight
from bot.slack.commands.members import members
from bot.slack.commands.people import Clicked, Respond
from bot.slack.commands.replies import Answer
from bot.slack.errors import Refused, Scope, SlackError
from bot.slack.wording import shorten
from bot.store.errors import StoreError
from bot.store.store import Store

_log = structlog.get_logger(__name__)

_CLOSED = "not_found"
"""Slack's word when the person has closed the modal meanwhile."""


class Details:
    def __init__(self, *, lookup: Lookup, store: Store, calls: SlackCalls) -> None:
        self._lookup = lookup
        self._store = store
        self._calls = calls

    async def open(self, click: Clicked, respond: Respond) -> None:
        """In a modal; where none opens, as an answer that only the person sees."""
        view = await self._opened(click.trigger)
        try:
            answer = await self._about(click.value)
        except StoreError as error:
            answer = replies.no_database(error)
        if view is None or not await self._filled(view, answer):
            await respond(answer)

    async def _opened(self, trigger: str) -> str | None:
        """The id of the modal, which says that it is loading."""
        try:
            opened = await self._calls.call("views.open", trigger_id=trigger, view=_modal([section("Loading…")]))
        except SlackError as error:
            _log.info("a modal did not open", error=error.error)
            return None
        view = opened.get("view")
        return str(view.get("id")) if isinstance(view, Mapping) else None

    async def _filled(self, view: str, answer: Answer) -> bool:
        """Whether the modal shows it, or nobody looks any more."""
        try:
            try:
                await self._calls.call("views.update", view_id=view, view=_modal(answer["blocks"]))
            except Refused as error:
                if error.scope is not Scope.MESSAGE or error.error == _CLOSED:
                    raise
                _log.warning("Slack refuses what a modal shows; it gets the text alone", error=error.error)
                bare = [section(shorten(answer["text"], 2900))]
                await self._calls.call("views.update", view_id=view, view=_modal(bare))
        except SlackError as error:
            _log.info("a modal was not filled", error=error.error)
            return error.error == _CLOSED
        return True

    async def _about(self, thread: str) -> Answer:
        view = await self._store.thread(thread)
        if view is None:
            return replies.sentence("Nothing is remembered of this any more", "Ask for what it was about by its name.")
        connections = {e.connection for e in view.episodes if e.connection != SITE}
        if len(connections) == 1 and view.thread.kind is not ThreadKind.SITE:
            found = await self._lookup.look(view.thread.site, connections.pop())
            if isinstance(found, Sight):
                return replies.connection(found, sharable=False)
        blind = await self._store.episodes(site=view.thread.site, connection=SITE, going_on=True)
        return members(view, blind=blind)


def _modal(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    def words(text: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": text, "emoji": False}

    return {"type": "modal", "title": words("Details"), "close": words("Close"), "blocks": blocks}
