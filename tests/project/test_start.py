"""What starting costs, counted in what is imported: that does not depend on the machine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("aiohttp", "aiosqlite", "alembic", "asyncio", "asyncpg", "prometheus_client"),
    *("pydantic", "rich", "slack_sdk", "sqlalchemy", "structlog"),
}


@pytest.mark.parametrize("verb", [[], ["run"], ["check"], ["demo"], ["connections"], ["incidents"]])
def test_help_needs_none_of_the_machinery(root: Path, verb: list[str]) -> None:
    """`--help` answers at once because it imports neither clients nor the database."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", *verb, "--help"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Usage" in told.stdout
    imported = set(re.findall(r"^import time:.*\| +(\w+)", told.stderr, re.MULTILINE))
    assert "bot" in imported
    assert imported & HEAVY == set()
