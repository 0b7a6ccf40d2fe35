"""A clock for the simulated ItemPath whose hands are moved by the test."""

from __future__ import annotations

from datetime import UTC, datetime

START = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)


class Hands:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at
