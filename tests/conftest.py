"""What holds for all tests: none depends on this machine's environment, and none on how fast this machine is."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Time limits on single examples would make slow machines fail.
settings.register_profile("default", deadline=None, max_examples=40)
# For a long look by hand: `pytest --hypothesis-profile=thorough tests/core/test_laws.py`.
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's own variables must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("BOT_", "SLACK_", "ITEMPATH_")):
            monkeypatch.delenv(name)
