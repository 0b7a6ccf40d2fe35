"""A mass outage: one root that says how many of how many are down and which matter most, and what is told below it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.connection import State
from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.core.incidents import Episode, Phase, Thread, ThreadView
from bot.slack.blocks import Foreign, Line
from bot.slack.messages.members import (
    Beside,
    closed,
    differ,
    down_of,
    fell_since,
    last_stretch,
    member_line,
    peak,
    ranked,
    said,
    shared_error,
    stopped,
)
from bot.slack.messages.outages import flapped, until_it_holds
from bot.slack.messages.phrases import NAMED_IN_NEWS, acknowledged, hushed, length, names, sentences, told
from bot.slack.messages.post import FLAPPING_SIGN, OVER_SIGN, Post
from bot.slack.wording import NAME_LIMIT, count, duration, sign

ERROR_IN_ROOT = 60
NAME_IN_LIST = 60
ERROR_IN_LIST = 40
"""A line of a list has up to 240 characters then, reference and impact included: 50 are what a message takes."""


def root(view: ThreadView) -> Post:
    thread, members = view.thread, ranked(view.episodes)
    beside = Beside(thread.elsewhere, thread.unsaid)
    if thread.phase is Phase.CLOSED:
        return _over(thread, members, beside)
    down, some = down_of(members), any(beside)
    if thread.phase is Phase.FLAPPING:
        changes = count(thread.changes, "change")
        mark = sign(State.DOWN) if down else FLAPPING_SIGN
        how = _how_many(thread, members, len(down), beside, "down now") if down else f"all{_here(beside)} up now"
        headline: Line = ("Connections of ", _site(thread), f" are flapping together: {changes} so far, {how}")
    else:
        mark, headline = sign(State.DOWN), _headline(thread, members, len(down), "down", beside)
    return Post(
        sign=mark,
        headline=headline,
        body=told(
            sentences(fell_since(down or members, some=some), stopped(down, some=some)),
            acknowledged(thread),
            *hushed(thread),
            until_it_holds(thread) if thread.phase is Phase.FLAPPING else (),
            said(down),
            _label(beside) if down else (),
        ),
        items=_root_items(thread, members),
    )


def listed(view: ThreadView, page: int) -> Post:
    """The members that the root cannot hold, those of one page, in the root's order."""
    members = ranked(view.episodes)
    start = ROOT_HOLDS + page * LIST_HOLDS
    shown = members[start : start + LIST_HOLDS]
    site = _site(view.thread)
    if not shown:
        return Post(sign=OVER_SIGN, headline=("Every connection of ", site, " in this outage is listed above"))
    down, all_down = len(down_of(shown)), down_of(members)
    shared = shared_error(all_down)
    rest = f", {len(shown) - down} over" if down < len(shown) else ""
    which = f"{start + 1:,} to {start + len(shown):,}" if len(shown) > 1 else "The last"
    return Post(
        sign=sign(State.DOWN if down else State.UP),
        headline=(
            f"{which} of {count(len(members), 'connection')} of ",
            site,
            f" in this outage: {down or 'none'} down{rest}",
        ),
        body=told(said(all_down), _label()) if down else (),
        items=tuple(
            member_line(view.thread, episode, name_limit=NAME_IN_LIST, error_limit=ERROR_IN_LIST, shared=shared)
            for episode in shown
        ),
    )


def grown(view: ThreadView, down: int, *, was: int, beside: Beside) -> Post | None:
    """Twice as many as when the channel was last told; `None` when all is over before this could be sent."""
    thread, members = view.thread, ranked(view.episodes)
    before = f"{f'{was:,}' if was else 'none'} when last told"
    headline = ("Now ", *_headline(thread, members, down, "down", beside, detail=before))
    return _news(thread, members, headline, beside) if down_of(members) else None


def reopened(view: ThreadView, down: int, beside: Beside) -> Post | None:
    """Members fall again; `None` when all is over before this could be sent."""
    thread, members = view.thread, ranked(view.episodes)
    headline = ("It begins again: ", *_headline(thread, members, down, "down", beside))
    return _news(thread, members, headline, beside) if down_of(members) else None


