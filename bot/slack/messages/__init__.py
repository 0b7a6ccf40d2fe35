"""Messages: what a thread says in Slack, as a pure function of what is known when it is sent."""

from __future__ import annotations

from datetime import datetime

from bot.core.incidents import Message, MessageKind, ThreadView
from bot.slack.messages.post import ACKNOWLEDGE, DETAILS, MUTE, Rendered, full, plain_text, simple
from bot.slack.messages.replies import reply
from bot.slack.messages.roots import root

__all__ = ["ACKNOWLEDGE", "DETAILS", "MUTE", "Rendered", "render"]


def render(
    view: ThreadView, message: Message, *, form: str, now: datetime, interactive: bool, replaces: str | None = None
) -> Rendered:
    """`message` of the thread that `view` shows, ready for `chat.postMessage` or `chat.update`.

    A root shows the thread as it is, a reply the event that it tells. `form` is `full`, `simple` or `plain`, each for when
    Slack has refused the one before. Without `interactive` nothing can be clicked: nobody would hear it. `replaces` is the
    address of an earlier post that a root takes the place of, empty when it has none. Raises
    `LookupError` when the message tells an episode that the view does not have.
    """
    is_root = message.kind is MessageKind.ROOT
    post = root(view, interactive=interactive, replaces=replaces) if is_root else reply(view, message, now=now)
    if form == "plain":
        return plain_text(post)
    return simple(post) if form == "simple" else full(post, root=is_root)
