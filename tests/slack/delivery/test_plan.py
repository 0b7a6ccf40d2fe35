"""What may go now, and in which order: for any rows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.incidents import Message, MessageKind, Role, ThreadKind
from bot.slack.pace import POST, WORKSPACE, Pace
from bot.slack.plan import CANNOT_RENDER, Action, plan
from bot.store.outbox import DeliveryState, MessageKey, Outgoing

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def row(thread: int, n: int = 0, state: DeliveryState = DeliveryState.NEW, **fields: Any) -> Outgoing:
    role = fields.pop("role", Role.REPLY if n else Role.ROOT)
    message = Message(thread=f"s/{thread}", n=n, role=role, kind=MessageKind.ROOT, revision=fields.pop("revision", 1))
    defaults: dict[str, Any] = {
        "closing": False,
        "channel": "C1",
        "thread_kind": ThreadKind.OUTAGE,
        "thread_open": True,
        "created_at": NOW,
        "generation": 0,
        "root_ts": "1.1" if n else None,
        "root_channel_id": None,
        "root_state": DeliveryState.SENT if n else state,
        "root_first_revision": None,
    }
    return Outgoing(message=message, state=state, **(defaults | fields))


def sent(thread: int, n: int = 0, **fields: Any) -> Outgoing:
    return row(thread, n, DeliveryState.SENT, **({"ts": "1.1", "shown_revision": 1, "revision": 2} | fields))


def steps(*rows: Outgoing, now: datetime = NOW, **more: Any) -> list[tuple[Action, str, int]]:
    planned = plan(rows, pace=more.pop("pace", Pace()), now=now, **more)
    return [(s.action, s.outgoing.message.thread, s.outgoing.message.n) for s in planned.steps]


STATES = st.sampled_from(list(DeliveryState))
ROWS = st.lists(
    st.builds(
        lambda thread, n, state, channel, role, due, behind, twin: row(
            thread,
            n,
            state,
            channel=channel,
            role=role if n else Role.ROOT,
            due_at=None if due is None else NOW + due * SECOND,
            shown_revision=1 if state is DeliveryState.SENT else None,
            revision=2 if behind else 1,
            twin_at=NOW if twin and state is DeliveryState.SENT else None,
        ),
        st.integers(1, 5),
        st.integers(0, 3),
        STATES,
        st.sampled_from(["A", "B"]),
        st.sampled_from([Role.REPLY, Role.BROADCAST]),
        st.none() | st.integers(-5, 5),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
    unique_by=lambda o: o.key,
)


@given(ROWS)
def test_replies_keep_their_order_and_a_channel_gets_one_post_at_a_time(rows: list[Outgoing]) -> None:
    planned = plan(rows, pace=Pace(), now=NOW)
    posts = [s.outgoing for s in planned.steps if s.action is Action.POST]
    assert len({post.channel for post in posts}) == len(posts)
    unsent = (DeliveryState.NEW, DeliveryState.MAYBE, DeliveryState.HELD)
    for post in posts:
        assert post.state in (DeliveryState.NEW, DeliveryState.HELD)
        assert post.due_at is None or post.due_at <= NOW
        earlier = [o for o in rows if o.message.thread == post.message.thread and o.message.n < post.message.n]
        assert all(o.state not in unsent for o in earlier)


@given(ROWS)
def test_each_message_takes_one_step_at_a_time_and_whoever_waits_has_a_time(rows: list[Outgoing]) -> None:
    planned = plan(rows, pace=Pace(), now=NOW)
    keys = [s.outgoing.key for s in planned.steps]
    assert len(set(keys)) == len(keys)
    assert planned.wake_at is None or planned.wake_at > NOW
    busy = plan(rows, pace=Pace(), now=NOW, busy_messages=[o.key for o in rows])
    assert (busy.steps, busy.wake_at) == ((), None)


def test_a_mass_outage_is_an_incident_and_waits_behind_nothing_less() -> None:
    group = row(3, thread_kind=ThreadKind.GROUP, created_at=NOW)
    rows = [row(1, 1, role=Role.BROADCAST, created_at=NOW - SECOND), row(2, 1, created_at=NOW - SECOND)]

    assert steps(*rows, group) == [(Action.POST, "s/3", 0)]


def test_what_cannot_be_put_into_words_holds_up_nothing_behind_it() -> None:
    """A fault of the program's: it is tried again now and then, and the thread goes on without it."""
    held = row(1, 1, DeliveryState.HELD, error=CANNOT_RENDER, due_at=NOW + 60 * SECOND)
    assert steps(held, row(1, 2)) == [(Action.POST, "s/1", 2)]
    assert steps(replace(held, error="msg_too_long"), row(1, 2)) == []


