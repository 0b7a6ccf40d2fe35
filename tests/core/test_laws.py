"""Laws of the decision, tried with every history that hypothesis can think of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import Connection, Failure, Log, Snapshot, State, UnreadableRow
from bot.core.decide import decide
from bot.core.events import EventKind
from bot.core.incidents import EVERY, SITE, EpisodeKind, MessageKind, Phase, Role, ThreadKind
from bot.core.state import Acknowledge, Cause, Due, Failed, Muting, Polled, Unmuting
from tests.core.story import DANA, START, Story, is_quiet

IDS = ("1", "2", "b")
ERRORS = (None, "timeout after 3 s", "timeout after 4 s", "refused")

logs = st.builds(lambda n, error: Log(id=str(n), error=error), st.integers(0, 5), st.sampled_from(ERRORS))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    rows = []
    unreadable = []
    for ref in draw(st.lists(st.sampled_from(IDS), unique=True)):
        if draw(st.integers(0, 9)) == 0:
            unreadable.append(UnreadableRow(id=ref, problem="status is a list"))
            continue
        rows.append(
            Connection(
                id=ref,
                name=draw(st.sampled_from(("PowerPick", "SAP"))),
                status=draw(st.sampled_from((0, 1, None))),
                latest_log=draw(st.none() | logs),
            )
        )
    if draw(st.integers(0, 19)) == 0:
        unreadable.append(UnreadableRow(id=None, problem="no id"))
    return Snapshot(connections=tuple(rows), unreadable=tuple(unreadable))


causes: st.SearchStrategy[Cause] = st.one_of(
    st.builds(Polled, snapshot=snapshots(), resumed=st.booleans(), first=st.booleans()),
    st.builds(Polled, snapshot=snapshots()),
    st.builds(
        Failed,
        failure=st.builds(
            Failure, kind=st.sampled_from(("timeout", "credentials")), message=st.just("m"), advice=st.just("a")
        ),
    ),
    st.builds(Acknowledge, by=st.just(DANA), connection=st.sampled_from((*IDS, SITE))),
    st.builds(
        Muting,
        by=st.just(DANA),
        connection=st.sampled_from((*IDS, EVERY)),
        until=st.sampled_from([START + timedelta(minutes=m) for m in (5, 60, 600)]),
    ),
    st.builds(Unmuting, by=st.just(DANA), connection=st.sampled_from((*IDS, EVERY))),
    st.just(Due()),
)
steps = st.lists(st.tuples(causes, st.sampled_from((0, 0, 0, 60, 1800, 15000))), max_size=25)
policies = st.fixed_dictionaries(
    {
        "confirm_polls": st.integers(1, 3),
        "unreachable_after": st.integers(1, 3),
        "remind_every": st.sampled_from((None, timedelta(minutes=10), timedelta(hours=4))),
        "group_over": st.sampled_from((2, 3, 5)),
        "flap_threshold": st.sampled_from((2, 4)),
    }
)


def told(history: list[tuple[Cause, int]], policy: dict[str, object]) -> Story:
    story = Story(baseline=False, **policy)
    for cause, seconds in history:
        story.wait(seconds=seconds)
        story.step(cause)
        check_memory(story)
    return story


def check_memory(story: Story) -> None:
    """What must hold after every single step."""
    state = story.state
    open_episodes = [e for e in state.episodes.values() if e.open]
    kinds = Counter((e.connection, e.kind) for e in open_episodes)
    assert not kinds or max(kinds.values()) == 1, "one open episode per connection and kind"
    down = {i for i, r in state.connections.items() if r.known is State.DOWN}
    assert {e.connection for e in open_episodes if e.kind is EpisodeKind.OUTAGE} == down
    for thread in state.threads.values():
        inside = [e for e in state.episodes.values() if e.thread == thread.id]
        waits = thread.phase is Phase.FLAPPING
        assert thread.open == (waits or any(e.open for e in inside)), "a thread is open as long as something in it is"
    numbers = Counter((m.thread, m.n) for m in story.sent)
    assert not numbers or max(numbers.values()) == 1, "a message has its number for itself"
    for message in story.sent:
        assert (message.n == 0) == (message.role is Role.ROOT)


@given(steps, policies)
def test_in_every_history_what_is_red_is_what_is_down(
    history: list[tuple[Cause, int]], policy: dict[str, object]
) -> None:
    """After every step: open outages are exactly what was last known to be down, each told in one open thread."""
    story = told(history, policy)

    outages = story.episodes(EpisodeKind.OUTAGE)
    blind = story.state.site.fails > 0
    for episode in outages:
        if not episode.open or blind or _is_muted(story, episode.connection):
            continue
        if episode.thread is None and story.state.connections[episode.connection].state(blind=False) is State.UNKNOWN:
            continue  # Its mute ended while ItemPath did not list it.
        assert episode.thread is not None, "what is down and may be said is told"
        assert story.state.threads[episode.thread].open
    roots = [t for t in story.roots if t.kind is ThreadKind.OUTAGE]
    told_alone = [
        e for e in outages if e.told_at is not None and story.state.threads[e.thread or ""].kind is ThreadKind.OUTAGE
    ]
    assert len(roots) == len(told_alone), "each outage that is announced alone has one root"


def _is_muted(story: Story, connection: str) -> bool:
    return any(mute.covers(connection, story.now) for mute in story.state.mutes)


@given(steps, policies)
def test_after_any_storm_the_channel_comes_to_rest(history: list[tuple[Cause, int]], policy: dict[str, object]) -> None:
    """Whatever happened: once all is well for long enough, nothing is open, and nothing more is said."""
    story = told(history, policy)
    well = Polled(snapshot=Snapshot(connections=tuple(Connection(id=ref, name="PowerPick", status=1) for ref in IDS)))
    for _ in range(4):
        story.wait(seconds=3600 * 4)
        story.step(well)
    # An error is over with a clean log only; the connections say nothing of theirs.
    rest = [t for t in story.state.threads.values() if t.open and t.kind is not ThreadKind.ERROR]

    assert not rest
    assert is_quiet(story.step(well))


@given(steps, policies)
def test_in_every_history_notifications_stay_under_what_the_rules_give(
    history: list[tuple[Cause, int]], policy: dict[str, object]
) -> None:
    story = told(history, policy)

    closed = [e for e in story.state.episodes.values() if not e.open and e.kind is not EpisodeKind.ERROR]
    assert len(story.told(MessageKind.RECOVERED)) <= len(closed)
    reasons = {
        MessageKind.REMINDER: EventKind.REMINDED,
        MessageKind.OVER: EventKind.GROUP_OVER,
        MessageKind.GROWN: EventKind.GROUP_GREW,
        MessageKind.REOPENED: EventKind.GROUP_REOPENED,
        MessageKind.SETTLED: EventKind.SETTLED,
    }
    assert {m.kind for m in story.broadcasts} <= {*reasons, MessageKind.RECOVERED}
    for told_by, event in reasons.items():
        assert len(story.told(told_by)) == len(story.happened(event)), "every notification has its named reason"
    assert len(story.roots) <= 1 + len(story.events)
    ends = {MessageKind.RECOVERED, MessageKind.OVER, MessageKind.SETTLED}
    plain = [m.thread for m in story.sent if m.kind in ends and m.role is Role.REPLY]
    kinds = {EventKind.WENT_UP, EventKind.SIGHT_REGAINED, EventKind.GROUP_OVER, EventKind.SETTLED}
    named = [e.thread for e in story.events if e.kind in kinds and e.reason == "muted"]
    assert plain == named, "what a mute kept from the channel says so"


@given(steps, policies)
def test_in_every_history_no_more_is_held_back_than_there_would_have_been(
    history: list[tuple[Cause, int]], policy: dict[str, object]
) -> None:
    story = told(history, policy)

    held = Counter(e.thread for e in story.happened(EventKind.NOT_REMINDED))
    every = story.policy.remind_every
    for thread, times in held.items():
        since = story.now - story.state.threads[thread or ""].opened
        reminders = 0 if every is None else since / every
        # The end of a mute would have been told as well, with reminders or without.
        assert times <= reminders + len(story.happened(EventKind.MUTED))


@given(steps, policies, snapshots())
def test_the_same_snapshot_twice_decides_nothing_the_second_time(
    history: list[tuple[Cause, int]], policy: dict[str, object], snapshot: Snapshot
) -> None:
    story = told(history, policy)
    # Until every flip is confirmed and every absence is a removal, and reminders apart, something still happens.
    story.policy = replace(story.policy, remind_every=None)
    for _ in range(4):
        # A mute may end, and what flaps may settle.
        story.wait(hours=4)
        story.step(Polled(snapshot=snapshot))

    assert is_quiet(story.step(Polled(snapshot=snapshot)))


@given(steps, policies, causes)
def test_the_same_tick_replayed_after_a_crash_decides_the_same(
    history: list[tuple[Cause, int]], policy: dict[str, object], cause: Cause
) -> None:
    story = told(history, policy)
    again = [decide(story.state, cause, now=story.now, policy=story.policy) for _ in range(2)]

    assert again[0] == again[1]


@given(steps, policies, snapshots(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    history: list[tuple[Cause, int]], policy: dict[str, object], snapshot: Snapshot, random: object
) -> None:
    story = told(history, policy)
    rows, bad = list(snapshot.connections), list(snapshot.unreadable)
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(bad)  # type: ignore[attr-defined]
    shuffled = Snapshot(connections=tuple(rows), unreadable=tuple(bad))
    straight, other = (
        decide(story.state, Polled(snapshot=s), now=story.now, policy=story.policy) for s in (snapshot, shuffled)
    )

    assert straight == other


@given(steps, policies)
def test_every_episode_is_told_from_when_to_when(history: list[tuple[Cause, int]], policy: dict[str, object]) -> None:
    story = told(history, policy)

    for episode in story.state.episodes.values():
        assert episode.not_before is None or episode.not_before <= episode.start
        if episode.end is not None:
            assert episode.start <= episode.end
            assert episode.closing is not None
            assert episode.end_not_before is None or episode.end_not_before <= episode.end
