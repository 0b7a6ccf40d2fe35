"""`connections`: ItemPath, asked from a terminal. Every site is asked at once, and one that fails costs itself only."""

from __future__ import annotations

import asyncio
import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from bot.check.sites import client_of
from bot.cli.output import Column, complain, moment, say, say_json, say_table, shown
from bot.cli.working import ended, log_to_stderr, settings_of, warn
from bot.core.connection import Connection, Log, Snapshot, State, UnreadableRow
from bot.core.masking import mask
from bot.itempath.errors import ItemPathError, NotFound
from bot.itempath.queries import ConnectionFilter
from bot.settings import LOOK_UP, SiteSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was typed."""

    id: str | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields of `ConnectionFilter`."""
    order_by: tuple[str, ...] = ()
    page: int | None = None
    limit: int | None = None
    count: bool = False
    site: str | None = None
    as_json: bool = False


Row: TypeAlias = Connection | UnreadableRow
Answers: TypeAlias = list[tuple[str, Connection | Snapshot | int]]
"""By site."""


def look_up(config: Path | None, question: Question) -> int:
    """The exit status."""
    settings = settings_of(config, needs=LOOK_UP)
    log_to_stderr(settings, otherwise="console")
    warn(settings)
    chosen = _sites(settings.sites, question)
    if chosen is None:
        return 1
    sites, id_ = chosen
    return ended(_look_up(sites, id_, question))


def _sites(sites: Sequence[SiteSettings], question: Question) -> tuple[Sequence[SiteSettings], str | None] | None:
    """Which sites to ask, and for which id; `None` after saying that there is no such site."""
    names = [site.name for site in sites]
    wanted, id_ = question.site, question.id
    if id_ is not None and "/" in id_:
        prefix, _, rest = id_.partition("/")
        if wanted is not None and prefix != wanted:
            complain(f"{shown(id_)} and --site {shown(wanted)} name different sites.")
            return None
        wanted, id_ = prefix, rest
    if wanted is None:
        return sites, id_
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        complain(f"There is no site {shown(wanted) or '(blank)'}; there is {', '.join(names)}.{hint}")
        return None
    return [site for site in sites if site.name == wanted], id_


async def _look_up(sites: Sequence[SiteSettings], id_: str | None, question: Question) -> int:
    results = await asyncio.gather(*(_ask(site, id_, question) for site in sites))
    answers: Answers = []
    failed = False
    missing: list[str] = []
    for site, result in zip(sites, results, strict=True):
        if isinstance(result, NotFound) and id_ is not None:
            missing.append(site.name)
        elif isinstance(result, ItemPathError):
            failed = True
            complain(f"{site.name}: {result.message} {result.advice}")
        else:
            answers.append((site.name, result))
    if id_ is not None and not answers and missing:
        complain(
            f"There is no connection {shown(id_)} at {', '.join(missing)}. `connections` lists them all.{_by_name(id_)}"
        )
    one_site = len(sites) == 1
    if question.count:
        _say_counts(answers, one_site=one_site, as_json=question.as_json)
    elif id_ is not None:
        _say_records(answers, one_site=one_site, as_json=question.as_json)
    else:
        _say_list(answers, one_site=one_site, as_json=question.as_json, narrower=_narrower(question))
    return 1 if failed or not answers else 0


async def _ask(site: SiteSettings, id_: str | None, question: Question) -> Connection | Snapshot | int | ItemPathError:
    filters = ConnectionFilter(**question.filters)
    async with client_of(site) as client:
        try:
            if id_ is not None:
                return await client.connection(id_)
            if question.count:
                return await client.count(filters)
            if question.order_by or question.limit is not None:
                return await client.page(filters, order_by=question.order_by, page=question.page, limit=question.limit)
            return await client.connections(filters)
        except ItemPathError as error:
            return error


def _say_counts(answers: Answers, *, one_site: bool, as_json: bool) -> None:
    if as_json:
        counts: list[dict[str, Any]] = [{"site": site, "count": number} for site, number in answers]
        say_json(counts if not one_site else counts[0]["count"] if counts else None)
    elif one_site:
        for _, number in answers:
            say(str(number))
    elif answers:
        say_table([Column(name="site"), Column(name="count")], [(site, str(number)) for site, number in answers])


def _say_records(answers: Answers, *, one_site: bool, as_json: bool) -> None:
    found = [(site, row) for site, row in answers if isinstance(row, Connection)]
    if as_json:
        records = [as_api(site, row) for site, row in found]
        if not one_site:
            say_json(records)
        elif records:
            say_json(records[0])
        return
    columns = [Column(name="field"), Column(name="value", whole=False)]
    for number, (site, row) in enumerate(found):
        if number:
            say("")
        say_table(columns, list(_fields(site, row)), heading=False)


