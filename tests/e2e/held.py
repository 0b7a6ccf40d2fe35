"""How much memory a bot holds on to: everything that can be reached from its parts, short of what it talks to."""

from __future__ import annotations

import asyncio
import gc
import sys
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

from bot.clock import Clock

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType, asyncio.AbstractEventLoop, Clock)
"""What belongs to the program or to the whole process, and leads everywhere."""
_OUTSIDE = ("bot.sandbox", "tests")


def held(*parts: object) -> int:
    """Bytes."""
    found = 0
    seen: set[int] = set()
    waiting = list(parts)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _SHARED) or type(one).__module__.startswith(_OUTSIDE):
            continue
        seen.add(id(one))
        found += sys.getsizeof(one)
        waiting.extend(gc.get_referents(one))
    return found
