"""The container image, as far as it can be judged without a container engine."""

import asyncio
import os
import re
import socket
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.healthcheck import address


def instructions(root: Path) -> list[list[str]]:
    text = (root / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_build_context_holds_what_the_image_copies_and_nothing_more(root: Path) -> None:
    ignore = (root / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source.removeprefix("./")
        for words in instructions(root)
        if words[0] == "COPY" and not words[1].startswith("--")
        for source in words[1:-1]
    }
    assert "*" in ignore
    assert copied == let_through
    assert [source for source in copied if not (root / source).exists()] == []


def test_the_image_does_not_run_as_root_and_says_so_by_number(root: Path) -> None:
    users = [words[1] for words in instructions(root) if words[0] == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_every_base_image_has_a_version(root: Path) -> None:
    bases = [words[1] for words in instructions(root) if words[0] == "FROM"]
    assert bases
    assert all(fnmatch(base, "python:3.[0-9]*-slim") for base in bases)


def test_the_health_check_of_the_image_is_the_one_that_is_tested_here(root: Path) -> None:
    (check,) = [words for words in instructions(root) if words[0] == "HEALTHCHECK"]
    assert " ".join(check).endswith('CMD ["python", "-m", "bot.healthcheck"]')


@pytest.mark.parametrize(
    ("listen", "asked"),
    [
        (None, ("127.0.0.1", 8080)),
        ("", ("127.0.0.1", 8080)),
        ("0.0.0.0:9000", ("127.0.0.1", 9000)),
        (":9000", ("127.0.0.1", 9000)),
        ("[::]:9000", ("::1", 9000)),
        ("10.1.2.3:9000", ("10.1.2.3", 9000)),
    ],
)
def test_the_health_check_asks_where_the_bot_listens(listen: str | None, asked: tuple[str, int]) -> None:
    assert address({} if listen is None else {"BOT_LISTEN": listen}) == asked


async def check(root: Path, listen: str) -> tuple[int | None, str]:
    """The health check as the container runs it: exit status, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.healthcheck",
        cwd=root,
        env={**os.environ, "BOT_LISTEN": listen},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), timeout=30)
    return process.returncode, said.decode()


@pytest.mark.parametrize(("status", "code", "says"), [(200, 0, ""), (503, 1, "/healthz: 503\n")])
async def test_the_health_check_passes_the_answer_on(root: Path, status: int, code: int, says: str) -> None:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    async with TestServer(app, host="127.0.0.1") as server:
        assert await check(root, f"127.0.0.1:{server.port}") == (code, says)


async def test_the_health_check_fails_when_nothing_listens(root: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # held, but not listening: nobody else can answer there
        code, said = await check(root, f"127.0.0.1:{bound.getsockname()[1]}")
    assert code == 1
    assert "refused" in said


async def test_the_health_check_fails_on_an_address_that_is_none(root: Path) -> None:
    code, said = await check(root, "127.0.0.1:http")
    assert code == 1
    assert "/healthz:" in said
