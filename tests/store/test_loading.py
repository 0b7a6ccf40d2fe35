"""What a tick is handed of all that is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.core.incidents import EVERY, SITE, EpisodeKind, MessageKind, Phase, ThreadKind
from bot.store.outbox import MessageKey
from bot.store.store import Store
from tests.store.samples import (
    DAY,
    LATELY,
    MINUTE,
    MUTE,
    NOW,
    SECOND,
    closed,
    commit,
    episode,
    post,
    reply,
    root,
    state_of,
    thread,
)

BLIND: dict[str, Any] = {"connection": SITE, "kind": EpisodeKind.BLIND}


async def test_a_tick_sees_what_is_open_and_what_ended_lately_and_no_more(store: Store) -> None:
    threads = (thread(1), thread(2, phase=Phase.FLAPPING), closed(3), closed(4), closed(5))
    await commit(
        store,
        threads=threads,
        messages=tuple(root(t.id) for t in threads),
        episodes=(
            episode(11, thread="default/1"),
            # Over, but in a thread that is still open.
            episode(12, thread="default/1", end=NOW - DAY),
            episode(13, thread="default/2", end=NOW - DAY),
            # Told nowhere.
            episode(21),
            episode(22, end=NOW),
            episode(23, end=NOW - DAY),
            # Ended lately, and earlier, whatever it was.
            episode(31, thread="default/3", end=NOW - LATELY),
            episode(32, end=NOW - LATELY, kind=EpisodeKind.ERROR),
            episode(33, end=NOW - LATELY, **BLIND),
            episode(41, thread="default/4", end=NOW - LATELY - SECOND),
            # Over long ago, but its root was never sent.
            episode(51, thread="default/5", end=NOW - DAY),
        ),
    )
    await commit(store, site="other", threads=(thread(1, site="other"),), messages=(root("other/1"),))
    for n in (1, 2, 3, 4):
        await post(store, f"default/{n}")

    state = await state_of(store)
    assert set(state.episodes) == {f"default#{n}" for n in (11, 12, 13, 21, 22, 31, 32, 33, 51)}
    assert set(state.threads) == {f"default/{n}" for n in (1, 2, 3, 5)}
    assert state.unposted == {"default/5"}

    later = await state_of(store, now=NOW + SECOND)
    assert set(state.episodes) - set(later.episodes) == {f"default#{n}" for n in (31, 32, 33)}
    assert set(later.threads) == {f"default/{n}" for n in (1, 2, 5)}


async def test_of_what_is_over_in_a_thread_the_latest_of_each_connection_is_seen(store: Store) -> None:
    """A flapping group has thousands, and each would be read in each poll."""
    long_ago = NOW - DAY
    flapped = [
        episode(n, connection=str(n % 3), thread="default/1", start=long_ago + n * SECOND, end=long_ago + n * MINUTE)
        for n in range(1, 61)
    ]
    await commit(
        store,
        threads=(thread(1, kind=ThreadKind.GROUP, phase=Phase.FLAPPING),),
        messages=(root("default/1"),),
        episodes=(
            *flapped,
            # Two that began together: the latter has the greater number.
            episode(99, connection="x", thread="default/1", start=long_ago, end=long_ago),
            episode(100, connection="x", thread="default/1", start=long_ago, end=long_ago),
            # What ended lately is seen, however many.
            *(episode(n, connection="y", thread="default/1", end=NOW) for n in range(201, 204)),
            # The open one of a kind does not hide behind a later one of another kind.
            episode(301, connection="z", thread="default/1", kind=EpisodeKind.ERROR, start=long_ago - DAY),
            episode(302, connection="z", thread="default/1", start=long_ago, end=long_ago),
        ),
    )
    seen = list((await state_of(store)).episodes)
    assert seen == [f"default#{n}" for n in (301, 100, 302, 58, 59, 60, 201, 202, 203)]


async def test_episodes_come_oldest_first(store: Store) -> None:
    parts = (episode(10), episode(9), episode(11, start=NOW - DAY))
    await commit(store, episodes=parts)
    assert list((await state_of(store)).episodes) == ["default#11", "default#9", "default#10"]


async def test_open_roots_of_peers_that_were_lost_are_seen_with_their_episodes(store: Store) -> None:
    for name in ("peer", "stranger"):
        threads = (
            thread(1, site=name, kind=ThreadKind.SITE),
            closed(2, site=name, kind=ThreadKind.SITE),
            thread(3, site=name),
        )
        await commit(
            store,
            site=name,
            threads=threads,
            messages=(*(root(t.id) for t in threads), reply(f"{name}/1", 1, kind=MessageKind.REMINDER)),
            episodes=(
                episode(1, site=name, thread=f"{name}/1", start=NOW - DAY, end=NOW - DAY, **BLIND),
                episode(2, site=name, thread=f"{name}/1", **BLIND),
                episode(3, site=name, thread=f"{name}/2", end=NOW, **BLIND),
                episode(4, site=name, thread=f"{name}/3"),
            ),
            mutes=(replace(MUTE, id=f"{name}!1", site=name),),
        )
    await commit(store, site="third", episodes=(episode(1, site="third", thread="peer/1", **BLIND),))
    state = await state_of(store, peers=("peer", "third"))
    assert set(state.threads) == {"peer/1"}
    assert set(state.episodes) == {"peer#2", "third#1"}
    # These are the owner's to follow.
    assert (state.unposted, state.unsent_reminders, state.mutes) == (frozenset(), frozenset(), ())


async def test_a_root_owned_by_a_site_that_is_no_peer_any_more_is_seen_while_it_tells_of_this_one(store: Store) -> None:
    """The sites were lost together, and then the settings gave one of them a channel of its own."""
    await commit(
        store, site="before", threads=(thread(1, site="before", kind=ThreadKind.SITE),), messages=(root("before/1"),)
    )
    await commit(store, episodes=(episode(1, thread="before/1", **BLIND),), tried=NOW - DAY)
    state = await state_of(store)
    assert set(state.threads) == {"before/1"}
    # Who does not share the channel does not tell whether somebody was there.
    assert state.alive_at == NOW - DAY


async def test_a_root_is_unposted_only_while_slack_does_not_have_it_as_far_as_anybody_can_tell(store: Store) -> None:
    await commit(store, threads=(closed(1),), messages=(root("default/1"),))
    key = MessageKey(thread="default/1", n=0)

    async def unposted() -> bool:
        state = await state_of(store)
        # One of a closed thread is of no interest for anything else.
        assert set(state.threads) == state.unposted
        return "default/1" in state.unposted

    assert await unposted()
    await store.outbox.claim(key, now=NOW)
    assert not await unposted()
    await store.outbox.refused(key, generation=0, error="channel_not_found", due_at=None, held=True)
    assert await unposted()
    await store.outbox.claim(key, now=NOW)
    await store.outbox.absent(key, generation=0)
    assert not await unposted()
    # Once it is refused for good it is in no channel, whatever became of the attempt before.
    await store.outbox.refused(key, generation=0, error="not_in_channel", due_at=None, held=True)
    assert await unposted()


async def test_a_root_of_which_nothing_can_be_found_out_is_unposted_where_there_is_no_such_channel(
    store: Store,
) -> None:
    await commit(store, threads=(closed(1),), messages=(root("default/1"),))
    key = MessageKey(thread="default/1", n=0)
    await store.outbox.claim(key, now=NOW)
    for error, unposted in (("not_in_channel", False), ("channel_not_found", True)):
        await store.outbox.unsure(key, generation=0, error=error, due_at=NOW, looked=False)
        assert ("default/1" in (await state_of(store)).unposted) is unposted


async def test_a_reminder_that_slack_does_not_have_is_known(store: Store) -> None:
    reminder = reply("default/1", 1, kind=MessageKind.REMINDER)
    escalated = reply("default/2", 1, kind=MessageKind.ESCALATED)
    await commit(
        store,
        threads=(thread(1), thread(2)),
        messages=(root("default/1"), reminder, reply("default/1", 2), root("default/2"), escalated),
    )
    assert (await state_of(store)).unsent_reminders == {"default/1"}
    await post(store, "default/1", 1)
    assert (await state_of(store)).unsent_reminders == frozenset()


async def test_mutes_are_seen_until_they_are_over(store: Store) -> None:
    every = replace(MUTE, id="default!4", connection=EVERY, end=MUTE.end + SECOND)
    await commit(store, mutes=(every, MUTE))
    assert (await state_of(store, now=MUTE.end - SECOND)).mutes == (MUTE, every)
    assert (await state_of(store, now=MUTE.end)).mutes == (every,)


async def test_mutes_of_whole_peers_are_seen_apart(store: Store) -> None:
    every, one = (replace(MUTE, id=f"peer!{n}", site="peer", connection=c) for n, c in enumerate((EVERY, "1")))
    await commit(store, site="peer", mutes=(every, one))
    seen = await state_of(store, peers=("peer",), now=MUTE.end - SECOND)
    assert (seen.mutes, seen.peers_mutes) == ((), (every,))
    assert (await state_of(store, now=MUTE.end - SECOND)).peers_mutes == ()


async def test_alive_is_the_latest_poll_of_the_site_and_its_peers(store: Store) -> None:
    for name, ago in (("default", 3), ("peer", 2), ("stranger", 1)):
        await commit(store, site=name, tried=NOW - ago * MINUTE)
    assert (await state_of(store)).alive_at == NOW - 3 * MINUTE
    assert (await state_of(store, peers=("peer", "unknown"))).alive_at == NOW - 2 * MINUTE
    assert (await state_of(store, "new")).alive_at is None
