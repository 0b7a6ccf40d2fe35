"""What is wrong with a configuration, told all at once and without a single secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LOOKS_SECRET = re.compile(
    r"\bx(?:ox[a-z](?:\.xox[a-z])?|app)-[\w-]{3,}"  # Slack's tokens
    r"|\beyJ[\w-]+(?:\.[\w-]*)*"  # JSON Web Tokens
    r"|(?<=://).*(?=@)"  # user and password of an address, whatever stands in them
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend."""

    key: str
    """Where it stands: the TOML key (`alerts.confirm_polls`), or the file for problems of the file itself."""
    mend: str
    """What is wrong and how to mend it, as sentences."""
    env: str | None = None
    """The environment variable of the same setting, if it has one."""
    given: str | None = None
    """What was given; `None` when nothing was, or when it must not be shown."""

    def __str__(self) -> str:
        name = f"{self.env} ({self.key})" if self.env else self.key
        return f"{name}: {self.mend}" if self.given is None else f"{name} = {self.given}: {self.mend}"


class ConfigurationError(Exception):
    """The configuration cannot be used. `problems` holds everything that has to be mended, never only the first."""

    def __init__(self, problems: Sequence[Problem], *, source: str = "environment") -> None:
        """`source` says what was read: the environment, or a file and the environment."""
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(
            "\n".join([f"The configuration ({source}) has {count}:", *(f"  - {problem}" for problem in self.problems)])
        )


def masked(text: str, secrets: Iterable[str] = (), *, limit: int | None = None) -> str:
    """`text` with every known or likely secret masked, before it is cut: half a secret is a leak too."""
    text = _LOOKS_SECRET.sub("***", without(text, secrets))
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with every known secret masked, as it is and as `repr` writes it."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, repr(secret)[1:-1]):
            text = text.replace(form, "***")
    return text
