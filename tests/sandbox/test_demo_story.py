"""The story of the demonstration: it pauses, goes on, is told anew, and is followed by whoever looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.itempath import SimulatedItemPath
from bot.sandbox.sites import mount_sites
from bot.sandbox.story import Beat, Teller

Serve = Callable[[Teller], Awaitable[TestServer]]


async def test_the_story_goes_on_without_what_a_visitor_has_taken_away() -> None:
    told: list[str] = []
    async with SimulatedItemPath("berlin", connections=[{"id": 1}]) as site:
        site.remove(1)
        teller = Teller(
            [
                Beat(at=0, text="It falls.", act=lambda: site.set_status(1, 0)),
                Beat(at=0, text="It goes on.", act=lambda: told.append("went on")),
            ]
        )
        await teller.play()

    assert told == ["went on"]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def served(teller: Teller) -> TestServer:
        app = web.Application()
        teller.mount(app)
        mount_sites(app, [])
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        return server

    yield served
    for server in servers:
        await server.close()


async def _events(stream: aiohttp.ClientResponse, number: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while len(found) < number:
        line = (await stream.content.readline()).decode()
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    return found


async def test_whoever_looks_late_sees_where_the_story_stands_and_what_comes_next(
    serve: Serve,
) -> None:
    going_on = asyncio.Event()
    beats = [
        Beat(at=0, text="First.", act=lambda: None),
        Beat(at=0.01, text="Second.", act=going_on.wait),
        Beat(at=0.02, text="Third.", act=lambda: None),
    ]
    teller = Teller(beats)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    playing = asyncio.create_task(teller.play())
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        first = (await _events(stream, 1))[0]
        while first["text"] != "Second.":
            first = (await _events(stream, 1))[0]
        async with session.get(url) as late:
            assert await _events(late, 1) == [{"at": 0.01, "text": "Second.", "step": 2, "of": 3, "how": "told"}]
            going_on.set()
            assert (await _events(late, 1))[0]["text"] == "Third."
    await playing


async def _does(session: aiohttp.ClientSession, server: TestServer, what: str) -> None:
    async with session.post(server.make_url(f"/demo/story/{what}"), json={}) as answer:
        assert await answer.json() == {"ok": True}


async def test_a_paused_story_waits_and_goes_on_where_it_was(serve: Serve) -> None:
    told: list[str] = []
    teller = Teller(
        [
            Beat(at=0, text="First.", act=lambda: told.append("first")),
            Beat(at=0.1, text="Second.", act=lambda: told.append("second")),
        ]
    )
    server = await serve(teller)
    async with aiohttp.ClientSession() as session, session.get(server.make_url("/demo/story")) as stream:
        playing = asyncio.create_task(teller.play())
        assert (await _events(stream, 1))[0]["how"] == "told"
        await _does(session, server, "again")  # without a meaning now
        await _does(session, server, "pause")
        assert (await _events(stream, 1))[0] | {"how": ""} == {"at": 0, "text": "First.", "step": 1, "of": 2, "how": ""}
        done, _ = await asyncio.wait([playing], timeout=0.2)
        assert (done, told) == (set(), ["first"])

        await _does(session, server, "go-on")
        # A reader gets the newest, not every one in between.
        while (event := (await _events(stream, 1))[0])["how"] != "over":
            assert event["how"] == "told"
        await playing

    assert told == ["first", "second"]


async def test_a_story_is_told_anew_after_the_world_is_back_at_its_start(serve: Serve) -> None:
    told: list[str] = []
    teller = Teller(
        [Beat(at=0, text="First.", again="Once more.", act=lambda: told.append("act"))],
        reset=lambda: told.append("reset"),
        over=lambda: told.append("over"),
    )
    server = await serve(teller)
    async with aiohttp.ClientSession() as session, session.get(server.make_url("/demo/story")) as stream:
        performing = asyncio.create_task(teller.perform())
        while (event := (await _events(stream, 1))[0])["how"] != "over":
            pass
        assert event["text"] == "First."
        await _does(session, server, "again")
        while (event := (await _events(stream, 1))[0])["how"] != "over":
            pass
        assert event["text"] == "Once more."
        performing.cancel()

    # The last of them comes after the word that it is over.
    assert told[:4] == ["act", "over", "reset", "act"]


async def test_a_silent_stream_is_kept_alive_and_ends_with_the_server(serve: Serve) -> None:
    teller = Teller([], heartbeat=0.01)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        assert [await stream.content.readline() for _ in range(4)] == [b": still here\n", b"\n"] * 2
        closing = asyncio.create_task(server.close())
        rest = await stream.content.read()
        await closing

    assert set(rest.split()) <= {b":", b"still", b"here"}


async def test_a_reader_that_goes_away_is_no_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    teller = Teller([], heartbeat=0.01)
    server = await serve(teller)
    url = server.make_url("/demo/story")
    async with aiohttp.ClientSession() as session:
        stream = await session.get(url)
        await stream.content.readline()
        stream.close()
        async with session.get(url) as other:
            for _ in range(6):
                await other.content.readline()

    assert not caplog.records
