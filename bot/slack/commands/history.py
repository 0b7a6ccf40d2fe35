"""The words and blocks of `history`, as a pure function of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.connection import State
from bot.core.incidents import Episode, EpisodeKind, Person
from bot.slack.blocks import Block, Foreign, Line, actions, bullets, rich_section, rich_text
from bot.slack.commands.naming import name_of
from bot.slack.commands.past import CELLS, Errors, Past, Seen, errors, taken_up_after
from bot.slack.commands.replies import BUTTONS, Answer, answer
from bot.slack.commands.survey import LookedBack
from bot.slack.commands.tables import literally, share, short
from bot.slack.commands.vocabulary import HISTORY
from bot.slack.messages.phrases import outage_error, reference, sentences, told
from bot.slack.messages.post import NOTICE_SIGN, Post, full
from bot.slack.wording import count, duration, sign

DOWNTIMES = 10
ERRORS = 5
ERROR_LIMIT = 150
LEGEND = "▁ up  ▄ partly down  █ down  ░ not seen  · not watched"


def history(back: LookedBack, *, shared_by: Person | None = None) -> Answer:
    """One connection over time."""
    past = back.past
    downtimes = [e for e in back.episodes if e.kind is EpisodeKind.OUTAGE]
    post = Post(
        sign=NOTICE_SIGN,
        headline=(Foreign(name_of(back.record), style="bold"), *_uptime(past, back.span)),
        body=told(
            (reference(back.site, back.id), ": from ", past.start, " to ", past.end, "."),
            _coverage(past),
            _how_long(past, len(downtimes)),
            *_unseen(past, back.site),
            _taken_up(downtimes, back),
            ("Shared by ", Foreign(shared_by.name, style="bold"), ".") if shared_by else (),
        ),
    )
    rendered = full(post, root=True)
    cell = duration((past.end - past.start) / CELLS)
    parts = [
        rich_section([(f"Timeline, {cell} a character, the latest on the right:",)]),
        literally("".join(past.cells()) + "\n" + LEGEND),
    ]
    parts += _bulleted("Downtimes, the latest first:", _downtimes(downtimes, back), DOWNTIMES)
    kinds = errors(back.episodes, since=past.start)
    parts += _bulleted("Errors, the most frequent first:", [_error(kind) for kind in kinds], ERRORS)
    blocks = [*rendered.blocks, rich_text(*parts)]
    if not shared_by:
        blocks.append(actions(BUTTONS, share(f"{HISTORY} {back.site}/{_quoted(back.id)} {back.span}"[:1990])))
    return answer(rendered.text, blocks, shown_to_all=shared_by is not None)


def _quoted(identifier: str) -> str:
    return f'"{identifier}"'


def _uptime(past: Past, span: str) -> Line:
    length = f"{span[:-1]} {span[-1]}"
    if past.uptime is None:
        return (f" was not seen in the last {length}",)
    # Rounded down: what was down for a moment was not up for all of it.
    percent = f"{int(past.uptime * 100) / 100:.2f}".rstrip("0").rstrip(".")
    if past.seen == past.end - past.start:
        return (f" was up {percent} % of the last {length}",)
    return (f" was up {percent} % of the time seen: {short(past.seen)} of the last {length}",)


def _coverage(past: Past) -> Line:
    """How much of the span the percentage says nothing about, and since when there is anything to say."""
    unseen = past.end - past.start - past.seen
    if past.first_seen is None or not unseen:
        return ()
    percent = int(100 * (unseen / (past.end - past.start)))
    since: Line = ("; first seen ", past.first_seen) if past.first_seen > past.start else ()
    return (f"Not seen for {duration(unseen)} in all, {percent or 'less than 1'} % of the span", *since, ".")


def _how_long(past: Past, downtimes: int) -> Line:
    if past.uptime is None:
        return ()
    down = past.spent(Seen.DOWN)
    if not downtimes:
        return (f"Up for {duration(past.spent(Seen.UP))}, without a downtime.",)
    return (f"Up for {duration(past.spent(Seen.UP))}, down for {duration(down)} in {count(downtimes, 'downtime')}.",)


def _unseen(past: Past, site: str) -> tuple[Line, ...]:
    """What the percentage does not count, each for its reason."""
    blind, away = past.spent(Seen.BLIND), past.spent(Seen.AWAY)
    unrecorded = past.spent(Seen.UNRECORDED)
    unclear, unwatched = past.spent(Seen.UNCLEAR), past.spent(Seen.UNWATCHED)
    return told(
        (f"Not seen for {duration(blind)}: ", Foreign(site, style="bold"), " could not be read.") if blind else (),
        (f"Not seen for {duration(away)}: this bot was away.",) if away else (),
        (f"Not seen for {duration(unrecorded)}: this bot's database took no changes.",) if unrecorded else (),
        (f"State unknown for {duration(unclear)}: ItemPath gave none that could be relied on.",) if unclear else (),
        (f"Not watched (or no longer on record) for {duration(unwatched)}.",) if unwatched else (),
    )


def _taken_up(downtimes: Sequence[Episode], back: LookedBack) -> Line:
    times = [t for e in downtimes if (t := taken_up_after(e, back.threads.get(e.thread or ""))) is not None]
    if not downtimes:
        return ()
    if not times:
        return ("Nobody acknowledged any downtime.",)
    mean = duration(sum(times, timedelta(0)) / len(times))
    return (f"{len(times):,} of {len(downtimes):,} acknowledged, after {mean} on average.",)


def _downtimes(downtimes: Sequence[Episode], back: LookedBack) -> list[Line]:
    return [_downtime(episode, back) for episode in reversed(downtimes)]


def _downtime(episode: Episode, back: LookedBack) -> Line:
    thread = back.threads.get(episode.thread or "")
    after = taken_up_after(episode, thread)
    length = duration((episode.end or back.past.end) - episode.start)
    goes_on = "" if episode.end else " so far"
    who: Line = (". Nobody acknowledged it",)
    if thread is not None and thread.ack_by is not None and after is not None:
        who = (". Acknowledged by ", Foreign(thread.ack_by.name, 40, style="bold"), f" after {duration(after)}")
    log = outage_error(episode)
    error: Line = (": ", Foreign(log.error or "", ERROR_LIMIT)) if log else ()
    mark: Line = (f"{sign(State.DOWN)} ",) if episode.open else ()
    return (*mark, episode.start, f", for {length}{goes_on}", *who, *error)


def _error(kind: Errors) -> Line:
    times = "once" if kind.count == 1 else count(kind.count, "time")
    return sentences((f"{times}, last ", kind.last_at, ":"), (Foreign(kind.error, ERROR_LIMIT),))


def _bulleted(title: str, lines: Sequence[Line], most: int) -> list[Block]:
    if not lines:
        return []
    more: list[Line] = [(f"and {len(lines) - most:,} more",)] if len(lines) > most else []
    return [rich_section([(title,)]), bullets([*lines[:most], *more])]
