"""A message before it has a form: what it says, not yet how Slack is told.

The full form is made of blocks alone, without a coloured attachment. Slack calls attachments legacy, folds long ones away
and may show them less in future; a broadcast cannot carry one, so root and recovery would not look alike; and with
nothing but an attachment `text` would be shown, and read as mrkdwn. The colour is the sign that every headline begins
with; the words after it say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.blocks import (
    SECTION_LIMIT,
    Block,
    Fact,
    Foreign,
    Line,
    Span,
    actions,
    bullets,
    button,
    fact_blocks,
    fit,
    header,
    mention_token,
    mrkdwn,
    plain,
    preformatted,
    rich_section,
    rich_text,
    section,
)

ERROR_SIGN = "🟠"
NOTICE_SIGN = "🔵"
OVER_SIGN = "⚪"
"""Closed without a recovery. Red is kept for what is down, green for what is up again."""
ACKNOWLEDGED_SIGN = "👀"
FLAPPING_SIGN = "🟡"
"""Up for the moment, but it has not held yet: neither red nor green."""
SILENT_SIGN = "🔇"
HEARD_SIGN = "🔔"

ACKNOWLEDGE = "acknowledge"
MUTE = "mute"
"""For one hour."""
DETAILS = "details"
"""These three are the `action_id`s of the buttons of an incident; the `value` of each is the thread's id."""
BUTTONS = "incident"
"""`block_id` of the buttons, the same in every message."""

TEXT_LIMIT = 3000
"""Of `text`. Slack asks for at most 4,000 characters."""
ERROR_IN_TEXT = 300
MENTIONED = 40
"""So many mentions at most. Each is shorter than 40 characters: half of what `text` may have at the worst."""
_LABELS = {ACKNOWLEDGE: "Acknowledge", MUTE: "Mute 1 h", DETAILS: "Details"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What `chat.postMessage` and `chat.update` take. Without blocks, `text` itself is shown."""

    text: str
    blocks: tuple[Block, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """As arguments of either method. The empty list takes away the blocks that an edited message had before."""
        return {"text": self.text, "blocks": list(self.blocks)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    sign: str
    headline: Line
    """A sentence without its full stop: what, and how it is."""
    body: tuple[Line, ...] = ()
    """Whole sentences. The first tells where and since when."""
    items: tuple[Line, ...] = ()
    """A list under the body; whoever makes it keeps it short."""
    error: str | None = None
    error_label: str = "Error"
    facts: tuple[Fact, ...] = ()
    footnote: Line = ()
    """Whole sentences at the end, below error and list, about the messages and not about what this one tells."""
    mentions: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    """`action_id`s, for roots."""
    thread: str = ""
    """What the buttons are about."""
    lead: int | None = None
    """How many lines of the body stand before the error and the list in `text`; the others follow. `None`: all. A phone
    shows little more than its first hundred characters."""


def full(post: Post, *, root: bool) -> Rendered:
    """Roots carry a headline, facts and buttons; replies are one simple block, as broadcasts take no more."""
    body = (*post.body, *([(f"{post.error_label}:",)] if post.error else []))
    lower = [
        *([preformatted(post.error)] if post.error else []),
        *([bullets(post.items)] if post.items else []),
        *([rich_section([post.footnote])] if post.footnote else []),
    ]
    if not root:
        lines = ((f"{post.sign} ", *post.headline), *body)
        top = rich_section(lines, mentions=post.mentions[:MENTIONED], bold_first=True)
        return Rendered(text=_text(post), blocks=(rich_text(top, *lower),))
    blocks = [header((f"{post.sign} ", *post.headline))]
    blocks.append(rich_text(rich_section(body, mentions=post.mentions[:MENTIONED]), *lower))
    blocks += fact_blocks(post.facts)
    if post.buttons:
        buttons = [button(_LABELS[action], action=action, value=post.thread) for action in post.buttons]
        blocks.append(actions(BUTTONS, *buttons))
    return Rendered(text=_text(post), blocks=tuple(blocks))


def simple(post: Post) -> Rendered:
    """One section, for when Slack refuses the full form: the same words, without facts and buttons."""
    shown = _with_mentions(post, _lines(post, bullet="• "), mrkdwn, limit=SECTION_LIMIT, between="\n")
    return Rendered(text=_text(post), blocks=(section(shown),))


def plain_text(post: Post) -> Rendered:
    """Text alone, for when Slack refuses blocks: it is shown, so it is written as mrkdwn."""
    return Rendered(text=_with_mentions(post, _lines(post, bullet="• "), mrkdwn, limit=TEXT_LIMIT, between="\n"))


def _text(post: Post) -> str:
    """The notification, and what a screen reader says."""
    return _with_mentions(post, _lines(post, bullet=""), plain, limit=TEXT_LIMIT, between=" ")


def _lines(post: Post, *, bullet: str) -> list[Line]:
    """What stands in it, one below the other, or without a `bullet` one behind the other."""
    lines: list[Line] = [(f"{post.sign} ", *post.headline, "."), *post.body]
    error: list[Line] = [(f"{post.error_label}: ", Foreign(post.error, ERROR_IN_TEXT))] if post.error else []
    footnote = [post.footnote] if post.footnote else []
    if bullet:
        return [*lines, *error, *((bullet, *item) for item in post.items), *footnote]
    lead = len(lines) if post.lead is None else 1 + post.lead
    listed = tuple(span for item in post.items for span in (*item, " " if _stops(item) else "; "))[:-1]
    more = [_stopped(line) if post.lead is not None or footnote else line for line in error]
    return [*lines[:lead], *more, *([_stopped(listed)] if listed else []), *lines[lead:], *footnote]


def _stopped(line: Line) -> Line:
    """With a full stop, unless a foreign text at its end has one."""
    return line if _stops(line) else (*line, ".")


def _stops(line: Line) -> bool:
    last = line[-1]
    return isinstance(last, Foreign) and last.text.rstrip().endswith(".")


def _with_mentions(
    post: Post, lines: Sequence[Line], render: Callable[[Span], str], *, limit: int, between: str
) -> str:
    """The lines as far as they fit, and behind them, never cut, whom they call."""
    tokens = "".join(f" {token}" for mention in post.mentions[:MENTIONED] if (token := mention_token(mention)))
    return fit(lines, render, limit=limit - len(tokens), between=between) + tokens
