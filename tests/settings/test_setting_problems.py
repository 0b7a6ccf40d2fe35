"""What is told about a configuration that cannot be used: everything, at once, and no secret."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from bot.settings import SiteSettings, SlackSettings
from tests.settings.conftest import ENVIRONMENT, Place


def test_all_problems_are_told_at_once(place: Place) -> None:
    toml = """
        pol_interval = "30s"
        log_level = "loud"
        [slack]
        operators = ["U1", "bob"]
        [alerts]
        confirm_polls = 0
        group_over = "many"
        remind_every = 5
        flap_window = "0s"
        flap_treshold = 4
        keep_events = "off"
        [[routes]]
        mention = "@here"
        [[maintenance]]
        start = 2026-01-01
        reason = 5
    """

    error = place.error(toml, environ={"BOT_POLL_INTERVAL": "100ms", "BOT_LISTEN": "nowhere", "BOT_LOG_FORMAT": "xml"})

    told = {problem.env or problem.key for problem in error.problems}
    assert told == {
        "pol_interval",
        "log_level",
        "slack.operators[1]",
        "alerts.confirm_polls",
        "alerts.group_over",
        "alerts.remind_every",
        "alerts.flap_window",
        "alerts.flap_treshold",
        "alerts.keep_events",
        "routes[0].mention",
        "maintenance[0].start",
        "maintenance[0].end",
        "maintenance[0].reason",
        "BOT_POLL_INTERVAL",
        "BOT_LISTEN",
        "BOT_LOG_FORMAT",
        "ITEMPATH_URL",
        "ITEMPATH_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_CHANNEL",
    }
    assert str(error).startswith("The configuration (config/bot.toml and environment) has 20 problems:\n  - ")


def test_one_problem_is_one(place: Place) -> None:
    assert str(place.error(BOT_LOG_LEVEL="loud")).startswith("The configuration (environment) has 1 problem:\n")


def test_a_site_that_there_is_not_is_told_beside_everything_else(place: Place) -> None:
    toml = """
        log_level = "loud"
        [[sites]]
        name = "Vienna"
        [[routes]]
        site = "viena"
        mention = "@here"
        [[routes]]
        site = "vienna"
        [[routes]]
        site = ""
        [[maintenance]]
        site = "graz"
    """

    problems = place.error(toml, environ={}).problems

    assert [str(problem) for problem in problems if problem.key.endswith(".site")] == [
        "routes[2].site = '': an empty pattern matches nothing; remove the key, or write *",
        "routes[0].site = 'viena': fits no site",
        "maintenance[0].site = 'graz': fits no site",
    ]
    assert {"log_level", "sites[0].name", "sites[0].url", "slack.bot_token"} <= {problem.key for problem in problems}


@pytest.mark.parametrize("name", ["", "nmae = 'vienna'", "name = 5"])
def test_no_pattern_is_said_to_fit_no_site_while_one_has_no_name(place: Place, name: str) -> None:
    toml = f"[[sites]]\n{name}\nurl = 'https://a'\ntoken_env = 'T'\n[[routes]]\nsite = 'vienna'"
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#a", "T": "t"}

    assert place.only(toml, environ=environ).startswith(("sites[0].name", "sites[0].nmae"))


@pytest.mark.parametrize(
    ("toml", "unset", "told"),
    [
        ("[slack]\nchanel = '#a'", "SLACK_CHANNEL", "slack.chanel: unknown key; did you mean channel?"),
        ("[slak]\nchannel = '#a'", "SLACK_CHANNEL", "slak: unknown key; did you mean slack?"),
        (
            "[slack]\nbot_token_evn = 'A'",
            "SLACK_BOT_TOKEN",
            "slack.bot_token_evn: unknown key; did you mean bot_token_env?",
        ),
        ("[item_path]\nurl = 'https://a'", "ITEMPATH_URL", "item_path: unknown key; did you mean itempath?"),
        (
            "[[maintenance]]\nschedul = '0 2 * * sun'\nduration = '1h'",
            "UNSET",
            "maintenance[0].schedul: unknown key; did you mean schedule?",
        ),
    ],
)
def test_what_follows_only_from_a_misspelt_key_is_not_told(place: Place, toml: str, unset: str, told: str) -> None:
    assert place.only(toml, environ={**ENVIRONMENT, unset: ""}) == told


def test_what_stands_in_a_misspelt_table_is_told_as_well(place: Place) -> None:
    toml = "[[site]]\nname = 'vienna'\nurl = 'vienna'\ntoken_env = 'T'\n[[route]]\nsite = 'graz'"

    error = place.error(toml, environ={"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#a", "T": "t"})

    assert [problem.key for problem in error.problems] == ["route", "site", "sites[0].url", "routes[0].site"]


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[slack]\nchanel = 1", "slack.chanel: unknown key; did you mean channel?"),
        ("[alerts]\nFlap-Window = 1", "alerts.Flap-Window: unknown key; did you mean flap_window?"),
        ("zzz = 1", "zzz: unknown key; known are alerts, database_url"),
        ("slack = 1", "slack: write it as a table with one pair of brackets: [slack]"),
        ("[routes]\nx = 1", "routes: write it as tables with two pairs of brackets: [[routes]]"),
        ("routes = [1]", "routes: write it as tables with two pairs of brackets: [[routes]]"),
        ("[itempath]\nname = 'a'", "itempath.name: unknown key"),
        ("[itempath]\nverify_tls = 'maybe'", "itempath.verify_tls = 'maybe': write true or false"),
        ("[itempath]\nca_file = 1", "itempath.ca_file = 1: write the path of a PEM file"),
        ("[slack]\noperators = 'U1'", "slack.operators = 'U1': write a list in brackets"),
        ("[slack]\nadopt_wait = '-1s'", "slack.adopt_wait = '-1s': a duration is"),
        ("[alerts]\nremind_every = false", "alerts.remind_every = false: write 'off' in quotes"),
        ("[alerts]\nunreachable_after = 2000", "alerts.unreachable_after = 2000: at most 1000"),
        ("[alerts]\nconfirm_polls = 1.5", "alerts.confirm_polls = 1.5: write a whole number"),
        ("[[routes]]\nsite = 'defualt'", "routes[0].site = 'defualt': fits no site; there are default"),
        ("[[routes]]\nname = ''", "routes[0].name = '': an empty pattern"),
        ("[[routes]]\napp_id = true", "routes[0].app_id = true: write it as text"),
        ("[[maintenance]]\nreason = 'x'", "maintenance[0].start: when is missing"),
        ("[[maintenance]]\nschedule = '0 2 * * *'", "maintenance[0].duration: missing beside schedule"),
        (
            "[[maintenance]]\nschedule = '0 2 * * *'\nend = 2026-01-01T00:00:00",
            "maintenance[0].schedule = '0 2 * * *': this mixes two kinds",
        ),
        (
            "[[maintenance]]\nstart = 2026-01-02T00:00:00\nend = 9999-12-31T23:59:59-12:00",
            "maintenance[0].end = 9999-12-31 23:59:59-12:00: beyond every calendar",
        ),
        (
            "[[maintenance]]\nstart = 2026-01-02T00:00:00\nend = 2026-01-01T00:00:00",
            "maintenance[0].end = 2026-01-01 00:00:00: must come after start",
        ),
        (
            "[[maintenance]]\nstart = '2026-01-02'\nend = 2026-01-03T00:00:00",
            "maintenance[0].start = '2026-01-02': write a date and a time",
        ),
        (
            "[[maintenance]]\nstart = 'on Monday morning'\nend = 2026-01-03T00:00:00",
            "maintenance[0].start = 'on Monday morning': write a date and a time",
        ),
        (
            "[[maintenance]]\nschedule = 'daily'\nduration = '1h'",
            "maintenance[0].schedule = 'daily': a schedule has five",
        ),
    ],
)
def test_each_mistake_is_told_with_its_key_and_its_cure(place: Place, toml: str, told: str) -> None:
    assert place.only(toml).startswith(told)


def test_whoever_writes_a_word_in_a_schedule_is_told_which_there_are(place: Place) -> None:
    schedule = "[[maintenance]]\nduration = '1h'\nschedule = "

    assert place.only(f"{schedule}'0 2 * * sunday'").endswith("; months may be jan to dec, weekdays sun to sat")
    assert place.only(f"{schedule}'0 2 * * 9'").endswith("lists of them")


def test_a_pattern_fits_a_site_without_regard_to_case(place: Place) -> None:
    assert place.load("[[routes]]\nsite = 'DEF*'\nmention = 'here'").routes[0].site == "DEF*"


def test_everything_that_is_right_is_taken(place: Place) -> None:
    toml = """
        [slack]
        operators = ["U1", "W2"]
        adopt_wait = "0s"
        [alerts]
        remind_every = "off"
        escalate_after = "1h"
        [[routes]]
        site = "def*"
        app_id = 2
        mention = "here"
        escalate_to = "S1"
        channel = "C1"
        [[maintenance]]
        schedule = "0 2 * * sun"
        duration = "3h"
        [[maintenance]]
        start = "2026-01-02T00:00:00"
        end = 2026-01-02T01:00:00Z
    """

    loaded = place.load(toml)

    assert loaded.slack is not None
    assert loaded.slack.operators == ("U1", "W2")
    assert loaded.alerts.remind_every is None
    assert loaded.routes[0].app_id == "2"
    assert loaded.maintenance[0].schedule is not None
    assert loaded.maintenance[1].start is not None


def test_verification_switched_off_makes_an_authority_pointless(place: Place) -> None:
    place.write("-----BEGIN CERTIFICATE-----", "ca.pem")

    assert "ca_file has no effect" in place.only('[itempath]\nca_file = "ca.pem"\nverify_tls = false')


def test_a_long_value_is_cut(place: Place) -> None:
    problem = place.only(SLACK_CHANNEL="x" * 500)

    assert "…: write the channel's id" in problem
    assert len(problem) < 300


def test_models_hold_their_rules_without_a_file_too() -> None:
    with pytest.raises(ValidationError, match="credentials are missing"):
        SiteSettings(url="https://acme")
    with pytest.raises(ValidationError, match="must not be negative"):
        SlackSettings(bot_token=SecretStr("xoxb-1"), channel="#a", adopt_wait=timedelta(seconds=-1))
