"""How muting and unmuting went, in words, after its commit."""

from __future__ import annotations

from typing import assert_never

from bot.core.incidents import EVERY
from bot.core.state import MuteOutcome, MuteReply
from bot.slack.blocks import Foreign, Line
from bot.slack.commands.people import COMMAND
from bot.slack.commands.replies import Answer, lifts_site, private, unmute_button
from bot.slack.commands.vocabulary import UNMUTE
from bot.slack.messages.phrases import sentences, silenced, told
from bot.slack.messages.post import HEARD_SIGN, NOTICE_SIGN, SILENT_SIGN, Post
from bot.slack.wording import count

_MEANING: Line = (
    "Messages in the channel are still updated. ",
    "What is still down at the end, and nobody has acknowledged, is told then, or with its alert's next reminder.",
)
_HEARD: Line = ("What went down while it was muted, and still is, is announced now.",)
_SETTINGS: Line = ("Maintenance is planned in this bot's settings and cannot be ended here.",)


def _early(site: str, connection: str, command: str) -> Line:
    """How a mute of many is ended, as a sentence: of one of them, or at once."""
    one, every = (Foreign(f"{command} {UNMUTE} {site}/{what}", style="code") for what in (connection, EVERY))
    return ("To end one early: ", one, "; every mute of the site: ", every, ".")


def _said(threads: int) -> Line:
    """Where it can be read, if that is anywhere."""
    if not threads:
        return ()
    return ("Its thread says so." if threads == 1 else "Its threads say so.",)


def muted(reply: MuteReply | None, *, site: str, about: str | None, command: str = COMMAND) -> Answer:
    """`about` is a connection's name or a site's; `None` when several connections are meant, or none is known. `command`
    is what people type.
    """
    outcome = reply.outcome if reply else MuteOutcome.ENDED
    connections = reply.connections if reply else ()
    many = about is None and len(connections) > 1
    name: Line = ("This",) if about is None else (Foreign(about, style="bold"),)
    if many:
        name = (f"These {count(len(connections), 'connection')}",)
    # The whole site is as plural as it is one thing; its name stands alone.
    verb = " are" if many else " is"
    told_now = silenced(reply.silence) if reply else ()
    # What a person has muted may be lifted with the whole site; maintenance may not.
    wider: Line = ()
    if reply is not None and reply.silence is not None:
        wider = lifts_site(site, command) if reply.silence.by else _SETTINGS
    match outcome:
        case MuteOutcome.MUTED:
            whole: Line = (" as a whole",) if EVERY in connections else ()
            early = _early(site, connections[0], command) if many else ()
            post = Post(
                sign=SILENT_SIGN, headline=(*name, f"{verb} muted", *whole), body=told(told_now, _MEANING, early)
            )
            return private(post, *([unmute_button(site, connections[0])] if len(connections) == 1 else []))
        case MuteOutcome.UNMUTED:
            said = sentences(_said(reply.told if reply else 0), _HEARD)
            return private(Post(sign=HEARD_SIGN, headline=(*name, f"{verb} no longer muted"), body=(said,)))
        case MuteOutcome.STILL_SILENT:
            headline = (*name, f"{verb} still silent")
            why: Line = ("Its own mute is ended, but something else keeps it silent.",)
            return private(Post(sign=SILENT_SIGN, headline=headline, body=told(why, told_now, wider)))
        case MuteOutcome.NOT_MUTED:
            headline = (*name, f"{verb} not muted by anybody")
            if not told_now:
                return private(Post(sign=NOTICE_SIGN, headline=headline, body=(("Nothing has changed.",),)))
            headline = (*name, f"{verb} not muted on its own")
            return private(Post(sign=NOTICE_SIGN, headline=headline, body=told(told_now, wider)))
        case MuteOutcome.ENDED:
            return private(Post(sign=NOTICE_SIGN, headline=(*name, f"{verb} over: nothing left to mute")))
        case _:
            assert_never(outcome)
