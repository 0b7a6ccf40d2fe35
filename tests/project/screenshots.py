"""Takes the README's pictures: the demonstration in a real Chromium, light and dark (`make screenshots`).

The story plays once while two pages look at it. What a picture waits for is on the page, not on the clock.
"""

from __future__ import annotations

import asyncio
import base64
import struct
import sys
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Page

from bot.sandbox.demo import sandbox
from bot.telemetry import configure_logging
from tests.chromium import launched

PICTURES = Path(__file__).parents[2] / "docs/pictures"
SIZE = (1280, 860)
COLOURS = 256
DIFFERENT = 300
"""Squared distance of two colours: ten steps in each of red, green and blue."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# Chromium has the decoder; what it writes itself is twice as large as a picture of a page needs to be.
READ_PIXELS = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const pixels = new Blob([context.getImageData(0, 0, picture.width, picture.height).data]);
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(',')[1]);
    reader.readAsDataURL(pixels);
  });
}"""


def with_palette(rgba: bytes, width: int) -> bytes:
    """A PNG of at most 256 colours; every other becomes the nearest of them (https://www.w3.org/TR/png-3/).

    The commonest that differ: hundreds of shades of letters' edges must not leave a rare sign without its colour.
    """
    pixels = [rgba[at : at + 3] for at in range(0, len(rgba), 4)]
    counted = Counter(pixels)
    palette: list[bytes] = []
    for colour, _ in counted.most_common():
        if len(palette) < COLOURS and all(_distance(colour, other) >= DIFFERENT for other in palette):
            palette.append(colour)
    place = {colour: number for number, colour in enumerate(palette)}
    for colour in counted.keys() - place.keys():
        place[colour] = min(range(len(palette)), key=lambda number: _distance(colour, palette[number]))
    rows = bytes(place[pixel] for pixel in pixels)
    height = len(rows) // width
    lines = b"".join(b"\0" + rows[y * width : (y + 1) * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    name, body = chunk
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


async def take(pages: dict[str, Page], name: str, *, folder: Path = PICTURES, of: str = "body") -> None:
    """`<name>-light.png` and `<name>-dark.png`, of what the selector `of` finds."""
    shots = {scheme: await page.locator(of).screenshot(animations="disabled") for scheme, page in pages.items()}
    for scheme, shot in shots.items():
        # On a blank page: the sandbox's own forbids to load anything from elsewhere.
        blank = await pages[scheme].context.new_page()
        rgba = base64.b64decode(await blank.evaluate(READ_PIXELS, base64.b64encode(shot).decode()))
        await blank.close()
        path = folder / f"{name}-{scheme}.png"
        # The header's first field (https://www.w3.org/TR/png-3/): pages may have other widths.
        width: int = struct.unpack(">I", shot[16:20])[0]
        path.write_bytes(await asyncio.to_thread(with_palette, rgba, width))
        print(f"{path.relative_to(folder.parents[1])}: {path.stat().st_size // 1000} kB")  # noqa: T201


async def shown(pages: dict[str, Page], text: str) -> None:
    await asyncio.gather(*(page.locator("#messages").get_by_text(text).last.wait_for() for page in pages.values()))


@asynccontextmanager
async def looking(url: str, *, scale: float = 1.0) -> AsyncIterator[dict[str, Page]]:
    async with launched() as browser:
        pages: dict[str, Page] = {}
        for scheme in SCHEMES:
            context = await browser.new_context(
                viewport={"width": SIZE[0], "height": SIZE[1]},
                device_scale_factor=scale,
                color_scheme=scheme,
                timezone_id="UTC",
                locale="en-GB",
            )
            pages[scheme] = await context.new_page()
            await pages[scheme].goto(url)
        yield pages


async def main() -> None:
    """About a minute: as long as the story takes."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    async with sandbox() as box, looking(box.url) as pages, asyncio.TaskGroup() as tasks:
        service = tasks.create_task(box.run(stop))
        story = tasks.create_task(box.teller.play())
        await shown(pages, "PowerPick is down")
        await take(pages, "outage")
        await shown(pages, "PowerPick is up again")
        for page in pages.values():
            await page.get_by_text("2 replies").click()
            # Away from what shows buttons under it.
            await page.mouse.move(0, 0)
        await take(pages, "recovery")
        await story
        for page in pages.values():
            await page.keyboard.press("Escape")
        await shown(pages, "PowerPick is up")
        await shown(pages, "Share to channel")
        await take(pages, "command")
        stop.set()
        await service


if __name__ == "__main__":
    configure_logging(format="console", level="warning")
    sys.exit(asyncio.run(main()))
