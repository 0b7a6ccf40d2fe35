from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.events import Event, EventKind
from bot.core.incidents import SITE, EpisodeKind, ThreadKind
from bot.core.state import ConnectionRecord, Decision, Overtaken, Revision, SiteRecord, SiteState
from bot.store.errors import DatabaseFailed, DeliveryMismatch
from bot.store.outbox import DeliveryState, MessageKey
from bot.store.store import Store
from tests.store.samples import (
    DAY,
    EPISODE,
    LATELY,
    MINUTE,
    MUTE,
    NOW,
    RECORD,
    SECOND,
    THREAD,
    commit,
    episode,
    post,
    reply,
    root,
    state_of,
    thread,
)
from tests.store.sessions import opened, waits_for_a_lock


async def test_a_site_that_was_never_seen_begins_empty_and_leaves_no_trace_unless_decided_on(store: Store) -> None:
    assert await state_of(store) == SiteState(site=SiteRecord(name="default"))
    assert await store.sites() == ()


async def test_everything_that_was_decided_is_there_in_the_next_tick(store: Store) -> None:
    site = SiteRecord(
        name="default",
        baseline_at=NOW - DAY,
        tried_at=NOW,
        good_at=NOW - MINUTE,
        fails=2,
        failing_since=NOW - SECOND,
        nameless=1,
        serial=5,
    )
    bare = ConnectionRecord(site="default", id="\x00\ud800\\ü", row=None)
    ongoing = replace(EPISODE, id="default#3", connection=SITE, end=None, closing=None, end_why=None)
    async with store.tick("default", now=NOW, lately=LATELY) as tick:
        decision = Decision(
            site=site,
            connections=(RECORD, bare),
            episodes=(EPISODE, ongoing),
            threads=(THREAD,),
            messages=(root("default/1"),),
            mutes=(MUTE,),
        )
        await tick.apply(decision, NOW)
    assert await state_of(store) == SiteState(
        site=site,
        connections={"1": RECORD, bare.id: bare},
        episodes={EPISODE.id: EPISODE, ongoing.id: ongoing},
        threads={THREAD.id: THREAD},
        mutes=(MUTE,),
        unposted=frozenset({"default/1"}),
        alive_at=NOW,
    )
    assert await store.sites() == (site,)


async def test_what_is_not_named_stays_and_what_is_removed_goes(store: Store) -> None:
    records = {i: ConnectionRecord(site="default", id=i, row=None) for i in ("1", "2", "3")}
    await commit(store, connections=tuple(records.values()))
    await commit(store, site="other", connections=(replace(records["1"], site="other"),))
    changed = replace(records["2"], absent_reads=1)
    await commit(store, connections=(changed,), removed=("1",))
    assert (await state_of(store)).connections == {"2": changed, "3": records["3"]}
    assert [r.id for r in await store.records("other")] == ["1"]


async def test_an_outage_may_end_and_another_begin_in_one_decision(store: Store) -> None:
    await commit(store, episodes=(episode(1, connection="c"),))
    again = episode(2, connection="c")
    ended = episode(1, connection="c", end=NOW)
    await commit(store, episodes=(again, ended))
    assert (await state_of(store)).episodes == {"default#1": ended, "default#2": again}


async def test_a_mute_that_is_lifted_overwrites_the_one_that_was(store: Store) -> None:
    other = replace(MUTE, id="default!4", end=NOW + DAY)
    await commit(store, mutes=(MUTE, other))
    lifted = replace(MUTE, end=NOW + SECOND)
    await commit(store, mutes=(lifted,))
    assert (await state_of(store)).mutes == (lifted, other)


async def test_a_second_open_outage_of_a_connection_is_refused(store: Store) -> None:
    await commit(store, episodes=(episode(1, connection="c"),))
    with pytest.raises(DatabaseFailed, match="fault of the bot"):
        await commit(store, episodes=(episode(2, connection="c"),))
    assert list((await state_of(store)).episodes) == ["default#1"]


async def test_an_exception_within_a_tick_undoes_all_of_it(store: Store) -> None:
    async def fail() -> None:
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            decision = Decision(
                site=replace(tick.state.site, serial=9), threads=(thread(1),), messages=(root("default/1"),)
            )
            await tick.apply(decision, NOW)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    assert await store.sites() == ()
    assert await store.outbox.waiting() == ()


async def test_a_cancelled_tick_undoes_all_of_it_and_lets_the_next_one_in(store: Store) -> None:
    applied = asyncio.Event()

    async def hang() -> None:
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            await tick.apply(Decision(site=replace(tick.state.site, serial=9)), NOW)
            applied.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await applied.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await state_of(store)).site.serial == 0


async def test_a_tick_cancelled_while_it_waits_for_its_turn_leaves_the_store_whole(store: Store) -> None:
    async with store.tick("default", now=NOW, lately=LATELY) as tick:
        task = asyncio.create_task(state_of(store))
        # Long enough for it to have begun; it cannot get further than waiting.
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await tick.apply(Decision(site=replace(tick.state.site, serial=4)), NOW)
    assert (await state_of(store)).site.serial == 4


async def test_a_tick_takes_one_decision_about_its_own_site(store: Store) -> None:
    async with store.tick("default", now=NOW, lately=LATELY) as tick:
        with pytest.raises(ValueError, match="its own site"):
            await tick.apply(Decision(site=SiteRecord(name="other")), NOW)
        await tick.apply(Decision(site=tick.state.site), NOW)
        with pytest.raises(ValueError, match="one decision"):
            await tick.apply(Decision(site=tick.state.site), NOW)


async def test_a_revision_raises_what_should_be_shown_and_touches_nothing_of_the_delivery(store: Store) -> None:
    await commit(store, threads=(thread(1),), messages=(root("default/1"),))
    await post(store, "default/1")
    assert await store.outbox.waiting() == ()
    await commit(store, now=NOW + MINUTE, revisions=(Revision(thread="default/1", n=0, revision=2, closing=True),))
    (waiting,) = await store.outbox.waiting()
    assert (waiting.message.revision, waiting.closing, waiting.shown_revision) == (2, True, 1)
    assert (waiting.state, waiting.ts, waiting.created_at) == (DeliveryState.SENT, "1.1", NOW)


async def test_overtaken_are_the_replies_that_were_never_tried(store: Store) -> None:
    messages = (root("default/1"), *(reply("default/1", n, moot_from=7 if n == 3 else None) for n in (1, 2, 3)))
    await commit(store, threads=(thread(1),), messages=messages)
    await store.outbox.claim(MessageKey(thread="default/1", n=1), now=NOW)
    fourth = reply("default/1", 4)
    await commit(store, messages=(fourth,), overtaken=(Overtaken(thread="default/1", revision=5),))
    marks = {o.message.n: o.message.moot_from for o in await store.outbox.waiting()}
    assert marks == {0: None, 1: None, 2: 5, 3: 7, 4: 5}


async def test_events_are_appended(store: Store) -> None:
    event = Event(
        site="default",
        connection="1",
        at=NOW,
        kind=EventKind.WENT_DOWN,
        reason="confirmed",
        data={"error": "\x00\ud800", "list": [1, 2.5, None, {"deep": True}]},
        thread="default/1",
    )
    await commit(store, events=(event, event))
    first, second = await store.events()
    assert (first.event, second.event) == (event, event)
    assert first.id > second.id


async def test_concurrent_ticks_lose_nothing(store: Store) -> None:
    """Six tasks read a number, think, and write it back one higher, ten times each."""

    async def count() -> None:
        for _ in range(10):
            async with store.tick("default", now=NOW, lately=LATELY) as tick:
                await asyncio.sleep(0)
                await tick.apply(Decision(site=replace(tick.state.site, serial=tick.state.site.serial + 1)), NOW)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(6):
            tasks.create_task(count())
    assert (await state_of(store)).site.serial == 60


async def test_a_tick_that_reads_while_another_writes_waits_for_it(store: Store) -> None:
    await commit(store)
    order: list[str] = []

    async def second() -> int:
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            order.append("second")
            return tick.state.site.serial

    async with store.tick("default", now=NOW, lately=LATELY) as tick:
        task = asyncio.create_task(second())
        await tick.apply(Decision(site=replace(tick.state.site, serial=41)), NOW)
        # A reader is not held up by it, and sees what was before.
        assert (await store.sites())[0].serial == 0
        order.append("first")
    assert await task == 41
    assert order == ["first", "second"]


@pytest.mark.parametrize("known", [True, False])
async def test_peers_that_tick_at_the_same_time_follow_each_other(store: Store, known: bool) -> None:
    """Each may touch the other's threads, and none may wait for one that waits for it; new sites included."""
    names = ("c", "a", "b")
    if known:
        for name in names:
            await commit(store, site=name, tried=NOW)
            await commit(store, site=name, threads=(thread(1, site=name),), messages=(root(f"{name}/1"),))

    async def count(name: str) -> None:
        others = tuple(other for other in names if other != name)
        for _ in range(8):
            async with store.tick(name, peers=others, now=NOW, lately=LATELY) as tick:
                await asyncio.sleep(0)
                touched = tuple(replace(t, revision=t.revision + 1) for t in tick.state.threads.values())
                serial = tick.state.site.serial + 1
                await tick.apply(Decision(site=replace(tick.state.site, serial=serial), threads=touched), NOW)

    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(count(name))
        tasks.create_task(prune_often(store))
    assert {record.name: record.serial for record in await store.sites()} == dict.fromkeys(sorted(names), 8)
    if known:
        # A site's own threads only, since these are about connections.
        assert [t.revision for t in (await store.threads(f"{name}/1" for name in names)).values()] == [9] * 3


async def prune_often(store: Store) -> None:
    for _ in range(5):
        await store.prune(before=NOW)


async def test_a_root_that_sites_share_takes_the_changes_of_all_of_them(store: Store) -> None:
    names = ("a", "b", "c", "d")
    for name in names:
        await commit(store, site=name)
    shared = thread(1, site="a", kind=ThreadKind.SITE)
    await commit(store, site="a", threads=(shared,), messages=(root(shared.id),))

    async def join(name: str) -> None:
        others = tuple(other for other in reversed(names) if other != name)
        async with store.tick(name, peers=others, now=NOW, lately=LATELY) as tick:
            found = tick.state.threads[shared.id]
            await asyncio.sleep(0)
            blind = episode(2, site=name, connection=SITE, kind=EpisodeKind.BLIND, thread=shared.id)
            grown = replace(found, revision=found.revision + 1)
            await tick.apply(Decision(site=tick.state.site, threads=(grown,), episodes=(blind,)), NOW)

    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(join(name))
    seen = await store.thread(shared.id)
    assert seen is not None
    assert seen.thread.revision == 5
    assert {e.site for e in seen.episodes} == set(names)


@pytest.mark.postgres
async def test_a_refusal_by_the_former_channel_does_not_hold_up_what_is_being_corrected(ready_postgres: str) -> None:
    key = MessageKey(thread="default/1", n=0)
    async with opened(ready_postgres) as store:
        await commit(store, threads=(thread(1, channel="C1"),), messages=(root("default/1"),))
        async with store.tick("default", now=NOW, lately=LATELY) as tick:
            await tick.apply(Decision(site=tick.state.site, threads=(thread(1, channel="C2"),)), NOW)
            refused = asyncio.create_task(
                store.outbox.refused(key, generation=0, error="not_found", due_at=NOW + DAY, held=True, channel="C1")
            )
            await waits_for_a_lock(ready_postgres)
        with pytest.raises(DeliveryMismatch):
            await refused
        found = await store.outbox.row(key)
        assert found is not None
        assert (found.channel, found.state, found.due_at) == ("C2", DeliveryState.NEW, None)
