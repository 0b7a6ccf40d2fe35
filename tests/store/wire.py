"""The network between a bot and a PostgreSQL server."""

from __future__ import annotations

import asyncio
import contextlib


class Wire:
    """Carries everything to the server's socket. It can be cut and made anew, and it can fall silent."""

    def __init__(self, url: str, port: int) -> None:
        name, self._folder = url.removeprefix("postgresql://postgres:@/").split("?host=")
        self.url = f"postgresql://postgres:@127.0.0.1:{port}/{name}?sslmode=disable"
        self._port = port
        self.used = asyncio.Event()
        self._hears = asyncio.Event()
        self._hears.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    def fall_silent(self) -> None:
        self._hears.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.5432")
        self._writers += [writer, forth]
        self.used.set()
        for source, target in ((reader, forth), (back, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._hears.wait()
                target.write(data)
                await target.drain()
            target.close()

    async def end(self) -> None:
        """As when the server ends: connections break, and new ones are refused."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
