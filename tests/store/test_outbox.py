from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event

from bot.core.incidents import ThreadKind
from bot.core.state import Overtaken, Revision
from bot.store.errors import DeliveryMismatch
from bot.store.outbox import Claim, DeliveryState, Form, MessageKey, Outbox, Outgoing, Pending, Refusal
from bot.store.store import Store
from tests.store.samples import MINUTE, NOW, SECOND, closed, commit, episode, reply, root, thread

ROOT = MessageKey(thread="default/1", n=0)
REPLY = MessageKey(thread="default/1", n=1)
GONE = MessageKey(thread="default/9", n=0)


@pytest.fixture
async def outbox(store: Store) -> Outbox:
    """With a thread, its root and one reply."""
    await commit(
        store,
        threads=(thread(1),),
        episodes=(episode(2, thread="default/1"),),
        messages=(root("default/1"), reply("default/1", 1)),
    )
    return store.outbox


async def row(outbox: Outbox, key: MessageKey = ROOT) -> Outgoing:
    found = await outbox.row(key)
    assert found is not None
    return found


async def claimed(outbox: Outbox, key: MessageKey = ROOT, *, now: datetime = NOW) -> Claim:
    claim = await outbox.claim(key, now=now)
    assert claim is not None
    return claim


async def sent(outbox: Outbox, key: MessageKey = ROOT, **more: Any) -> None:
    await claimed(outbox, key)
    await outbox.sent(key, generation=0, channel_id="C1", ts=f"{key.n}.1", now=NOW, **more)


async def test_a_new_message_waits_untouched(outbox: Outbox) -> None:
    first, second = await outbox.waiting()
    assert await outbox.waiting_in({ROOT.thread}) == (first, second)
    assert await outbox.waiting_in({GONE.thread}) == ()
    assert (first.key, second.key) == (ROOT, REPLY)
    assert first == Outgoing(
        message=root("default/1"),
        closing=False,
        channel="C1",
        thread_kind=ThreadKind.OUTAGE,
        thread_open=True,
        created_at=NOW,
        state=DeliveryState.NEW,
        generation=0,
        form=Form.FULL,
        root_ts=None,
        root_channel_id=None,
        root_state=DeliveryState.NEW,
        root_first_revision=None,
    )
    assert first.delivery_key("abc") == "abc/default/1/0/0"


async def test_messages_wait_by_age_then_thread_then_number(store: Store, outbox: Outbox) -> None:
    older = (root("default/5"), reply("default/5", 1))
    await commit(store, now=NOW - SECOND, threads=(closed(5),), messages=older)
    assert [(o.key.thread, o.key.n, o.thread_open) for o in await outbox.waiting()] == [
        ("default/5", 0, False),
        ("default/5", 1, False),
        ("default/1", 0, True),
        ("default/1", 1, True),
    ]


async def test_a_claim_commits_that_it_may_have_been_sent_and_shows_what_to_send(store: Store, outbox: Outbox) -> None:
    await commit(store, threads=(thread(1, revision=3),), revisions=(Revision(thread="default/1", n=0, revision=3),))
    claim = await claimed(outbox)
    assert claim.outgoing.state is DeliveryState.MAYBE
    assert (claim.outgoing.first_revision, claim.outgoing.attempts, claim.outgoing.looks) == (3, 1, 0)
    assert (claim.outgoing.tried_at, claim.outgoing.first_tried_at) == (NOW, NOW)
    assert claim.view.thread.revision == 3
    assert claim.view.root.revision == 3
    assert [e.id for e in claim.view.episodes] == ["default#2"]
    assert await row(outbox) == claim.outgoing


async def test_only_what_is_new_or_held_can_be_claimed(outbox: Outbox) -> None:
    assert await outbox.claim(GONE, now=NOW) is None
    await claimed(outbox)
    assert await outbox.claim(ROOT, now=NOW) is None
    await outbox.refused(ROOT, generation=0, error="not_in_channel", due_at=NOW + MINUTE, held=True)
    held = await row(outbox)
    assert (held.state, held.error, held.due_at) == (DeliveryState.HELD, "not_in_channel", NOW + MINUTE)
    again = (await claimed(outbox, now=NOW + MINUTE)).outgoing
    assert (again.attempts, again.due_at, again.tried_at, again.first_tried_at) == (2, None, NOW + MINUTE, NOW)
    await outbox.sent(ROOT, generation=0, channel_id="C1", ts="1.1", now=NOW)
    assert await outbox.claim(ROOT, now=NOW) is None


