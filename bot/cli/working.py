"""What verbs have in common around their work: settings, logs, and how an end becomes an exit status."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import structlog
import typer

from bot.cli.output import complain
from bot.settings import ConfigurationError, Need, Settings, load
from bot.telemetry import Format, configure_logging

_log = structlog.get_logger(__name__)

BAD_CONFIGURATION = 2


def settings_of(config: Path | None, *, needs: frozenset[Need]) -> Settings:
    """The settings, or everything that is wrong with them on standard error, and exit status 2."""
    try:
        return load(config=config, environ=os.environ, needs=needs)
    except ConfigurationError as error:
        complain(str(error))
        raise typer.Exit(BAD_CONFIGURATION) from None


def log_to_stderr(settings: Settings, *, otherwise: Format | None = None) -> None:
    """Before anything else: from here on no secret stands in a line. `otherwise`: the format if none is set."""
    chosen: Any = settings.log_format or otherwise
    configure_logging(format=chosen, level=settings.log_level, secrets=settings.secrets())


def warn(settings: Settings) -> None:
    for note in settings.notes:
        _log.warning(note)


def ended(work: Coroutine[Any, Any, int]) -> int:
    """The exit status of `work`. What nobody foresaw is logged, without secrets, and is 1."""
    try:
        return asyncio.run(work)
    except BrokenPipeError:
        # Whoever read has read enough.
        raise
    except Exception:  # noqa: BLE001 - the end of the process is the last one who can say it
        _log.critical("unexpected error: this is a fault of the bot", exc_info=True)
        return 1
