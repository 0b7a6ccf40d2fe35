"""Rule 6: what changes too often has one message that says so, and one in the end that says what it came to."""

from __future__ import annotations

from datetime import timedelta

from bot.core.events import EventKind
from bot.core.incidents import EpisodeKind, MessageKind, Phase, Role, ThreadKind
from tests.core.story import INTERVAL, Story, down, unknown, up

HALF_A_WINDOW = timedelta(minutes=5)


def flapped(*, ends_down: bool = False, **policy: object) -> Story:
    """Four flips: down, up, down, up; or, from down at first, up, down, up, down."""
    first, second = (down, up) if not ends_down else (up, down)
    story = Story(second(), **policy)  # type: ignore[arg-type]
    for row in (first, second, first, second):
        story.poll(row())
    return story


def test_so_many_changes_within_the_window_turn_the_latest_root_into_its_flapping_form() -> None:
    story = flapped()

    assert [t.kind for t in story.roots] == [ThreadKind.OUTAGE, ThreadKind.OUTAGE]
    first, latest = story.roots
    assert (first.phase, latest.phase) == (Phase.CLOSED, Phase.FLAPPING)
    assert latest.changes == 4
    assert [m.kind for m in story.broadcasts] == [MessageKind.RECOVERED]
    assert story.happened(EventKind.FLAPPING)[0].thread == latest.id


def test_further_flips_only_edit_it() -> None:
    story = flapped()
    sent = len(story.sent)
    for row in (down, up, down):
        story.poll(row())
        assert [r.n for r in story.last.revisions] == [0]

    assert len(story.sent) == sent
    assert story.roots[-1].changes == 7
    assert story.roots[-1].remind_at is None
    assert [e.reason for e in story.happened(EventKind.WENT_DOWN)][-2:] == ["flapping", "flapping"]


def test_a_fall_may_be_what_makes_it_flap_and_reopens_the_latest_root() -> None:
    story = flapped(ends_down=True)

    [root] = story.roots
    assert (root.kind, root.phase, root.closed) == (ThreadKind.OUTAGE, Phase.FLAPPING, None)
    assert len(story.broadcasts) == 2  # of the baseline, and of the one outage before it flapped


def test_once_up_has_held_for_half_the_window_one_broadcast_says_so() -> None:
    story = flapped()
    root = story.roots[-1]
    assert story.last.next_due == story.now + HALF_A_WINDOW
    story.wait(seconds=HALF_A_WINDOW.total_seconds() - 2 * INTERVAL.total_seconds())
    story.due()
    assert story.roots[-1].phase is Phase.FLAPPING
    story.poll(up())

    settled = story.broadcasts[-1]
    assert (settled.kind, settled.params) == (MessageKind.SETTLED, {"down": 0, "changes": 4})
    assert story.state.threads[root.id].phase is Phase.CLOSED
    assert settled.moot_from == story.state.threads[root.id].revision


def test_once_down_has_held_it_is_an_ordinary_outage() -> None:
    story = flapped(ends_down=True)
    story.wait(minutes=5)
    story.due()

    assert story.broadcasts[-1].params == {"down": 1, "changes": 4}
    [root] = story.roots
    assert (root.phase, root.remind_at) == (Phase.OPEN, story.now + timedelta(hours=4))
    story.poll(up())
    assert story.broadcasts[-1].kind is MessageKind.RECOVERED


def test_after_it_has_settled_flips_are_counted_anew() -> None:
    """A fall after the final word must not hide in an edit."""
    story = flapped()
    story.wait(minutes=5)
    story.poll(up())
    roots = len(story.roots)
    story.poll(down())

    assert len(story.roots) == roots + 1


def test_flips_outside_the_window_do_not_count() -> None:
    story = Story(up())
    for row in (down, up, down, up):
        story.poll(row())
        story.wait(minutes=4)

    assert not story.happened(EventKind.FLAPPING)


def test_nothing_settles_while_it_cannot_be_seen() -> None:
    story = flapped(ends_down=True)
    story.poll(unknown())
    story.wait(minutes=6)
    story.due()
    assert story.roots[-1].phase is Phase.FLAPPING
    assert story.last.next_due is None

    story.fail()
    story.fail()
    story.due()
    assert story.last.next_due == story.roots[-1].remind_at  # of the blindness
    story.poll(down())
    assert story.told(MessageKind.SETTLED)[0].params["down"] == 1


def test_an_acknowledgement_ends_with_the_outage_and_not_with_the_flapping() -> None:
    story = Story(down())
    for row in (up, down):
        story.poll(row())
    story.ack(connection="1")
    story.poll(up())
    story.poll(down())
    assert story.roots[-1].ack_by is None  # its outage had ended

    story.ack(connection="1")
    story.poll(up())
    assert story.roots[-1].ack_by is not None


def test_a_connection_that_goes_away_while_flapping_is_settled_too() -> None:
    story = flapped()
    story.poll()
    story.poll()
    story.wait(minutes=5)
    story.due()

    assert story.roots[-2].phase is Phase.CLOSED
    assert all(not t.open for t in story.state.threads.values())


def test_one_of_a_baseline_gets_a_root_of_its_own() -> None:
    story = Story(down("1"), down("2"), flap_threshold=2)
    story.poll(up("1"), down("2"))
    story.poll(down("1"), down("2"))

    [root] = story.roots
    assert root.kind is ThreadKind.OUTAGE
    assert story.broadcasts[0].role is Role.BROADCAST


def test_what_was_first_known_did_not_change() -> None:
    story = Story(unknown(), flap_threshold=2)
    story.poll(down())

    assert story.state.connections["1"].flips == ()
    assert story.episode(EpisodeKind.OUTAGE).told_at == story.now
