"""`check`: one line for everything that the bot depends on."""

from __future__ import annotations

from pathlib import Path

from bot.check.lines import Verdict, warning
from bot.check.preflight import preflight
from bot.cli.output import say
from bot.cli.working import ended, log_to_stderr, settings_of
from bot.clock import Clock
from bot.settings import ALL, Settings


def report(config: Path | None, *, send: bool) -> int:
    settings = settings_of(config, needs=ALL)
    log_to_stderr(settings, otherwise="console")
    for note in settings.notes:
        say(str(warning("settings", note, "correct its name, or remove it")))
    return ended(_report(settings, send=send))


async def _report(settings: Settings, *, send: bool) -> int:
    status = 0
    async for line in preflight(settings, now=Clock().now, send=send):
        say(str(line))
        if line.verdict is Verdict.WRONG:
            status = 1
    return status