async def test_a_root_that_goes_elsewhere_meanwhile_is_neither_sent_nor_held_up_where_it_went_before(
    store: Store, outbox: Outbox
) -> None:
    await outbox.refused(ROOT, generation=0, error="channel_not_found", due_at=NOW + MINUTE, held=True, channel="C1")
    await commit(store, threads=(replace(thread(1), channel="C2"),))
    corrected = await row(outbox)
    assert (corrected.channel, corrected.state) == ("C2", DeliveryState.NEW)
    assert (corrected.due_at, corrected.error) == (None, None)

    assert await outbox.claim(ROOT, now=NOW, channel="C1") is None
    with pytest.raises(DeliveryMismatch):
        await outbox.refused(ROOT, generation=0, error="is_archived", due_at=NOW + MINUTE, held=True, channel="C1")
    assert await row(outbox) == corrected

    claim = await outbox.claim(ROOT, now=NOW, channel="C2")
    assert claim is not None
    await outbox.refused(ROOT, generation=0, error="is_archived", due_at=NOW + MINUTE, held=True, channel="C2")
    await commit(store, threads=(replace(thread(1), channel="C2", revision=9),))
    assert ((await row(outbox)).state, (await row(outbox)).due_at) == (DeliveryState.HELD, NOW + MINUTE)


@pytest.mark.parametrize("looked", ["in vain", "and absent"])
async def test_a_root_that_was_perhaps_sent_elsewhere_is_another_message_where_it_goes_now(
    store: Store, outbox: Outbox, looked: str
) -> None:
    """Its copy in the former channel, if there is one, is not taken for it."""
    await claimed(outbox)
    if looked == "in vain":
        await outbox.unsure(ROOT, generation=0, error="channel_not_found", due_at=NOW, looked=False)
    else:
        await outbox.absent(ROOT, generation=0)
        await outbox.refused(ROOT, generation=0, error="not_in_channel", due_at=NOW, held=True)
    await commit(store, threads=(replace(thread(1), channel="C2"),))
    moved = await row(outbox)
    assert (moved.state, moved.generation, moved.maybe_sent_before) == (DeliveryState.NEW, 1, False)
    assert (moved.first_tried_at, moved.tried_at, moved.looks) == (None, None, 0)


async def test_a_reply_that_its_root_told_already_is_never_sent(store: Store, outbox: Outbox) -> None:
    await commit(
        store,
        threads=(closed(1, revision=2),),
        revisions=(Revision(thread="default/1", n=0, revision=2),),
        overtaken=(Overtaken(thread="default/1", revision=2),),
    )
    await sent(outbox)
    assert (await row(outbox, REPLY)).moot
    assert await outbox.claim(REPLY, now=NOW) is None
    assert (await row(outbox, REPLY)).state is DeliveryState.MOOT
    assert await outbox.waiting() == ()


async def test_a_reply_is_sent_when_the_root_was_first_shown_before_it(store: Store, outbox: Outbox) -> None:
    await sent(outbox)
    await commit(
        store,
        threads=(closed(1, revision=2),),
        revisions=(Revision(thread="default/1", n=0, revision=2),),
        overtaken=(Overtaken(thread="default/1", revision=2),),
    )
    reply_ = (await claimed(outbox, REPLY)).outgoing
    assert (reply_.root_ts, reply_.root_channel_id, reply_.root_state) == ("0.1", "C1", DeliveryState.SENT)
    assert (reply_.root_first_revision, reply_.moot) == (1, False)


async def test_a_reply_is_not_moot_because_of_a_root_that_never_arrived(store: Store, outbox: Outbox) -> None:
    await commit(store, overtaken=(Overtaken(thread="default/1", revision=1),))
    await claimed(outbox)
    await outbox.refused(ROOT, generation=0, error="ratelimited", due_at=None, held=False)
    assert not (await row(outbox, REPLY)).moot


async def test_what_was_sent_waits_no_longer(outbox: Outbox) -> None:
    await claimed(outbox)
    await outbox.unsure(ROOT, generation=0, error="no_answer", due_at=NOW + SECOND)
    await outbox.sent(ROOT, generation=0, channel_id="C1", ts="1.1", now=NOW, twin_at=NOW + MINUTE)
    got = await row(outbox)
    assert (got.state, got.channel_id, got.ts) == (DeliveryState.SENT, "C1", "1.1")
    assert (got.first_revision, got.shown_revision) == (1, 1)
    assert (got.error, got.due_at, got.attempts, got.looks, got.twin_at) == (None, None, 0, 0, None)
    assert got.tried_at == NOW
    assert [o.key for o in await outbox.waiting()] == [REPLY]


async def test_a_change_during_the_sending_is_shown_by_an_edit_afterwards(store: Store, outbox: Outbox) -> None:
    await claimed(outbox)
    await commit(store, revisions=(Revision(thread="default/1", n=0, revision=2),))
    await outbox.sent(ROOT, generation=0, channel_id="C1", ts="1.1", now=NOW)
    edit = (await outbox.waiting())[0]
    assert (edit.key, edit.shown_revision, edit.message.revision) == (ROOT, 1, 2)


