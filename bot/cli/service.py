"""`run` and `demo`: what goes on until it is told to stop."""

from __future__ import annotations

import errno
from pathlib import Path

import structlog

from bot.cli.output import complain
from bot.cli.working import ended, log_to_stderr, settings_of, warn
from bot.settings import ALL, Settings
from bot.telemetry import configure_logging

_log = structlog.get_logger(__name__)


def serve(config: Path | None) -> int:
    settings = settings_of(config, needs=ALL)
    log_to_stderr(settings)
    warn(settings)
    return ended(_serve(settings))


async def _serve(settings: Settings) -> int:
    from bot.store.errors import StoreError  # noqa: PLC0415 - a bad configuration is told before these are loaded
    from bot.supervisor import run  # noqa: PLC0415

    try:
        await run(settings)
    except StoreError as error:
        _log.error("the database cannot be used", problem=error.problem, advice=error.advice)
        return 1
    except OSError as error:
        _log.error(
            f"cannot listen on {settings.listen}",
            problem=error.strerror,
            advice="end what has this port, or set BOT_LISTEN (`listen`) to another address",
        )
        return 1
    return 0


def show(port: int) -> int:
    configure_logging(format="console", level="warning")
    return ended(_show(port))


async def _show(port: int) -> int:
    from bot.sandbox.demo import run_demo  # noqa: PLC0415

    try:
        await run_demo(port=port)
    except OSError as error:
        why = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        complain(
            f"The demonstration cannot use port {port}: {why}.\n"
            "Choose another one: make demo PORT=8090, or demo --port 8090; --port 0 takes any."
        )
        return 1
    return 0
