"""Roots: a thread as it is at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core.connection import State
from bot.core.incidents import Closing, Episode, Json, Thread, ThreadKind, ThreadView
from bot.core.sight import NOT_RECORDED
from bot.slack.blocks import Foreign, Line, Link
from bot.slack.messages import groups, outages, sites
from bot.slack.messages.changes import changes
from bot.slack.messages.phrases import (
    IN_DETAIL,
    acknowledged,
    called,
    connection_facts,
    hushed,
    member,
    name,
    names,
    number,
    reference,
    sentences,
    silenced,
    times_seen,
    told,
)
from bot.slack.messages.post import ACKNOWLEDGE, DETAILS, ERROR_SIGN, MUTE, NOTICE_SIGN, OVER_SIGN, Post
from bot.slack.wording import count, duration, sign

_CALLS = frozenset({ThreadKind.OUTAGE, ThreadKind.GROUP, ThreadKind.ERROR, ThreadKind.SITE})
"""Roots that ping. A baseline pings by its reminders alone."""
_INCIDENTS = _CALLS | {ThreadKind.BASELINE}


def root(view: ThreadView, *, interactive: bool, replaces: str | None = None) -> Post:
    thread = view.thread
    match thread.kind:
        case ThreadKind.OUTAGE:
            post = outages.root(thread, view.episodes[-1])
        case ThreadKind.GROUP:
            post = groups.root(view)
        case ThreadKind.ERROR:
            post = _error(thread, view.episodes[-1])
        case ThreadKind.SITE:
            post = sites.root(view)
        case ThreadKind.BASELINE:
            post = _baseline(view, interactive=interactive)
        case ThreadKind.CHANGES:
            post = changes(thread.site, view.root.params)
        case ThreadKind.AWAY:
            post = _away(view)
        case _:
            assert_never(thread.kind)
    # An acknowledged or silent root that has to be posted anew calls nobody.
    return replace(
        post,
        footnote=sentences(post.footnote, _replaced(replaces)),
        mentions=called(thread, thread.mentions) if thread.kind in _CALLS else (),
        buttons=_buttons(thread) if interactive else (),
        thread=thread.id,
    )


def _replaced(address: str | None) -> Line:
    """A reader finds the thread as it was so far, and is not misled by what still stands there."""
    if address is None:
        return ()
    earlier = Link("an earlier message", address) if address else "an earlier message"
    return ("This takes the place of ", earlier, ", which can no longer be edited.")


def _buttons(thread: Thread) -> tuple[str, ...]:
    """What can still be done: a button that does nothing any more is not there."""
    if not thread.open or thread.kind not in _INCIDENTS:
        return ()
    acknowledge = (ACKNOWLEDGE,) if thread.ack_by is None else ()
    mute = (MUTE,) if thread.silence is None else ()
    return (*acknowledge, *mute, DETAILS)


def _error(thread: Thread, episode: Episode) -> Post:
    first = next((family for family in episode.families if family.message == 0), episode.families[0])
    others = len(episode.families) - 1
    mark, state, how = _error_state(episode)
    return Post(
        sign=mark,
        headline=(name(episode), state),
        body=told(
            (reference(episode.site, episode.connection), ": ", *times_seen(first)),
            sentences(how, acknowledged(thread)),
            silenced(thread.silence),
            (f"{count(others, 'other error')} in the thread.",) if others else (),
        ),
        error=first.log.error,
        facts=connection_facts(episode.row) if episode.row and episode.open else (),
        lead=1 if episode.open else None,
    )


def _error_state(episode: Episode) -> tuple[str, str, Line]:
    """Sign, end of the headline, and a sentence on how it is now."""
    if episode.end is None:
        return ERROR_SIGN, " reports an error", ("The connection itself was last seen up.",)
    match episode.closing:
        case Closing.NOW_DOWN:
            how: Line = ("It went down ", episode.end, "; that has a message of its own.")
            return OVER_SIGN, " reported an error and is now down", how
        case Closing.NOT_WATCHED:
            return OVER_SIGN, " is no longer watched", ("Nothing of it is read any more, since ", episode.end, ".")
    how = ("Its newest log has no error, since ", episode.end, ".")
    return sign(State.UP), " no longer reports an error", how


def _baseline(view: ThreadView, *, interactive: bool) -> Post:
    thread, episodes, params = view.thread, view.episodes, view.root.params
    total = number(params["watched"])
    watched = ("Watching ", count(total, "connection"), " of ItemPath ", Foreign(thread.site, style="bold"))
    said = (_WHEN, *([_HELP] if interactive else []))
    unclear = told(*_unclear(params))
    nothing = not total and not unclear
    if nothing:
        said = (_NONE,)
    if not episodes:
        state = ", none known to be down" if total else ": none of its rows could be understood"
        if nothing:
            state = ": it lists none"
        elif not unclear and "unclear" in params:
            state = ", all up" if total > 1 else ", up"
        return Post(sign=NOTICE_SIGN, headline=(*watched, state), body=told(*unclear, *said))
    down = [episode for episode in episodes if episode.open]
    over = [episode for episode in episodes if not episode.open]
    if not down:
        gone = any(episode.closing is Closing.NOT_WATCHED for episode in over)
        first = "all that were" if len(over) > 1 else "what was"
        state = ", nothing of what was down at first still is" if gone else f", {first} down at first "
        state += "" if gone else "are up again" if len(over) > 1 else "is up again"
    elif over:
        state = f", {len(down):,} of the {len(episodes):,} down at first still {'is' if len(down) == 1 else 'are'}"
    else:
        state = f", {len(down):,} already down"
    few = len(episodes) <= IN_DETAIL
    summary = () if few else (_named("Down: ", down), _named("Over: ", over))
    about = told(*summary, *unclear, acknowledged(thread), *hushed(thread))
    return Post(
        sign=sign(State.DOWN if down else State.UP),
        headline=(*watched, state),
        body=about or said,
        # Below what is down, which is read first.
        footnote=sentences(*said) if about else (),
        items=tuple(member(thread, episode) for episode in (*down, *over)) if few else (),
        lead=0 if few else None,
    )


_WHEN: Line = ("From now on a message says when one goes down, is up again or logs a new error.",)
_HELP: Line = ("Type ", Foreign("/connection help", style="code"), " to see what you can ask.")
_NONE: Line = (
    "Perhaps the user with which this bot reads ItemPath may not see them. A message says when one is added.",
)


def _unclear(params: Mapping[str, Json]) -> tuple[Line, ...]:
    """Of how many the state is not known, each reason a line."""
    unreadable, unclear = number(params["unreadable"]), number(params.get("unclear"))
    whose = "its state is" if unreadable == 1 else "their state is"
    who = "It" if number(params["watched"]) == 1 else f"{unclear:,} of them"
    be, of = ("is", "it") if unclear == 1 else ("are", "them")
    return told(
        (f"{who} {be} unknown: ItemPath tells no clear state of {of}.",) if unclear > 0 else (),
        (f"{count(unreadable, 'row')} could not be understood: {whose} unknown.",) if unreadable else (),
    )


def _named(word: str, episodes: Sequence[Episode]) -> Line:
    return (word, *names(episodes), ".") if episodes else ()


def _away(view: ThreadView) -> Post:
    start = datetime.fromisoformat(str(view.root.params["from"]))
    end = datetime.fromisoformat(str(view.root.params["to"]))
    unrecorded = view.root.params.get("reason") == NOT_RECORDED
    reason = "This bot's database took no changes from " if unrecorded else "This bot was away from "
    return Post(
        sign=NOTICE_SIGN,
        headline=(f"Nothing was {'recorded' if unrecorded else 'watched'} for {duration(end - start)}",),
        body=(
            (reason, start, " to ", end, "."),
            ("Changes that still hold are announced; whatever came and went in between was missed.",),
        ),
    )
