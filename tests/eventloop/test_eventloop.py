"""What the process says of its event loop."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from bot import eventloop
from bot.clock import Clock
from bot.eventloop import Complaints

CHILD = """
import asyncio, os, resource, socket, sys
from aiohttp import web
from bot.clock import Clock
from bot import eventloop
from bot.eventloop import Complaints
from bot.telemetry import configure_logging

async def main():
    configure_logging(format="json")
    asyncio.get_running_loop().set_exception_handler(Complaints(Clock()))
    async def answer(request):
        return web.Response(text="here")
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    clients = [socket.socket() for _ in range(8)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        pass
    for client in clients:
        client.connect(("127.0.0.1", port))
    # Two rounds of asyncio's attempts.
    await asyncio.sleep(1.2)
    for file in taken:
        os.close(file)
    await asyncio.sleep(2.6)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(b"here" in await reader.read())
    writer.close()
    for client in clients:
        client.close()
    await runner.cleanup()

eventloop.OVER_AFTER = 1.4
asyncio.run(main())
"""


def test_out_of_file_descriptors_is_said_once_and_so_is_its_end_and_the_server_goes_on() -> None:
    """Left alone, asyncio writes a traceback for each place in the queue of connections, every second."""
    ran = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=True)

    said = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["event"] for line in said] == ["accepting connections fails", "accepting connections recovered"]
    assert said[0]["reason"] == "Too many open files"
    assert ran.stdout == "True\n"


async def test_a_complaint_of_another_kind_is_left_to_asyncio(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Complaints(Clock()))
    for context in (
        {"message": "a task was lost"},
        {"message": "socket.accept() out of system resource", "exception": ValueError("no")},
    ):
        loop.call_exception_handler(context)

    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


async def test_it_is_over_when_nothing_was_heard_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventloop, "OVER_AFTER", 0.02)
    loop = asyncio.get_running_loop()
    context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")}
    complaints = Complaints(Clock())
    with capture_logs() as logs:
        for _ in range(100):
            complaints(loop, context)
        await asyncio.sleep(0.05)
        complaints(loop, context)
        await asyncio.sleep(0.05)

    assert [entry["event"] for entry in logs] == ["accepting connections fails", "accepting connections recovered"] * 2
