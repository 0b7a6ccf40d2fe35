from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.core.connection import State
from bot.core.events import Event, EventKind
from bot.core.incidents import SITE, Closing, EpisodeKind, Person, Phase, ThreadView
from bot.core.state import ConnectionRecord
from bot.store.outbox import MessageKey
from bot.store.reading import History
from bot.store.store import Store
from tests.store.samples import DAY, MINUTE, MUTE, NOW, SECOND, closed, commit, episode, post, reply, root, thread


def event(connection: str, minutes: int, *, site: str = "default") -> Event:
    return Event(site=site, connection=connection, at=NOW + minutes * MINUTE, kind=EventKind.ERROR, reason="counted")


async def test_sites_and_records_come_by_name_and_id(store: Store) -> None:
    for site in ("default", "berlin"):
        records = (ConnectionRecord(site=site, id=i, row=None, known=State.UP) for i in ("2", "1"))
        await commit(store, site=site, connections=tuple(records))
    assert [site.name for site in await store.sites()] == ["berlin", "default"]
    assert [(r.site, r.id) for r in await store.records()] == [
        ("berlin", "1"),
        ("berlin", "2"),
        ("default", "1"),
        ("default", "2"),
    ]
    assert [r.id for r in await store.records("berlin")] == ["1", "2"]


async def test_episodes_come_newest_first_and_can_be_narrowed(store: Store) -> None:
    await commit(
        store,
        episodes=(
            episode(9, connection="1", end=NOW),
            episode(10, connection="1"),
            episode(11, connection="2", start=NOW - DAY),
            episode(12, connection=SITE, kind=EpisodeKind.BLIND, start=NOW + SECOND),
        ),
    )
    await commit(store, site="other", episodes=(episode(1, site="other", start=NOW - 2 * DAY),))

    async def ids(**narrow: object) -> list[str]:
        return [e.id for e in await store.episodes(**narrow)]  # type: ignore[arg-type]

    # Two that began together come in the order of their serials, which are numbers and not text.
    assert await ids() == ["default#12", "default#10", "default#9", "default#11", "other#1"]
    assert await ids(site="default", going_on=True, limit=2) == ["default#12", "default#10"]
    assert await ids(site="default", connection="1") == ["default#10", "default#9"]
    assert await ids(site="default", connection=SITE) == ["default#12"]


async def test_what_flaps_goes_on_while_it_is_up_for_the_moment(store: Store) -> None:
    flapping = replace(thread(1), phase=Phase.FLAPPING)
    await commit(
        store,
        threads=(flapping, closed(2)),
        episodes=(
            episode(10, connection="1", thread=flapping.id, end=NOW),
            episode(11, connection="1", thread=flapping.id, start=NOW + SECOND, end=NOW + MINUTE),
            episode(12, connection="2", thread=flapping.id),
            episode(13, connection="3", thread=flapping.id, end=NOW),
            episode(
                15,
                connection="3",
                thread=flapping.id,
                start=NOW + SECOND,
                end=NOW + MINUTE,
                closing=Closing.NOT_WATCHED,
            ),
            episode(14, connection="4", thread="default/2", end=NOW),
        ),
    )
    assert {e.id for e in await store.episodes(going_on=True)} == {"default#11", "default#12"}


async def test_a_thread_is_seen_with_its_root_and_the_latest_of_each_connection_oldest_first(store: Store) -> None:
    parts = (
        episode(10, thread="default/1"),
        episode(9, thread="default/1"),
        episode(11, thread="default/1", start=NOW - DAY, end=NOW),
        # Over, and followed by another.
        episode(7, thread="default/1", connection="10", start=NOW - DAY, end=NOW),
        episode(8, thread="default/1", connection="9", end=NOW),
    )
    await commit(store, threads=(thread(1), thread(2)), episodes=parts, messages=(root("default/1"),))
    seen = await store.thread("default/1")
    assert seen == ThreadView(thread=thread(1), root=root("default/1"), episodes=(parts[2], parts[1], parts[0]))
    assert await store.thread("default/9") is None
    # Nothing can be shown of a thread without a root.
    assert await store.thread("default/2") is None


async def test_threads_are_found_by_id_however_many(store: Store) -> None:
    await commit(store, threads=tuple(thread(n) for n in range(600)))
    wanted = [f"default/{n}" for n in range(700)] + ["default/0"]
    found = await store.threads(wanted)
    assert found == {f"default/{n}": thread(n) for n in range(600)}
    assert await store.threads([]) == {}


async def test_events_come_newest_first_and_can_be_narrowed(store: Store) -> None:
    await commit(store, events=(event("1", 0), event("2", 1), event("1", 2), event("1", 2)))
    await commit(store, site="other", events=(event("1", 3, site="other"),))

    async def minutes(**narrow: object) -> list[float]:
        found = await store.events(**narrow)  # type: ignore[arg-type]
        return [(e.event.at - NOW) / MINUTE for e in found]

    assert await minutes() == [3, 2, 2, 1, 0]
    assert await minutes(site="default", connection="1") == [2, 2, 0]
    assert await minutes(since=NOW + 2 * MINUTE) == [3, 2, 2]
    assert await minutes(limit=1) == [3]
    latest, earlier = (await store.events(since=NOW + 2 * MINUTE))[1:]
    assert latest.id > earlier.id


async def test_facts_are_remembered_and_replaced(store: Store) -> None:
    assert await store.channel_id("#a") is None
    await store.remember_channel("#a", "C1")
    await store.remember_channel("#a", "C2")
    assert await store.channel_id("#a") == "C2"
    assert await store.meta("team_id") is None
    await store.set_meta("team_id", "T1")
    await store.set_meta("team_id", "T2")
    assert await store.meta("team_id") == "T2"


