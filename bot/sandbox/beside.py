"""How the other verbs look at a demonstration that runs: its settings, written beside its database."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from bot.settings import Settings

VERBS = ("connections", "incidents", "check")


def write_settings(settings: Settings, folder: Path) -> Path:
    """A settings file that those verbs can be given; the tokens, which open nothing else, are in files of their own."""
    if settings.slack is None or settings.slack.app_token is None:
        raise ValueError("a demonstration has a Slack")
    lines = [f"database_url = {_text(settings.database_url.get_secret_value())}"]
    lines += ["[slack]", f"channel = {_text(settings.slack.channel)}", f"api_url = {_text(settings.slack.api_url)}"]
    lines += _secret("bot_token", settings.slack.bot_token.get_secret_value(), folder / "slack-bot")
    lines += _secret("app_token", settings.slack.app_token.get_secret_value(), folder / "slack-app")
    for site in settings.sites:
        lines += ["[[sites]]", f"name = {_text(site.name)}", f"url = {_text(site.url)}"]
        lines += [f"channel = {_text(site.channel)}"]
        if site.token is not None:
            lines += _secret("token", site.token.get_secret_value(), folder / f"itempath-{site.name}")
    path = folder / "bot.toml"
    path.write_text("\n".join([*lines, ""]))
    return path


def commands(settings_file: Path, verbs: Iterable[str] = VERBS) -> list[str]:
    """What to type in another terminal, in the folder that this process was started in."""
    python = Path(sys.executable)
    here = Path.cwd()
    shown = python.relative_to(here) if python.is_relative_to(here) else python
    return [f"{shlex.quote(str(shown))} -m bot {verb} --config {shlex.quote(str(settings_file))}" for verb in verbs]


def _secret(key: str, value: str, path: Path) -> list[str]:
    path.touch(mode=0o600)
    path.write_text(value)
    return [f"{key}_file = {_text(str(path))}"]


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML, too.
    return json.dumps(value)
