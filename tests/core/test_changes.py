"""Rule 9: added, removed, changed, and rows that cannot be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.core.connection import State, UnreadableRow
from bot.core.diff import Change, ChangeKind, FieldChange
from bot.core.events import EventKind
from bot.core.incidents import Closing, EpisodeKind, ThreadKind, Why
from bot.core.policy import RouteRule
from tests.core.story import START, Story, clean, down, failing, is_quiet, unknown, up


def changes(story: Story) -> list[Change]:
    listed: list[Any] = []
    for message in story.sent:
        if "changes" in message.params:
            listed += message.params["changes"]  # type: ignore[arg-type]
    return [Change.from_json(change) for change in listed]


def test_everything_of_one_poll_and_channel_is_one_message_without_a_mention() -> None:
    story = Story(up("1"), up("2"), up("3"), routes=(RouteRule(name="*", mention="here"),))
    story.poll(up("1"), up("2", name="Renamed"), up("4"))
    story.poll(up("1"), up("2", name="Renamed"), up("4"))

    assert [thread.kind for thread in story.roots] == [ThreadKind.CHANGES, ThreadKind.CHANGES]
    assert {thread.mentions for thread in story.roots} == {()}
    assert [(c.kind, c.connection) for c in changes(story)] == [
        (ChangeKind.CHANGED, "2"),
        (ChangeKind.ADDED, "4"),
        (ChangeKind.REMOVED, "3"),
    ]


def test_each_channel_gets_its_own() -> None:
    story = Story(routes=(RouteRule(name="a*", channel="#a"),))
    story.poll(up("1", name="alpha"), up("2", name="beta"))

    assert {thread.channel for thread in story.roots} == {"#a", "#ops"}


def test_every_watched_field_is_told_with_before_and_after_and_no_other() -> None:
    before = up(url="http://a", type="REST", authentication="Basic", username="u", password_exists=True)
    story = Story(before)
    story.poll(up(url="http://b", type="GraphQL", authentication="HMAC", username=None, token_exists=True))

    [change] = changes(story)
    assert change.fields == (
        FieldChange(field="url", before="http://a", after="http://b"),
        FieldChange(field="type", before="REST", after="GraphQL"),
        FieldChange(field="authentication", before="Basic", after="HMAC"),
        FieldChange(field="username", before="u", after=None),
        FieldChange(field="password_exists", before=True, after=None),
        FieldChange(field="token_exists", before=None, after=True),
    )
    assert not story.poll(up(**_same(story), integration_count=99, last_check=START)).messages


def _same(story: Story) -> dict[str, Any]:
    row = story.state.connections["1"].row
    assert row is not None
    return {name: getattr(row, name) for name in ("url", "type", "authentication", "username", "token_exists")}


def test_what_is_open_shows_the_connection_under_its_present_name() -> None:
    story = Story(up())
    story.poll(down())
    story.poll(down(name="Renamed"))

    row = story.episode(EpisodeKind.OUTAGE).row
    assert row is not None
    assert row.name == "Renamed"
    assert len(story.edited_roots) == 1


def test_what_is_over_keeps_the_name_it_had() -> None:
    story = Story(up())
    story.poll(down())
    story.poll(up())
    story.poll(up(name="Renamed"))

    assert not story.last.episodes


def test_added_while_down_is_an_outage_and_not_listed() -> None:
    story = Story(up("1"))
    story.poll(up("1"), down("2", latest_log=failing("old trouble")))

    assert [thread.kind for thread in story.roots] == [ThreadKind.OUTAGE]
    assert story.episode(EpisodeKind.OUTAGE).why is Why.ADDED


def test_added_while_down_is_listed_until_the_outage_is_confirmed() -> None:
    story = Story(up("1"), confirm_polls=2)
    story.poll(up("1"), down("2"))
    assert [thread.kind for thread in story.roots] == [ThreadKind.CHANGES]

    story.poll(up("1"), down("2"))
    assert [thread.kind for thread in story.roots] == [ThreadKind.CHANGES, ThreadKind.OUTAGE]


def test_the_log_of_an_added_connection_counts_as_seen() -> None:
    story = Story(up("1"))
    story.poll(up("1"), up("2", latest_log=failing("old trouble")))
    story.poll(up("1"), up("2", latest_log=failing("old trouble")))

    assert not story.episodes(EpisodeKind.ERROR)


def test_removal_needs_two_complete_reads_in_a_row() -> None:
    story = Story(up("1"), up("2"))
    assert not story.poll(up("1")).messages
    assert story.state.connections["2"].state(blind=False) is State.UNKNOWN
    assert not story.poll(up("1"), up("2")).messages
    assert not story.poll(up("1")).messages
    story.fail()
    story.poll(up("1"))

    assert [(c.kind, c.connection, c.detail) for c in changes(story)] == [(ChangeKind.REMOVED, "2", None)]
    assert "2" not in story.state.connections


def test_removed_while_down_closes_as_no_longer_watched_without_a_broadcast() -> None:
    story = Story(up("1"), up("2"))
    story.poll(down("1"), up("2", latest_log=failing("bad payload")))
    story.poll()
    story.poll()

    assert story.episode(EpisodeKind.OUTAGE).closing is Closing.NOT_WATCHED
    assert story.episode(EpisodeKind.ERROR).closing is Closing.NOT_WATCHED
    assert not story.broadcasts
    assert len(story.edited_roots) == 2
    assert [c.detail for c in changes(story)] == ["down", None]


def test_a_row_that_cannot_be_read_is_unknown_and_not_absent() -> None:
    story = Story(up("1"), down("2"))
    bad = (UnreadableRow(id="2", problem="status is a list"),)
    for _ in range(3):
        story.poll(up("1"), unreadable=bad)

    [change] = changes(story)
    assert (change.kind, change.connection, change.detail) == (ChangeKind.UNREADABLE, "2", "status is a list")
    assert story.state.connections["2"].state(blind=False) is State.UNKNOWN
    assert story.episode(EpisodeKind.OUTAGE).open


def test_what_flipped_while_its_row_could_not_be_read_is_dated_from_the_last_sighting() -> None:
    story = Story(up("1"))
    seen = story.now
    story.poll(unreadable=(UnreadableRow(id="1", problem="?"),))
    story.poll(down("1"))

    assert story.episode(EpisodeKind.OUTAGE).not_before == seen
    assert [c.kind for c in changes(story)] == [ChangeKind.UNREADABLE, ChangeKind.READABLE]


def test_a_new_row_that_cannot_be_read_is_told_by_its_id_and_watched_once_it_can() -> None:
    story = Story(up("1"))
    story.poll(up("1"), unreadable=(UnreadableRow(id="9", problem="?"),))
    story.poll(up("1"), down("9", latest_log=failing("old trouble")))

    assert [(c.kind, c.name) for c in changes(story)] == [
        (ChangeKind.UNREADABLE, "9"),
        (ChangeKind.READABLE, "Connection 9"),
    ]
    outage = story.episode(EpisodeKind.OUTAGE)
    assert (outage.why, outage.families) == (Why.FIRST_KNOWN, ())


def test_a_row_never_read_that_goes_away_is_told_by_its_id() -> None:
    story = Story(up("1"))
    story.poll(up("1"), unreadable=(UnreadableRow(id="9", problem="?"),))
    story.poll(up("1"))
    story.poll(up("1"))

    assert [(c.kind, c.name) for c in changes(story)][-1] == (ChangeKind.REMOVED, "9")


def test_while_a_row_has_no_id_nothing_counts_as_absent() -> None:
    story = Story(up("1"), up("2"))
    bad = (UnreadableRow(id=None, problem="no id"),)
    for _ in range(3):
        story.poll(up("1"), unreadable=bad)

    [change] = changes(story)
    assert (change.kind, change.connection, change.name, change.detail) == (
        ChangeKind.UNREADABLE,
        None,
        "1",
        "no id",
    )
    story.poll(up("1"), up("2"))
    assert [c.kind for c in changes(story)][-1] is ChangeKind.READABLE


def test_what_itempath_has_not_checked_for_too_long_is_unknown() -> None:
    story = Story(up(is_testable=True, last_check=START), stale_after=timedelta(minutes=10))
    story.wait(minutes=10)
    story.poll(down(is_testable=True, last_check=START))

    [change] = changes(story)
    assert (change.kind, change.detail) == (ChangeKind.STALE, START.isoformat())
    assert story.state.connections["1"].state(blind=False) is State.UNKNOWN
    assert not story.episodes(EpisodeKind.OUTAGE)
    assert is_quiet(story.poll(down(is_testable=True, last_check=START)))

    story.poll(down(is_testable=True, last_check=story.now))
    assert [c.kind for c in changes(story)] == [ChangeKind.STALE, ChangeKind.FRESH]
    assert story.episode(EpisodeKind.OUTAGE).open


def test_only_what_itempath_can_test_goes_stale() -> None:
    story = Story(
        up("1", is_testable=False, last_check=START),
        up("2", is_testable=True, last_check=None),
        stale_after=timedelta(minutes=10),
    )
    story.wait(hours=1)

    assert is_quiet(story.poll(up("1", is_testable=False, last_check=START), up("2", is_testable=True)))


def test_stale_from_the_beginning_is_known_as_nothing() -> None:
    story = Story(down(is_testable=True, last_check=START - timedelta(days=1)), stale_after=timedelta(minutes=10))

    assert story.state.connections["1"].known is State.UNKNOWN
    assert not story.episodes(EpisodeKind.OUTAGE)


def test_a_stale_connection_still_has_its_error_logs_told() -> None:
    story = Story(unknown(latest_log=clean("1")))
    story.poll(unknown(latest_log=failing("push failed", "2")))

    assert len(story.happened(EventKind.ERROR)) == 1


def test_a_change_survives_the_way_through_the_database() -> None:
    change = Change(
        kind=ChangeKind.CHANGED,
        connection="1",
        name="PowerPick",
        fields=(FieldChange(field="token_exists", before=None, after=True),),
        detail="x",
    )

    assert Change.from_json(change.as_json()) == change
