"""What somebody types, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.app import app

ROOT = Path(__file__).parents[2]


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Cli:
    """A shell in a folder of its own."""

    cwd: Path
    monkeypatch: pytest.MonkeyPatch

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)

    def write(self, name: str, text: str) -> Path:
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    async def __call__(self, *words: str) -> Answer:
        """A verb that ends. The servers that it asks run on this thread, so it runs on another."""
        result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    @contextlib.asynccontextmanager
    async def process(self, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A verb as a process of its own; it does not outlive the block."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=self.cwd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A shell starts what it puts into the background deaf to Ctrl-C, and so deaf are the tests' processes then.
            preexec_fn=_hear_ctrl_c,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def line_with(stream: asyncio.StreamReader | None, words: str) -> str:
    """The first line that holds `words`; fails when the stream ends without one."""
    assert stream is not None
    seen = []
    async with asyncio.timeout(60):
        async for line in stream:
            seen.append(line.decode())
            if words in seen[-1]:
                return seen[-1]
    raise AssertionError(f"{words!r} does not stand in: {''.join(seen)}")
