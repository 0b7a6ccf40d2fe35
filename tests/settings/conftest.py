"""A folder to start the bot in, and a load that tells the problems instead of raising them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.settings import ALL, ConfigurationError, Need, Settings, load

ENVIRONMENT = {
    "ITEMPATH_URL": "https://acme.itempath.com",
    "ITEMPATH_TOKEN": "application-token-of-acme",
    "SLACK_BOT_TOKEN": "xoxb-genuine-bot-token",
    "SLACK_CHANNEL": "#alerts",
}
"""The least that `run` needs."""


@dataclass(frozen=True)
class Place:
    """A working directory with a configuration in it."""

    cwd: Path

    def write(self, toml: str, name: str = "config/bot.toml") -> Path:
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(toml, encoding="utf-8")
        return path

    def load(
        self,
        toml: str | None = None,
        *,
        environ: Mapping[str, str] = ENVIRONMENT,
        needs: frozenset[Need] = ALL,
        config: Path | None = None,
        **more: str,
    ) -> Settings:
        if toml is not None:
            self.write(toml)
        return load(config=config, environ={**environ, **more}, cwd=self.cwd, needs=needs)

    def error(
        self,
        toml: str | None = None,
        *,
        environ: Mapping[str, str] = ENVIRONMENT,
        needs: frozenset[Need] = ALL,
        config: Path | None = None,
        **more: str,
    ) -> ConfigurationError:
        with pytest.raises(ConfigurationError) as raised:
            self.load(toml, environ=environ, needs=needs, config=config, **more)
        return raised.value

    def only(self, toml: str | None = None, *, environ: Mapping[str, str] = ENVIRONMENT, **more: str) -> str:
        """The single problem there is."""
        (problem,) = self.error(toml, environ={**environ, **more}).problems
        return str(problem)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
