"""Can the database be used, and what would `run` do to it?"""

from __future__ import annotations

from collections.abc import Iterable

from bot.check.lines import Line, warning, wrong
from bot.store.errors import DatabaseMissing, SchemaOlder, StoreError
from bot.store.preflight import could_write
from bot.store.store import Store

_WHAT = "database"


async def check_database(url: str, *, channels: Iterable[str]) -> tuple[Line, dict[str, str]]:
    """The line, and which of `channels` (names) the bot remembers by id: those it would not ask Slack for again."""
    remembered: dict[str, str] = {}
    try:
        sure = await could_write(url)
        said, remembered = await _read(url, channels, sure=sure)
    except StoreError as error:
        return wrong(_WHAT, error.problem, error.advice), remembered
    if not sure:
        return warning(_WHAT, said, "see whether `run` starts, or name a folder on a local disk"), remembered
    return Line(what=_WHAT, said=said), remembered


async def _read(url: str, channels: Iterable[str], *, sure: bool) -> tuple[str, dict[str, str]]:
    try:
        store = await Store.open(url, write=False)
    except DatabaseMissing as error:
        become = "`run` will make it." if sure else "Whether it can be made there cannot be told."
        return f"{error.problem} {become}", {}
    except SchemaOlder as error:
        return f"{error.problem} `run` will see to it.", {}
    try:
        known = {name: await store.channel_id(name.removeprefix("#")) for name in channels}
        sites = len(await store.sites())
    finally:
        await store.close()
    told = f"readable and writable, with {sites} site{'' if sites == 1 else 's'} in it"
    return told, {name: channel_id for name, channel_id in known.items() if channel_id is not None}
