"""A disk that takes nothing any more, below a real process: the kernel refuses what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp

from tests.e2e.process import Outside


async def test_while_the_disk_takes_nothing_it_looks_on_and_afterwards_tells_what_it_saw(tmp_path: Path) -> None:
    """Its log stands on the same disk. Meanwhile nothing is said that is not kept, nothing ends, and probes hear of it."""
    async with Outside(tmp_path) as outside, aiohttp.ClientSession() as probe:
        await outside.start()
        await outside.sees(outside.lines)
        listening = json.loads(outside.log.read_text().splitlines()[0])
        ready = f"http://127.0.0.1:{listening['port']}/readyz"

        outside.let_files_grow(0)
        outside.site.set_status(1, 0)
        await outside.site.polled(4)
        async with probe.get(ready) as answer:
            assert answer.status == 503
            assert "disk" in await answer.text()
        assert not outside.down()

        outside.let_files_grow()
        await outside.sees(outside.down)
        (alert,) = outside.down()
        assert "while this bot could record nothing" in json.dumps(alert["blocks"])
        async with probe.get(ready) as answer:
            assert answer.status == 200

        outside.site.set_status(1, 1)
        await outside.sees(lambda: len(outside.lines()) == 3)
        await outside.idle()
        assert [line.split("PowerPick")[0] for line in outside.lines()[1:]] == ["root 🟢 ", "  broadcast 🟢 "]
        assert await outside.terminate() == 0
