"""A message before it has a form: what it says, not yet how Slack is told.

The full form is made of blocks alone, without a coloured attachment. Slack calls attachments legacy, folds long ones away
and may show them less in future; a broadcast cannot carry one, so root and recovery would not look alike; and with
nothing but an attachment `text` would be shown, and read as mrkdwn. The colour is the sign that every headline begins
with; the words after it say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.slack.blocks import (
    SECTION_LIMIT,
    Block,
    Fact,
    Foreign,
    Line,
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

ACKNOWLEDGE = "acknowledge"
"""`action_id` of the button; its `value` is the thread's id."""
BUTTONS = "incident"
"""`block_id` of the buttons, the same in every message."""

TEXT_LIMIT = 3000
"""Of `text`. Slack asks for at most 4,000 characters."""
ERROR_IN_TEXT = 300
MENTION_ROOM = 40
"""More than any mention token has, with the space before it."""


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
    mention: str | None = None
    acknowledge: str | None = None
    """The thread that the button acknowledges; `None`: no button."""


def full(post: Post, *, root: bool) -> Rendered:
    """Roots carry a headline, facts and buttons; replies are one simple block, as broadcasts take no more."""
    body = (*post.body, *([(f"{post.error_label}:",)] if post.error else []))
    lower = [
        *([preformatted(post.error)] if post.error else []),
        *([bullets(post.items)] if post.items else []),
    ]
    if not root:
        lines = ((f"{post.sign} ", *post.headline), *body)
        top = rich_section(lines, mention=post.mention, bold_first=True)
        return Rendered(text=_text(post), blocks=(rich_text(top, *lower),))
    blocks = [header((f"{post.sign} ", *post.headline))]
    blocks.append(rich_text(rich_section(body, mention=post.mention), *lower))
    blocks += fact_blocks(post.facts)
    if post.acknowledge is not None:
        blocks.append(actions(BUTTONS, button("Acknowledge", action=ACKNOWLEDGE, value=post.acknowledge)))
    return Rendered(text=_text(post), blocks=tuple(blocks))


def simple(post: Post) -> Rendered:
    """One section, for when Slack refuses the full form: the same words, without facts and buttons."""
    shown = fit(_lines(post, bullet="• "), mrkdwn, limit=SECTION_LIMIT - MENTION_ROOM, between="\n")
    return Rendered(text=_text(post), blocks=(section(_with_mention(shown, post)),))


def plain_text(post: Post) -> Rendered:
    """Text alone, for when Slack refuses blocks: it is shown, so it is written as mrkdwn."""
    shown = fit(_lines(post, bullet="• "), mrkdwn, limit=TEXT_LIMIT - MENTION_ROOM, between="\n")
    return Rendered(text=_with_mention(shown, post))


def _text(post: Post) -> str:
    """The notification, and what a screen reader says."""
    return _with_mention(fit(_lines(post, bullet=""), plain, limit=TEXT_LIMIT - MENTION_ROOM, between=" "), post)


def _lines(post: Post, *, bullet: str) -> list[Line]:
    lines: list[Line] = [(f"{post.sign} ", *post.headline, "."), *post.body]
    if post.error:
        lines.append((f"{post.error_label}: ", Foreign(post.error, ERROR_IN_TEXT)))
    if bullet:
        return lines + [(bullet, *item) for item in post.items]
    listed = [span for item in post.items for span in ("; ", *item)]
    return [*lines, (*listed[1:], ".")] if listed else lines


def _with_mention(text: str, post: Post) -> str:
    token = mention_token(post.mention)
    return f"{text} {token}" if token else text
