"""What is said when it is not clear what was asked for: the nearest thing to type first, then what can be asked at all."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command about one connection, as somebody typed it: `/connection mute Dock 2h`."""

    command: str
    word: str = ""
    """That of the grammar, if any."""
    ref: str
    rest: str = ""
    """What followed the reference."""

    @property
    def acts(self) -> bool:
        """It does something, which can be done with a whole site, too."""
        return self.word in (ACK, MUTE, UNMUTE)

    def about(self, ref: str) -> Foreign:
        """The same with another reference, to be copied."""
        return _copied(self.command, self.word, ref, self.rest)

    def about_site(self, site: str) -> Foreign:
        """The same of all of a site; its list, where it cannot be done with a whole site."""
        return self.about(f"{site}/*") if self.acts else _copied(self.command, LIST, f"site={site}")


def unclear(
    typed: Typed, found: Unclear, *, incidents: Mapping[str, int] | None = None, guess: str | None = None
) -> Answer:
    """Anything but one connection was named. `incidents`: how many are open at each site, where that matters. `guess`: the
    command that was perhaps meant.
    """
    match found:
        case Several():
            return several(typed, found)
        case Whole():
            return whole(typed, found, incidents)
        case Missing():
            return missing(typed, found, guess)
    assert_never(found)


def missing(typed: Typed, found: Missing, guess: str | None = None) -> Answer:
    """Nothing is known by this name. `guess`: the command that was perhaps meant."""
    command = typed.command
    if not typed.word and typed.ref.partition(" ")[0].casefold() in TAKEN_BACK:
        return _not_taken_back(command)
    guess = None if found.rewritten else guess
    near = tuple(_candidate(typed, ref) for ref in found.nearest)
    silent = tuple(
        (Foreign(site, style="bold"), " might have it but did not answer: ", Foreign(failure.message, 300))
        for site, failure in found.unanswered.items()
    )
    if found.site and not found.rewritten:
        near = ((typed.about_site(found.site), ", the whole site"), *near)
    nearest: Line = ()
    if guess is not None:
        nearest = _guessed(command, guess)
        near = tuple(_candidate(typed, ref) for ref in found.nearest if _hardly_differs(typed.ref, ref[2]))
    elif len(near) == 1:
        nearest, near = ("Did you mean ", *near[0], "?"), ()
    elif not near:
        nearest = (_copied(command, LIST), " shows every connection.")
    headline: Line = ("No connection is known as ", Foreign(typed.ref))
    body = told(*silent, nearest, _everything(command), ("The nearest names:",) if near else ())
    return _short(Post(sign=NOTICE_SIGN, headline=headline, body=body, items=near), command=command, word=typed.word)


def _not_taken_back(command: str) -> Answer:
    headline: Line = ("An acknowledgement cannot be withdrawn",)
    body: Line = ("It ends with its incident. ", _copied(command, LIST, ACKNOWLEDGED), " shows who has what.")
    return _short(Post(sign=NOTICE_SIGN, headline=headline, body=(body,)), command=command, word=ACK)


def _hardly_differs(asked: str, name: str) -> bool:
    """Whether it may be a slip within this name as well as a mistyped command: both stand at the beginning."""
    first, of_name = folded(asked).partition(" ")[0], folded(name).partition(" ")[0]
    return difflib.SequenceMatcher(None, first[:80], of_name[:80]).ratio() >= SLIP


def several(typed: Typed, found: Several) -> Answer:
    """More than one is meant: how to name each."""
    headline: Line = (f"{count(len(found.refs), 'connection')} may be meant",)
    body: tuple[Line, ...] = ()
    if typed.acts and "*" in typed.ref:
        # It was to be done with them all.
        sites = {site for site, _, _ in found.refs}
        whole_site = typed.about_site(sites.pop() if len(sites) == 1 else "<site>")
        body = (("One at a time, or the whole site at once: ", whole_site),)
    items = _candidates(typed, found.refs)
    return private(Post(sign=NOTICE_SIGN, headline=headline, body=body, items=items))


def whole(typed: Typed, found: Whole, incidents: Mapping[str, int] | None = None) -> Answer:
    """A site is named where one connection was asked for: how to ask for all of it, or for one of those named like it."""
    items: list[Line] = [
        (typed.about_site(site), f" {_all_of(site, watched, incidents)}") for site, watched in found.sites[:LISTED]
    ]
    items += _candidates(typed, found.refs)
    headline: Line = (Foreign(found.sites[0][0], style="bold"), " is a site, not a connection")
    if len(found.sites) > 1:
        headline = (f"{count(len(found.sites), 'site')} may be meant",)
    if len(items) == 1:
        copied, what = items.pop()
        body: Line = ("Did you mean ", copied, "? That is", what, ".")
    else:
        body = ("Did you mean one of these?",)
    return private(Post(sign=NOTICE_SIGN, headline=headline, body=(body,), items=tuple(items)))


def _all_of(site: str, watched: int, incidents: Mapping[str, int] | None) -> str:
    """What is meant by a whole site: its connections, or of them what goes on, where only that counts."""
    if incidents is not None:
        number = incidents[site]
        if number > 1:
            return f"all {count(number, 'open incident')} of it"
        return "its open incident" if number else "nothing at present: no incident of it is open"
    return f"all {count(watched, 'connection')} of it" if watched > 1 else "all of it"


def _candidates(typed: Typed, refs: Sequence[tuple[str, str, str]]) -> tuple[Line, ...]:
    items: list[Line] = [_candidate(typed, ref) for ref in refs[: LISTED + 1]]
    if (more := len(refs) - LISTED) > 1:
        items[LISTED:] = [(f"and {more:,} more; a longer name tells them apart",)]
    return tuple(items)


def _candidate(typed: Typed, ref: tuple[str, str, str]) -> Line:
    site, identifier, name = ref
    return (typed.about(f"{site}/{identifier}"), " ", Foreign(name))


def _copied(*words: str) -> Foreign:
    return Foreign(" ".join(filter(None, words)), TYPED_LIMIT, style="code")


def _guessed(command: str, guess: str | None) -> Line:
    return ("Did you mean ", _copied(command, guess), "?") if guess else ()


def _everything(command: str) -> Line:
    return (_copied(command, HELP), " lists everything you can ask.")


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