async def test_the_place_of_a_root_is_known_once_slack_has_it(store: Store) -> None:
    await commit(store, threads=(thread(1),), messages=(root("default/1"),))
    assert await store.root_place("default/1") is None
    await post(store, "default/1")
    assert await store.root_place("default/1") == ("C1", "1.1")
    assert await store.root_place("default/9") is None


async def test_mutes_that_are_not_over_come_by_their_end(store: Store) -> None:
    short, long = replace(MUTE, id="default!9"), replace(MUTE, id="default!1", end=NOW + DAY)
    await commit(store, mutes=(long, short, replace(MUTE, id="default!2", end=NOW)))
    other = replace(MUTE, id="other!1", site="other", end=NOW + SECOND)
    await commit(store, site="other", mutes=(other,))
    assert await store.mutes(now=NOW) == (other, short, long)
    assert await store.mutes("default", now=NOW) == (short, long)
    assert await store.mutes("default", now=NOW + MINUTE) == (long,)


async def test_the_history_of_a_connection_is_what_touches_the_span_oldest_first(store: Store) -> None:
    since = NOW - DAY
    blind: dict[str, Any] = {"connection": SITE, "kind": EpisodeKind.BLIND}
    acknowledged = closed(1, ack_by=Person(id="U1", name="Ann"), ack_at=NOW)
    its_own = (
        episode(1, connection="1", start=since - DAY, end=since, thread="default/1"),
        episode(3, connection="1", end=NOW, kind=EpisodeKind.ERROR),
        episode(4, connection="1", start=NOW + SECOND, thread="default/2"),
    )
    lost = (episode(12, start=since - DAY, end=NOW, **blind), episode(13, **blind))
    await commit(
        store,
        threads=(acknowledged, thread(2), thread(3)),
        episodes=(
            *reversed(its_own),
            *reversed(lost),
            episode(0, connection="1", start=since - DAY, end=since - SECOND, thread="default/3"),
            episode(11, start=since - DAY, end=since - SECOND, **blind),
            episode(20, connection="2"),
        ),
        events=(event("1", -24 * 60 - 1), event("1", -24 * 60), event("2", 0), event("1", 1)),
    )
    await commit(store, site="other", episodes=(episode(1, site="other", connection="1"),))

    history = await store.history("default", "1", since=since)
    assert history.episodes == its_own
    assert history.blind == lost
    assert [(e.event.at - NOW) / MINUTE for e in history.events] == [-24 * 60, 1]
    assert history.threads == {"default/1": acknowledged, "default/2": thread(2)}

    assert await store.history("default", "9", since=since) == History(episodes=(), blind=lost, events=(), threads={})
    of_the_site = await store.history("default", SITE, since=NOW + SECOND)
    assert of_the_site.episodes == of_the_site.blind == lost[1:]


async def sent(store: Store, thread_id: str, *, absent: bool = False) -> None:
    key = MessageKey(thread=thread_id, n=0)
    await store.outbox.claim(key, now=NOW)
    if absent:
        await store.outbox.absent(key, generation=0)
    await store.outbox.sent(key, generation=0, channel_id="C", ts="1", now=NOW)


async def test_pruning_forgets_what_is_old_over_and_told_and_nothing_else(store: Store) -> None:
    old, before = NOW - 2 * DAY, NOW - DAY
    await commit(
        store,
        threads=(
            closed(1, old),
            # Still to be delivered; still watched for a twin; closed too recently; still open.
            closed(2, old),
            closed(3, old),
            closed(4, before),
            thread(5),
            thread(8, phase=Phase.FLAPPING, opened=old),
            # Closed, but an episode in it goes on, or ended recently.
            closed(6, old),
            closed(7, old),
        ),
        messages=(*(root(f"default/{n}") for n in range(1, 9)), reply("default/1", 1)),
        episodes=(
            episode(1, thread="default/1", end=old),
            episode(2, thread="default/2", end=old),
            episode(5, thread="default/5", end=old),
            episode(6, thread="default/6"),
            episode(8, thread="default/8", end=old),
            episode(7, thread="default/7", end=before),
            # Told nowhere: over, over too recently, going on.
            episode(21, end=old),
            episode(22, end=before),
            episode(23, start=old),
        ),
        events=(event("1", -2 * 24 * 60), event("1", 0)),
        mutes=(replace(MUTE, id="default!1", end=before - SECOND), replace(MUTE, id="default!2", end=before)),
    )
    for n in (1, 4, 5, 6, 7, 8):
        await sent(store, f"default/{n}")
    await sent(store, "default/3", absent=True)
    # A reply that waits keeps its thread…
    assert await store.prune(before=before) == 1 + 1 + 1
    await store.outbox.sent(MessageKey(thread="default/1", n=1), generation=0, channel_id="C", ts="2", now=NOW)
    await store.outbox.shown(MessageKey(thread="default/1", n=1), generation=0, revision=1)
    # …until it is sent: two messages, an episode and a thread.
    assert await store.prune(before=before) == 2 + 1 + 1
    assert await store.prune(before=before) == 0

    assert {e.id for e in await store.episodes()} == {f"default#{n}" for n in (2, 5, 6, 7, 8, 22, 23)}
    assert set(await store.threads(f"default/{n}" for n in range(1, 9))) == {f"default/{n}" for n in range(2, 9)}
    assert [e.event.at for e in await store.events()] == [NOW]
    assert [m.id for m in await store.mutes(now=NOW - 9 * DAY)] == ["default!2"]


@pytest.mark.parametrize("write", [True, False])
async def test_a_store_that_was_opened_answers_a_ping(url: str, write: bool) -> None:
    store = await Store.open(url, write=write)
    try:
        await store.ping()
        assert await store.held() is write
    finally:
        await store.close()
