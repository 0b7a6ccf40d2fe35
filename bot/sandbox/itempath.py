"""A simulated ItemPath server on this machine: for the demonstration and for end-to-end tests."""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.sandbox.itempath_api import application
from bot.sandbox.itempath_faults import Fault
from bot.sandbox.itempath_site import ItemPathSite


class SimulatedItemPath(ItemPathSite):
    """A site that listens. As an async context manager it starts on a free loopback port.

    The port is kept while the server is unreachable: a bound socket that does not listen makes the kernel refuse
    connections, and lets nobody else have the address.
    """

    _socket: socket.socket | None = None
    """Bound and not listening: the address while nobody answers there."""
    _runner: web.AppRunner | None = None
    _listener: web.SockSite | None = None
    _address: tuple[str, int] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind (0: a free port) and listen, unless the fault says that nobody does."""
        self._switching = asyncio.Lock()
        self._socket = _bound(host, port)
        self._address = (host, self._socket.getsockname()[1])
        if self.fault is not Fault.UNREACHABLE:
            await self._open(self._socket)
        self._changed()

    async def stop(self) -> None:
        """Cut every connection and give the port back."""
        if not self._started:
            return
        async with self._switching:
            await self._close()
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            self._changed()

    @property
    def url(self) -> str:
        """The address without `/api`. Raises `RuntimeError` before the start."""
        if self._address is None:
            raise RuntimeError(f"site {self.name} is not started")
        return "http://{}:{}".format(*self._address)

    @property
    def reachable(self) -> bool:
        return self._runner is not None

    async def set_fault(self, fault: Fault | str | None) -> None:
        """Let a fault last from now on (`None`: mend it). Requests that hang go on. Raises `ValueError` for no such fault."""
        chosen = None if fault is None else Fault(fault)
        if not self._started:
            self.fault = chosen
            return
        async with self._switching:
            self.fault = chosen
            if chosen is Fault.UNREACHABLE:
                await self._close()
            elif self._socket is not None:
                await self._open(self._socket)
            self.release()
        self._changed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _started(self) -> bool:
        return self._runner is not None or self._socket is not None

    async def _open(self, waiting: socket.socket) -> None:
        """Listen on the waiting socket."""
        # Handlers that hang end with their client, or a stopped bot would leave them behind.
        self._runner = web.AppRunner(application(self), access_log=None, handler_cancellation=True)
        await self._runner.setup()
        self._listener = web.SockSite(self._runner, waiting)
        await self._listener.start()
        self._socket = None

    async def _close(self) -> None:
        """Stop listening and break what is open, kept-alive connections too, as a crashed server would."""
        if self._runner is None or self._listener is None or self._address is None or self._runner.server is None:
            return
        await self._listener.stop()
        # At once, before anybody else can take the address.
        self._socket = _bound(*self._address)
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()
        self._runner = self._listener = None


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of an earlier life linger in TIME_WAIT; the address can be taken all the same.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound
