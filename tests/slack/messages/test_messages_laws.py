"""Whatever text ItemPath or a person sends: every message is valid for Slack, pings nobody unasked, and can be read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.connection import Connection, Failure, Log
from bot.core.diff import WATCHED_FIELDS, Change, ChangeKind, FieldChange
from bot.core.incidents import (
    SITE,
    Closing,
    Episode,
    EpisodeKind,
    Family,
    Json,
    Message,
    MessageKind,
    Person,
    Phase,
    Role,
    Silence,
    Thread,
    ThreadKind,
    ThreadView,
    Why,
)
from bot.sandbox.slack.blocks import check_message
from bot.slack.blocks import mention_token
from bot.slack.messages import MUTE, Rendered, render
from bot.slack.wording import literal

unhurried = settings(deadline=None)
"""How long one example takes is the machine's affair, not the law's."""
forms = st.sampled_from(["full", "simple", "plain"])
MARK = "ζ"
"""Stands in foreign text only."""

MARKUP = (
    "<!channel>",
    "<!here>",
    "<@U0ANA>",
    "<#C1>",
    "<https://x.example|y>",
    "https://x.example",
    "&",
    "&lt;",
    "*b*",
)
STYLES = ("_i_", "~s~", "`c`", "```", ":tada:", "@here", "|", ">", "password=hunter2")
HIDDEN = ("\n", "\r\n", "\t", "\x00", "\x1b[31m", "\u202e", "\u200b", "\u2028", "\ud800", "\u3164", "\U000e0041")
LONG = ("&" * 500, "<" * 3000, "👩\u200d💻" * 200, "`" * 400, "x" * 9000, f"{MARK} " * 3000)
texts = st.lists(st.sampled_from((*MARKUP, *STYLES, *HIDDEN, *LONG, "", MARK)) | st.text(max_size=9), max_size=4).map(
    "".join
)
moments = st.integers(min_value=0, max_value=32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
mentions = st.lists(
    st.sampled_from(["here", "channel", "U0ANA", "W0BEN", "S0ONCALL", "everyone", "<!here>", "u0ana"]),
    max_size=3,
    unique=True,
).map(tuple)

EPISODES = {
    ThreadKind.OUTAGE: (EpisodeKind.OUTAGE, 1, 1),
    ThreadKind.GROUP: (EpisodeKind.OUTAGE, 1, 600),
    ThreadKind.ERROR: (EpisodeKind.ERROR, 1, 1),
    ThreadKind.SITE: (EpisodeKind.BLIND, 1, 20),
    ThreadKind.BASELINE: (EpisodeKind.OUTAGE, 0, 70),
}
"""Of which kind a thread tells, at least how many, and at most."""
BY_PERSON = (MessageKind.ACKNOWLEDGED, MessageKind.MUTED, MessageKind.UNMUTED)
CALLING = {MessageKind.ROOT, MessageKind.REMINDER, MessageKind.ESCALATED}


@dataclass(frozen=True)
class Case:
    view: ThreadView
    message: Message
    now: datetime

    def render(self, form: str) -> Rendered:
        return render(self.view, self.message, form=form, now=self.now, interactive=True)


class Pool:
    """A few texts and moments, from which a whole thread is filled: drawing each field anew would take seconds."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._texts = draw(st.lists(texts, min_size=1, max_size=5))
        self._moments = draw(st.lists(moments, min_size=1, max_size=3))
        self.random = draw(st.randoms(use_true_random=False))

    def text(self) -> str:
        return self.random.choice(self._texts)

    def maybe(self) -> str | None:
        return self.random.choice([None, *self._texts])

    def at(self) -> datetime:
        return self.random.choice(self._moments)

    def maybe_at(self) -> datetime | None:
        return self.random.choice([None, *self._moments])

    def number(self) -> int:
        return self.random.choice([-1, 0, 1, 2, 10**9])

    def log(self) -> Log:
        return Log(id=self.text(), at=self.maybe_at(), error=self.maybe())

    def row(self) -> Connection:
        return Connection(
            id=self.text(),
            name=self.text(),
            url=self.maybe(),
            type=self.maybe(),
            authentication=self.maybe(),
            latest_connection=self.maybe_at(),
            last_check=self.maybe_at(),
            latest_log=self.random.choice([None, self.log()]),
            integration_count=self.random.choice([None, self.number()]),
        )

    def family(self, message: int) -> Family:
        return Family(
            fingerprint=self.text(),
            log=self.log(),
            count=self.number(),
            first_at=self.at(),
            last_at=self.at(),
            message=message,
        )

    def episode(self, kind: EpisodeKind, number: int) -> Episode:
        site, end = kind is EpisodeKind.BLIND, self.maybe_at()
        families = range(self.random.randrange(1 if kind is EpisodeKind.ERROR else 0, 9))
        return Episode(
            id=f"e{number}",
            site=self.text(),
            connection=SITE if site else self.text() or "1",
            kind=kind,
            start=self.at(),
            why=self.random.choice(list(Why)),
            not_before=self.maybe_at(),
            end=end,
            end_why=self.random.choice([None, *Why]) if end else None,
            end_not_before=self.maybe_at() if end else None,
            closing=self.random.choice([None, *Closing]) if end else None,
            row=None if site else self.random.choice([None, self.row(), self.row()]),
            families=tuple(self.family(n % 3) for n in families),
            failure=Failure(kind="timeout", message=self.text(), advice=self.text()) if site else None,
        )

    def silence(self) -> Silence:
        by = self.random.choice([None, Person(id="U2", name=self.text())])
        return Silence(until=self.at(), reason=self.text(), by=by)

    def meant(self) -> dict[str, Json]:
        """By a mute: a whole site, or connections, at least one."""
        if self.random.random() < 0.3:
            return {"site": self.text(), "connections": []}
        number = self.random.choice([1, 2, 8, 9, 600])
        return {"site": None, "connections": [self.text() for _ in range(number)]}

    def phase(self, kind: ThreadKind, told: tuple[Episode, ...]) -> Phase:
        """As the core leaves it: open while something is down, and perhaps flapping where that is told."""
        if kind in (ThreadKind.OUTAGE, ThreadKind.GROUP) and self.random.random() < 0.3:
            return Phase.FLAPPING
        return Phase.OPEN if any(e.open for e in told) else Phase.CLOSED

    def change(self) -> dict[str, Json]:
        kind = self.random.choice(list(ChangeKind))
        values = (None, True, False, self.text(), self.text())
        names = WATCHED_FIELDS[: self.random.randrange(8)]
        choice = self.random.choice
        fields = (FieldChange(field=name, before=choice(values), after=choice(values)) for name in names)
        checked = None if (at := self.maybe_at()) is None else at.isoformat()
        detail = checked if kind in (ChangeKind.STALE, ChangeKind.FRESH) else self.maybe()
        change = Change(kind=kind, connection=self.maybe(), name=self.text(), fields=tuple(fields), detail=detail)
        return change.as_json()

    def params(self, kind: ThreadKind) -> dict[str, Json]:
        if kind is ThreadKind.CHANGES:
            return {"changes": [self.change() for _ in range(self.random.randrange(1, 20))]}
        if kind is ThreadKind.AWAY:
            return {"from": self.at().isoformat(), "to": self.at().isoformat()}
        return {"watched": self.number(), "unreadable": self.number()}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(ThreadKind))
    pool = Pool(draw)
    episode_kind, least, most = EPISODES.get(kind, (EpisodeKind.OUTAGE, 0, 0))
    told = tuple(pool.episode(episode_kind, n) for n in range(draw(st.integers(least, most))))
    thread = Thread(
        id="plant/2",
        site=pool.text(),
        kind=kind,
        channel="#alerts",
        opened=pool.at(),
        mentions=draw(mentions),
        escalate_to=draw(mentions),
        phase=pool.phase(kind, told),
        ack_by=draw(st.none() | st.builds(Person, id=st.just("U1"), name=st.just(pool.text()))),
        ack_at=pool.maybe_at(),
        settle_at=pool.maybe_at(),
        changes=pool.number(),
        told_down=pool.number(),
        watched=pool.number(),
        silence=draw(st.none() | st.just(pool.silence())),
    )
    root = Message(thread=thread.id, n=0, role=Role.ROOT, kind=MessageKind.ROOT, params=pool.params(kind))
    view = ThreadView(thread=thread, root=root, episodes=told)
    message = draw(st.sampled_from([root, root, *_replies(pool, kind, told)]))
    return Case(view=view, message=message, now=pool.at())


