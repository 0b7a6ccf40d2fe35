"""The text behind the slash command, as one of three commands. Nothing that can be typed raises.

Only `help` and `ack` are words of the grammar; everything else names a connection. What is quoted is always a name, so a
connection called "help" can be asked for too.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from bot.slack.wording import clean

LONGEST = 500
"""Characters that are looked at. A name cut here is still a prefix of itself."""

HELP = "help"
ACK = "ack"
WORDS = (HELP, ACK)

# What Slack makes of addresses, people and channels that it recognises in a text:
# https://docs.slack.dev/messaging/formatting-message-text
_ENTITY = re.compile(r"<((?:https?:|mailto:|tel:|[@#])[^<>|]*)(?:\|([^<>]*))?>")
# Typographic quotation marks that keyboards put in place of ' and ".
_SINGLE = "\u2018\u2019\u201a"
_DOUBLE = "“”„«»"
_STRAIGHT = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE + "\u00b4`", "'"))
_OPENING = frozenset(_SINGLE + _DOUBLE + "\"'`")


@dataclass(frozen=True, slots=True)
class LookUp:
    """Show the connection that `ref` names: an id, `site/id`, or (the beginning of) a name."""

    ref: str


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody takes care of what `ref` names."""

    ref: str


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be asked."""

    problem: str | None = None
    """What was wrong with what was asked, as a sentence of the bot's own."""


Command: TypeAlias = LookUp | Ack | Help


def parse(text: str) -> Command:
    """What was asked for. Anything that is no command is taken for the name of a connection."""
    typed = tidy(text)
    if not typed or typed.casefold() in (HELP, "?", "-h", "--help"):
        return Help()
    word, _, rest = typed.partition(" ")
    if word.casefold() == ACK:
        ref = unquoted(rest)
        return Ack(ref) if ref else Help(problem="`ack` needs the connection that you take care of.")
    ref = unquoted(typed)
    return LookUp(ref) if ref else Help()


def tidy(text: str) -> str:
    """`text` as it was typed: one line, one blank between words, Slack's own marks taken back."""
    # Escaping makes five characters of one, and a link more: room for that, and no more.
    shown = _ENTITY.sub(_as_typed, text[: LONGEST * 5])
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    return clean(shown)[:LONGEST].strip()


def _as_typed(found: re.Match[str]) -> str:
    target, label = found[1], found[2]
    if target[0] in "@#":
        return target[0] + (label or target[1:]).lstrip("@#")
    return label or target.removeprefix("mailto:").removeprefix("tel:")


def unquoted(text: str) -> str:
    """Without the quotation marks around it, of whatever kind; a closing one that was forgotten is not missed."""
    text = text.strip()
    if text[:1] not in _OPENING:
        return text
    closed = len(text) > 1 and text[-1].translate(_STRAIGHT) == text[0].translate(_STRAIGHT)
    return text[1:-1].strip() if closed else text[1:].strip()


def folded(text: str) -> str:
    """What two names are compared by: neither case, nor blanks, nor the kind of quotation marks tell them apart."""
    return unicodedata.normalize("NFC", clean(text)).casefold().translate(_STRAIGHT)


def meant(text: str) -> str | None:
    """The command that `text`, taken for a name in vain, may have been meant as; `None` when none is near."""
    word, _, rest = text.partition(" ")
    near = difflib.get_close_matches(word.casefold()[:20], WORDS, n=1, cutoff=0.6)
    if not near or (near[0] == ACK and not rest):
        return None
    return f"{ACK} {rest}" if near[0] == ACK else HELP