def still_down(view: ThreadView, *, now: datetime) -> Post | None:
    """`None` when nothing is."""
    thread, members = view.thread, ranked(view.episodes)
    down, beside = down_of(members), Beside(thread.elsewhere, thread.unsaid)
    if not down:
        return None
    longest = f"{'the first ' if len(down) > 1 else ''}for {duration(now - min(e.start for e in down))} now"
    return _news(thread, members, _headline(thread, members, len(down), "still down", beside, detail=longest), beside)


def over(view: ThreadView, beside: Beside) -> Post:
    """The last of them is up again; in the past tense when they fell anew before this could be sent."""
    members = ranked(view.episodes)
    if down_of(members):
        headline: Line = (f"{count(len(members), 'connection')} of ", _site(view.thread), " had come up again")
        return Post(sign=OVER_SIGN, headline=headline, body=(("By now some are down again.",),))
    mark, headline = _end(view.thread, members, beside)
    return Post(sign=mark, headline=headline, body=told(_left(beside), *_past(view.thread, members)))


def settled(view: ThreadView, *, down: int, changes: int, beside: Beside, now: datetime) -> Post:
    """What a flapping group came to; in the past tense when that has changed before this could be sent."""
    thread, members = view.thread, ranked(view.episodes)
    still = down_of(members)
    before = flapped(changes)
    if bool(still) is not bool(down):
        was = f"{down:,}" if down else "none"
        headline: Line = (
            f"Flapping had ended: {was} of the connections of ",
            _site(thread),
            " in this outage were down",
        )
        return Post(sign=OVER_SIGN, headline=headline, body=told(("By now that has changed again.",), before))
    if not still:
        mark, end = _end(thread, members, beside)
        held = duration(now - max(e.end or e.start for e in members))
        headline = (f"Flapping ended {held} ago: ", *_lower(end))
        return Post(sign=mark, headline=headline, body=told(_left(beside), before))
    held = duration(now - min(e.start for e in still))
    headline = (f"Flapping ended {held} ago: ", *_headline(thread, members, down, "down", beside))
    return _news(thread, members, headline, beside, before)


def _over(thread: Thread, members: Sequence[Episode], beside: Beside) -> Post:
    mark, headline = _end(thread, members, beside)
    return Post(
        sign=mark,
        headline=headline,
        body=told(
            *_past(thread, members),
            acknowledged(thread),
            flapped(thread.changes),
        ),
        items=_root_items(thread, members),
    )


def _end(thread: Thread, members: Sequence[Episode], beside: Beside) -> tuple[str, Line]:
    """Sign and headline of a group of which nothing is down any more; `beside` as it ended."""
    gone = len(closed(members, gone=True))
    up = len(members) - gone
    site = _site(thread)
    if not up:
        return OVER_SIGN, (f"{count(gone, 'connection')} of ", site, f" {_are(gone)} no longer watched")
    if gone or up == 1:
        left = f", {gone:,} no longer watched" if gone else ""
        return sign(State.UP), (f"{count(up, 'connection')} of ", site, f" {_are(up)} up again{left}")
    which = "in this outage" if any(beside) else "that were down"
    return sign(State.UP), (f"All {count(up, 'connection')} of ", site, f" {which} are up again")


def _lower(headline: Line) -> Line:
    first, *rest = headline
    return (first.replace("All ", "all ", 1) if isinstance(first, str) else first, *rest)


def _left(beside: Beside) -> Line:
    """What is still down when a group is over, as a sentence."""
    return (f"Others are still down: {beside.words()}.",) if any(beside) else ()


