"""Logging is a matter of the whole process: whoever sets it up in a test leaves it as it was found."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import structlog


@contextlib.contextmanager
def restored() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("bot")
    before = root.handlers[:], root.level, own.level
    yield
    root.handlers[:], root.level, own.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
