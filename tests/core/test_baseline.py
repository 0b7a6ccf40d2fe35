"""Rule 1: the first snapshot ever of a site posts one message."""

from __future__ import annotations

from bot.core.connection import State, UnreadableRow
from bot.core.events import EventKind
from bot.core.incidents import EpisodeKind, MessageKind, Phase, Role, Thread, ThreadKind, Why
from bot.core.policy import RouteRule
from tests.core.story import Story, down, failing, unknown, up


def test_the_first_snapshot_posts_one_message_that_counts_the_connections() -> None:
    story = Story(baseline=False)
    story.poll(up("1"), up("2"), unknown("3"))

    [root] = story.sent
    assert (root.role, root.kind) == (Role.ROOT, MessageKind.ROOT)
    assert root.params == {"watched": 3, "unreadable": 0, "unclear": 1}
    [thread] = story.roots
    assert (thread.kind, thread.channel, thread.phase) == (ThreadKind.BASELINE, "#ops", Phase.CLOSED)


def test_what_is_already_down_is_an_open_incident_of_the_baseline_whatever_its_route() -> None:
    story = Story(baseline=False, routes=(RouteRule(name="*", channel="#elsewhere", mention="here"),))
    story.poll(up("1"), down("2"), down("3"))

    [thread] = story.roots
    assert (thread.channel, thread.phase, thread.mentions) == ("#ops", Phase.OPEN, ("here",))
    outages = story.episodes(EpisodeKind.OUTAGE)
    assert {(e.connection, e.why, e.thread) for e in outages} == {
        ("2", Why.BASELINE, thread.id),
        ("3", Why.BASELINE, thread.id),
    }


def test_the_baseline_is_the_root_of_the_recovery_and_closes_with_the_last_one() -> None:
    story = Story(baseline=False)
    story.poll(down("1"), down("2"))
    [thread] = story.roots

    story.poll(up("1"), down("2"))
    assert is_open(story, thread)
    assert story.broadcasts[-1].thread == thread.id
    assert [edit.closing for edit in story.edited_roots] == [False]

    story.poll(up("1"), up("2"))
    assert not is_open(story, thread)
    assert [edit.closing for edit in story.edited_roots] == [True]
    assert len(story.broadcasts) == 2


def is_open(story: Story, thread: Thread) -> bool:
    return story.state.threads[thread.id].open


def test_the_next_fall_of_what_was_down_at_the_baseline_has_its_own_root() -> None:
    story = Story(baseline=False)
    story.poll(down("1"))
    story.poll(up("1"))
    story.sent.clear()

    story.poll(down("1"))

    [thread] = story.roots
    assert thread.kind is ThreadKind.OUTAGE


def test_error_logs_of_the_baseline_count_as_seen() -> None:
    story = Story(baseline=False)
    row = up("1", latest_log=failing("login failed"))
    story.poll(row)
    story.poll(row)

    assert not story.happened(EventKind.ERROR)
    assert len(story.sent) == 1


def test_rows_that_cannot_be_read_are_counted_and_known_by_their_id() -> None:
    story = Story(baseline=False)
    bad = (UnreadableRow(id="2", problem="name is a list"), UnreadableRow(id=None, problem="no id"))
    story.poll(up("1"), unreadable=bad)

    assert story.sent[0].params == {"watched": 1, "unreadable": 2, "unclear": 0}
    assert story.state.connections["2"].state(blind=False) is State.UNKNOWN
    assert story.state.site.nameless == 1


def test_the_baseline_comes_once() -> None:
    story = Story(up("1"))
    story.poll(up("1"))

    assert not story.sent
    assert not story.events