def _past(thread: Thread, members: Sequence[Episode]) -> tuple[Line, ...]:
    """From when to when something was down, and how bad it was, each a line.

    What was down before, in a group that was reopened or fell in turns, is known in part only: that is said.
    """
    stretch = last_stretch(members)
    start = min(e.start for e in stretch)
    end = max(e.end or e.start for e in stretch)
    before = start > thread.opened
    most = max(peak(members), thread.told_down)
    worst = "all" if most >= len(members) else f"{'at least ' if before else ''}{most:,}"
    something = "Most recently something" if before else "Something"
    return (
        (f"{something} was down for {length(*stretch)}, from ", start, " to ", end, "."),
        sentences(
            ("First told ", thread.opened, ".") if before else (),
            (f"At the worst, {worst} of them were down at once.",) if len(members) > 1 and most > 1 else (),
        ),
    )


def _news(thread: Thread, members: Sequence[Episode], headline: Line, beside: Beside, more: Line = ()) -> Post:
    """What is said in the channel about a group that goes on."""
    down, some = down_of(members), any(beside)
    return Post(
        sign=sign(State.DOWN),
        headline=headline,
        body=told(
            sentences(fell_since(down, some=some), stopped(down, some=some)),
            sentences(more, acknowledged(thread)),
            said(down),
            _greatest(down, beside),
        ),
    )


def _label(beside: Beside | None = None) -> Line:
    return (f"Down{_here(beside)}, greatest impact first:",)


def _greatest(down: Sequence[Episode], beside: Beside) -> Line:
    more = len(down) - NAMED_IN_NEWS
    if more > 0:
        return (f"Greatest impact{_here(beside)}: ", *names(down[:NAMED_IN_NEWS]), f" and {more:,} more.")
    return (f"Down{_here(beside)}: ", *names(down), ".")


def _here(beside: Beside | None) -> str:
    return " here" if beside and any(beside) else ""


def _headline(
    thread: Thread, members: Sequence[Episode], down: int, state: str, beside: Beside, *, detail: str = ""
) -> Line:
    total = down + sum(beside)
    how = f" {_are(total)} {state}{_apart(down, beside, detail)}"
    return (f"{_of_watched(thread, members, total)} connections of ", _site(thread), how)


def _how_many(thread: Thread, members: Sequence[Episode], down: int, beside: Beside, state: str) -> str:
    return f"{_of_watched(thread, members, down + sum(beside))} {state}{_apart(down, beside)}"


def _apart(down: int, beside: Beside, detail: str = "") -> str:
    """Which of all that are down this message is about, where it is not about them all; `detail` is about those."""
    if any(beside):
        return f": {down:,} here{detail and f' ({detail})'}, {beside.words()}"
    return detail and f", {detail}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _of_watched(thread: Thread, members: Sequence[Episode], number: int) -> str:
    # Connections may have been taken out of ItemPath since they joined.
    return f"{number:,} of {max(thread.watched, len(members), number):,}"


def _root_items(thread: Thread, members: Sequence[Episode]) -> tuple[Line, ...]:
    shown, down = members[:ROOT_HOLDS], down_of(members)
    shared = shared_error(down)
    # When all fell together the sentence above says when.
    dated = differ(down)
    lines = [
        member_line(thread, e, name_limit=NAME_LIMIT, error_limit=ERROR_IN_ROOT, shared=shared, dated=dated)
        for e in shown
        if e.open
    ]
    if (more := len(down) - len(lines)) > 0:
        lines.append((f"{sign(State.DOWN)} and {more:,} more in the thread",))
    for mark, word, gone in ((sign(State.UP), "up again", False), (OVER_SIGN, "no longer watched", True)):
        if number := len(closed(members, gone=gone)):
            lines.append((f"{mark} {number:,} {word}", *_named_of(closed(shown, gone=gone), number)))
    return tuple(lines)


def _named_of(here: Sequence[Episode], number: int) -> Line:
    more = number - len(here)
    if not here:
        return (", listed in the thread",)
    return (": ", *names(here, bold=False), *((f" and {more:,} more in the thread",) if more else ()))


def _site(thread: Thread) -> Foreign:
    return Foreign(thread.site, style="bold")