def _replies(pool: Pool, thread: ThreadKind, told: tuple[Episode, ...]) -> Iterator[Message]:
    def message(kind: MessageKind, params: dict[str, Json]) -> Message:
        return Message(thread="plant/2", n=1, role=Role.REPLY, kind=kind, params=params)

    by: dict[str, Json] = {"id": "U1", "name": pool.text()}
    yield message(MessageKind.REMINDER, {"number": 1})
    yield message(MessageKind.ESCALATED, {})
    meant, until = pool.meant(), pool.at().isoformat()
    yield message(MessageKind.MUTED, {"by": by, "until": until, "reason": pool.text(), **meant})
    yield message(MessageKind.UNMUTED, {"by": by, **meant})
    if thread in (ThreadKind.OUTAGE, ThreadKind.GROUP):
        yield message(MessageKind.SETTLED, {"down": pool.random.choice([0, 1, 40]), "changes": pool.number()})
    if thread is ThreadKind.GROUP:
        yield message(MessageKind.GROWN, {"down": pool.number(), "was": pool.number()})
        yield message(MessageKind.REOPENED, {"down": pool.number()})
        yield message(MessageKind.OVER, {"members": pool.number()})
        yield message(MessageKind.LIST, {"page": pool.random.randrange(13)})
    yield message(MessageKind.ACKNOWLEDGED, {"by": by, "at": pool.at().isoformat()})
    for episode in told[:1]:
        yield message(MessageKind.RECOVERED, {"episode": episode.id, "error": pool.maybe()})
        for family in episode.families[:1]:
            yield message(MessageKind.ERROR, {"episode": episode.id, "fingerprint": family.fingerprint})


