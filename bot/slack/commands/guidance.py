"""What is said when it is not clear what was asked for: the nearest thing to type first, then what can be asked at all."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import assert_never

from bot.slack.blocks import Block, Foreign, Line
from bot.slack.commands.guesses import TAKEN_BACK
from bot.slack.commands.remembered import Missing, Several, Unclear, Whole
from bot.slack.commands.replies import Answer, answer, private
from bot.slack.commands.vocabulary import ACK, ACKNOWLEDGED, HELP, HISTORY, LIST, MUTE, MUTED, UNMUTE, Help
from bot.slack.commands.words import folded
from bot.slack.messages.phrases import told
from bot.slack.messages.post import NOTICE_SIGN, Post, full
from bot.slack.wording import code, count, escape

LISTED = 20
SLIP = 0.7
"""How much of the first words of what was typed and of a name has to be the same."""
TYPED_LIMIT = 200
"""Characters of what can be copied: a name and a reason may be in it."""

_ONE = "<id or name>"
# What can be typed, under its word of the grammar, and what it is good for.
_GRAMMAR = (
    ("", "<id>", "one connection, read live from ItemPath"),
    ("", "<site>/<id>", "the same, where several sites have this id"),
    ("", "<name>", "the same by its name, or how it begins; in quotation marks if it reads like a command"),
    (LIST, LIST, "all connections, worst first"),
    (LIST, f"{LIST} [down|up|unknown] [site=…] [type=…] [app=…] [name=…] [auth=…]", "some of them; A* is a pattern"),
    (f"{LIST} {MUTE} {UNMUTE}", f"{LIST} {MUTED}", "what is muted or in maintenance, and for how long"),
    (f"{LIST} {ACK}", f"{LIST} {ACKNOWLEDGED}", "what somebody takes care of, and who"),
    (HISTORY, f"{HISTORY} {_ONE} [24h|7d|30d]", "uptime, downtimes, errors and a timeline"),
    (ACK, f"{ACK} {_ONE}", "you take care of its incident: no more reminders until it is over"),
    (MUTE, f"{MUTE} {_ONE} <2h> [reason]", "no new alerts about it for that long, 30d at most"),
    (UNMUTE, f"{UNMUTE} {_ONE}", "new alerts again"),
    (f"{ACK} {MUTE} {UNMUTE}", f"{ACK}|{MUTE}|{UNMUTE} <site>/*", "the same for a whole site"),
    (HELP, HELP, "this list"),
)
_SHORT = (
    (("<id>", "<site>/<id>", "<name>"), "look one up"),
    ((f"{LIST} [down|up|unknown] [name=…] [site=…]",), "many at a glance"),
    ((f"{HISTORY} {_ONE} [7d]",), "uptime and downtimes"),
    ((f"{ACK} {_ONE}", f"{MUTE} {_ONE} <2h> [reason]", f"{UNMUTE} {_ONE}"), "or <site>/* for a whole site"),
)


def help_(asked: Help, *, command: str) -> Answer:
    """Everything that can be asked; or, after a mistake, what was wrong and what to type instead."""
    if asked.problem is None:
        said: Line = ("Only you see the answers, until you share one. Looking changes nothing.",)
        lines = tuple(_line(command, words, meaning) for _, words, meaning in _GRAMMAR)
        return private(Post(sign=NOTICE_SIGN, headline=("What you can ask",), body=(said,), items=lines))
    what: Line = _coded(asked.problem.rstrip("."))
    if asked.unknown:
        what = (*what, ": ", Foreign(asked.unknown, style="code"))
    body = told(_guessed(command, asked.guess), _everything(command))
    return _short(Post(sign=NOTICE_SIGN, headline=what, body=body), command=command, word=asked.word)


def unclear(
    ref: str,
    found: Unclear,
    command: str,
    *,
    word: str = "",
    rest: str = "",
    incidents: Mapping[str, int] | None = None,
    guess: str | None = None,
) -> Answer:
    """Anything but one connection was named as `ref`. `word` is that of the command, if any, and `rest` what followed.
    `incidents`: how many are open at each site, where that matters. `guess`: the command that was perhaps meant.
    """
    match found:
        case Several():
            pattern = word in (ACK, MUTE, UNMUTE) and "*" in ref
            return several(found, ask=f"{command} {word}".strip(), rest=rest, pattern=pattern)
        case Whole():
            return whole(found, command=command, word=word, rest=rest, incidents=incidents)
        case Missing():
            return missing(ref, found, command=command, word=word, rest=rest, guess=guess)
    assert_never(found)


def missing(
    asked: str, found: Missing, *, command: str, word: str = "", rest: str = "", guess: str | None = None
) -> Answer:
    """Nothing is known by this name. `word` is that of the command, if any, and `rest` what followed the name. `guess`: the
    command that was perhaps meant.
    """
    ask = f"{command} {word}".strip()
    if not word and asked.partition(" ")[0].casefold() in TAKEN_BACK:
        return _not_taken_back(command)
    guess = None if found.rewritten else guess
    near = tuple(_candidate(ask, ref, rest) for ref in found.nearest)
    silent = tuple(
        (Foreign(site, style="bold"), " might have it but did not answer: ", Foreign(failure.message, 300))
        for site, failure in found.unanswered.items()
    )
    if found.site and not found.rewritten:
        near = ((_whole_site(found.site, command, word, rest), ", the whole site"), *near)
    nearest: Line = ()
    if guess is not None:
        nearest = _guessed(command, guess)
        near = tuple(_candidate(ask, ref, rest) for ref in found.nearest if _hardly_differs(asked, ref[2]))
    elif len(near) == 1:
        nearest, near = ("Did you mean ", *near[0], "?"), ()
    elif not near:
        nearest = (_typed(f"{command} {LIST}"), " shows every connection.")
    headline: Line = ("No connection is known as ", Foreign(asked))
    body = told(*silent, nearest, _everything(command), ("The nearest names:",) if near else ())
    return _short(Post(sign=NOTICE_SIGN, headline=headline, body=body, items=near), command=command, word=word)


def _not_taken_back(command: str) -> Answer:
    headline: Line = ("An acknowledgement cannot be withdrawn",)
    body: Line = ("It ends with its incident. ", _typed(f"{command} {LIST} {ACKNOWLEDGED}"), " shows who has what.")
    return _short(Post(sign=NOTICE_SIGN, headline=headline, body=(body,)), command=command, word=ACK)


def _hardly_differs(asked: str, name: str) -> bool:
    """Whether it may be a slip within this name as well as a mistyped command: both stand at the beginning."""
    first, of_name = folded(asked).partition(" ")[0], folded(name).partition(" ")[0]
    return difflib.SequenceMatcher(None, first[:80], of_name[:80]).ratio() >= SLIP


def several(found: Several, *, ask: str, rest: str = "", pattern: bool = False) -> Answer:
    """More than one is meant: how to name each. `ask` is what to put before a reference, e.g. `/connection ack`, and
    `rest` what follows it. `pattern`: it was to be done with them all.
    """
    headline: Line = (f"{count(len(found.refs), 'connection')} may be meant",)
    body: tuple[Line, ...] = ()
    if pattern:
        sites = {site for site, _, _ in found.refs}
        whole_site = _typed(f"{ask} {sites.pop() if len(sites) == 1 else '<site>'}/* {rest}")
        body = (("One at a time, or the whole site at once: ", whole_site),)
    items = _candidates(ask, found.refs, rest)
    return private(Post(sign=NOTICE_SIGN, headline=headline, body=body, items=items))


def whole(
    found: Whole, *, command: str, word: str = "", rest: str = "", incidents: Mapping[str, int] | None = None
) -> Answer:
    """A site is named where one connection was asked for: how to ask for all of it, or for one of those named like it."""
    ask = f"{command} {word}".strip()
    items: list[Line] = [
        (
            _whole_site(site, command, word, rest),
            f" {_all_of(site, watched, incidents)}",
        )
        for site, watched in found.sites[:LISTED]
    ]
    items += _candidates(ask, found.refs, rest)
    headline: Line = (Foreign(found.sites[0][0], style="bold"), " is a site, not a connection")
    if len(found.sites) > 1:
        headline = (f"{count(len(found.sites), 'site')} may be meant",)
    if len(items) == 1:
        typed, what = items.pop()
        body: Line = ("Did you mean ", typed, "? That is", what, ".")
    else:
        body = ("Did you mean one of these?",)
    return private(Post(sign=NOTICE_SIGN, headline=headline, body=(body,), items=tuple(items)))


def _whole_site(site: str, command: str, word: str, rest: str) -> Foreign:
    """What asks for all of a site: with `word`, if that can be done with a whole site."""
    acts = word in (ACK, MUTE, UNMUTE)
    return _typed(f"{command} {word} {site}/* {rest}" if acts else f"{command} {LIST} site={site}")


def _all_of(site: str, watched: int, incidents: Mapping[str, int] | None) -> str:
    """What is meant by a whole site: its connections, or of them what goes on, where only that counts."""
    if incidents is not None:
        number = incidents[site]
        if number > 1:
            return f"all {count(number, 'open incident')} of it"
        return "its open incident" if number else "nothing at present: no incident of it is open"
    return f"all {count(watched, 'connection')} of it" if watched > 1 else "all of it"


def _candidates(ask: str, refs: Sequence[tuple[str, str, str]], rest: str) -> tuple[Line, ...]:
    items: list[Line] = [_candidate(ask, ref, rest) for ref in refs[: LISTED + 1]]
    if (more := len(refs) - LISTED) > 1:
        items[LISTED:] = [(f"and {more:,} more; a longer name tells them apart",)]
    return tuple(items)


def _candidate(ask: str, ref: tuple[str, str, str], rest: str) -> Line:
    site, identifier, name = ref
    return (_typed(f"{ask} {site}/{identifier} {rest}"), " ", Foreign(name))


def _typed(text: str) -> Foreign:
    return Foreign(text.strip(), TYPED_LIMIT, style="code")


def _guessed(command: str, guess: str | None) -> Line:
    return ("Did you mean ", _typed(f"{command} {guess}"), "?") if guess else ()


def _everything(command: str) -> Line:
    return (_typed(f"{command} {HELP}"), " lists everything you can ask.")


def _coded(sentence: str) -> Line:
    """The bot's own words, of which those between backticks can be typed."""
    parts = sentence.split("`")
    return tuple(Foreign(part, style="code") if n % 2 else part for n, part in enumerate(parts) if part)


def _line(command: str, words: str, meaning: str) -> Line:
    return (Foreign(f"{command} {words}", 120, style="code"), f"  {meaning}")


def _short(post: Post, *, command: str, word: str) -> Answer:
    """The answer first, and small below it what can be asked: of this word, or in short of all."""
    rendered = full(post, root=False)
    known = [((words,), meaning) for of, words, meaning in _GRAMMAR if word and word in of.split()]
    lines = [([f"{command} {words}" for words in each], meaning) for each, meaning in known or _SHORT]
    shown = "\n".join(f"{' · '.join(code(each, 120) for each in typed)}  {escape(good)}" for typed, good in lines)
    small: Block = {"type": "context", "elements": [{"type": "mrkdwn", "text": shown, "verbatim": True}]}
    # Whoever has it read out, or sees no blocks, gets it too.
    said = "; ".join(f"{escape(', '.join(typed))}: {escape(good)}" for typed, good in lines)
    return answer(f"{rendered.text} {said}.", [*rendered.blocks, small])
