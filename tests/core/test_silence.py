"""Rule 12: mutes and maintenance, and what is said when they end."""

from __future__ import annotations

from datetime import timedelta

from bot.core.connection import UnreadableRow
from bot.core.events import EventKind
from bot.core.incidents import EVERY, EpisodeKind, MessageKind, Person, Role, Silence, ThreadKind
from bot.core.state import MuteOutcome
from tests.core.story import DANA, Story, clean, down, failing, up


def test_nothing_new_is_said_and_what_is_still_down_is_announced_when_it_ends() -> None:
    story = Story(up())
    story.mute("1")
    assert story.last.next_due == story.now + timedelta(hours=1)
    until = (story.now + timedelta(hours=1)).isoformat()
    story.poll(down())
    fell = story.now
    assert not story.sent
    [silent] = story.happened(EventKind.WENT_DOWN)
    assert silent.reason == "muted"
    assert silent.data == {"why": "", "by": {"id": DANA.id, "name": DANA.name}, "until": until}

    story.wait(hours=1)
    story.due()
    [root] = story.roots
    outage = story.episode(EpisodeKind.OUTAGE)
    assert (root.kind, outage.start, outage.told_at) == (ThreadKind.OUTAGE, fell, story.now)
    assert story.happened(EventKind.ANNOUNCED)[0].reason == "mute_ended"


def test_what_came_and_went_meanwhile_is_not_told() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    story.poll(up())
    story.unmute("1")

    assert not story.sent
    assert story.happened(EventKind.WENT_UP)[0].reason == "outage_not_announced"


def test_what_has_a_root_is_edited_and_closed_with_a_plain_reply() -> None:
    story = Story(up())
    story.poll(down())
    story.mute("1", reason="we know")
    [said] = story.told(MessageKind.MUTED)
    assert said.role is Role.REPLY
    assert said.params["reason"] == "we know"
    assert (said.params["site"], said.params["connections"]) == (None, ["Connection 1"])
    assert story.roots[0].silence == Silence(until=story.now + timedelta(hours=1), reason="we know", by=DANA)
    story.poll(up())

    [recovered] = story.told(MessageKind.RECOVERED)
    assert recovered.role is Role.REPLY
    assert story.edited_roots[0].closing
    [event] = story.happened(EventKind.WENT_UP)
    assert (event.reason, event.data["why"], event.thread) == ("muted", "we know", story.roots[0].id)


def test_the_root_says_it_no_longer_once_it_is_over() -> None:
    story = Story(up())
    story.poll(down())
    story.mute("1")
    story.wait(hours=1)
    story.due()

    assert story.roots[0].silence is None
    assert len(story.edited_roots) == 1


def test_neither_reminders_nor_escalations_are_sent() -> None:
    story = Story(up(), escalate_after=timedelta(minutes=10))
    story.poll(down())
    story.mute("1", hours=9)
    story.wait(hours=8)
    story.due()
    assert not story.broadcasts

    story.unmute("1")
    assert {m.kind for m in story.broadcasts} == {MessageKind.REMINDER, MessageKind.ESCALATED}


def test_errors_are_kept_and_told_with_the_next_one() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(up(latest_log=failing("bad payload 1", "1")))
    story.poll(up(latest_log=failing("bad payload 2", "2")))
    assert not story.sent
    assert {e.reason for e in story.happened(EventKind.ERROR)} == {"muted"}
    story.unmute("1")
    assert not story.sent

    story.poll(up(latest_log=failing("bad payload 3", "3")))
    assert [t.kind for t in story.roots] == [ThreadKind.ERROR]
    assert story.episode(EpisodeKind.ERROR).families[0].count == 3
    assert story.happened(EventKind.ERROR)[-1].reason == "mute_ended"


def test_an_error_that_ended_silently_leaves_nothing_to_say() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(up(latest_log=failing("bad payload", "1")))
    story.poll(up(latest_log=clean("2")))
    story.unmute("1")
    story.poll(up(latest_log=failing("bad payload", "3")))

    assert [t.kind for t in story.roots] == [ThreadKind.ERROR]


def test_errors_of_a_muted_outage_are_kept_with_it() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    story.poll(down(latest_log=failing("timeout", "1")))

    assert not story.sent
    assert story.episode(EpisodeKind.OUTAGE).families[0].count == 1


def test_changes_of_what_is_muted_are_recorded_and_not_listed() -> None:
    story = Story(up("1"), up("2"))
    story.mute("1")
    story.poll(up("1", name="Renamed"), up("2"))

    assert not story.sent
    assert story.happened(EventKind.CHANGED)[0].reason == "muted"


def test_an_open_untold_outage_is_renamed_silently() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    story.poll(down(name="Renamed"))

    assert not story.last.revisions


def test_a_whole_site_can_be_muted_its_blindness_too() -> None:
    story = Story(up())
    story.mute(EVERY)
    story.fail()
    story.fail()
    assert not story.sent
    assert story.happened(EventKind.SIGHT_LOST)[0].reason == "muted"
    story.unmute(EVERY)

    [root] = story.roots
    assert root.kind is ThreadKind.SITE
    assert story.happened(EventKind.SIGHT_LOST)[-1].reason == "mute_ended"


def test_a_muted_blindness_that_ends_leaves_nothing_to_say() -> None:
    story = Story(up())
    story.mute(EVERY)
    story.fail()
    story.fail()
    story.poll(up())

    assert not story.sent
    assert [e.reason for e in story.happened(EventKind.SIGHT_REGAINED)] == ["loss_not_announced"]


