"""How Slack says no."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """An `ok: false` answer: Slack's own code, and what the answer carries beside it (`needed`, `response_metadata`)."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.details}


class RateLimitedError(SlackError):
    """Answered with HTTP 429 and `Retry-After` (whole seconds)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after
