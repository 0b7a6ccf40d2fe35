"""The network between a bot and a PostgreSQL server."""

from __future__ import annotations

import asyncio
import contextlib
import math


class Wire:
    """Carries everything to the server's socket. It can be cut and made anew, and it can fall silent."""

    def __init__(self, url: str, port: int) -> None:
        name, self._folder = url.removeprefix("postgresql://postgres:@/").split("?host=")
        self.url = f"postgresql://postgres:@127.0.0.1:{port}/{name}?sslmode=disable"
        self._port = port
        self.silent = asyncio.Event()
        """Set by the first answer that is kept back."""
        self.tasks: set[asyncio.Task[None]] = set()
        self._answers: float = math.inf
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    def fall_silent(self, *, after: int = 0) -> None:
        """The server hears everything; `after` so many packets of answers nothing comes back."""
        self._answers = after

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.5432")
        self._writers += [writer, forth]
        for carrying in (self._carry(reader, forth), self._carry(back, writer, answers=True)):
            self.tasks.add(asyncio.create_task(carrying))

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                self._answers -= answers
                if answers and self._answers < 0:
                    self.silent.set()
                    await asyncio.Event().wait()
                target.write(data)
                await target.drain()
            target.close()

    async def end(self) -> None:
        """As when the server ends: connections break, and new ones are refused."""
        if self._server is not None:
            self._server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
