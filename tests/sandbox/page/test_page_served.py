"""The page's files as they are served: what a browser is told about them, and that they need nothing from elsewhere."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.sandbox.page import routes

FILES = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in resources.files("bot.sandbox.page").iterdir()
    if entry.is_file()
}
ASSETS = {name: text for name, text in FILES.items() if not name.endswith((".py", ".pyc"))}
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("assets/app.js", "text/javascript; charset=utf-8"),
        ("assets/style.css", "text/css; charset=utf-8"),
        ("assets/icon.svg", "image/svg+xml"),
    ],
)
async def test_each_file_says_what_it_is_and_may_load_only_its_own_origin(
    backend: Any, path: str, content_type: str
) -> None:
    async with ClientSession() as session, session.get(backend.url + path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_files_that_are_not_the_pages_are_not_served(backend: Any) -> None:
    """The package's Python is no asset, and a path cannot climb out of the folder."""
    async with ClientSession() as session:
        for path in ("assets/__init__.py", "assets/..%2Fitempath.py", "assets/index.html", "assets/nothing.js"):
            async with session.get(backend.url + path) as response:
                assert response.status == 404


def test_every_file_that_the_page_names_is_served() -> None:
    served = {route.path for route in routes()}
    named = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', ASSETS["index.html"]))
    for name, text in ASSETS.items():
        if name.endswith(".js"):
            named |= {f"/assets/{module}" for module in re.findall(r"from '\./([\w.]+)'", text)}

    assert named
    assert named <= served


def test_the_page_names_no_address_elsewhere() -> None:
    for name, text in ASSETS.items():
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("//", "*", "/*")))
        addresses = set(re.findall(r"https?://[^\s'\"`]+", code)) - {SVG_NAMESPACE}

        assert not addresses, name


def test_foreign_text_never_becomes_markup() -> None:
    """Nothing in the page turns a string into HTML or code; text nodes are the only way in."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser"
    )
    for name, text in ASSETS.items():
        assert not forbidden.search(text), name
