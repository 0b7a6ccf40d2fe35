"""
The sandbox's web page: a Slack channel to look at, beside the simulated ItemPath sites with their switches.

`routes()` serves the page itself and nothing else; its data comes from the local Slack (`/page/…`), the simulated sites
(`/sites/…`) and, if there is one, the scenario (`/demo/story`), all on the same origin. The files are plain HTML, CSS and
JavaScript read from the installed package: no build, no framework, nothing from elsewhere.
"""

from collections.abc import Awaitable, Callable
from importlib import resources
from types import MappingProxyType

from aiohttp import web

# Fixed here rather than guessed by `mimetypes`, which asks the machine's own tables: a browser refuses a module whose
# type is not JavaScript, whatever the machine thinks of `.js`.
_CONTENT_TYPES = MappingProxyType(
    {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
)

# What the page shows is foreign text, so the browser is told to run and load nothing but the page's own files.
# no-store: the page belongs to the process that serves it, and an old one against a newer bot would only mislead.
_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)


def routes() -> list[web.RouteDef]:
    """`GET /` is the page, `GET /assets/<file>` each of its files; all are read once, here."""
    table = []
    for entry in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
        suffix = "." + entry.name.rpartition(".")[2]
        if suffix not in _CONTENT_TYPES:
            continue
        path = "/" if entry.name == "index.html" else f"/assets/{entry.name}"
        table.append(web.get(path, _serve(entry.read_bytes(), _CONTENT_TYPES[suffix])))
    return table


def _serve(body: bytes, content_type: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(_: web.Request) -> web.StreamResponse:
        charset = None if content_type == "image/svg+xml" else "utf-8"
        return web.Response(body=body, content_type=content_type, charset=charset, headers=_HEADERS)

    return handler
