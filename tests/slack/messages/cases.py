"""Every message that there can be, with whatever text ItemPath or a person may send: what the laws are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import settings
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
    SilentPart,
    Thread,
    ThreadKind,
    ThreadView,
    Why,
)
from bot.slack.messages import Rendered, render

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

    def parts(self, kind: ThreadKind, told: tuple[Episode, ...]) -> tuple[SilentPart, ...]:
        """Of what is down in a thread about many; perhaps of none of it."""
        down = [e.connection for e in told if e.open]
        if kind not in (ThreadKind.GROUP, ThreadKind.BASELINE) or len(down) < 2 or self.random.random() < 0.5:
            return ()
        number = self.random.randrange(1, 6)
        parts = [tuple(down[start::number]) for start in range(number)]
        return tuple(SilentPart(silence=self.silence(), connections=part) for part in parts if part)

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
        elsewhere=pool.random.choice([0, 0, 1, 10**9]),
        unsaid=pool.random.choice([0, 0, 1, 10**9]),
        silences=pool.parts(kind, told),
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
        beside = {"elsewhere": pool.random.choice([0, 1, 10**9]), "unsaid": pool.random.choice([0, 1, 10**9])}
        yield message(MessageKind.GROWN, {"down": pool.number(), "was": pool.number(), **beside})
        yield message(MessageKind.REOPENED, {"down": pool.number(), **beside})
        yield message(MessageKind.OVER, {"members": pool.number()})
        yield message(MessageKind.LIST, {"page": pool.random.randrange(13)})
    yield message(MessageKind.ACKNOWLEDGED, {"by": by, "at": pool.at().isoformat()})
    for episode in told[:1]:
        yield message(MessageKind.RECOVERED, {"episode": episode.id, "error": pool.maybe()})
        for family in episode.families[:1]:
            yield message(MessageKind.ERROR, {"episode": episode.id, "fingerprint": family.fingerprint})
