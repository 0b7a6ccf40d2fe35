"""Sites that cannot be read: one, or several of a channel at once, whose cause may be the bot's own network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.connection import State
from bot.core.incidents import Closing, Episode, Thread, ThreadView
from bot.slack.blocks import Foreign, Line, Span
from bot.slack.messages.phrases import (
    IN_DETAIL,
    acknowledged,
    enumerated,
    length,
    name,
    sentences,
    silenced,
    span,
    told,
)
from bot.slack.messages.post import OVER_SIGN, Post
from bot.slack.wording import count, duration, shorten, sign

REASON_LIMIT = 300
LISTED_LIMIT = 200
"""Of a reason or an advice where several sites are listed."""
_PERHAPS = "perhaps this bot's own network"


def root(view: ThreadView) -> Post:
    thread, episodes = view.thread, _watched(view)
    if not episodes:
        return _dropped(view.episodes)
    if len(episodes) > 1:
        blind = [episode for episode in episodes if episode.open]
        return _several(thread, episodes, blind) if blind else _all_back(thread, episodes)
    episode = episodes[0]
    reason = _reason(episode)
    if episode.open:
        return Post(
            sign=sign(State.UNKNOWN),
            headline=("ItemPath ", name(episode), " cannot be read"),
            body=told(
                ("Blind since ", episode.start, ": the state of its connections is unknown."),
                sentences(reason, _advice(episode), acknowledged(thread)),
                silenced(thread.silence),
            ),
        )
    return Post(
        sign=sign(State.UP),
        headline=("ItemPath ", name(episode), f" can be read again after {length(episode)}"),
        body=told(span(episode), ("The reason was: ", *reason) if reason else (), acknowledged(thread)),
    )


def regained(view: ThreadView, episode: Episode) -> Post:
    """The last of the sites of a thread can be read again."""
    episodes = _watched(view)
    if len(episodes) > 1 and not any(other.open for other in episodes):
        return Post(
            sign=sign(State.UP),
            headline=(f"{_all(len(episodes))} can be read again; this bot was blind for {length(*episodes)}",),
            body=(_blind_span(episodes),),
            items=_items(episodes),
        )
    return Post(
        sign=sign(State.UP),
        headline=("ItemPath ", name(episode), f" can be read again; this bot was blind for {length(episode)}"),
        body=(span(episode),),
    )


def still_blind(view: ThreadView, *, now: datetime) -> Post | None:
    """`None` when every site can be read again."""
    thread, episodes = view.thread, _watched(view)
    blind = [episode for episode in episodes if episode.open]
    if not blind:
        return None
    first = duration(now - min(e.start for e in blind))
    if len(episodes) > 1:
        whose = "their" if len(blind) > 1 else "its"
        where = enumerated([episode.site for episode in blind])
        return Post(
            sign=sign(State.UNKNOWN),
            headline=(f"{_part(thread, episodes, blind)} still cannot be read, for {first} now",),
            body=told(
                ("No sight of ", *where, f": the state of {whose} connections is unknown."), acknowledged(thread)
            ),
            items=_items(blind),
        )
    episode = blind[0]
    return Post(
        sign=sign(State.UNKNOWN),
        headline=("ItemPath ", name(episode), f" still cannot be read, for {first} now"),
        body=told(("Blind since ", episode.start, "."), sentences(_reason(episode), acknowledged(thread))),
    )


def _watched(view: ThreadView) -> tuple[Episode, ...]:
    """Without the sites that have been taken out of the settings."""
    return tuple(episode for episode in view.episodes if episode.closing is not Closing.NOT_WATCHED)


def _dropped(episodes: Sequence[Episode]) -> Post:
    gone = "is" if len(episodes) == 1 else "are"
    return Post(
        sign=OVER_SIGN,
        headline=("ItemPath ", *enumerated([episode.site for episode in episodes]), f" {gone} no longer watched"),
        body=told(("Not in this bot's settings any more, since ", max(e.end or e.start for e in episodes), ".")),
    )


def _several(thread: Thread, episodes: Sequence[Episode], blind: Sequence[Episode]) -> Post:
    part = _part(thread, episodes, blind)
    # When all but one are back, the network is hardly the cause.
    several: Line = (f"{part} cannot be read: {_PERHAPS}",)
    where = enumerated([episode.site for episode in blind])
    since: Line = ("Blind since ", min(e.start for e in blind), ": the state of its connections is unknown.")
    if len(blind) > 1:
        since = (
            "No sight of ",
            *where,
            " since ",
            min(e.start for e in blind),
            ": the state of their connections is unknown.",
        )
    return Post(
        sign=sign(State.UNKNOWN),
        headline=several if len(blind) > 1 else ("ItemPath ", name(blind[0]), f" cannot be read, {part}"),
        body=told(
            since,
            acknowledged(thread),
            silenced(thread.silence),
        ),
        items=_items(episodes),
    )


def _all_back(thread: Thread, episodes: Sequence[Episode]) -> Post:
    return Post(
        sign=sign(State.UP),
        headline=(f"{_all(len(episodes))} can be read again after {length(*episodes)}",),
        body=told(_blind_span(episodes), acknowledged(thread)),
        items=_items(episodes),
    )


def _blind_span(episodes: Sequence[Episode]) -> Line:
    start, end = min(e.start for e in episodes), max(e.end or e.start for e in episodes)
    return ("From ", start, " to ", end, f" not all of them could be read, {_PERHAPS}.")


def _part(thread: Thread, episodes: Sequence[Episode], blind: Sequence[Episode]) -> str:
    # A channel may have lost sites since then, by a change of the settings.
    return f"{len(blind):,} of {count(max(thread.watched, len(episodes)), 'site')}"


def _all(number: int) -> str:
    return "Both sites" if number == 2 else f"All {count(number, 'site')}"


def _items(episodes: Sequence[Episode]) -> tuple[Line, ...]:
    """How each site is, those that cannot be read first."""
    order = sorted(episodes, key=lambda e: (not e.open, e.start, e.site))
    lines = [_item(episode) for episode in order[:IN_DETAIL]]
    if (more := len(order) - IN_DETAIL) > 0:
        lines.append((f"and {count(more, 'other site')}",))
    return tuple(lines)


def _item(episode: Episode) -> Line:
    reason = _reason(episode, LISTED_LIMIT)
    if not episode.open:
        return (f"{sign(State.UP)} ", name(episode), f" can be read again after {length(episode)}")
    why = sentences(reason, _advice(episode, LISTED_LIMIT))
    since: Line = (f"{sign(State.UNKNOWN)} ", name(episode), " cannot be read since ", episode.start)
    return (*since, ": ", *why) if why else since


def _reason(episode: Episode, limit: int = REASON_LIMIT) -> Line:
    return _words(episode.failure.message, limit) if episode.failure else ()


def _advice(episode: Episode, limit: int = REASON_LIMIT) -> Line:
    return _words(episode.failure.advice, limit) if episode.failure else ()


def _words(text: str, limit: int) -> Line:
    """What stands between backticks, such as a setting's name, as code: rich text shows them as they are."""
    parts = shorten(text, limit).split("`")
    if len(parts) % 2 == 0:
        # The last of them opens what nothing closes, or what was cut off.
        parts[-2:] = ["`".join(parts[-2:])]
    line: list[Span] = []
    for number, part in enumerate(parts):
        if number % 2:
            line.append(Foreign(part, limit, style="code"))
        elif part.strip():
            # Foreign text is shown without the space around it.
            line += [" "] * part[0].isspace() + [Foreign(part, limit)] + [" "] * part[-1].isspace()
    return tuple(line)