def test_what_cannot_be_understood_when_its_mute_ends_waits_until_it_can() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    bad = (UnreadableRow(id="1", problem="status is a list"),)
    story.poll(unreadable=bad)
    story.sent.clear()
    story.unmute("1")
    assert not story.sent

    story.poll(down())
    assert ThreadKind.OUTAGE in {t.kind for t in story.roots}


def test_after_a_single_failed_poll_nothing_old_is_announced() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    story.fail()
    story.unmute("1")
    assert not story.sent

    story.poll(up())
    assert not story.sent


def test_what_fell_while_muted_waits_until_it_can_be_seen() -> None:
    story = Story(up())
    story.mute("1")
    story.poll(down())
    story.fail()
    story.fail()
    story.unmute("1")
    assert [t.kind for t in story.roots] == [ThreadKind.SITE]

    story.poll(down())
    assert [t.kind for t in story.roots] == [ThreadKind.SITE, ThreadKind.OUTAGE]


def test_muting_a_thread_mutes_what_it_is_about() -> None:
    story = Story(down("1"), down("2"), up("3"))
    [baseline] = story.state.threads
    reply = story.mute(thread=baseline)
    assert (reply.outcome, reply.connections) == (MuteOutcome.MUTED, ("1", "2"))

    story.fail()
    story.fail()
    reply = story.mute(thread=story.roots[-1].id)
    assert reply.connections == (EVERY,)
    assert story.told(MessageKind.MUTED)[-1].params["site"] == "default"


def test_a_root_about_several_is_silent_once_all_of_them_are() -> None:
    story = Story(down("1"), down("2"))
    [baseline] = story.state.threads
    story.mute("1", hours=2)
    assert story.state.threads[baseline].silence is None
    story.mute("2", reason="as well")

    silence = story.state.threads[baseline].silence
    assert silence is not None
    assert silence.reason == "as well"  # until the first of them may be heard again


def test_a_thread_that_is_over_cannot_be_muted() -> None:
    story = Story(up())
    story.poll(down())
    thread = story.roots[0].id
    story.poll(up())

    assert story.mute(thread=thread).outcome is MuteOutcome.ENDED
    assert story.mute(thread="default/999").outcome is MuteOutcome.ENDED
    assert story.mute().outcome is MuteOutcome.ENDED


def test_a_second_mute_takes_the_place_of_the_first() -> None:
    eve = Person(id="U2", name="eve")
    story = Story(up())
    story.mute("1", hours=9)
    reply = story.mute("1", by=eve, reason="shorter")

    assert reply.silence == Silence(until=story.now + timedelta(hours=1), reason="shorter", by=eve)
    story.wait(hours=1)
    story.poll(down())
    assert len(story.roots) == 1


def test_the_same_mute_again_at_once_is_said_once() -> None:
    """Impatient clicks are one line in the thread, and each is answered."""
    story = Story(up())
    story.poll(down())
    first = story.mute("1", reason="we know")
    again = story.mute("1", reason="we know")

    assert (again.outcome, again.silence) == (MuteOutcome.MUTED, first.silence)
    assert len(story.told(MessageKind.MUTED)) == len(story.happened(EventKind.MUTED)) == 1


def test_another_reason_person_or_end_is_another_mute() -> None:
    story = Story(up())
    story.poll(down())
    story.mute("1")
    story.mute("1", reason="we know")
    story.mute("1", reason="we know", by=Person(id="U2", name="eve"))
    story.mute("1", reason="we know", hours=2)
    reply = story.mute("1", reason="we know", hours=1)

    # The last is shorter than the one before it, and counts.
    assert len(story.told(MessageKind.MUTED)) == 5
    assert reply.silence is not None
    assert reply.silence.until < story.now + timedelta(hours=2)


def test_unmuting_says_what_still_keeps_it_silent() -> None:
    story = Story(up())
    story.mute("1")
    story.mute(EVERY)
    reply = story.unmute("1")
    assert reply.outcome is MuteOutcome.STILL_SILENT
    assert reply.silence is not None

    assert story.unmute("1").outcome is MuteOutcome.NOT_MUTED
    assert story.unmute(EVERY).outcome is MuteOutcome.UNMUTED
    assert story.happened(EventKind.UNMUTED)


def test_unmuting_a_site_lifts_every_mute_of_it() -> None:
    story = Story(up("1"), up("2"))
    story.mute("1")
    story.mute("2")

    reply = story.unmute(EVERY)
    assert (reply.outcome, reply.told) == (MuteOutcome.UNMUTED, 0)
    assert story.unmute("1").outcome is MuteOutcome.NOT_MUTED


def test_unmuting_a_site_says_nothing_where_nothing_was_silent() -> None:
    story = Story(up("1"), up("2"))
    story.poll(down("1"), down("2"))
    story.mute("2")
    story.unmute(EVERY)

    [said] = story.told(MessageKind.UNMUTED)
    assert said.thread == next(e.thread for e in story.state.episodes.values() if e.connection == "2")


def test_unmuting_is_said_in_the_thread() -> None:
    story = Story(up())
    story.poll(down())
    story.mute("1")
    assert story.unmute("1").told == 1

    [said] = story.told(MessageKind.UNMUTED)
    assert (said.role, said.params["connections"]) == (Role.REPLY, ["Connection 1"])
    assert story.roots[0].silence is None


def test_a_mute_and_its_end_remember_where_they_were_said() -> None:
    story = Story(up("1"), up("2"))
    story.poll(down("1"), up("2"))
    for connection in ("1", "2"):
        story.mute(connection)
        story.unmute(connection)

    [root] = story.roots
    events = story.happened(EventKind.MUTED) + story.happened(EventKind.UNMUTED)
    assert [(e.connection, e.thread) for e in events] == [("1", root.id), ("2", None)] * 2
