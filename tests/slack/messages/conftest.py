"""One outage to tell stories about, and what a reader sees of a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.connection import Connection, Log
from bot.core.incidents import (
    Closing,
    Episode,
    EpisodeKind,
    Family,
    Json,
    Message,
    MessageKind,
    Role,
    Thread,
    ThreadKind,
    ThreadView,
    Why,
)
from bot.slack.messages import Rendered, render

IN_THREAD = (
    MessageKind.ERROR,
    MessageKind.LIST,
    MessageKind.ACKNOWLEDGED,
    MessageKind.MUTED,
    MessageKind.UNMUTED,
)
THREE = datetime(2026, 11, 24, 3, 0, 5, tzinfo=UTC)


class Story:
    """Builders with everything filled in; each takes what differs."""

    three = THREE
    later = THREE + timedelta(hours=2, minutes=5)
    row = Connection(
        id="2",
        name="Web Services",
        url="https://api.example.com",
        type="REST",
        authentication="HMAC Authentication",
        status=0,
        latest_connection=THREE - timedelta(days=1),
        last_check=THREE,
        integration_count=3,
    )

    def read(self, rendered: Rendered) -> str:
        """`text` as it reads where Slack does not show dates."""
        return re.sub(r"<!date\^\d+\^\{date_short_pretty\} at \{time_secs\}\|([^>]*)>", r"\1", rendered.text)

    def family(self, error: str = "HTTP 503", **fields: Any) -> Family:
        log = Log(id="10", at=THREE, error=error)
        family = Family(fingerprint=error, log=log, count=1, first_at=THREE, last_at=THREE, message=0)
        return replace(family, **fields)

    def episode(self, **fields: Any) -> Episode:
        episode = Episode(
            id="plant#1",
            site="plant",
            connection="2",
            kind=EpisodeKind.OUTAGE,
            start=THREE,
            why=Why.SEEN,
            row=self.row,
            thread="plant/2",
        )
        return replace(episode, **fields)

    def thread(self, kind: ThreadKind = ThreadKind.OUTAGE, **fields: Any) -> Thread:
        return replace(Thread(id="plant/2", site="plant", kind=kind, channel="#alerts", opened=THREE), **fields)

    def member(self, number: int, **fields: Any) -> Episode:
        """One of many: `C<number>`, which stops as many integrations."""
        row = replace(self.row, id=str(number), name=f"C{number}", integration_count=number)
        return self.episode(id=f"plant#{number}", connection=str(number), **{"row": row, **fields})

    def over(self, episode: Episode, closing: Closing = Closing.RECOVERED, **fields: Any) -> Episode:
        return replace(episode, **{"end": self.later, "end_why": Why.SEEN, "closing": closing, **fields})

    def view(self, thread: Thread, *episodes: Episode, **params: Json) -> ThreadView:
        root = Message(thread=thread.id, n=0, role=Role.ROOT, kind=MessageKind.ROOT, params=params)
        return ThreadView(thread=thread, root=root, episodes=episodes)

    def root(self, thread: Thread, *episodes: Episode, form: str = "full", **params: Json) -> Rendered:
        view = self.view(thread, *episodes, **params)
        return render(view, view.root, form=form, now=self.later, interactive=True)

    def reply(
        self, thread: Thread, *episodes: Episode, kind: MessageKind, form: str = "full", **params: Json
    ) -> Rendered:
        role = Role.REPLY if kind in IN_THREAD else Role.BROADCAST
        message = Message(thread=thread.id, n=1, role=role, kind=kind, params=params)
        return render(self.view(thread, *episodes), message, form=form, now=self.later, interactive=True)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def shown() -> Callable[[Rendered], list[str]]:
    """The lines of a message, one a paragraph: rich text as it reads, mrkdwn as it is written, dates as `{UTC}`."""

    def lines(rendered: Rendered) -> list[str]:
        return [line for block in rendered.blocks for line in _block(block)]

    return lines


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"# {block['text']['text']}"
        case "section" if "text" in block:
            yield from block["text"]["text"].split("\n")
        case "section":
            yield from (field["text"].replace("\n", " ") for field in block["fields"])
        case "actions":
            yield from (f"[{e['text']['text']} {e['action_id']} {e['value']}]" for e in block["elements"])
        case "rich_text":
            for element in block["elements"]:
                yield from _rich(element)


def _rich(element: dict[str, Any]) -> Iterator[str]:
    match element["type"]:
        case "rich_text_list":
            yield from (f"* {line}" for item in element["elements"] for line in _rich(item))
        case "rich_text_preformatted":
            yield from (f"| {line}" for line in element["elements"][0]["text"].split("\n"))
        case _:
            yield from "".join(map(_inline, element["elements"])).split("\n")


def _inline(element: dict[str, Any]) -> str:
    match element["type"]:
        case "text":
            return str(element["text"])
        case "date":
            return "{" + str(element["fallback"]).removesuffix(" UTC") + "}"
        case "broadcast":
            return f"@{element['range']}"
    return f"@{element.get('user_id') or element['usergroup_id']}"
