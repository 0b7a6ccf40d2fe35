"""Whatever is offered to be typed can be typed, and names something that is there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.itempath_faults import Fault
from bot.slack.commands.grammar import parse
from bot.slack.commands.lookup import Missing, Whole
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