def _by_name(id_: str) -> str:
    """How to ask for what reads like a name."""
    return "" if id_.isdecimal() else f" By its name: connections --name {_like(id_)}"


def _narrower(question: Question) -> str:
    """How to ask for a part, where the whole was asked for: ItemPath compares exactly, in upper and lower case too."""
    exact = [
        f"--{name} {_like(value)}"
        for name in ("name", "type", "authentication")
        for value in question.filters.get(name, ())
        if not value.startswith("[")
    ]
    return f" ItemPath compares all of the text, as it is written; a part of it: {' '.join(exact)}" if exact else ""


def _like(text: str) -> str:
    return shlex.quote(f"[like]{shown(text)}")


def _say_list(answers: Answers, *, one_site: bool, as_json: bool, narrower: str) -> None:
    rows: list[tuple[str, Row]] = []
    for site, snapshot in [(site, found) for site, found in answers if isinstance(found, Snapshot)]:
        rows += [(site, row) for row in snapshot.connections]
        rows += [(site, row) for row in snapshot.unreadable]
    if as_json:
        say_json([as_api(site, row) for site, row in rows])
        return
    if not rows:
        if answers:
            complain(f"No connection matches.{narrower}")
        return
    columns = [
        Column(name="state"),
        *([] if one_site else [Column(name="site")]),
        Column(name="id"),
        Column(name="name", whole=False),
        Column(name="type", at_least=60),
        Column(name="authentication", at_least=120),
        Column(name="address", at_least=90, whole=False),
        Column(name="used by", at_least=140),
        Column(name="last check", at_least=140),
        Column(name="error", at_least=80, whole=False),
    ]
    say_table(columns, [_cells(site, row, one_site=one_site) for site, row in rows])


def _cells(site: str, row: Row, *, one_site: bool) -> list[str]:
    of_site = [] if one_site else [site]
    if isinstance(row, UnreadableRow):
        told = f"cannot be read: {row.problem}"
        return [State.UNKNOWN, *of_site, shown(row.id), "", "", "", "", "", "", shown(told)]
    log = row.latest_log
    return [
        row.state,
        *of_site,
        shown(row.id),
        shown(row.name),
        shown(row.type),
        shown(row.authentication),
        shown(row.url),
        "" if row.integration_count is None else str(row.integration_count),
        moment(row.last_check),
        shown(log.error) if log is not None and log.has_error else "",
    ]


def _fields(site: str, row: Connection) -> list[tuple[str, str]]:
    """Every field of the API, named as there; a log's are set in."""
    told: list[tuple[str, str]] = []
    for name, value in as_api(site, row, times=moment).items():
        if isinstance(value, dict):
            told.append((name, ""))
            told += [(f"  {key}", _value(each)) for key, each in value.items()]
        else:
            told.append((name, _value(value)))
    return told


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(str(value)) or "-"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def as_api(site: str, row: Row, *, times: Any = _iso) -> dict[str, Any]:
    """A row by the field names of ItemPath's API, with `site` and `state` before them. Times are UTC.

    A row that could not be understood has `site`, `id`, `state` and `problem`.
    """
    if isinstance(row, UnreadableRow):
        return {"site": site, "id": row.id, "state": State.UNKNOWN.value, "problem": row.problem}
    return {
        "site": site,
        "id": row.id,
        "state": row.state.value,
        "name": row.name,
        "appId": row.app_id,
        "url": row.url and mask(row.url),
        "type": row.type,
        "authentication": row.authentication,
        "username": row.username,
        "passwordExists": row.password_exists,
        "tokenExists": row.token_exists,
        "isTestable": row.is_testable,
        "status": row.status,
        "latestConnection": times(row.latest_connection),
        "creationDate": times(row.created),
        "latestLog": None if row.latest_log is None else _log_as_api(row.latest_log, times),
        "integrationCount": row.integration_count,
        "lastCheck": times(row.last_check),
    }


def _log_as_api(log: Log, times: Any) -> dict[str, Any]:
    return {
        "id": log.id,
        "creationDate": times(log.at),
        "status": log.status,
        "description": log.description and mask(log.description),
        "error": log.error and mask(log.error),
        "appId": log.app_id,
        "integrationId": log.integration_id,
        "workflowId": log.workflow_id,
        "taskId": log.task_id,
        "time": log.seconds,
    }
