"""The container's health check: asks the bot beside it for `/healthz`. Exit status 0: alive; 1: not, and why.

It reads `BOT_LISTEN`, as the bot does, and imports the standard library alone: it runs every half minute.
"""

import http.client
import os
import sys
from collections.abc import Mapping

TIMEOUT = 4  # seconds; below the health check's own, so that the reason is said instead of a kill
ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Where the bot can be reached from beside it: an address that means "all of them" is asked at loopback."""
    host, _, port = (environ.get("BOT_LISTEN") or "127.0.0.1:8080").rpartition(":")
    host = host.strip("[]")
    return ANY_ADDRESS.get(host, host), int(port)


def trouble(environ: Mapping[str, str]) -> str | None:
    """What is wrong with the bot, or None."""
    try:
        connection = http.client.HTTPConnection(*address(environ), timeout=TIMEOUT)
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"/healthz: {error}"
    return None if status == http.client.OK else f"/healthz: {status}"


if __name__ == "__main__":
    sys.exit(trouble(os.environ))