async def test_looks_are_counted_when_slack_answered_them(outbox: Outbox) -> None:
    await claimed(outbox)
    await outbox.unsure(ROOT, generation=0, error="timeout", due_at=NOW, looked=False)
    assert (await row(outbox)).looks == 0
    await outbox.unsure(ROOT, generation=0, error="timeout", due_at=NOW + SECOND)
    got = await row(outbox)
    assert (got.state, got.looks, got.error, got.due_at) == (DeliveryState.MAYBE, 1, "timeout", NOW + SECOND)


@pytest.mark.parametrize("named", [NOW + MINUTE, None])
async def test_what_was_believed_absent_is_watched_for_a_twin_once_it_is_sent(
    outbox: Outbox, named: datetime | None
) -> None:
    await claimed(outbox)
    await outbox.absent(ROOT, generation=0, due_at=NOW + SECOND)
    absent = await row(outbox)
    assert (absent.state, absent.due_at, absent.maybe_sent_before) == (DeliveryState.NEW, NOW + SECOND, True)
    again = await claimed(outbox, now=NOW + SECOND)
    assert again.outgoing.first_tried_at == NOW
    await outbox.sent(ROOT, generation=0, channel_id="C1", ts="1.1", now=NOW + SECOND, twin_at=named)
    assert (await outbox.waiting())[0].twin_at == (named or NOW + SECOND)
    await outbox.twin_looked(ROOT, next_at=NOW + 2 * MINUTE)
    assert (await row(outbox)).twin_at == NOW + 2 * MINUTE
    await outbox.twin_looked(ROOT, next_at=None)
    assert [o.key for o in await outbox.waiting()] == [REPLY]


async def test_one_that_turns_up_unclaimed_is_brought_up_to_date(outbox: Outbox) -> None:
    await outbox.sent(ROOT, generation=0, channel_id="C1", ts="1.1", now=NOW)
    assert (await outbox.waiting())[0].shown_revision == 0


async def test_an_edit_that_arrived_is_remembered(store: Store, outbox: Outbox) -> None:
    await sent(outbox)
    await commit(store, revisions=(Revision(thread="default/1", n=0, revision=4),))
    await outbox.edit_refused(ROOT, generation=0, error="ratelimited", due_at=NOW + SECOND)
    refused = await row(outbox)
    assert (refused.error, refused.due_at, refused.attempts) == ("ratelimited", NOW + SECOND, 1)
    await outbox.shown(ROOT, generation=0, revision=4)
    got = await row(outbox)
    assert (got.shown_revision, got.first_revision, got.error, got.due_at, got.attempts) == (4, 1, None, None, 0)
    assert [o.key for o in await outbox.waiting()] == [REPLY]


async def test_a_malformed_message_is_tried_in_a_simpler_form_at_once(store: Store, outbox: Outbox) -> None:
    await claimed(outbox)
    await outbox.simpler(ROOT, form=Form.SIMPLE)
    got = await row(outbox)
    assert (got.state, got.form, got.due_at) == (DeliveryState.NEW, Form.SIMPLE, None)
    await sent(outbox)
    await commit(store, revisions=(Revision(thread="default/1", n=0, revision=2),))
    await outbox.edit_refused(ROOT, generation=0, error="invalid_blocks", due_at=NOW + MINUTE)
    await outbox.simpler(ROOT, form=Form.PLAIN)
    got = await row(outbox)
    assert (got.state, got.form, got.due_at) == (DeliveryState.SENT, Form.PLAIN, None)


async def test_a_repost_is_a_new_message_in_its_current_form(store: Store, outbox: Outbox) -> None:
    await claimed(outbox)
    await outbox.absent(ROOT, generation=0)
    await sent(outbox)
    await outbox.repost(ROOT, replaces="https://x.slack.com/p1")
    got = await row(outbox)
    assert (got.state, got.generation, got.ts, got.channel_id) == (DeliveryState.NEW, 1, None, None)
    assert (got.first_revision, got.shown_revision, got.first_tried_at, got.tried_at) == (None, None, None, None)
    assert (got.maybe_sent_before, got.twin_at, got.attempts) == (False, None, 0)
    assert got.delivery_key("abc") == "abc/default/1/0/1"
    assert got.replaces == "https://x.slack.com/p1"
    await commit(store, revisions=(Revision(thread="default/1", n=0, revision=5),))
    await claimed(outbox)
    await outbox.sent(ROOT, generation=1, channel_id="C2", ts="2.2", now=NOW)
    assert (await row(outbox)).first_revision == 5
    assert (await row(outbox, REPLY)).root_ts == "2.2"


