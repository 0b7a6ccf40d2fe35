"""The board as Slack shows it: a pure function, within the limits of a view whatever burns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.core.connection import State
from bot.core.incidents import EVERY, Episode, EpisodeKind, Mute
from bot.core.maintenance import Window
from bot.slack.blocks import Block, Foreign, Line, bullets, header, rich_section, rich_text, section
from bot.slack.home.board import Board, SiteBoard
from bot.slack.messages.phrases import fell, flaps, name, outage_error, reference, sentences, silenced, told
from bot.slack.messages.post import ERROR_SIGN, FLAPPING_SIGN, NOTICE_SIGN, SILENT_SIGN
from bot.slack.wording import count, escape, sign

SITES = 40
"""In detail; a view takes 100 blocks. Of the others only the names are said."""
SITES_NAMED = 60
LINES_OF_SITE = 15
LINES = 60
"""Incidents of the whole board, worst first: the rest is counted. A view has a size, too."""
SILENT = 20
ERROR_LIMIT = 100
REASON_LIMIT = 150
NAME_LIMIT = 60


def view(board: Board) -> dict[str, Any]:
    """For `views.publish`."""
    blocks: list[Block] = [header(_headline(board)), rich_text(rich_section([("As of ", board.at, ".")]))]
    left = LINES
    for site in board.sites[:SITES]:
        shown = site.incidents[: min(left, LINES_OF_SITE)]
        left -= len(shown)
        blocks += [{"type": "divider"}, _site(site, shown, board)]
    if rest := board.sites[SITES:]:
        blocks += [{"type": "divider"}, rich_text(rich_section([_others(rest)]))]
    if silent := _silent(board):
        more: list[Line] = [(f"and {len(silent) - SILENT:,} more",)] if len(silent) > SILENT else []
        blocks += [
            header((f"{SILENT_SIGN} Muted and in maintenance",)),
            rich_text(bullets([*silent[:SILENT], *more])),
        ]
    return {"type": "home", "blocks": blocks}


def unreadable() -> dict[str, Any]:
    """While the database cannot be read."""
    said = "The bot cannot read its database at the moment, so there is nothing to show. Its log and /status say why."
    return {"type": "home", "blocks": [section(f"{NOTICE_SIGN} {escape(said)}")]}


def bare(board: Board) -> dict[str, Any]:
    """For when Slack refuses the board."""
    said = "".join(map(str, _headline(board)))
    return {"type": "home", "blocks": [section(escape(f"{said}. Type `/connection list` to see them all."))]}


def _headline(board: Board) -> Line:
    down = sum(site.counts[State.DOWN] for site in board.sites)
    unread = sum(1 for site in board.sites if site.blind or not site.known)
    unknown = sum(site.counts[State.UNKNOWN] for site in board.sites if not site.blind)
    parts = []
    if down:
        parts.append(f"{count(down, 'connection')} down")
    if unread:
        parts.append(f"{count(unread, 'site')} not readable")
    if unknown:
        parts.append(f"{unknown:,} unknown")
    worst = State.DOWN if down else State.UNKNOWN if unread or unknown else State.UP
    watched = sum(site.watched for site in board.sites)
    flapping = sum(site.flapping for site in board.sites)
    if not parts:
        parts.append(f"All {count(watched, 'connection')} up" if watched else "No connection is known")
    if flapping:
        parts.append(f"{flapping:,} of them flapping" if worst is State.UP else f"{flapping:,} flapping")
    mark = FLAPPING_SIGN if flapping and worst is State.UP else sign(worst)
    return (f"{mark} {', '.join(parts)}",)


def _site(site: SiteBoard, shown: Sequence[Episode], board: Board) -> Block:
    lines = told(
        (f"{sign(site.state)} ", Foreign(site.name, style="bold"), f": {_counts(site)}"),
        _read(site),
        *map(silenced, site.silences),
    )
    parts = [rich_section(lines, bold_first=True)]
    items = [_incident(episode, site, board) for episode in shown]
    if (more := len(site.incidents) - len(shown)) > 0:
        items.append((f"and {more:,} more: ", Foreign(f"/connection list down site={site.name}", 120, style="code")))
    if items:
        parts.append(bullets(items))
    return rich_text(*parts)


def _counts(site: SiteBoard) -> str:
    if not site.known:
        return "not read yet, nothing is known about it"
    if site.blind is not None:
        return f"cannot be read, state of {count(site.watched, 'connection')} unknown"
    order = (State.DOWN, State.UNKNOWN, State.UP)
    return ", ".join(f"{site.counts[s]:,} {s}" for s in order if site.counts[s]) or "no connections"


def _read(site: SiteBoard) -> Line:
    """When it was last read, and why not since."""
    record = site.record
    last: Line = ("Last read ", record.good_at, ".") if record and record.good_at else ("Never read yet.",)
    why: Line = ()
    if site.blind is not None:
        failure = site.blind.failure
        why = ("Unreadable since ", site.blind.start, ".")
        why = sentences(why, (Foreign(failure.message, REASON_LIMIT),) if failure else ())
    elif record is not None and record.fails:
        why = ("The last poll failed." if record.fails == 1 else f"The last {record.fails:,} polls failed.",)
    nameless: Line = ()
    if record is not None and record.nameless:
        nameless = (f"{count(record.nameless, 'row')} could not be understood.",)
    was = ("Down when it was last read:",) if site.blind is not None and site.incidents else ()
    return sentences(last, why, nameless, was)


def _incident(episode: Episode, site: SiteBoard, board: Board) -> Line:
    thread = board.threads.get(episode.thread or "")
    silence = thread.silence_of(episode.connection) if thread else site.silent.get(episode.connection)
    who: Line = (Foreign(name(episode).text, NAME_LIMIT, style="bold"), " ")
    who = (*who, reference(episode.site, episode.connection))
    if episode.kind is EpisodeKind.OUTAGE:
        stops = episode.row.integration_count if episode.row else None
        bad = f", stops {count(stops, 'integration')}" if stops and stops > 0 else ""
        log = outage_error(episode)
        error: Line = (Foreign(log.error or "", ERROR_LIMIT),) if log else ()
        what: Line = (f"{sign(State.DOWN)} ", *who, " ", *fell(episode), f"{bad}.")
        if episode.end is not None:
            what, error = (f"{FLAPPING_SIGN} ", *who, " up since ", episode.end, "."), ()
    else:
        latest = max(episode.families, key=lambda family: family.last_at, default=None)
        error = (Foreign(latest.log.error or "", ERROR_LIMIT),) if latest else ()
        what = (f"{ERROR_SIGN} ", *who, " reports an error since ", episode.start, ".")
    if thread is None:
        has: Line = ("Not announced.",) if silence else ("Not announced yet.",)
    elif thread.ack_by is None:
        has = ("Not acknowledged yet.",)
    else:
        has = ("Acknowledged by ", Foreign(thread.ack_by.name, 40, style="bold"), ".")
    silent: Line = (f"{SILENT_SIGN} Silent until ", silence.until, ".") if silence else ()
    return sentences(what, flaps(thread) if thread else (), has, silent, error)


def _others(rest: Sequence[SiteBoard]) -> Line:
    spans: list[str | Foreign] = [f"and {count(len(rest), 'other site')}: "]
    for number, site in enumerate(rest[:SITES_NAMED]):
        spans += [", " if number else "", Foreign(site.name, 40, style="bold"), f" {site.state}"]
    if len(rest) > SITES_NAMED:
        spans.append(" and more")
    return tuple(span for span in spans if span != "")


def _silent(board: Board) -> list[Line]:
    mutes = [_mute(mute, known) for mute, known in board.mutes]
    return [*mutes, *(_window(window, until) for window, until in board.maintenance)]


def _mute(mute: Mute, known: str | None) -> Line:
    if mute.connection == EVERY:
        what: Line = ("All of ", Foreign(mute.site, style="bold"))
    else:
        what = (Foreign(known or mute.connection, NAME_LIMIT, style="bold"), " ", reference(mute.site, mute.connection))
    return (*what, ": ", *silenced(mute.silence))


def _window(window: Window, until: datetime) -> Line:
    """What it is about, in the patterns of the settings."""
    where: Line = ("every site",) if window.site is None else (Foreign(window.site, NAME_LIMIT, style="bold"),)
    of = "All of " if window.name is None else "Connections named "
    what: Line = () if window.name is None else (Foreign(window.name, NAME_LIMIT, style="bold"), " of ")
    return (of, *what, *where, ": ", *silenced(window.silence(until)))
