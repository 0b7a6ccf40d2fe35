"""How muting and unmuting went, in words, after its commit."""

from __future__ import annotations

from typing import assert_never

from bot.core.incidents import EVERY
from bot.core.state import MuteOutcome, MuteReply
from bot.slack.blocks import Foreign, Line
from bot.slack.commands.replies import Answer, private
from bot.slack.messages.phrases import silenced, told
from bot.slack.messages.post import HEARD_SIGN, NOTICE_SIGN, SILENT_SIGN, Post
from bot.slack.wording import count

_MEANING: Line = (
    "What is in the channel is still kept true and closed. What is still down at the end is announced then.",
)


def muted(reply: MuteReply | None, *, about: str | None) -> Answer:
    """`about` is a connection's name or a site's; `None` when several connections are meant, or none is known."""
    outcome = reply.outcome if reply else MuteOutcome.ENDED
    connections = reply.connections if reply else ()
    name: Line = ("This",) if about is None else (Foreign(about, style="bold"),)
    if about is None and len(connections) > 1:
        name = (f"These {count(len(connections), 'connection')}",)
    # The whole site is as plural as it is one thing; its name stands alone.
    verb = " are" if about is None and len(connections) > 1 else " is"
    told_now = silenced(reply.silence) if reply else ()
    match outcome:
        case MuteOutcome.MUTED:
            whole: Line = (" as a whole",) if EVERY in connections else ()
            body = told(told_now, _MEANING)
            return private(Post(sign=SILENT_SIGN, headline=(*name, f"{verb} muted now", *whole), body=body))
        case MuteOutcome.UNMUTED:
            body = (
                (
                    "It is recorded, and its open threads say so. What fell in silence and is still down is announced at once.",
                ),
            )
            return private(Post(sign=HEARD_SIGN, headline=(*name, f"{verb} heard of again"), body=body))
        case MuteOutcome.STILL_SILENT:
            why: Line = ("The mute is lifted, but something else keeps it silent.",)
            headline = (*name, f"{verb} still silent")
            return private(Post(sign=SILENT_SIGN, headline=headline, body=told(why, told_now)))
        case MuteOutcome.NOT_MUTED:
            headline = (*name, f"{verb} not muted by anybody")
            alone: Line = ("Nothing has changed.",)
            wider: Line = ("Something else keeps it silent, which this does not lift.",)
            body = told(wider, told_now) if told_now else (alone,)
            return private(Post(sign=NOTICE_SIGN, headline=headline, body=body))
        case MuteOutcome.ENDED:
            return private(Post(sign=NOTICE_SIGN, headline=(*name, f"{verb} over: there is nothing to mute any more")))
        case _:
            assert_never(outcome)
