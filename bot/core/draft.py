"""The working copy of a site while one decision is made; in the end, what differs is the decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.events import Event, EventKind
from bot.core.incidents import (
    SITE,
    Closing,
    Episode,
    EpisodeKind,
    Json,
    Message,
    MessageKind,
    Phase,
    Role,
    Silence,
    Thread,
    ThreadKind,
    Why,
)
from bot.core.policy import Policy, Route, together
from bot.core.state import ConnectionRecord, Decision, Overtaken, Reply, Revision, SiteState


class Draft:
    """What the rules read and change. Nothing outside one call of `decide` ever sees it."""

    def __init__(self, state: SiteState, *, now: datetime, policy: Policy) -> None:
        self.before = state
        self.now = now
        self.policy = policy
        self.site = state.site
        self.connections = dict(state.connections)
        self.episodes = dict(state.episodes)
        self.threads = dict(state.threads)
        # Storms have thousands of episodes, and each row asks for its own.
        self._of_connection: dict[str, dict[str, None]] = {}
        self._in_thread: dict[str, dict[str, None]] = {}
        for episode in self.episodes.values():
            self._index(episode)
        self.mutes = {mute.id: mute for mute in state.mutes}
        self.maintenance = [
            (window, until) for window in policy.maintenance if (until := window.until(now)) is not None
        ]
        """The windows that are open now, each with its end."""
        self.fell: dict[str, str] = {}
        """Episodes that began in this decision and wait to be announced, each with its reason."""
        self.reminded = set(state.unsent_reminders)
        """Threads with a reminder that Slack does not have yet, those of this decision included."""
        self._messages: dict[tuple[str, int], Message] = {}
        self._revisions: dict[tuple[str, int], Revision] = {}
        self._overtaken: list[Overtaken] = []
        self._events: list[Event] = []

    # Reading

    @property
    def blind(self) -> Episode | None:
        """The open blindness of the site."""
        return self.open_episode(SITE, EpisodeKind.BLIND)

    @property
    def sees(self) -> bool:
        """The last poll was a good one: what is remembered of the connections is how they are."""
        return self.site.fails == 0 and self.blind is None

    def open_episode(self, connection: str, kind: EpisodeKind) -> Episode | None:
        return next((e for e in self.episodes_of(connection) if e.kind is kind and e.open), None)

    def episodes_of(self, connection: str) -> Iterator[Episode]:
        """Of this site: a thread that several sites share brings episodes of others along."""
        return (self.episodes[i] for i in self._of_connection.get(connection, ()))

    def episodes_in(self, thread: str) -> Iterator[Episode]:
        return (self.episodes[i] for i in self._in_thread.get(thread, ()))

    def going_on(self, thread: Thread) -> list[Episode]:
        """What a thread tells that is not over: what is open, and of one that flaps the latest of each connection, for
        nothing of it is over before it has held.
        """
        if thread.phase is not Phase.FLAPPING:
            return [e for e in self.episodes_in(thread.id) if e.open]
        latest = {e.connection: e for e in sorted(self.episodes_in(thread.id), key=lambda e: e.start)}
        return [e for e in latest.values() if e.closing is not Closing.NOT_WATCHED]

    # Changing

    def put(self, record: ConnectionRecord) -> None:
        self.connections[record.id] = record

    def forget(self, connection: str) -> None:
        del self.connections[connection]

    def open_thread(self, kind: ThreadKind, route: Route, *, params: Mapping[str, Json] | None = None) -> Thread:
        """A new thread with its root, which waits to be sent from the moment this is committed."""
        thread = Thread(
            id=f"{self.site.name}/{self.next_serial()}",
            site=self.site.name,
            kind=kind,
            channel=route.channel,
            mentions=route.mentions,
            escalate_to=route.escalate_to,
            opened=self.now,
        )
        self.threads[thread.id] = thread
        self.tell(thread.id, Role.ROOT, MessageKind.ROOT, params or {})
        return self.threads[thread.id]

    def call_too(self, thread_id: str, routes: Sequence[Route]) -> None:
        """Reminders and the escalation are for whom these would have called, too; the edited root pings nobody."""
        thread = self.threads[thread_id]
        first = Route(channel=thread.channel, mentions=thread.mentions, escalate_to=thread.escalate_to)
        every = together(thread.channel, [first, *routes])
        self.threads[thread_id] = replace(thread, mentions=every.mentions, escalate_to=every.escalate_to)

    def open_notice(self, kind: ThreadKind, channel: str, *, params: Mapping[str, Json]) -> Thread:
        """A single message that nothing follows: its thread is closed from the beginning."""
        thread = self.open_thread(kind, Route(channel=channel), params=params)
        self.threads[thread.id] = replace(self.threads[thread.id], phase=Phase.CLOSED, closed=self.now)
        return self.threads[thread.id]

    def tell(
        self, thread_id: str, role: Role, kind: MessageKind, params: Mapping[str, Json], *, moot_from: int | None = None
    ) -> int:
        """Another message in a thread; its number is returned."""
        thread = self.threads[thread_id]
        n = thread.next_n
        self.threads[thread_id] = replace(thread, next_n=n + 1)
        self._messages[thread_id, n] = Message(
            thread=thread_id, n=n, role=role, kind=kind, params=dict(params), moot_from=moot_from
        )
        return n

    def is_told_aloud(self, thread_id: str) -> bool:
        """Whether this decision says something of the thread to the channel."""
        return any(m.thread == thread_id and m.role is not Role.REPLY for m in self._messages.values())

    def touch(self, thread_id: str, *, closing: bool = False, **changes: Any) -> Thread:
        """The root should show something new; `changes` are fields of the thread."""
        thread = self.threads[thread_id]
        thread = replace(thread, revision=thread.revision + 1, **changes)
        self.threads[thread_id] = thread
        self.revise(thread_id, 0, thread.revision, closing=closing)
        return thread

    def revise(self, thread_id: str, n: int, revision: int, *, closing: bool = False) -> None:
        """Message `n` should show `revision`."""
        key = (thread_id, n)
        if (message := self._messages.get(key)) is not None:
            self._messages[key] = replace(message, revision=revision)
        else:
            earlier = self._revisions.get(key)
            closing = closing or (earlier is not None and earlier.closing)
            self._revisions[key] = Revision(thread=thread_id, n=n, revision=revision, closing=closing)

    def open_new_episode(self, connection: str, kind: EpisodeKind, **fields: Any) -> Episode:
        episode = Episode(
            id=f"{self.site.name}#{self.next_serial()}",
            site=self.site.name,
            connection=connection,
            kind=kind,
            **fields,
        )
        self.episodes[episode.id] = episode
        self._index(episode)
        return episode

    def announce(self, episode: Episode, thread_id: str, *, told_at: datetime | None) -> None:
        """From now on it is told there; `told_at` is `None` when that is an edit only."""
        self.episodes[episode.id] = replace(episode, thread=thread_id, told_at=told_at)
        self._in_thread.setdefault(thread_id, {})[episode.id] = None

    def close_episode(
        self,
        episode: Episode,
        closing: Closing,
        *,
        why: Why,
        not_before: datetime | None = None,
        end: datetime | None = None,
    ) -> Thread | None:
        """End it, now or when it is known to have ended; its thread, which is returned, shows it.

        An ordinary thread closes with its last open episode. A group or a flapping one does not: what it came to is
        judged when everything else of the decision is known.
        """
        self.episodes[episode.id] = replace(
            episode, end=end or self.now, end_why=why, end_not_before=not_before, closing=closing
        )
        if episode.thread is None:
            return None
        thread = self.threads[episode.thread]
        judged_later = thread.kind is ThreadKind.GROUP or thread.phase is Phase.FLAPPING
        if judged_later or any(e.open for e in self.episodes_in(thread.id)):
            return self.touch(thread.id)
        return self.close_thread(thread.id)

    def close_thread(self, thread_id: str) -> Thread:
        thread = self.touch(
            thread_id,
            closing=True,
            phase=Phase.CLOSED,
            closed=self.now,
            remind_at=None,
            escalate_at=None,
            escalated_at=None,
            settle_at=None,
            silence=None,
            silences=(),
            owed=False,
        )
        # A root that is first shown closed has told everything that was waiting below it.
        self._overtaken.append(Overtaken(thread=thread.id, revision=thread.revision))
        return thread

    def log(
        self,
        kind: EventKind,
        *,
        reason: str,
        connection: str = "",
        thread: str | None = None,
        data: Mapping[str, Json] | None = None,
        muted: Silence | None = None,
    ) -> None:
        """Remember what happened, and why the channel was told or not; `muted` is what kept it from being told."""
        self._events.append(
            Event(
                site=self.site.name,
                connection=connection,
                at=self.now,
                kind=kind,
                reason=reason if muted is None else "muted",
                data={**(data or {}), **({} if muted is None else muted.because)},
                thread=thread,
            )
        )

    def decision(self, *, next_due: datetime | None, reply: Reply | None = None) -> Decision:
        before = self.before
        return Decision(
            site=self.site,
            connections=tuple(r for i, r in self.connections.items() if before.connections.get(i) != r),
            removed=tuple(i for i in before.connections if i not in self.connections),
            episodes=tuple(e for i, e in self.episodes.items() if before.episodes.get(i) != e),
            threads=tuple(t for i, t in self.threads.items() if before.threads.get(i) != t),
            messages=tuple(self._messages.values()),
            revisions=tuple(self._revisions.values()),
            overtaken=tuple(self._overtaken),
            events=tuple(self._events),
            mutes=tuple(m for m in self.mutes.values() if m not in before.mutes),
            next_due=next_due,
            reply=reply,
        )

    def _index(self, episode: Episode) -> None:
        if episode.site == self.site.name:
            self._of_connection.setdefault(episode.connection, {})[episode.id] = None
        if episode.thread is not None:
            self._in_thread.setdefault(episode.thread, {})[episode.id] = None

    def next_serial(self) -> int:
        self.site = replace(self.site, serial=self.site.serial + 1)
        return self.site.serial
