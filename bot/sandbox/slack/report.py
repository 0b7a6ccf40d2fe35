"""What is wrong with a message, in Slack's own words and with its JSON pointers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


class Report:
    """Collects every problem of one payload, and how many characters a reader would see."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.characters = 0

    def add(self, what: str, pointer: str) -> None:
        self.problems.append(f"[ERROR] {what} [json-pointer:{pointer}]")

    def keys(
        self, value: dict[str, Any], pointer: str, *, required: Collection[str], optional: Collection[str]
    ) -> None:
        """Slack refuses fields it does not know, and names those that are missing."""
        for key in required:
            if key not in value:
                self.add(f"missing required field: {key}", pointer)
        for key in value:
            if key not in required and key not in optional:
                self.add(f"invalid additional property: {key}", pointer)

    def string(
        self, value: Any, pointer: str, *, limit: int | None = None, shown: bool = True, empty: bool = False
    ) -> None:
        """A string of 1 (or, with `empty`, 0) to `limit` characters; `shown` ones count towards the message's size."""
        if not isinstance(value, str):
            self.add("must be a string", pointer)
            return
        if not value and not empty:
            self.add("must be more than 0 characters", pointer)
        if limit is not None and len(value) > limit:
            self.add(f"must be less than {limit + 1} characters", pointer)
        if shown:
            self.characters += len(value)

    def boolean(self, value: Any, pointer: str) -> None:
        if not isinstance(value, bool):
            self.add("must be a boolean", pointer)

    def one_of(self, value: Any, pointer: str, allowed: Collection[str]) -> bool:
        if value in allowed:
            return True
        self.add(f"must be one of: {', '.join(allowed)}", pointer)
        return False

    def kind(self, value: dict[str, Any], pointer: str, allowed: Collection[str]) -> str | None:
        """The `type` of a block or element, or nothing when it is none of these (which is reported)."""
        found = value.get("type")
        if isinstance(found, str) and found in allowed:
            return found
        self.add(f"unsupported type: {found}", f"{pointer}/type")
        return None

    def object(self, value: Any, pointer: str) -> bool:
        if isinstance(value, dict):
            return True
        self.add("must provide an object", pointer)
        return False

    def array(self, value: Any, pointer: str, *, most: int | None = None, least: int = 1) -> list[Any]:
        """The items, or nothing when it is no array (which is reported)."""
        if not isinstance(value, list):
            self.add("must provide an array", pointer)
            return []
        if len(value) < least:
            self.add(f"no less than {least} items allowed", pointer)
        if most is not None and len(value) > most:
            self.add(f"no more than {most} items allowed", pointer)
        return value
