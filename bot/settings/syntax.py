"""What is wrong with a file that is not TOML, where, and what was most likely meant.

The line itself is never repeated, as a secret may stand in it; of its words only the key, and only if it is a setting's.
"""

from __future__ import annotations

import re
import tomllib

from bot.settings.models import AlertSettings, Maintenance, Route, Settings, SiteSettings, SlackSettings

_LINE = re.compile(r"\s*(?P<key>[\w-]+)\s*=\s*(?P<value>.*)")
_KEYS = frozenset(
    f"{name}{suffix}"
    for section in (Settings, SiteSettings, SlackSettings, AlertSettings, Route, Maintenance)
    for name in section.model_fields
    for suffix in ("", "_env", "_file")
)
_MENDS = {
    r"Illegal character '\\n'|Unterminated|Expected \"'\"": 'a quotation mark is missing at the end: {key} = "…"',
    "Unescaped": r"write text with a \ in single quotation marks: {key} = '…'",
    "Cannot overwrite|twice|Cannot declare": "something stands there twice; keep one of the two",
    "Unclosed array": 'a list has commas between its values and ends with a bracket: {key} = ["…", "…"]',
    r"Expected '\]": "the name of a table stands in brackets, e.g. [slack], and of one of several in two, e.g. [[routes]]",
    "Expected '='|Invalid statement": "write each setting as key = value",
}
"""By what `tomllib` says."""


def explain(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, int, str]:
    """Line, column, and what is wrong with how to mend it."""
    line, column, said = _located(str(error), text)
    mend = _mend(said, text.split("\n")[line - 1])
    return line, column, f"{said}; {mend}" if mend else said


def _mend(said: str, line: str) -> str | None:
    found = _LINE.match(line)
    key = found["key"] if found is not None and found["key"] in _KEYS else "key"
    for pattern, mend in _MENDS.items():
        if re.search(pattern, said):
            return mend.format(key=key)
    value = found["value"] if found is not None else line.strip()
    if value.startswith(("'", '"', "[", "{")):
        return None
    if re.match(r"(?i)(true|false)\b", value):
        return "true and false stand in lower case"
    return f'text and durations stand in plain quotation marks: {key} = "…"'


def _located(message: str, text: str) -> tuple[int, int, str]:
    """As `tomllib` tells it in its message (it has no other way before Python 3.14)."""
    if match := re.search(r" \(at line (\d+), column (\d+)\)$", message):
        return int(match[1]), int(match[2]), message[: match.start()]
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1, message.removesuffix(" (at end of document)")