def strings(value: Any) -> Iterator[str]:
    """Every string in it, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in it, at any depth."""
    if isinstance(value, dict):
        yield value
        yield from (node for inner in value.values() for node in nodes(inner))
    elif isinstance(value, (list, tuple)):
        yield from (node for inner in value for node in nodes(inner))


def check_valid(rendered: Rendered) -> None:
    """Slack's limits, written a second time: from the facts rather than from the code."""
    assert 0 < len(rendered.text) <= 4000
    assert len(rendered.blocks) <= 50
    shown = [n["text"] for n in nodes(rendered.blocks) if isinstance(n.get("text"), str)]
    assert sum(map(len, shown)) <= 12_000
    assert all(shown)
    for block in rendered.blocks:
        assert block["type"] in ("header", "section", "rich_text", "actions")
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert len(block.get("text", {"text": "x"})["text"]) <= 3000
            assert len(block.get("fields", [])) <= 10
            assert all(len(field["text"]) <= 2000 for field in block.get("fields", []))
        if block["type"] in ("rich_text", "actions"):
            assert block["elements"]
            assert all(n["elements"] for n in nodes(block) if "elements" in n)
    "".join(strings([rendered.text, rendered.blocks])).encode()


@unhurried
@given(case=cases(), form=forms)
def test_every_message_is_valid_for_slack(case: Case, form: str) -> None:
    rendered = case.render(form)

    check_valid(rendered)
    check_message(list(rendered.blocks), None)


MENTIONS = {
    "user": "user_id",
    "usergroup": "usergroup_id",
    "broadcast": "range",
    "link": "url",
    "channel": "channel_id",
}


