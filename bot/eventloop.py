"""The event loop as a process of ours wants it: signals ask for an end, tasks end in time, and it does not chatter."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Iterator
from typing import Any

import structlog

from bot.clock import Clock
from bot.telemetry import StateLog

_log = structlog.get_logger(__name__)

CUT_OFF_EVERY = 0.5
OVER_AFTER = 3.0
"""Real seconds without a complaint; asyncio tries again after one."""
_REFUSED = "socket.accept() out of system resource"
"""How asyncio names it (`asyncio.selector_events`, `_accept_connection`)."""


class Complaints:
    """asyncio's exception handler (`loop.set_exception_handler`).

    Without a free file descriptor asyncio rests for a second before it accepts again, but first it tries as often as
    connections may wait, and complains each time: a hundred tracebacks a second. Said once here, and when it is over.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accepting = StateLog(_log, "accepting connections")
        self._over: asyncio.TimerHandle | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if context.get("message") != _REFUSED or not isinstance(error, OSError):
            loop.default_exception_handler(context)
            return
        self._accepting.failed(
            self._clock.now(),
            error.strerror or type(error).__name__,
            advice="raise the limit of open files (ulimit -n), or find out who keeps connections open",
        )
        if self._over is not None:
            self._over.cancel()
        self._over = loop.call_later(OVER_AFTER, lambda: self._accepting.worked(self._clock.now()))


async def ended(tasks: Iterable[asyncio.Task[None]], *, within: float) -> None:
    """Wait for the tasks' own end; what does not end in time is cut off, and taken up by the next start."""
    _, late = await asyncio.wait(tasks, timeout=within)
    for task in late:
        _log.warning("did not end in time; the next start takes it up", task=task.get_name())
    while late:
        # More than once: a cancellation that meets a library's clean-up can get lost there.
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(late, timeout=CUT_OFF_EVERY)


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT ask for an orderly end; a second one is left to Python and ends at once."""
    loop = asyncio.get_running_loop()
    names = (signal.SIGTERM, signal.SIGINT)

    def asked() -> None:
        stop.set()
        for name in names:
            loop.remove_signal_handler(name)

    for name in names:
        loop.add_signal_handler(name, asked)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
