"""Why people were told, or not: the events of each incident, and the notices, which belong to none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.cli.output import moment
from bot.core.diff import Change, ChangeKind
from bot.core.events import Event, EventKind
from bot.core.incidents import SITE, Closing, Episode, EpisodeKind
from bot.core.sight import NOT_RECORDED

NOTICES = frozenset(
    {*(EventKind(kind.value) for kind in ChangeKind), EventKind.AWAY, EventKind.BASELINE},
)
"""What is told once, or left out, without an incident: nothing follows it."""

_OF_ALL = frozenset(
    {
        EventKind.ACKNOWLEDGED,
        EventKind.REMINDED,
        EventKind.ESCALATED,
        EventKind.NOT_REMINDED,
        EventKind.NOT_ESCALATED,
    }
)
"""What is said of a thread that sites lost together share, by whichever of them it began with."""
_SILENCES = frozenset({EventKind.MUTED, EventKind.UNMUTED})

SHOWN = 3
"""Lines of a notice that a person is shown; JSON has them all."""


class Notice(NamedTuple):
    """One message that nothing follows, or one line that was left out of it."""

    site: str
    at: datetime
    thread: str | None
    """`None`: nobody was told."""
    events: tuple[Event, ...]
    """At least one, oldest first."""

    @property
    def connection(self) -> str | None:
        """The one that it is about; `None`: several, or the site."""
        about = {event.connection for event in self.events}
        return (about.pop() or None) if len(about) == 1 else None


class Reasons:
    """Events, by what they are about."""

    def __init__(self, events: Iterable[Event]) -> None:
        """`events` oldest first."""
        self._of_connection: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
        self._of_thread: defaultdict[str, list[Event]] = defaultdict(list)
        self._notices: list[Event] = []
        for event in events:
            if event.connection == SITE and event.thread is not None:
                self._of_thread[event.thread].append(event)
            else:
                self._of_connection[event.site, event.connection].append(event)
            if event.kind in NOTICES:
                self._notices.append(event)

    def of(self, episode: Episode) -> list[Event]:
        """What happened to it, and from its start on what its thread told of all that is in it; oldest first."""
        told = self._of_thread.get(episode.thread or "", ())
        own = self._of_connection.get((episode.site, episode.connection), ())
        found = [e for e in told if e.at >= episode.start and (e.site == episode.site or e.kind in _OF_ALL)]
        # Whoever mutes a whole site mutes each of its connections.
        whole = [e for e in self._of_connection.get((episode.site, SITE), ()) if e.kind in _SILENCES]
        own = own if episode.connection == SITE else [*own, *whole]
        end = self._known_over(episode)
        found += [e for e in own if e.at >= episode.start and (end is None or e.at <= end)]
        return sorted(found, key=lambda event: event.at)

    def _known_over(self, episode: Episode) -> datetime | None:
        """When the end of it was known: where a recovery waits for more polls to confirm it, after the end itself."""
        if episode.end is None or episode.kind is not EpisodeKind.OUTAGE or episode.closing is not Closing.RECOVERED:
            return episode.end
        own = self._of_connection.get((episode.site, episode.connection), ())
        return next((e.at for e in own if e.kind is EventKind.WENT_UP and e.at >= episode.end), episode.end)

    def notices(self) -> list[Notice]:
        """Newest first; also a first message about a site, though it may be the root of incidents."""
        messages: dict[str | int, list[Event]] = {}
        for number, event in enumerate(self._notices):
            messages.setdefault(number if event.thread is None else event.thread, []).append(event)
        return [
            Notice(site=events[0].site, at=events[0].at, thread=events[0].thread, events=tuple(events))
            for events in reversed(messages.values())
        ]


def what(event: Event, *, at: Callable[[object], str] = str) -> str:
    """What an event of a notice tells, in words; foreign text in it is as it came. `at`: how a moment is written."""
    match event.kind:
        case EventKind.BASELINE:
            watched = event.data.get("watched")
            return f"watching {watched} connection{'' if watched == 1 else 's'} began"
        case EventKind.AWAY:
            lost = "recorded" if event.reason == NOT_RECORDED else "watched"
            return f"nothing was {lost} from {at(event.data.get('from'))} to {at(event.data.get('to'))}"
    if not event.data:
        return event.kind.value
    change = Change.from_json(event.data)
    fields = f" ({', '.join(field.field for field in change.fields)})" if change.fields else ""
    # Of rows without an id there is only a number, which stands in the name's place.
    rows = "" if event.connection else f" row{'' if change.name == '1' else 's'} without an id"
    return f"{change.kind.value}: {change.name}{rows}{fields}"


def _moment(at: object) -> str:
    """As the other times of the table are told."""
    return moment(datetime.fromisoformat(str(at)))


def words(events: Sequence[Event]) -> str:
    """What a notice tells, as far as one line may."""
    shown = "; ".join(what(event, at=_moment) for event in events[:SHOWN])
    return shown if len(events) <= SHOWN else f"{shown}; and {len(events) - SHOWN} more"