OUTCOMES: dict[str, Callable[[Outbox, MessageKey, int], Awaitable[None]]] = {
    "sent": lambda o, k, g: o.sent(k, generation=g, channel_id="C", ts="9", now=NOW),
    "refused": lambda o, k, g: o.refused(k, generation=g, error="e", due_at=None, held=False),
    "unsure": lambda o, k, g: o.unsure(k, generation=g, error="e", due_at=None),
    "absent": lambda o, k, g: o.absent(k, generation=g),
    "shown": lambda o, k, g: o.shown(k, generation=g, revision=9),
    "edit_refused": lambda o, k, g: o.edit_refused(k, generation=g, error="e", due_at=None),
}
UNGUARDED: dict[str, Callable[[Outbox, MessageKey, int], Awaitable[None]]] = {
    "simpler": lambda o, k, g: o.simpler(k, form=Form.PLAIN),
    "repost": lambda o, k, g: o.repost(k, replaces=""),
    "twin_looked": lambda o, k, g: o.twin_looked(k, next_at=None),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_an_outcome_of_an_earlier_generation_changes_nothing(outbox: Outbox, name: str) -> None:
    await sent(outbox)
    await outbox.repost(ROOT, replaces="https://x.slack.com/p1")
    await claimed(outbox)
    if name in ("shown", "edit_refused"):
        await outbox.sent(ROOT, generation=1, channel_id="C1", ts="5.5", now=NOW)
    before = await row(outbox)
    with pytest.raises(DeliveryMismatch, match="Message 0 of thread default/1"):
        await OUTCOMES[name](outbox, ROOT, 0)
    assert await row(outbox) == before
    await OUTCOMES[name](outbox, ROOT, 1)
    assert await row(outbox) != before


@pytest.mark.parametrize("name", [*OUTCOMES, *UNGUARDED])
async def test_an_outcome_of_a_message_that_is_not_there_is_an_error(outbox: Outbox, name: str) -> None:
    with pytest.raises(DeliveryMismatch):
        await (OUTCOMES | UNGUARDED)[name](outbox, GONE, 0)
    assert await outbox.look(GONE) is None
    assert await outbox.row(GONE) is None


@pytest.mark.parametrize("name", ["refused", "unsure", "absent", "sent"])
async def test_what_slack_has_cannot_become_unsent(outbox: Outbox, name: str) -> None:
    await sent(outbox)
    with pytest.raises(DeliveryMismatch):
        await OUTCOMES[name](outbox, ROOT, 0)


async def test_pending_counts_posts_and_edits_and_names_the_reasons(store: Store, outbox: Outbox) -> None:
    more = ((thread(5), closed(6, channel="#b")), (root("default/5"), root("default/6")))
    await commit(store, now=NOW + MINUTE, threads=more[0], messages=more[1])
    for key, error in ((ROOT, "not_in_channel"), (MessageKey(thread="default/5", n=0), "not_in_channel")):
        await claimed(outbox, key)
        await outbox.refused(key, generation=0, error=error, due_at=None, held=True)
    sixth = MessageKey(thread="default/6", n=0)
    await outbox.refused(sixth, generation=0, error="timeout", due_at=None, held=False)
    assert await outbox.pending() == Pending(
        count=4, oldest=NOW, errors=(Refusal("#b", "timeout", 1), Refusal("C1", "not_in_channel", 2))
    )


async def test_an_edit_is_pending_and_a_twin_is_not(store: Store, outbox: Outbox) -> None:
    await sent(outbox, REPLY)
    await claimed(outbox)
    await outbox.absent(ROOT, generation=0)
    await sent(outbox, ROOT, twin_at=NOW)
    assert await outbox.pending() == Pending(count=0, oldest=None)
    await commit(store, revisions=(Revision(thread="default/1", n=1, revision=2),))
    assert await outbox.pending() == Pending(count=1, oldest=None)


async def test_looking_for_work_does_not_read_all_messages(ready_sqlite: str) -> None:
    """Of the messages of many weeks only the few that wait are touched: the index serves the question."""
    store = await Store.open(ready_sqlite, write=True)
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: tuple[Any, ...], *more: Any) -> None:
        asked.append((statement, parameters))

    try:
        event.listen(store._database.engine.sync_engine, "before_cursor_execute", listen)
        await store.outbox.waiting()
        await store.outbox.pending()
        about_messages = [one for one in asked if "message" in one[0]]
        assert len(about_messages) == 3
        async with store._database.read() as connection:
            for statement, parameters in about_messages:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                assert any("message_waiting" in line.detail for line in plan)
    finally:
        await store.close()