@unhurried
@given(case=cases(), form=forms)
def test_nobody_is_pinged_but_those_whom_the_settings_name(case: Case, form: str) -> None:
    """And only by roots and reminders, others by escalations, and all while it waits and is not silent; nothing links."""
    rendered, thread = case.render(form), case.view.thread
    kind = case.message.kind
    allowed: set[str] = set()
    if kind in CALLING and thread.open and thread.ack_by is None and thread.silence is None:
        allowed = set(thread.escalate_to if kind is MessageKind.ESCALATED else thread.mentions)
    if thread.kind in (ThreadKind.CHANGES, ThreadKind.AWAY):
        allowed = set()
    if kind is MessageKind.ROOT and thread.kind is ThreadKind.BASELINE:
        allowed = set()
    called = [n[MENTIONS[n["type"]]] for n in nodes(rendered.blocks) if n.get("type") in MENTIONS]
    assert set(called) <= allowed
    assert len(called) == len(set(called))

    marked_up = [rendered.text, *(n["text"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn")]
    tokens = {token for text in marked_up for token in re.findall(r"<[^>]*>?", text) if not token.startswith("<!date^")}
    assert tokens <= {mention_token(mention) for mention in allowed}
    assert all(n["verbatim"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn")
    assert not any(n["emoji"] for n in nodes(rendered.blocks) if n.get("type") == "plain_text")


@unhurried
@given(case=cases(), form=forms)
def test_where_slack_reads_formatting_foreign_text_stands_in_backticks(case: Case, form: str) -> None:
    rendered = case.render(form)
    marked_up = [n["text"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn"]
    if not rendered.blocks:
        marked_up.append(rendered.text)
    outside = [re.sub(r"`[^`]*`", "", text) for text in marked_up]

    assert not any(MARK in text or "`" in text for text in outside)


@unhurried
@given(case=cases(), form=forms)
def test_nothing_hides_or_reorders_text_and_no_password_is_shown(case: Case, form: str) -> None:
    rendered = case.render(form)
    everything = "".join(strings([rendered.text, rendered.blocks]))

    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\u3164\ufeff\ud800-\udfff]", everything
    )
    assert "hunter2" not in everything


@unhurried
@given(case=cases())
def test_the_name_can_be_read_in_every_form(case: Case) -> None:
    """Up to where it is cut; in the notification as well as in the message."""
    view = case.view
    if view.thread.kind not in (ThreadKind.OUTAGE, ThreadKind.ERROR) or case.message.kind in BY_PERSON:
        return
    episode = view.episodes[0]
    if case.message.kind in (MessageKind.REMINDER, MessageKind.ESCALATED) and not episode.open:
        return
    name = literal(episode.row.name if episode.row else episode.connection, 80)
    full, plain = case.render("full"), case.render("plain")

    assert name in html.unescape(full.text)
    assert name in "".join(strings(full.blocks))
    assert name.replace("`", "'") in html.unescape(plain.text)


@unhurried
@given(case=cases(), form=forms)
def test_a_mute_names_what_is_meant_first(case: Case, form: str) -> None:
    """In every form and in every kind of thread; of many at least the first."""
    params = case.message.params
    if case.message.kind not in (MessageKind.MUTED, MessageKind.UNMUTED):
        return
    site, connections = params["site"], params["connections"]
    assert isinstance(connections, list)
    name = literal(str(connections[0] if site is None else site), 80 if len(connections) < 2 else 40)
    rendered = case.render(form)

    assert name.replace("`", "'") in html.unescape(rendered.text).replace("`", "'")
    if form == "full":
        assert name in "".join(strings(rendered.blocks))


@unhurried
@given(case=cases())
def test_a_silent_root_says_so_and_offers_no_mute(case: Case) -> None:
    thread, rendered = case.view.thread, case.render("full")
    if case.message.kind is not MessageKind.ROOT or thread.kind not in EPISODES or not thread.open:
        return
    silent = thread.silence is not None
    offered = [n["action_id"] for n in nodes(rendered.blocks) if "action_id" in n]

    said = [s for s in strings(rendered.blocks) if re.search("🔇 (Muted|Maintenance) until ", s)]
    assert len(said) == silent
    assert (MUTE in offered) is not silent


@unhurried
@given(case=cases())
def test_red_is_what_is_down(case: Case) -> None:
    if case.message.kind is not MessageKind.ROOT:
        return
    view = case.view
    of_outages = view.thread.kind in (ThreadKind.OUTAGE, ThreadKind.GROUP, ThreadKind.BASELINE)
    down = of_outages and any(e.open for e in view.episodes)

    assert case.render("full").text.startswith("🔴") is down
