"""The words and blocks of every answer, as a pure function of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import structlog

from bot.core.connection import Connection, State
from bot.core.incidents import EVERY, Episode, EpisodeKind, Person
from bot.core.state import AckOutcome, AckReply, ConnectionRecord
from bot.slack.blocks import (
    Block,
    Fact,
    Foreign,
    Line,
    actions,
    bullets,
    button,
    fact_blocks,
    rich_text,
)
from bot.slack.commands.lookup import Sight
from bot.slack.commands.people import COMMAND
from bot.slack.messages.phrases import (
    acknowledged,
    all_facts,
    fell,
    flaps,
    length,
    reference,
    sentences,
    silenced,
    times_seen,
    told,
)
from bot.slack.messages.post import ACKNOWLEDGED_SIGN, ERROR_SIGN, FLAPPING_SIGN, NOTICE_SIGN, Post, full
from bot.slack.wording import count, duration, sign
from bot.store.errors import StoreError

_log = structlog.get_logger(__name__)

Answer: TypeAlias = dict[str, Any]
"""What goes back with an acknowledgement, or to a `response_url`."""

SHARE = "share"
"""`action_id` of the button; its `value` is `site/id`."""
UNMUTE = "unmute"
"""`action_id` of the button; its `value` is `site/id`, or `site/*`."""
OPEN_THREAD = "open_thread"
"""`action_id` of the link button. Slack tells of a click on it, too; there is nothing to do then."""
BUTTONS = "answer"

FACTS_SIZE = 5000
"""Characters of facts that leave room for the rest: a message may have about 12,000. Escaping may lengthen them fivefold."""

# Every field of ItemPath's page on connections that may be missing, by what it is called in an answer.
_FIELDS = (
    ("Type", "type"),
    ("Address", "url"),
    ("Authentication", "authentication"),
    ("App", "app_id"),
    ("Username", "username"),
    ("Password", "password_exists"),
    ("Token", "token_exists"),
    ("Can be tested", "is_testable"),
    ("Status", "status"),
    ("Last connection", "latest_connection"),
    ("Last check", "last_check"),
    ("Created", "created"),
    ("Integrations", "integration_count"),
    ("Latest log", "latest_log"),
)


def connection(
    sight: Sight, *, shared_by: Person | None = None, sharable: bool = True, command: str = COMMAND
) -> Answer:
    """One connection, with everything that is known of it. Shared, it is for the whole channel; `sharable`: it may be.
    `command` is what people type.
    """
    row = sight.row
    log = row.latest_log if row else None
    post = Post(
        sign=sign(sight.state),
        headline=_headline(sight),
        body=told(
            (reference(sight.site, sight.id), ": ", *_source(sight, shared=shared_by is not None)),
            *_state(sight),
            *(_incident(episode, sight) for episode in sight.episodes),
            *(silenced(silence) for silence in sight.silences),
            lifts_site(sight.site, command) if EVERY in sight.muted else (),
            _missing_fields(row) if row else (),
            ("Shared by ", Foreign(shared_by.name, style="bold"), ".") if shared_by else (),
        ),
        error=log.error if log and log.has_error else None,
    )
    rendered = full(post, root=True)
    buttons = (
        []
        if shared_by or not sharable
        else [button("Share to channel", action=SHARE, value=f"{sight.site}/{sight.id}"[:2000])]
    )
    if buttons and sight.id in sight.muted:
        buttons.append(unmute_button(sight.site, sight.id))
    if sight.link:
        buttons.append(button("Open thread", action=OPEN_THREAD, value="link") | {"url": sight.link})
    blocks = [*rendered.blocks, *_facts(all_facts(row) if row else ())]
    if buttons:
        blocks.append(actions(BUTTONS, *buttons))
    return answer(rendered.text, blocks, shown_to_all=shared_by is not None)


def unmute_button(site: str, connection: str) -> Block:
    return button("Unmute", action=UNMUTE, value=f"{site}/{connection}"[:2000])


def lifts_site(site: str, command: str) -> Line:
    """How a mute of a whole site is ended, as a sentence."""
    return ("The whole site is muted: ", Foreign(f"{command} unmute {site}/{EVERY}", style="code"), " ends that.")


def _headline(sight: Sight) -> Line:
    name = Foreign(sight.row.name if sight.row else sight.id, style="bold")
    if sight.live is not None:
        return (name, ": state unknown" if sight.state is State.UNKNOWN else f" is {sight.state}")
    if sight.gone:
        return (name, " is no longer in ItemPath" if sight.record else " is not in ItemPath")
    known = sight.record.known if sight.record else State.UNKNOWN
    if sight.state is not State.UNKNOWN:
        return (name, f" was {known} when last read")
    return (name, f": state unknown, last known {known}" if known is not State.UNKNOWN else ": state unknown")


def _source(sight: Sight, *, shared: bool) -> Line:
    """Where the answer comes from, and how old it is. What is shared is read later, too, when nothing is "just now"."""
    when: Line = ("as of ", sight.at, ", ") if shared else ()
    if sight.live is not None:
        return (*when, "read from ItemPath." if shared else "read from ItemPath just now.")
    why: Line = (*when, "ItemPath says there is no connection with this id.")
    if sight.failure is not None:
        why = (*when, "could not be read from ItemPath. ", Foreign(sight.failure.message, 300))
    if sight.record is None or sight.record.row is None:
        return (*why, " No earlier reading of it is known.")
    if sight.read_at is None:
        return (*why, " What follows is its last reading.")
    age = duration(sight.at - sight.read_at)
    return (*why, f" What follows was read {age} {'before' if shared else 'ago'}, ", sight.read_at, ".")


def _state(sight: Sight) -> tuple[Line, ...]:
    """Since when it is so, and why no more is known."""
    record = sight.record
    if record is None:
        return (("It is new: no poll has seen it yet.",),) if sight.live else ()
    since: Line = (f"{record.known.capitalize()} since ", record.since, ".") if record.since else ()
    if record.known is State.UNKNOWN:
        since = ("At the last poll its state was unknown.",)
    elif sight.state is State.UNKNOWN and since:
        since = ("Last known: ", *since)
    elif sight.live is not None and sight.state is not record.known:
        since = ("The last poll saw it ", record.known.value, "; the next one will tell the channel.")
    return told(since, *_doubts(sight, record))


def _doubts(sight: Sight, record: ConnectionRecord) -> tuple[Line, ...]:
    if sight.gone:
        return ()
    no_meaning = sight.row is not None and sight.row.state is State.UNKNOWN
    unread = record.problem if sight.live is None else None
    if unread is not None and sight.failure is not None and unread in sight.failure.message:
        unread = None  # the source of the answer has just said so
    return told(
        ("ItemPath gives no status that means up or down.",) if no_meaning else (),
        ("Its row could not be understood: ", Foreign(unread, 300), ".") if unread is not None else (),
        ("The last poll did not list it.",) if record.absent_reads else (),
        _unchecked(sight) if sight.stale else (),
    )


def _unchecked(sight: Sight) -> Line:
    """ItemPath tells a state of which it has not made sure for a long time."""
    row = sight.row
    if row is None or row.last_check is None or row.state is State.UNKNOWN:
        return ("ItemPath itself has not checked it for a long time.",)
    return (f"ItemPath says that it is {row.state}, but last checked that ", row.last_check, ".")


def _incident(episode: Episode, sight: Sight) -> Line:
    thread = sight.threads.get(episode.thread or "")
    who = acknowledged(thread) if thread else ("Not announced in the channel.",)
    so_far = duration(sight.at - episode.start)
    if episode.end is not None:
        # Of a thread that flaps: else what is over is not shown.
        line: Line = (f"{FLAPPING_SIGN} Not over yet: up since ", episode.end, f", after {length(episode)} down.")
    elif episode.kind is EpisodeKind.OUTAGE:
        line = (f"{sign(State.DOWN)} Open outage: ", *fell(episode), f", for {so_far} so far.")
    elif episode.kind is EpisodeKind.ERROR:
        seen = times_seen(max(episode.families, key=lambda family: family.last_at)) if episode.families else ()
        line = sentences((f"{ERROR_SIGN} Open error, since ", episode.start, "."), seen)
    else:
        line = (
            f"{sign(State.UNKNOWN)} Polls have not been able to read ",
            Foreign(episode.site, style="bold"),
            " since ",
        )
        line = (*line, episode.start, f", for {so_far} so far.")
    return sentences(line, flaps(thread) if thread else (), who)


def _missing_fields(row: Connection) -> Line:
    missing = [label for label, field in _FIELDS if getattr(row, field) in (None, "")]
    return (f"Not given by ItemPath: {', '.join(missing)}.",) if missing else ()


def _facts(facts: Sequence[Fact]) -> list[Block]:
    blocks = fact_blocks(facts)
    size = sum(len(field["text"]) for block in blocks for field in block["fields"])
    if size <= FACTS_SIZE:
        return blocks
    # Rich text takes everything as it is, without escaping.
    return [rich_text(bullets([(f"{fact.label}: ", *fact.value) for fact in facts]))]


def acknowledgement(reply: AckReply | None, *, about: str | None) -> Answer:
    """How it went, after its commit. `about` is a connection's name or a site's, if there is one."""
    outcome = reply.outcome if reply else AckOutcome.NOTHING_OPEN
    name: Line = ("This",) if about is None else (Foreign(about, style="bold"),)
    if outcome is AckOutcome.DONE:
        done: Line = ("You have acknowledged ", "this" if about is None else Foreign(about, style="bold"))
        return private(Post(sign=ACKNOWLEDGED_SIGN, headline=done, body=(_UNTIL_OVER,)))
    if outcome is AckOutcome.ALREADY and reply is not None and reply.by is not None:
        at: Line = (", ", reply.at) if reply.at else ()
        by: Line = ("By ", Foreign(reply.by.name, style="bold"), *at, ". Nothing has changed.")
        return private(Post(sign=ACKNOWLEDGED_SIGN, headline=(*name, " was acknowledged before"), body=(by,)))
    if outcome is AckOutcome.ENDED:
        over: Line = (*name, " is over: nothing left to acknowledge")
        return private(Post(sign=NOTICE_SIGN, headline=over))
    if outcome is AckOutcome.NOT_TOLD:
        untold: Line = (*name, " is open, but the channel has not been told of it")
        why: Line = ("It is muted, or cannot be seen at the moment. Once it is announced it can be acknowledged.",)
        return private(Post(sign=NOTICE_SIGN, headline=untold, body=(why,)))
    return private(Post(sign=NOTICE_SIGN, headline=(*name, " has no open incident: nothing to acknowledge")))


_UNTIL_OVER: Line = ("Its thread says so. No more reminders until it is over.",)


def acknowledged_all(site: str, *, done: int, of: int, failed: bool = False) -> Answer:
    """How it went with everything that is open at a site, each after its commit; `failed`: not all could be recorded."""
    name = Foreign(site, style="bold")
    if failed:
        headline: Line = (f"Only {done:,} of {count(of, 'incident')} of ", name, " acknowledged")
        why: Line = ("The bot could not write to its database. Please try again.",)
        return private(Post(sign=NOTICE_SIGN, headline=headline, body=(why,)))
    if not done:
        headline = (f"All {count(of, 'open incident')} of ", name, " were acknowledged before")
        return private(Post(sign=ACKNOWLEDGED_SIGN, headline=headline, body=(("Nothing has changed.",),)))
    headline = ("You have acknowledged ", name, f": {count(done, 'open incident')}")
    before: Line = (f"{of - done:,} more had been acknowledged before.",) if of > done else ()
    said: Line = (
        "Their threads say so. No more reminders until they are over."
        if done > 1
        else "Its thread says so. No more reminders until it is over.",
    )
    return private(Post(sign=ACKNOWLEDGED_SIGN, headline=headline, body=told(said, before)))


def sentence(headline: str, *body: str) -> Answer:
    """Anything else that is to be said privately."""
    return private(Post(sign=NOTICE_SIGN, headline=(headline,), body=tuple((line,) for line in body)))


def no_database(error: StoreError) -> Answer:
    """What a person is told when the database does not answer; the log is told why."""
    _log.warning("a person could not be answered", reason=str(error))
    return sentence(
        "The bot cannot read its database at the moment",
        "Please try again; if it keeps failing, the bot's log and /status say why.",
    )


def private(post: Post, *buttons: Block) -> Answer:
    rendered = full(post, root=False)
    return answer(rendered.text, [*rendered.blocks, *([actions(BUTTONS, *buttons)] if buttons else [])])


def answer(text: str, blocks: Sequence[Mapping[str, Any]], *, shown_to_all: bool = False) -> Answer:
    return {
        "response_type": "in_channel" if shown_to_all else "ephemeral",
        # What a click was on stays as it is, unless something is said about it.
        "replace_original": False,
        "text": text,
        "blocks": list(blocks),
    }
