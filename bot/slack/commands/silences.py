"""What keeps a connection or a whole site silent: mutes of people, and maintenance of the settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.core.incidents import Mute, Silence
from bot.core.maintenance import Window


def silences(
    mutes: Iterable[Mute],
    windows: Iterable[Window],
    *,
    site: str,
    connection: str,
    name: str | None,
    now: datetime,
) -> tuple[Silence, ...]:
    """What lasts longest comes first. `connection` is an id, or `incidents.SITE` with no `name` for the site itself."""
    of_people = [mute.silence for mute in mutes if mute.site == site and mute.covers(connection, now)]
    planned = [
        window.silence(until)
        for window in windows
        if window.covers(site, name) and (until := window.until(now)) is not None
    ]
    return tuple(sorted([*of_people, *planned], key=lambda silence: silence.until, reverse=True))
