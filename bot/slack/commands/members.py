"""What a thread about several connections, or about sites, is made of: the list behind its button Details."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.connection import State
from bot.core.incidents import SITE, Closing, Episode, Phase, Thread, ThreadKind, ThreadView
from bot.slack.blocks import Foreign, Line, bullets, rich_section, rich_text
from bot.slack.commands.replies import Answer, answer
from bot.slack.messages.phrases import acknowledged, fell, flaps, hushed, length, name, outage_error, reference, told
from bot.slack.messages.post import FLAPPING_SIGN, NOTICE_SIGN, OVER_SIGN, Post, full
from bot.slack.wording import count, natural, sign

LISTED = 100
"""Of each state; what is down comes first."""
AT_ONCE = 50
"""Lines of one list."""
NAME_LIMIT = 60
ERROR_LIMIT = 60
REASON_LIMIT = 200


def members(view: ThreadView, *, blind: Sequence[Episode]) -> Answer:
    """`blind`: what keeps the site of the thread from being read at present."""
    thread = view.thread
    of_sites = thread.kind is ThreadKind.SITE
    going_on = sorted((e for e in view.episodes if e.open), key=_worst_first)
    gone = [e for e in view.episodes if e.closing is Closing.NOT_WATCHED]
    over = [e for e in view.episodes if not e.open and e.closing is not Closing.NOT_WATCHED]
    down, up = ("cannot be read", "can be read again") if of_sites else ("down", "up again")
    groups = ((down, going_on), (up, over), ("no longer watched", gone))
    counts = ", ".join(f"{len(found):,} {word}" for word, found in groups if found)
    noun = "site" if of_sites else "connection"
    mark = State.UNKNOWN if of_sites else State.DOWN
    post = Post(
        sign=_sign(thread, mark if going_on else State.UP) if view.episodes else NOTICE_SIGN,
        headline=(f"{count(len(view.episodes), noun)}: {counts}" if counts else f"No {noun} was down",),
        body=told(
            *(
                (name(e), " cannot be read since ", e.start, ": this is how they last stood.")
                for e in blind
                if not of_sites
            ),
            flaps(thread),
            acknowledged(thread),
            *hushed(thread),
        )
        or (("Nothing more is known.",),),
    )
    rendered = full(post, root=True)
    blocks = list(rendered.blocks)
    for word, found in groups:
        shown = [_line(episode) for episode in found[:LISTED]]
        for start in range(0, len(shown), AT_ONCE):
            title = () if start else (rich_section([(f"{word.capitalize()}:",)]),)
            blocks.append(rich_text(*title, bullets(shown[start : start + AT_ONCE])))
        if (more := len(found) - LISTED) > 0:
            blocks.append(rich_text(rich_section([(f"and {more:,} more: ask for list {State.DOWN}",)])))
    return answer(rendered.text, blocks)


def _sign(thread: Thread, worst: State) -> str:
    return FLAPPING_SIGN if thread.phase is Phase.FLAPPING and worst is State.UP else sign(worst)


def _worst_first(episode: Episode) -> tuple[int, tuple[tuple[str, int], ...], str]:
    stops = episode.row.integration_count if episode.row else None
    return -(stops or 0), natural(name(episode).text), episode.connection


def _line(episode: Episode) -> Line:
    if episode.connection == SITE:
        return _site(episode)
    who: Line = (Foreign(name(episode).text, NAME_LIMIT, style="bold"), " ")
    who = (*who, reference(episode.site, episode.connection))
    if not episode.open:
        mark = OVER_SIGN if episode.closing is Closing.NOT_WATCHED else sign(State.UP)
        return (f"{mark} ", *who, f" after {length(episode)}")
    stops = episode.row.integration_count if episode.row else None
    bad: Line = (f", stops {count(stops, 'integration')}",) if stops and stops > 0 else ()
    log = outage_error(episode)
    error: Line = (": ", Foreign(log.error or "", ERROR_LIMIT)) if log else ()
    since: Line = (", ", *fell(episode)) if episode.why.vague else (" since ", episode.start)
    return (f"{sign(State.DOWN)} ", *who, *since, *bad, *error)


def _site(episode: Episode) -> Line:
    if not episode.open:
        return (f"{sign(State.UP)} ", name(episode), f" after {length(episode)}")
    why: Line = (": ", Foreign(episode.failure.message, REASON_LIMIT)) if episode.failure else ()
    return (f"{sign(State.UNKNOWN)} ", name(episode), " since ", episode.start, *why)
