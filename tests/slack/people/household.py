"""A house in which people can ask, and what they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.core.maintenance import Window
from bot.poller import Poller
from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.slack.blocks import check_message
from bot.sandbox.slack.server import LocalSlack
from bot.slack.calls import SlackCalls
from bot.slack.commands.details import Details
from bot.slack.commands.doing import Acts, Doing
from bot.slack.commands.handlers import Handlers
from bot.slack.commands.lookup import Lookup
from bot.slack.commands.people import Reached
from bot.slack.commands.survey import Survey
from bot.slack.home import Home
from bot.slack.workspace import Workspace
from bot.store.store import Store

BERLIN: tuple[Mapping[str, Any], ...] = (
    {"id": 1, "name": "SAP Orders", "status": 1, "type": "REST"},
    {"id": 7, "name": "SAP Stock", "status": 1},
    {"id": "help", "name": "Help Desk <!channel>", "status": 1},
    {"id": 9, "name": "S/4HANA", "status": 1},
)


class HandClock(Clock):
    """Real time, and what is put on top of it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead

    def steady(self) -> float:
        return self.now().timestamp()


@dataclass(kw_only=True)
class House:
    slack: LocalSlack
    store: Store
    calls: SlackCalls
    workspace: Workspace
    sites: dict[str, SimulatedItemPath]
    pollers: dict[str, Poller]
    lookup: Lookup
    home: Home
    clock: HandClock
    operators: tuple[str, ...] = ()
    kept: timedelta = timedelta(days=90)
    maintenance: tuple[Window, ...] = ()
    handlers: Handlers = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = self.made()

    def made(
        self, *, lookup: Lookup | None = None, workspace: Workspace | None = None, act: Mapping[str, Acts] | None = None
    ) -> Handlers:
        """Handlers of this house, with another part in place of its own."""
        lookup = lookup or self.lookup
        acts = {name: poller.act for name, poller in self.pollers.items()} if act is None else act
        return Handlers(
            lookup=lookup,
            survey=Survey(
                store=self.store,
                sites=tuple(self.sites),
                clock=self.clock,
                kept=self.kept,
                maintenance=self.maintenance,
            ),
            doing=Doing(lookup=lookup, act=acts, clock=self.clock, operators=self.operators),
            details=Details(lookup=lookup, store=self.store, calls=self.calls),
            home=self.home,
            workspace=workspace or self.workspace,
            clock=self.clock,
        )

    async def later(self, **time: float) -> None:
        """So much time passes, and everything is polled."""
        self.clock.ahead += timedelta(**time)
        await self.poll()

    async def poll(self) -> None:
        for poller in self.pollers.values():
            await poller.poll()

    def command_payload(self, text: str, **fields: Any) -> dict[str, Any]:
        return {
            "team_id": self.slack.workspace.team.id,
            "user_id": "U0ALICE",
            "user_name": "alice",
            "command": "/connection",
            "text": text,
        } | fields

    def click_payload(self, action: str, value: str, *, user: str = "U0ALICE", **fields: Any) -> dict[str, Any]:
        team = self.slack.workspace.team.id
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user[2:].lower(), "name": user[2:].lower(), "team_id": team},
            "team": {"id": team},
            "container": {"type": "message", "channel_id": "C0ALERTS", "message_ts": "1.1"},
            "actions": [{"type": "button", "action_id": action, "value": value}],
        } | fields

    async def ask(self, text: str, **fields: Any) -> str:
        """What `/connection text` shows, as one text."""
        return read(await self.handlers.command(self.command_payload(text, **fields)))

    async def click(
        self, action: str, value: str, *, takes: bool | Reached = True, **fields: Any
    ) -> list[dict[str, Any]]:
        """What a click says; `takes`: whether Slack takes it."""
        return await self.press(self.click_payload(action, value, **fields), takes=takes)

    async def press(self, payload: dict[str, Any], *, takes: bool | Reached = True) -> list[dict[str, Any]]:
        """As `click`, of whoever the payload says."""
        said: list[dict[str, Any]] = []

        async def respond(answer: Mapping[str, Any], *, repeatable: bool = True) -> Reached:
            said.append({**answer, "repeatable": repeatable})
            return takes if isinstance(takes, Reached) else Reached.TAKEN if takes else Reached.UNKNOWN

        await self.handlers.action(payload, respond)
        return said

    async def thread(self, connection: str, *, site: str = "plant") -> str:
        """Where the open incident of a connection is told."""
        (episode,) = await self.store.episodes(site=site, connection=connection, going_on=True)
        assert episode.thread is not None
        return episode.thread


def read(answer: Mapping[str, Any]) -> str:
    """Everything that a reader sees of an answer, line by line. Fails on what Slack would refuse."""
    blocks = answer.get("blocks")
    check_message(blocks, None)
    assert 0 < len(answer["text"]) <= 4000
    return "\n".join(line for block in blocks or [] for line in lines(block))


def lines(value: Any) -> list[str]:
    inside: list[Any] = []
    match value:
        case {"type": "rich_text_section" | "rich_text_preformatted", "elements": [*elements]}:
            return ["".join(str(e.get("text") or e.get("fallback")) for e in elements)]
        case {"type": "button", "text": {"text": str(text)}}:
            return [f"[{text}]({value['url']})" if "url" in value else f"[{text}]"]
        case {"text": str(text)}:
            return [text.replace("*\n", "* ")]
        case {"text": dict(inner)}:
            inside = [inner]
        case {"elements": [*elements]} | {"fields": [*elements]}:
            inside = elements
    return [line for one in inside for line in lines(one)]
