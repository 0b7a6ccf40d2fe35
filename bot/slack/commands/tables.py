"""The words and blocks of `list`, as a pure function of what was found."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.connection import State
from bot.core.incidents import Person
from bot.slack.blocks import Block, Foreign, Line, actions, button, rich_text
from bot.slack.commands.listing import PAGE_SIZE, Page, Row
from bot.slack.commands.naming import name_of
from bot.slack.commands.replies import BUTTONS, SHARE, Answer, answer
from bot.slack.commands.survey import Listed
from bot.slack.commands.vocabulary import LIST, MUTED, Listing
from bot.slack.messages.phrases import name as named
from bot.slack.messages.phrases import reference, sentences, told
from bot.slack.messages.post import ACKNOWLEDGED_SIGN, NOTICE_SIGN, SILENT_SIGN, Post, full
from bot.slack.wording import BLANK, ELLIPSIS, count, duration, literal, sign

TURN = "turn_page_"
"""The `action_id` of a paging button begins so; its `value` is the command that shows the other page."""
AGAIN = "?"
"""The `value` of a share button begins so when a command follows, which is asked again for everybody."""

_COLUMNS = (
    ("", 7),
    ("for", 11),
    ("name", 26),
    ("muted for", 11),
    ("reference", 22),
    ("type", 12),
    ("stops", 6),
    ("note", 14),
)
_MARKS = f"{SILENT_SIGN} muted or in maintenance, {ACKNOWLEDGED_SIGN} acknowledged."
NAMED = 5
"""Connections that the text beside the table names."""
NAME_LIMIT = 60


def table(listed: Listed, *, at: datetime, command: str, shared_by: Person | None = None) -> Answer:
    """`command` is what people type; `shared_by` names who shows it to everybody."""
    page, listing = listed.page, listed.listing
    post = Post(
        sign=_sign(listed),
        headline=_headline(listing, page, blind=bool(listed.blind)),
        body=told(
            sentences(_counts(page), _lost(page, listing, command), _muted(page, listing)),
            *((named(e), " cannot be read since ", e.start, ": its connections are unknown.") for e in listed.blind),
            *((Foreign(site, style="bold"), " has not been read yet.") for site in listed.unread),
            ("Did you mean ", Foreign(f"{command} {listed.guess}", 200, style="code"), "?") if listed.guess else (),
            ("As of ", at, ". Shared by ", Foreign(shared_by.name, style="bold"), ".") if shared_by else (),
        ),
    )
    blocks = list(full(post, root=True).blocks)
    if page.rows:
        blocks.append(rich_text(literally(_lines(page.rows, at, left=MUTED in listing.marks))))
        buttons = [] if shared_by else [*_paging(listing, page), share(listing.text(page=page.number))]
        if buttons:
            blocks.append(actions(BUTTONS, *buttons))
    # Whoever has it read out, or sees a notification, sees no table.
    said = replace(post, body=told(*post.body[:1], _named(page, at), *post.body[1:]))
    return answer(full(said, root=True).text, blocks, shown_to_all=shared_by is not None)


def _named(page: Page, at: datetime) -> Line:
    """The first of this page that are in the worst state, unless that is up; and how many more are."""
    worst = _worst(page) if page.total else State.UP
    if worst is State.UP:
        return ()
    rows = [row for row in page.rows if row.state is worst][:NAMED]
    if not rows:
        return ()
    spans = tuple(span for row in rows for span in (", ", *_which(row, at)))[1:]
    more = page.counts[worst] - len(rows)
    return (f"{worst.value.capitalize()}: ", *spans, f" and {more:,} more." if more else ".")


def _which(row: Row, at: datetime) -> Line:
    record = row.record
    long: Line = (f" for {duration(at - record.since)}",) if record.since and row.state is not State.UNKNOWN else ()
    return (Foreign(name_of(record), NAME_LIMIT), " ", reference(record.site, record.id), *long)


def _worst(page: Page) -> State:
    return next(state for state, number in page.counts.items() if number)


def _sign(listed: Listed) -> str:
    """An empty list is good news only where everything can be seen."""
    if listed.page.total:
        return sign(_worst(listed.page))
    return sign(State.UNKNOWN) if listed.blind or listed.page.lost else NOTICE_SIGN


def _headline(listing: Listing, page: Page, *, blind: bool) -> Line:
    if not page.watched:
        return ("No connection is known yet",)
    if not page.total:
        return _nothing(listing, unseen=blind or page.lost > 0)
    marked = ""
    if listing.marks:
        marked = f" {'is' if page.total == 1 else 'are'} {' and '.join(dict.fromkeys(listing.marks))}"
    if page.total < page.watched:
        return (f"{page.total:,} of {count(page.watched, 'connection')}{marked}",)
    every = f"All {count(page.total, 'connection')}" if page.total > 1 else "The one connection"
    return (f"{every}{marked}",)


def _nothing(listing: Listing, *, unseen: bool) -> Line:
    """`unseen`: some that are unknown may be it."""
    asked = " and ".join([*([listing.state.value] if listing.state else []), *dict.fromkeys(listing.marks)])
    if unseen and listing.state in (State.DOWN, State.UP):
        return (f"No connection {'that fits ' if listing.filters else ''}is known to be {asked} at present",)
    if unseen:
        return ("Nothing to list, but not every site can be read",)
    if listing.filters:
        return ("No connection fits ", Foreign(" ".join(listing.words), 200))
    if listing.state is State.UNKNOWN and not listing.marks:
        return ("No connection's state is unknown",)
    return (f"No connection is {asked}",)


def _counts(page: Page) -> Line:
    if not page.total:
        return (f"{count(page.watched, 'connection')} in all are watched.",) if page.watched else ()
    parts = ", ".join(f"{number:,} {state}" for state, number in page.counts.items() if number)
    if page.of == 1:
        return (f"{parts}.",)
    last = page.first + len(page.rows) - 1
    return (f"{parts}. Page {page.number:,} of {page.of:,}: {page.first:,} to {last:,}, worst first.",)


def _lost(page: Page, listing: Listing, command: str) -> Line:
    """How many of the unknown were down when last seen, or what was asked for; and how to see those that are not shown."""
    were = "was" if page.lost == 1 else "were"
    if not page.lost:
        return ()
    if listing.state in (None, State.UNKNOWN):
        return (f"{page.lost:,} of the unknown {were} down when last read.",)
    unknown = " ".join((LIST, State.UNKNOWN, *(w for w in listing.words if w.casefold() != listing.state)))
    typed = Foreign(f"{command} {unknown}", 200, style="code")
    more = " more" if page.total else ""
    return (f"{page.lost:,}{more} {were} {listing.state} when last read: ", typed, ".")


def _muted(page: Page, listing: Listing) -> Line:
    """How many are, unless only those are shown, and what the marks mean, if there are any."""
    marked = any(row.silence or row.ack_by for row in page.rows)
    return sentences(
        (f"{page.muted:,} of them muted." if page.total > 1 else "It is muted.",)
        if page.muted and MUTED not in listing.marks
        else (),
        (_MARKS,) if marked else (),
    )


def _note(row: Row) -> str:
    """Who takes care of it, or else who has muted it; and both marks where it is both."""
    muted = f"{SILENT_SIGN} " if row.silence else ""
    if row.ack_by:
        return f"{muted}{ACKNOWLEDGED_SIGN} {row.ack_by.name}"
    return muted and f"{muted}{row.silence.by.name if row.silence and row.silence.by else 'planned'}"


def _paging(listing: Listing, page: Page) -> list[Block]:
    there = [
        (f"◀ {page.first - PAGE_SIZE:,}-{page.first - 1:,}", "back", page.number - 1),
        (f"{page.first + PAGE_SIZE:,}-{min(page.total, page.first + 2 * PAGE_SIZE - 1):,} ▶", "on", page.number + 1),
    ]
    return [
        button(label, action=TURN + way, value=listing.text(page=number))
        for label, way, number in there
        if 1 <= number <= page.of
    ]


def share(command: str) -> Block:
    return button("Share to channel", action=SHARE, value=f"{AGAIN}{command}")


def _lines(rows: Sequence[Row], at: datetime, *, left: bool) -> str:
    """A table of fixed width: as wide as its contents need, without the columns that are empty. `left`: with how long each
    will still be muted.
    """
    cells = [_cells(row, at, left=left) for row in rows]
    used = [i for i in range(len(_COLUMNS)) if any(line[i] for line in cells)]
    head = [title for title, _ in _COLUMNS]
    if all(row.state is State.UNKNOWN for row in rows):
        head[1] = ""  # what each was stands there
    widths = {i: max(_width(line[i]) for line in [head, *cells]) for i in used}
    return "\n".join("  ".join(_padded(line[i], widths[i]) for i in used).rstrip() for line in [head, *cells])


def _cells(row: Row, at: datetime, *, left: bool) -> list[str]:
    record, shown = row.record, row.record.row
    lasting = short(at - record.since) if record.since else ""
    if row.state is State.UNKNOWN:
        lasting = f"was {record.known}" if record.known is not State.UNKNOWN else ""
    stops = shown.integration_count if shown else None
    values = (
        row.state.value,
        lasting,
        name_of(record) or BLANK,
        short(row.silence.until - at) if left and row.silence else "",
        f"{record.site}/{record.id}",
        (shown.type if shown else None) or "",
        str(stops) if stops else "",
        _note(row),
    )
    return [_cut(literal(v, 200), limit) if v else "" for v, (_, limit) in zip(values, _COLUMNS, strict=True)]


def short(length: timedelta) -> str:
    return duration(length) if length >= timedelta(seconds=1) else "< 1 s"


def _width(text: str) -> int:
    """Cells of a terminal: letters of East Asia are two wide, marks on another letter none."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _cut(text: str, limit: int) -> str:
    if _width(text) <= limit:
        return text
    while _width(text) > limit - 1:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def literally(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
