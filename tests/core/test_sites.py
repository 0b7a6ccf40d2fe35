"""Rule 8: several sites of one channel lost at the same time are one root."""

from __future__ import annotations

from dataclasses import replace

from bot.core.events import EventKind
from bot.core.incidents import EVERY, SITE, EpisodeKind, MessageKind, ThreadKind
from bot.core.policy import RouteRule
from bot.core.state import SiteRecord, SiteState
from tests.core.story import INTERVAL, Story, up


class Two:
    """Two sites of one channel, each with its own memory, as a store would hand it out."""

    def __init__(self) -> None:
        self.berlin = Story(up(), sites_in_channel=2)
        self.rotterdam = Story(baseline=False, site="rotterdam", sites_in_channel=2)
        self.rotterdam.state = SiteState(site=SiteRecord(name="rotterdam"))
        self.rotterdam.poll(up())
        self.rotterdam.sent.clear()

    def shares(self, one: Story, other: Story) -> None:
        """What `one` knows of the threads about sites is what `other` loads."""
        threads = {i: t for i, t in one.state.threads.items() if t.kind is ThreadKind.SITE}
        episodes = {i: e for i, e in one.state.episodes.items() if e.thread in threads}
        other.state = replace(
            other.state,
            threads={**other.state.threads, **threads},
            episodes={**other.state.episodes, **episodes},
        )


def lost(two: Two | None = None) -> Two:
    two = two or Two()
    two.berlin.fail()
    two.berlin.fail()
    two.shares(two.berlin, two.rotterdam)
    two.rotterdam.fail()
    two.rotterdam.fail()
    two.shares(two.rotterdam, two.berlin)
    return two


def test_the_first_ones_root_becomes_that_of_all() -> None:
    two = lost()

    assert not two.rotterdam.sent
    [root] = two.berlin.roots
    assert root.watched == 2
    blind = [e for e in two.berlin.state.episodes.values() if e.kind is EpisodeKind.BLIND]
    assert {(e.site, e.thread) for e in blind} == {("default", root.id), ("rotterdam", root.id)}
    assert two.rotterdam.happened(EventKind.SIGHT_LOST)[0].reason == "several_sites"


def test_reminders_and_the_escalation_call_whom_each_of_the_sites_would_have_called_once() -> None:
    two = Two()
    two.berlin.policy = replace(two.berlin.policy, routes=(RouteRule(mention="S1", escalate_to="U9"),))
    two.rotterdam.policy = replace(two.rotterdam.policy, routes=(RouteRule(mention="U2"), RouteRule(mention="S1")))
    lost(two)

    [root] = two.berlin.roots
    assert root.mentions == ("S1", "U2")
    assert root.escalate_to == ("U9", "U2")


def test_one_acknowledgement_of_them_all_is_one_event() -> None:
    two = lost()
    two.berlin.ack(connection=SITE)

    [event] = two.berlin.happened(EventKind.ACKNOWLEDGED)
    assert (event.connection, event.thread) == (SITE, two.berlin.roots[0].id)


def test_the_first_that_is_back_is_an_edit_and_the_last_a_broadcast() -> None:
    two = lost()
    two.berlin.poll(up())
    assert not two.berlin.broadcasts
    assert len(two.berlin.edited_roots) == 1
    two.shares(two.berlin, two.rotterdam)
    two.rotterdam.poll(up())

    [broadcast] = two.rotterdam.broadcasts
    assert broadcast.kind is MessageKind.RECOVERED
    assert two.rotterdam.edited_roots[0].closing
    first, last = (site.happened(EventKind.SIGHT_REGAINED)[0].reason for site in (two.berlin, two.rotterdam))
    assert (first, last) == ("several_sites", "read_again")


def test_one_that_is_lost_later_has_its_own() -> None:
    two = Two()
    two.berlin.fail()
    two.berlin.fail()
    two.shares(two.berlin, two.rotterdam)
    two.rotterdam.now += 3 * INTERVAL
    two.rotterdam.fail()
    two.rotterdam.fail()

    assert len(two.rotterdam.roots) == 1


def test_one_of_another_channel_has_its_own() -> None:
    two = Two()
    two.berlin.fail()
    two.berlin.fail()
    two.shares(two.berlin, two.rotterdam)
    two.rotterdam.policy = replace(two.rotterdam.policy, home="#elsewhere")
    two.rotterdam.fail()
    two.rotterdam.fail()

    assert len([t for t in two.rotterdam.roots if t.site == "rotterdam"]) == 1


def test_another_site_being_blind_makes_nobody_else_blind() -> None:
    two = lost()
    two.berlin.poll(up())
    two.berlin.fail()

    assert two.berlin.state.site.fails == 1
    blind = [e for e in two.berlin.state.episodes.values() if e.site == "default" and e.open]
    assert not blind


def test_the_owner_of_the_thread_reminds_and_nobody_else() -> None:
    two = lost()
    two.rotterdam.wait(hours=5)
    two.rotterdam.due()

    assert not two.rotterdam.told(MessageKind.REMINDER)


def mutes_are_shared(two: Two) -> None:
    """What is muted as a whole at one of them is loaded with the other."""
    for one, other in ((two.berlin, two.rotterdam), (two.rotterdam, two.berlin)):
        every = tuple(mute for mute in one.state.mutes if mute.connection == EVERY)
        other.state = replace(other.state, peers_mutes=every)


def test_what_may_be_heard_of_one_is_not_silenced_by_a_mute_of_the_other() -> None:
    two = lost()
    two.berlin.mute(EVERY, hours=9)
    assert two.berlin.state.threads[two.berlin.roots[0].id].silence is None
    two.berlin.wait(hours=4)
    two.berlin.due()

    assert len(two.berlin.told(MessageKind.REMINDER)) == 1


def test_a_mute_of_the_only_one_that_is_still_lost_silences_their_root() -> None:
    two = lost()
    two.rotterdam.mute(EVERY, hours=9)
    mutes_are_shared(two)
    two.berlin.poll(up())
    assert two.berlin.state.threads[two.berlin.roots[0].id].silence is not None
    two.berlin.wait(hours=5)
    two.berlin.due()
    assert not two.berlin.told(MessageKind.REMINDER)

    two.berlin.wait(hours=4)
    two.berlin.due()
    assert [e.reason for e in two.berlin.happened(EventKind.REMINDED)] == ["mute_ended"]
