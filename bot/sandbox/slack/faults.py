"""What can go wrong with a call, on demand: refusals, silence, and answers lost after the message was taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

Kind = Literal["answer", "rate_limited", "status", "error", "hang", "drop", "reset", "garbage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail. With `accepted` the call is carried out first, and only its answer is lost."""

    kind: Kind
    accepted: bool = False
    status: int = 200
    error: str = ""
    retry_after: int = 1
    visible_after: float = 0.0

    @classmethod
    def rate_limited(cls, retry_after: int = 1) -> Fault:
        """HTTP 429 with `Retry-After` in seconds."""
        return cls(kind="rate_limited", status=429, retry_after=retry_after)

    @classmethod
    def http(cls, status: int, *, accepted: bool = False) -> Fault:
        """An answer with this status and no JSON, as Slack's front door gives when what is behind it fails."""
        return cls(kind="status", status=status, accepted=accepted)

    @classmethod
    def says(cls, error: str, *, accepted: bool = False) -> Fault:
        """`{"ok": false, "error": …}`."""
        return cls(kind="error", error=error, accepted=accepted)

    @classmethod
    def hang(cls, *, accepted: bool = False) -> Fault:
        """No answer until the caller gives up."""
        return cls(kind="hang", accepted=accepted)

    @classmethod
    def drop(cls, *, accepted: bool = False) -> Fault:
        """The connection is closed without an answer."""
        return cls(kind="drop", accepted=accepted)

    @classmethod
    def reset(cls, *, accepted: bool = False) -> Fault:
        """The connection is reset (TCP RST)."""
        return cls(kind="reset", accepted=accepted)

    @classmethod
    def garbage(cls, *, accepted: bool = False) -> Fault:
        """HTTP 200 with something that is not JSON."""
        return cls(kind="garbage", accepted=accepted)

    @classmethod
    def late(cls, seconds: float, then: Fault | None = None) -> Fault:
        """Taken, but history shows it only after `seconds` (of the workspace's time); `then` is how it is answered."""
        if then is None:
            return cls(kind="answer", accepted=True, visible_after=seconds)
        return cls(
            kind=then.kind,
            accepted=True,
            visible_after=seconds,
            status=then.status,
            error=then.error,
            retry_after=then.retry_after,
        )


@dataclass(slots=True)
class _Planned:
    fault: Fault
    method: str
    times: int | None
    when: Callable[[dict[str, Any]], bool]


class Gate:
    """Holds the answers of a method until it is opened. Usable as `with slack.gate("chat.update") as gate:`."""

    def __init__(self, method: str, *, before: bool, poke: Callable[[], None]) -> None:
        self.method = method
        self.before = before
        self.held = 0
        """How many calls stand at the gate now."""
        self._open = asyncio.Event()
        self._poke = poke

    def release(self) -> None:
        """Let everything through, for good."""
        self._open.set()

    async def hold(self) -> None:
        if self._open.is_set():
            return
        self.held += 1
        self._poke()
        try:
            await self._open.wait()
        finally:
            self.held -= 1
            self._poke()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(slots=True)
class Faults:
    """The plan: faults are used up in the order in which they were added."""

    poke: Callable[[], None]
    refusing: str | None = None
    """While set, everything the bot asks is refused so: an error's name, `ratelimited` or `timeout`."""
    _planned: list[_Planned] = field(default_factory=list)
    _gates: list[Gate] = field(default_factory=list)

    def add(
        self,
        method: str,
        fault: Fault,
        *,
        times: int | None = 1,
        when: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> None:
        """The next `times` calls (`None`: all) of `method` (`*`: any) whose arguments satisfy `when` fail like this."""
        self._planned.append(_Planned(fault, method, times, when))

    def clear(self) -> None:
        """Forget what is planned and open every gate."""
        self._planned.clear()
        for gate in self._gates:
            gate.release()
        self._gates.clear()

    def gate(self, method: str, *, before: bool = False) -> Gate:
        """Hold each answer of `method` after the call took effect, or with `before` ahead of it."""
        gate = Gate(method, before=before, poke=self.poke)
        self._gates.append(gate)
        return gate

    async def hold(self, method: str, *, before: bool) -> None:
        for gate in list(self._gates):
            if gate.method in (method, "*") and gate.before is before:
                await gate.hold()

    def take(self, method: str, arguments: dict[str, Any]) -> Fault | None:
        """The fault for this call, used up by it."""
        if self.refusing is not None:
            special = {"ratelimited": Fault.rate_limited(), "timeout": Fault.hang()}
            return special.get(self.refusing, Fault.says(self.refusing))
        for planned in self._planned:
            if planned.method in (method, "*") and planned.when(arguments):
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times == 0:
                        self._planned.remove(planned)
                return planned.fault
        return None
