"""A site that is taken out of the settings leaves nothing open behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.connection import Connection
from bot.core.incidents import Closing, EpisodeKind, MessageKind, ThreadKind, Why
from bot.core.state import Dropped
from tests.core.story import Story, down, failing, is_quiet, rows, up
from tests.core.test_sites import lost


def fallen() -> Story:
    story = Story(up("1"), up("2"), up("3"))
    story.poll(down("1"), up("2", latest_log=failing("bad payload")), up("3"))
    return story


def in_a_group() -> Story:
    story = Story(*rows(6))
    story.poll(*rows(6, range(1, 6)))
    return story


def flapping() -> Story:
    story = Story(up())
    for row in (down, up, down, up):
        story.poll(row())
    return story


def blind() -> Story:
    story = Story(up())
    story.fail()
    story.fail()
    return story


@pytest.mark.parametrize("made", [fallen, in_a_group, flapping, blind])
def test_everything_of_it_ends_by_edits_only(made: object) -> None:
    story: Story = made()  # type: ignore[operator]
    story.sent.clear()
    opened = [t.id for t in story.state.threads.values() if t.open]
    story.step(Dropped())

    assert opened
    assert not story.sent
    assert {r.thread for r in story.edited_roots if r.closing} == set(opened)
    assert not any(t.open for t in story.state.threads.values())
    assert not any(e.open for e in story.state.episodes.values())
    assert story.last.next_due is None
    assert not story.step(Dropped()).threads


def test_what_is_down_when_it_comes_back_is_told_anew_and_what_is_up_is_not() -> None:
    story = Story(*rows(3))
    story.poll(*rows(3, {1, 2}))
    story.step(Dropped())
    story.sleep(days=3)
    story.sent.clear()
    story.poll(*rows(3, {1}))

    [root] = [t for t in story.roots if t.kind is ThreadKind.OUTAGE]
    [open_now] = [e for e in story.episodes(EpisodeKind.OUTAGE) if e.open]
    assert (open_now.thread, open_now.connection, open_now.why) == (root.id, "1", Why.FIRST_KNOWN)
    assert not story.told(MessageKind.RECOVERED)


def test_one_failed_poll_after_its_return_is_no_blindness_yet() -> None:
    story = blind()
    story.step(Dropped())
    story.sent.clear()
    story.fail()

    assert not story.sent
    story.fail()
    assert len(story.roots) == 1


def test_a_shared_root_goes_on_for_the_other_site() -> None:
    two = lost()
    two.rotterdam.step(Dropped())
    two.shares(two.rotterdam, two.berlin)
    [shared] = [t for t in two.berlin.state.threads.values() if t.kind is ThreadKind.SITE]
    assert shared.open
    two.berlin.sent.clear()
    two.berlin.poll(up())

    assert [m.kind for m in two.berlin.sent] == [MessageKind.RECOVERED]
    assert not two.berlin.state.threads[shared.id].open


def test_a_shared_root_of_which_the_other_site_is_back_ends() -> None:
    two = lost()
    two.berlin.poll(up())
    two.shares(two.berlin, two.rotterdam)
    two.rotterdam.step(Dropped())

    [shared] = [t for t in two.rotterdam.state.threads.values() if t.kind is ThreadKind.SITE]
    assert not shared.open
    closings = {e.site: e.closing for e in two.rotterdam.episodes(EpisodeKind.BLIND)}
    assert closings == {"default": Closing.RECOVERED, "rotterdam": Closing.NOT_WATCHED}


def test_the_other_site_of_its_root_is_told_anew() -> None:
    two = lost()
    two.berlin.step(Dropped())
    [shared] = [t for t in two.berlin.state.threads.values() if t.kind is ThreadKind.SITE]
    assert not shared.open
    [blind_still] = [e for e in two.berlin.state.episodes.values() if e.open]
    assert (blind_still.site, blind_still.thread) == ("rotterdam", None)
    state = two.rotterdam.state
    two.rotterdam.state = replace(state, episodes={blind_still.id: blind_still}, threads={shared.id: shared})
    two.rotterdam.fail()

    [root] = two.rotterdam.roots
    assert (root.site, root.kind) == ("rotterdam", ThreadKind.SITE)


def test_of_another_site_nothing_ends() -> None:
    two = lost()
    two.rotterdam.state = replace(
        two.rotterdam.state, episodes={i: e for i, e in two.rotterdam.state.episodes.items() if e.site != "rotterdam"}
    )
    decision = two.rotterdam.step(Dropped())

    assert is_quiet(decision)


def test_a_site_with_nothing_open_is_as_before() -> None:
    story = Story(up())
    before = story.state.connections

    assert is_quiet(story.step(Dropped()))
    assert story.state.connections == before
    assert isinstance(before["1"].row, Connection)
