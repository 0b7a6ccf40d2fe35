"""Where messages go, and what follows when the operator corrects it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.policy import Policy, Route, RouteRule
from tests.core.story import INTERVAL, Story, down, up


def policy(*rules: RouteRule) -> Policy:
    return Policy(site="berlin", home="#ops", interval=INTERVAL, routes=rules)


@pytest.mark.parametrize(
    "rule",
    [
        RouteRule(site="ber*", channel="#x"),
        RouteRule(name="power*", channel="#x"),
        RouteRule(type="?ssql", channel="#x"),
        RouteRule(app_id="2", channel="#x"),
        RouteRule(authentication="basic*", channel="#x"),
        RouteRule(channel="#x"),
    ],
)
def test_every_pattern_is_a_glob_without_regard_to_case(rule: RouteRule) -> None:
    row = up(name="PowerPick", type="MSSQL", app_id="2", authentication="Basic Authentication")

    assert policy(rule).route(row) == Route(channel="#x")


@pytest.mark.parametrize(
    "rule",
    [
        RouteRule(site="rotterdam", channel="#x"),
        RouteRule(name="power*", type="REST", channel="#x"),
        RouteRule(app_id="2", channel="#x"),
    ],
)
def test_all_patterns_must_match(rule: RouteRule) -> None:
    assert policy(rule).route(up(name="PowerPick", type="MSSQL")) == Route(channel="#ops")


def test_the_first_that_matches_wins_and_may_leave_the_channel_as_it_is() -> None:
    rules = policy(RouteRule(name="a*", mention="here"), RouteRule(name="*", channel="#x"))

    assert rules.route(up(name="alpha")) == Route(channel="#ops", mentions=("here",), escalate_to=("here",))
    assert rules.route(up(name="beta")) == Route(channel="#x")


def test_what_is_not_posted_yet_follows_a_corrected_route() -> None:
    story = Story(up("1"), up("2"), home="#opps", routes=(RouteRule(name="connection 2", channel="#typo"),))
    story.poll(down("1"), down("2"), up("3"))
    story.poll(up("1"), down("2", latest_log=None), up("3"))
    story.unposted = {thread.id for thread in story.state.threads.values()}
    story.policy = replace(story.policy, home="#ops", routes=(RouteRule(name="connection 2", channel="#two"),))
    story.poll(up("1"), down("2"), up("3"))

    channels = {t.id: t.channel for t in story.state.threads.values()}
    two = next(e.thread for e in story.state.episodes.values() if e.connection == "2")
    assert channels.pop(two or "") == "#two"
    assert set(channels.values()) == {"#ops"}


def test_what_is_posted_keeps_its_channel() -> None:
    story = Story(up())
    story.poll(down())
    story.policy = replace(story.policy, home="#elsewhere")
    story.fail()

    assert {thread.channel for thread in story.state.threads.values()} == {"#ops"}


def test_a_list_of_changes_stays_where_it_still_may_go() -> None:
    story = Story(routes=(RouteRule(name="a*", channel="#a"),))
    story.poll(up("1", name="alpha"))
    story.unposted = {story.roots[0].id}
    story.policy = replace(story.policy, home="#new")
    story.poll(up("1", name="alpha"))

    assert story.state.threads[story.roots[0].id].channel == "#a"


def test_what_was_never_understood_matches_no_rule() -> None:
    assert policy(RouteRule(channel="#x")).route(None) == Route(channel="#ops")


def test_what_is_over_matters_as_long_as_something_may_come_of_it() -> None:
    rules = replace(policy(), flap_window=timedelta(hours=1))

    assert (policy().lately, rules.lately) == (timedelta(minutes=30), timedelta(hours=1))
