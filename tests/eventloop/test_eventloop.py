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
import asyncio, os, resource, socket
from bot import eventloop
from bot.clock import Clock
from bot.telemetry import Metrics, configure_logging
from bot.web import Waiting, Web

async def main():
    configure_logging(format="json", level="warning")
    asyncio.get_running_loop().set_exception_handler(eventloop.Complaints(Clock()))
    server = Web(Waiting(metrics=Metrics(version="test"), why=str))
    await server.start("127.0.0.1", 0)
    clients = [socket.socket() for _ in range(8)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        pass
    for client in clients:
        client.connect(("127.0.0.1", server.port))
    # Three rounds of asyncio's attempts.
    await asyncio.sleep(2.5)
    for file in taken:
        os.close(file)
    configure_logging(format="json", level="info")
    await asyncio.sleep(2.6)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
    print(b"200 OK" in await reader.read())
    writer.close()
    for client in clients:
        client.close()
    await server.stop()

eventloop.OVER_AFTER = 1.4
asyncio.run(main())
"""


def test_out_of_file_descriptors_is_said_once_and_so_is_its_end_and_the_server_goes_on() -> None:
    """Left alone, asyncio writes a traceback for each place in the queue of connections, again and again."""
    ran = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=True)

    said = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["event"] for line in said] == ["accepting connections fails", "accepting connections recovered"]
    assert said[0]["reason"] == "Too many open files"
    # One attempt a second, however many connections wait.
    assert said[1]["failures"] <= 5
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
