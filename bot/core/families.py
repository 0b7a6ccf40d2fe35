"""Error families: the same error with other numbers, ids, addresses or times is the same error."""

from __future__ import annotations

import hashlib
import re

LOOKED_AT = 4000
"""Characters of an error that decide on its family. Stack traces differ in their tails; sentences in their heads."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"

# Order matters: what contains something else is masked before it.
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", "<id>"),
        (r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?(?:z|[+-]\d\d:?\d\d))?)?", "<time>"),
        (r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", "<address>"),
        (r"(?<![\w:])\[?(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\]?(?::\d+)?(?![\w:])", "<address>"),
        (
            r"(?<![\w:])\[?(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?\]?(?![\w:])",
            "<address>",
        ),
        (rf"\b{_WEEKDAY}(?:\d{{1,2}}\s+)?{_MONTH}\s+\d{{1,4}}(?:,?\s+\d{{4}})?\b", "<time>"),
        (r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[ap]m\b)?", "<time>"),
        (r"://[^\s/?#\"'<>]+", "://<address>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
        # Only from the start of a name on: from each of its parts on, a long row of them would cost its square.
        (r"(?<![\w-])(?<![\w-]\.)[a-z0-9-]+(?:\.[a-z0-9-]+)++:\d+\b", "<address>"),
        # A word with a digit in it is a number, a code, a host or an id: `db2`, `0x7ffe`, `ORD-17A`, `4.2`.
        (r"(?<![\w-])[\w-]*\d[\w.-]*", "<n>"),
        (r"\s+", " "),
    )
)


def masked(error: str) -> str:
    """The error as its whole family has it: lower case, with everything that varies replaced by a name for it."""
    text = error[:LOOKED_AT].casefold()
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip().rstrip(".")


def fingerprint(error: str) -> str:
    """A short name for the error's family; equal exactly when `masked` is."""
    return hashlib.sha256(masked(error).encode("utf-8", "surrogatepass")).hexdigest()[:16]
