"""`incidents`: what the store knows, read beside a running bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli.output import Column, complain, moment, say, say_json, say_table, shown
from bot.cli.reasons import NOTICES, Notice, Reasons, what, words
from bot.cli.working import ended, log_to_stderr, settings_of, warn
from bot.clock import Clock
from bot.core.events import Event
from bot.core.incidents import SITE, Episode, Thread
from bot.core.masking import mask
from bot.settings import STORED, Settings
from bot.slack.wording import duration
from bot.store.errors import DatabaseEmpty, DatabaseMissing, StoreError
from bot.store.store import Store

OPEN, FLAPPING, CLOSED = "open", "flapping", "closed"
"""What flaps is up for the moment: its downtime is over, its incident is not before that has held."""
RECENT = 20
"""Closed ones that a person is shown: about what fits a screen beside the open ones."""
_NOTICED = 1000
"""Events in which the latest notices are looked for: one notice may tell hundreds."""
_ALL = 100_000


def tell(config: Path | None, *, as_json: bool) -> int:
    settings = settings_of(config, needs=STORED)
    log_to_stderr(settings, otherwise="console")
    warn(settings)
    return ended(_tell(settings, as_json=as_json, now=Clock().now()))


async def _tell(settings: Settings, *, as_json: bool, now: datetime) -> int:
    try:
        store = await Store.open(settings.database_url.get_secret_value(), write=False)
        try:
            going_on = await store.episodes(going_on=True, limit=_ALL)
            latest = await store.episodes(limit=_ALL if as_json else RECENT + len(going_on))
            states = {episode.id: OPEN if episode.open else FLAPPING for episode in going_on}
            closed = [episode for episode in latest if episode.id not in states]
            episodes = [*going_on, *(closed if as_json else closed[:RECENT])]
            threads = await store.threads(episode.thread for episode in episodes if episode.thread is not None)
            # A person is shown the notices; how each incident came to be told is too long for a line.
            stored = await store.events(kinds=None if as_json else NOTICES, limit=_ALL if as_json else _NOTICED)
            reasons = Reasons(each.event for each in reversed(stored))
            notices = reasons.notices()
            threads |= await store.threads(notice.thread for notice in notices if notice.thread is not None)
        finally:
            await store.close()
    except (DatabaseMissing, DatabaseEmpty) as error:
        # Before the first `run` nothing is known, and that is an answer.
        complain(f"{error.problem}\n{error.advice}")
        episodes, states, threads, reasons, notices = [], {}, {}, Reasons(()), []
    except StoreError as error:
        complain(f"{error.problem}\n{error.advice}")
        return 1
    if as_json:
        incidents = [_as_json(episode, states, threads, reasons, now) for episode in episodes]
        say_json([*incidents, *(_notice_as_json(notice, threads) for notice in notices)])
        return 0
    if episodes:
        _say(episodes, states, threads, now)
    else:
        say("No incident is known.")
    if notices:
        say("")
        _say_notices(notices[:RECENT])
    return 0


def _say_notices(notices: Sequence[Notice]) -> None:
    columns = [
        Column(name="notice"),
        Column(name="site"),
        Column(name="what", whole=False),
        Column(name="reason", at_least=90),
        Column(name="thread", at_least=110),
    ]
    rows = [
        [
            moment(notice.at),
            shown(notice.site),
            shown(words(notice.events)),
            notice.events[0].reason.replace("_", " "),
            shown(notice.thread),
        ]
        for notice in notices
    ]
    say_table(columns, rows)


def _say(episodes: Sequence[Episode], states: Mapping[str, str], threads: Mapping[str, Thread], now: datetime) -> None:
    columns = [
        Column(name="state"),
        Column(name="since"),
        Column(name="until", at_least=140),
        Column(name="downtime"),
        Column(name="connection"),
        Column(name="name", at_least=70, whole=False),
        Column(name="kind", at_least=90),
        Column(name="reason", at_least=110),
        Column(name="acknowledged by", at_least=150, whole=False),
        Column(name="thread", at_least=160),
        Column(name="error", at_least=120, whole=False),
    ]
    rows = []
    for episode in episodes:
        thread = threads.get(episode.thread or "")
        rows.append(
            [
                states.get(episode.id, CLOSED),
                moment(episode.start),
                moment(episode.end),
                duration(_downtime(episode, now)),
                shown(_reference(episode)),
                shown(_name(episode)),
                episode.kind.value,
                _reason(episode).replace("_", " "),
                shown(thread.ack_by.name) if thread is not None and thread.ack_by is not None else "",
                shown(episode.thread),
                shown(_error(episode)),
            ]
        )
    say_table(columns, rows)


def _reason(episode: Episode) -> str:
    """While it is open, how the bot came to know of it; then why it is over."""
    return (episode.closing or episode.why).value


def _reference(episode: Episode) -> str:
    return f"{episode.site}/{'*' if episode.connection == SITE else episode.connection}"


def _name(episode: Episode) -> str | None:
    if episode.connection == SITE:
        return "(the site itself)"
    return None if episode.row is None else episode.row.name


def _error(episode: Episode) -> str | None:
    if episode.failure is not None:
        return episode.failure.message
    return episode.families[-1].log.error if episode.families else None


def _downtime(episode: Episode, now: datetime) -> timedelta:
    return episode.duration or max(now - episode.start, timedelta(0))


def _as_json(
    episode: Episode, states: Mapping[str, str], threads: Mapping[str, Thread], reasons: Reasons, now: datetime
) -> dict[str, Any]:
    thread = threads.get(episode.thread or "")
    ack = None if thread is None else thread.ack_by
    return {
        "id": episode.id,
        "state": states.get(episode.id, CLOSED),
        "kind": episode.kind.value,
        "site": episode.site,
        "connection": None if episode.connection == SITE else episode.connection,
        "reference": _reference(episode),
        "name": None if episode.row is None else episode.row.name,
        "since": episode.start.isoformat(),
        "notBefore": _iso(episode.not_before),
        "until": _iso(episode.end),
        "downtimeSeconds": round(_downtime(episode, now).total_seconds(), 3),
        "why": episode.why.value,
        "endWhy": None if episode.end_why is None else episode.end_why.value,
        "closing": None if episode.closing is None else episode.closing.value,
        "failure": None
        if episode.failure is None
        else {"kind": episode.failure.kind, "message": episode.failure.message, "advice": episode.failure.advice},
        "errors": [
            {
                "error": mask(family.log.error or ""),
                "count": family.count,
                "firstAt": family.first_at.isoformat(),
                "lastAt": family.last_at.isoformat(),
            }
            for family in episode.families
        ],
        "thread": episode.thread,
        "channel": None if thread is None else thread.channel,
        "acknowledgedBy": None if ack is None else ack.as_json(),
        "acknowledgedAt": None if thread is None else _iso(thread.ack_at),
        "events": [_event_as_json(event) for event in reasons.of(episode)],
    }


def _notice_as_json(notice: Notice, threads: Mapping[str, Thread]) -> dict[str, Any]:
    """With the keys of an incident, so that whoever reads the list needs to know one shape; and `what`, in words."""
    thread = threads.get(notice.thread or "")
    return {
        "id": notice.thread,
        "state": CLOSED,
        "kind": "notice",
        "site": notice.site,
        "connection": notice.connection,
        "reference": f"{notice.site}/{notice.connection or '*'}",
        "name": None,
        "since": notice.at.isoformat(),
        "notBefore": None,
        "until": notice.at.isoformat(),
        "downtimeSeconds": 0.0,
        "why": notice.events[0].reason,
        "endWhy": None,
        "closing": None,
        "failure": None,
        "errors": [],
        "thread": notice.thread,
        "channel": None if thread is None else thread.channel,
        "acknowledgedBy": None,
        "acknowledgedAt": None,
        "what": [mask(what(event)) for event in notice.events],
        "events": [_event_as_json(event) for event in notice.events],
    }


def _event_as_json(event: Event) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "reason": event.reason,
        "connection": event.connection or None,
        "thread": event.thread,
        "data": dict(event.data),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