def test_of_one_moment_the_thread_that_was_opened_first_goes_first() -> None:
    """It is the one with the greatest impact; as text, 10 would stand before 9."""
    assert steps(row(10), row(9)) == [(Action.POST, "s/9", 0)]


def test_incident_roots_then_broadcasts_then_the_rest() -> None:
    rows = [
        row(1, thread_kind=ThreadKind.CHANGES, created_at=NOW - 9 * SECOND),
        row(2, 1, created_at=NOW - 8 * SECOND),
        row(3, 1, role=Role.BROADCAST, created_at=NOW - 7 * SECOND),
        row(4, created_at=NOW - 6 * SECOND),
        row(5, created_at=NOW - 7 * SECOND),
    ]
    order = []
    while rows:
        ((_, thread, n),) = steps(*rows)
        order.append(int(thread[2:]))
        rows = [o for o in rows if o.key != MessageKey(thread=thread, n=n)]
    assert order == [5, 4, 3, 1, 2]


def test_a_reply_waits_until_its_roots_place_is_known() -> None:
    assert steps(row(1, 1, root_ts=None)) == []


def test_closing_edits_go_first_then_who_was_edited_longest_ago() -> None:
    rows = [sent(n, created_at=NOW + n * SECOND) for n in range(1, 5)]
    rows[3] = replace(rows[3], closing=True)
    turns = {rows[0].key: NOW, rows[1].key: NOW - SECOND}
    planned = steps(*rows, edited_at=turns)
    assert [thread for _, thread, _ in planned] == ["s/4", "s/3", "s/2", "s/1"]


def test_edits_beyond_the_limit_wait_their_turn() -> None:
    pace, rows = Pace(), [sent(n) for n in range(1, 21)]
    first = plan(rows, pace=pace, now=NOW)
    assert len(first.steps) == 8
    assert first.wake_at is not None
    done = [s.outgoing.key for s in first.steps]
    assert len(plan(rows, pace=pace, now=first.wake_at, busy_messages=done).steps) == 1


def test_what_may_be_missing_is_looked_for_before_what_may_be_there_twice() -> None:
    rows = [sent(n, revision=1, twin_at=NOW) for n in range(1, 10)] + [row(20, state=DeliveryState.MAYBE)]
    assert steps(*rows)[0] == (Action.LOOK, "s/20", 0)
    assert len(steps(*rows)) == 8


def test_a_time_that_a_clock_ahead_has_set_is_not_waited_for() -> None:
    assert steps(row(1, due_at=NOW + timedelta(days=1))) == [(Action.POST, "s/1", 0)]
    assert steps(row(1, due_at=NOW + timedelta(minutes=59))) == []


def test_a_channel_that_must_wait_tells_when() -> None:
    pace = Pace()
    pace.obey(pace.place(POST, "C1"), NOW + 7 * SECOND)
    planned = plan([row(1), row(2, channel="C2")], pace=pace, now=NOW)
    assert [s.outgoing.channel for s in planned.steps] == ["C2"]
    assert planned.wake_at == NOW + 7 * SECOND


def test_whether_slack_is_back_is_found_out_with_one_call() -> None:
    pace = Pace()
    until = pace.back_off(WORKSPACE, NOW)
    rows = [row(1), sent(2), row(3, state=DeliveryState.MAYBE), row(4, channel="C2")]
    assert steps(*rows, now=until, pace=pace) == [(Action.POST, "s/1", 0)]
    assert steps(*rows, now=until, pace=pace, busy_lanes={"post:C1"}, busy_messages={rows[0].key}) == []
    pace.release(WORKSPACE)
    assert len(steps(*rows, now=until, pace=pace)) == 4


def test_ten_times_the_rows_take_about_ten_times_as_long() -> None:
    """Not a hundred times: after a long outage thousands wait."""

    def seconds(count: int) -> float:
        rows = [row(n, m) for n in range(count // 4) for m in range(4)]
        best = 9.0
        for _ in range(3):
            began = time.process_time()
            plan(rows, pace=Pace(), now=NOW)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(4000) < 40 * seconds(400)
