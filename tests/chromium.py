"""The browser of the tests and of the pictures: the Chromium of this machine, or the one that CHROMIUM names."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Browser

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    # Imported here: who runs the tests without a browser needs no playwright.
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=named(), args=_FLAGS)
        yield browser
        await browser.close()


def named() -> str:
    """Raises `FileNotFoundError` when there is none, which playwright would look for elsewhere."""
    name = os.environ.get("CHROMIUM", "chromium")
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"There is no {name}: apt install chromium, or name another one with CHROMIUM=….")
    return found
