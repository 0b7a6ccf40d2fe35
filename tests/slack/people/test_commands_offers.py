"""Whatever is offered to be typed can be typed, and names something that is there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.state import ConnectionRecord
from bot.sandbox.itempath_faults import Fault
from bot.slack.commands.grammar import parse
from bot.slack.commands.remembered import Missing, Whole
from bot.slack.commands.vocabulary import Ack, Help, History, Listing, LookUp, Mute, Unmute
from tests.slack.people.household import House, read

WORDS = ("", "ack", "akc", "unack", "mute", "mutte", "unmute", "hist", "list", "down")
NAMED = (
    "web",
    '"web services',
    "servces",
    "sap",
    "#1",
    "plant/1",
    "berlin",
    "berlin 1",
    "berln",
    "berln/7",
    "nothing like it",
    "*",
)
BEHIND = ("", "2", "2h", "forever", "until 6:00", "99d", "down")
BEFORE = "/connection "


def offered(answer: dict[str, Any]) -> Iterator[str]:
    """Every command of an answer that can be copied; the grammar below, small, has placeholders in it."""
    for block in answer["blocks"]:
        if block["type"] == "rich_text":
            yield from _code(block)


def _code(element: Any) -> Iterator[str]:
    if isinstance(element, dict) and "elements" in element:
        for inner in element["elements"]:
            yield from _code(inner)
    elif isinstance(element, dict) and element.get("style", {}).get("code") and element["text"].startswith(BEFORE):
        yield element["text"].removeprefix(BEFORE)


async def names_something(house: House, text: str) -> bool:
    command = parse(text, sites=tuple(house.sites))
    match command:
        case Ack() | Mute() | Unmute() | History() | LookUp():
            found = await house.lookup.named(command.ref)
            whole = command.ref.endswith("/*") and not isinstance(command, History)
            return not isinstance(found, Missing) and (whole or not isinstance(found, Whole))
        case Listing():
            return dict(command.filters).get("site", "plant") in house.sites
        case Help():
            return command.problem is None
    raise AssertionError(text)


@pytest.mark.parametrize("word", WORDS)
async def test_every_command_that_is_offered_can_be_typed_and_names_something(house: House, word: str) -> None:
    seen: set[str] = set()
    for words in itertools.product([word], NAMED, BEHIND):
        text = " ".join(filter(None, words))
        answer = await house.handlers.command(house.command_payload(text))
        for command in offered(answer):
            # What only the person can know is left out, and is no name.
            if "…" in command or "<site>" in command or command in seen:
                continue
            seen.add(command)
            assert await names_something(house, command), f"{text!r} offers {command!r}: {read(answer)}"
    assert len(seen) > 1


async def test_what_a_list_offers_while_a_site_cannot_be_read_can_be_typed(house: House) -> None:
    await house.sites["plant"].set_fault(Fault.SERVER_ERROR)
    await house.poll()
    await house.poll()
    for text in ("list down", "list up type=REST", "list down site=berln", "list DOWN name=web", 'list "up"'):
        answer = await house.handlers.command(house.command_payload(text))
        for command in offered(answer):
            assert await names_something(house, command), f"{text!r} offers {command!r}: {read(answer)}"


@pytest.mark.parametrize("text", ["mute qqq www eee rrr ttt yyy", "mute Dock 1h for 2h as for 3h before 4h"])
async def test_the_connections_are_not_read_anew_for_each_thing_that_may_be_meant(
    house: House, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Once to see what may be meant, and once to find what comes near."""
    reads: list[str | None] = []
    records = house.store.records

    async def read_records(site: str | None = None) -> tuple[ConnectionRecord, ...]:
        reads.append(site)
        return await records(site)

    monkeypatch.setattr(house.store, "records", read_records)
    await house.ask(text)
    assert reads == [None, None]
