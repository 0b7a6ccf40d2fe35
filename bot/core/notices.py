"""Added, removed, changed, not readable: one message for each poll and channel, without a mention."""

from __future__ import annotations

from bot.core.connection import Connection
from bot.core.diff import Change, ChangeKind, FieldChange
from bot.core.draft import Draft
from bot.core.events import EventKind
from bot.core.incidents import Silence, ThreadKind
from bot.core.silence import silence


class Notices:
    """Gathers the changes of one poll, and sends them in the end."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._by_channel: dict[str, list[Change]] = {}

    def add(
        self, row: Connection, kind: ChangeKind, *, fields: tuple[FieldChange, ...] = (), detail: str | None = None
    ) -> None:
        channel = self._draft.policy.route(row).channel
        change = Change(kind=kind, connection=row.id, name=row.name, fields=fields, detail=detail)
        if (muted := silence(self._draft, row.id)) is not None:
            self._log(change, thread=None, muted=muted)
            return
        self._by_channel.setdefault(channel, []).append(change)

    def add_unknown(self, change: Change) -> None:
        """About a row of which no more than an id was ever understood: no route can match it."""
        self._by_channel.setdefault(self._draft.policy.home, []).append(change)

    def send(self) -> None:
        for channel, changes in self._by_channel.items():
            thread = self._draft.open_notice(
                ThreadKind.CHANGES, channel, params={"changes": [change.as_json() for change in changes]}
            )
            for change in changes:
                self._log(change, thread=thread.id)

    def _log(self, change: Change, *, thread: str | None, muted: Silence | None = None) -> None:
        self._draft.log(
            EventKind(change.kind.value),
            reason="listed",
            connection=change.connection or "",
            thread=thread,
            data=change.as_json(),
            muted=muted,
        )
