"""What was typed, as words: Slack's own marks taken back, quotation marks of every keyboard understood. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack.wording import clean

LONGEST = 500
"""Characters that are looked at. A name cut here is still a prefix of itself."""

# What Slack makes of addresses, people and channels that it recognises in a text:
# https://docs.slack.dev/messaging/formatting-message-text
_ENTITY = re.compile(r"<((?:https?:|mailto:|tel:|[@#])[^<>|]*)(?:\|([^<>]*))?>")
# Typographic quotation marks that keyboards put in place of ' and ".
_SINGLE = "\u2018\u2019\u201a"
_DOUBLE = "“”„«»"
_STRAIGHT = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE + "\u00b4`", "'"))
_OPENING = frozenset(_SINGLE + _DOUBLE + "\"'`")
_KEY = re.compile(r"[^\s=/\"'`]{1,40}[=/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, or what stands in quotes, perhaps behind `key=` or `site/`."""

    raw: str
    value: str
    """Behind the `=`, and without quotation marks."""
    key: str = ""
    """Before the `=`, folded; empty when there is none."""
    quoted: bool = False
    unclosed: bool = False
    """Its closing quotation mark was forgotten: it goes on to the end of the text."""


def words(text: str) -> list[Word]:
    """`text` at its blanks, apart from those in quotes. A closing quotation mark that was forgotten is not missed."""
    found: list[Word] = []
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        prefix = _KEY.match(text, position)
        inside = prefix.end() if prefix else position
        if text[inside : inside + 1] in _OPENING:
            closing = _closing(text, inside)
            end = len(text) if closing is None else closing
            key = text[position : inside - 1].casefold() if prefix and text[inside - 1] == "=" else ""
            value = unquoted(text[inside:end])
            raw = text[position:end]
            found.append(Word(raw=raw, value=value, key=key, quoted=True, unclosed=closing is None))
        else:
            end = text.find(" ", position)
            end = len(text) if end < 0 else end
            key, equals, value = text[position:end].partition("=")
            key, value = (key.casefold(), value) if equals else ("", key)
            found.append(Word(raw=text[position:end], value=value, key=key))
        position = end
    return found


def _closing(text: str, opening: int) -> int | None:
    """Where the quotation ends: a mark of the same kind that ends a word, else a double one anywhere, which is no
    apostrophe; `None` if there is none.
    """
    mark = text[opening].translate(_STRAIGHT)
    same = [n for n in range(opening + 1, len(text)) if text[n].translate(_STRAIGHT) == mark]
    ending = [n for n in same if text[n + 1 : n + 2] in ("", " ")]
    found = ending or (same if mark == '"' else [])
    return found[0] + 1 if found else None


def opened(word: Word) -> tuple[str, list[Word]]:
    """Of an unclosed word: what stands before its quotation mark, and the words behind it."""
    prefix = _KEY.match(word.raw)
    start = prefix.end() if prefix else 0
    return word.raw[:start], words(word.raw[start + 1 :])


def quoted(before: str, inside: Sequence[Word]) -> str:
    """These words as one, in quotation marks."""
    name = " ".join(word.raw for word in inside).replace('"', "'")
    return f'{before}"{name}"'


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
