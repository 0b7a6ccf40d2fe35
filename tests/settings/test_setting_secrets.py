"""Credentials: each mistake is told, and none is ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.settings import ConfigurationError, Settings, SiteSettings, SlackSettings, load
from tests.settings.conftest import ENVIRONMENT, Place


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"ITEMPATH_USERNAME": "me"},
            "ITEMPATH_TOKEN (itempath.token) = (given, not shown): credentials are given twice",
        ),
        ({"ITEMPATH_TOKEN": ""}, "ITEMPATH_TOKEN (itempath.token): credentials are missing"),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_USERNAME": "me"},
            "ITEMPATH_PASSWORD (itempath.password): the password of this user name is missing",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_PASSWORD": "secret-word"},
            "ITEMPATH_USERNAME (itempath.username): the user name of this password is missing",
        ),
        (
            {"SLACK_BOT_TOKEN": "xapp-1-A-swapped"},
            "SLACK_BOT_TOKEN (slack.bot_token) = (given, not shown): this is an app-level token (xapp-)",
        ),
        (
            {"SLACK_APP_TOKEN": "xoxb-swapped"},
            "SLACK_APP_TOKEN (slack.app_token) = (given, not shown): this is a bot token (xoxb-)",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_USERNAME": " ", "ITEMPATH_PASSWORD": "secret-word"},
            "ITEMPATH_USERNAME (itempath.username) = ' ': must not be blank",
        ),
        (
            {"SLACK_BOT_TOKEN": "xoxp-user"},
            "SLACK_BOT_TOKEN (slack.bot_token) = (given, not shown): this is a user token",
        ),
        (
            {"SLACK_SIGNING_SECRET": "xoxb-swapped"},
            "SLACK_SIGNING_SECRET (slack.signing_secret) = (given, not shown): this is a bot token",
        ),
        (
            {"SLACK_BOT_TOKEN": "swordfish"},
            "SLACK_BOT_TOKEN (slack.bot_token) = (given, not shown): this is no Slack token",
        ),
        ({"SLACK_BOT_TOKEN": "xoxb-a b"}, "SLACK_BOT_TOKEN (slack.bot_token) = (given, not shown): is blank, or holds"),
        (
            {"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKNE": "x"},
            "SLACK_BOT_TOKEN (slack.bot_token): required; set SLACK_BOT_TOKEN (SLACK_BOT_TOKNE is set",
        ),
        (
            {"ITEMPATH_URL": "https://me:word@acme"},
            "ITEMPATH_URL (itempath.url) = (given, not shown): an address must not",
        ),
        (
            {"ITEMPATH_TOKEN_FILE": "t"},
            "ITEMPATH_TOKEN (itempath.token) = (given, not shown): ITEMPATH_TOKEN_FILE is set as well",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "absent"},
            "ITEMPATH_TOKEN_FILE (itempath.token) = 'absent': the file cannot be read (No such",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "\0"},
            "ITEMPATH_TOKEN_FILE (itempath.token) = '\\x00': the file cannot be read (not a path)",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "."},
            "ITEMPATH_TOKEN_FILE (itempath.token) = '.': the file cannot be read (Is a dir",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "empty"},
            "ITEMPATH_TOKEN_FILE (itempath.token) = 'empty': the file is empty",
        ),
        (
            {"ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "binary"},
            "ITEMPATH_TOKEN_FILE (itempath.token) = 'binary': the file is not text",
        ),
        (
            {"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": "absent"},
            "SLACK_BOT_TOKEN_FILE (slack.bot_token) = 'absent': the file cannot be read",
        ),
    ],
)
def test_each_mistake_with_credentials_is_told_without_showing_them(
    place: Place, environ: dict[str, str], told: str
) -> None:
    place.write("\n", "empty")
    (place.cwd / "binary").write_bytes(b"\xff\xfe")

    problem = place.only(environ={**ENVIRONMENT, **environ})

    assert problem.startswith(told)
    assert not any(secret in problem for secret in ("swapped", "swordfish", "secret-word", "application-token"))


def test_swapped_tokens_are_told_of_both(place: Place) -> None:
    error = place.error(SLACK_BOT_TOKEN="xapp-1-secret", SLACK_APP_TOKEN="xoxb-secret")

    assert [(problem.env, problem.mend) for problem in error.problems] == [
        ("SLACK_BOT_TOKEN", "this is an app-level token (xapp-); it belongs into SLACK_APP_TOKEN"),
        ("SLACK_APP_TOKEN", "this is a bot token (xoxb-); it belongs into SLACK_BOT_TOKEN"),
    ]


def test_another_slack_is_free_in_what_it_calls_a_token(place: Place) -> None:
    slack = place.load(SLACK_API_URL="http://127.0.0.1:9/api", SLACK_BOT_TOKEN="anything").slack

    assert slack is not None
    assert slack.api_url == "http://127.0.0.1:9/api/"


def test_rotated_bot_tokens_are_bot_tokens(place: Place) -> None:
    assert place.load(SLACK_BOT_TOKEN="xoxe.xoxb-1-abc").slack is not None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "bot_token = 'xoxb-in-the-open'",
            "slack.bot_token = (given, not shown): a secret does not belong into the file",
        ),
        ("bot_token = 5", "slack.bot_token = (given, not shown): a secret does not belong into the file"),
        (
            "bot_token_env = 'xoxb-in-the-open'",
            "slack.bot_token_env = (given, not shown): the variable it names is not set",
        ),
        ("bot_token_env = 'UNSET'", "slack.bot_token_env = 'UNSET': the variable it names is not set"),
        ("bot_token_env = 5", "slack.bot_token_env = 5: write it as text"),
        ("bot_token_file = 'xoxb-in-the-open'", "slack.bot_token_file = '***': the file cannot be read"),
        (
            "bot_token_env = 'SET'\nbot_token_file = 'f'",
            "slack.bot_token: bot_token_env and bot_token_file are both given",
        ),
    ],
)
def test_a_secret_in_the_file_is_an_error_that_says_how_to_mend_it(place: Place, line: str, told: str) -> None:
    place.write("xoxb-from-file", "f")

    problem = place.only(f"[slack]\n{line}", environ={**ENVIRONMENT, "SLACK_BOT_TOKEN": ""}, SET="xoxb-set")

    assert problem.startswith(told)
    assert "in-the-open" not in problem


def test_a_secret_of_a_site_in_the_file_is_told_the_keys_of_that_site(place: Place) -> None:
    toml = '[[sites]]\nname = "a"\nurl = "https://a"\ntoken = "in-the-open"'

    problem = place.only(toml, environ={"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#a"})

    assert problem == (
        "sites[0].token = (given, not shown): a secret does not belong into the file; "
        "use token_env (the name of a variable) or token_file (a path)"
    )


def test_a_database_address_may_stand_in_the_file_but_is_never_shown(place: Place) -> None:
    assert place.load('database_url = "postgresql://bot:word@db/bot"').database_label == "postgresql://bot@db/bot"
    assert place.only('database_url = "mysql://bot:word@db/bot"').startswith(
        "database_url = (given, not shown): unknown"
    )
    assert place.only("database_url = 5").startswith("database_url = (given, not shown): write it as text")


@pytest.mark.parametrize("password", ["Lager@Halle7", "Lager/Halle7", "Lager Halle7"])
def test_an_address_in_the_place_of_a_path_shows_no_part_of_its_password(place: Place, password: str) -> None:
    told = place.only(BOT_DATABASE_URL_FILE=f"postgresql://bot:{password}@db/bot")

    assert told.startswith("BOT_DATABASE_URL_FILE (database_url) = 'postgresql://***@db/bot': the file cannot be read")


def test_advice_about_an_address_that_holds_no_secret_is_not_masked(place: Place) -> None:
    assert place.only(BOT_DATABASE_URL="/data/bot.db").endswith("write sqlite:////data/bot.db")
    assert place.only(BOT_DATABASE_URL="postgresql://").endswith("postgresql://user:password@host:5432/name")
    assert place.only(BOT_DATABASE_URL="sqlite:///").endswith("write sqlite:///data/bot.db")


def test_a_secret_in_the_wrong_place_is_not_shown_there_either(place: Place) -> None:
    told = str(place.error("[application-token-of-acme]\nx = 1", SLACK_CHANNEL="application-token-of-acme"))

    assert "application-token-of-acme" not in told
    assert "***: unknown key" in told


def test_settings_can_be_built_by_a_program_and_never_show_a_secret() -> None:
    site = SiteSettings(name="a", url="https://acme", username="me", password=SecretStr("secret-one"))
    slack = SlackSettings(
        bot_token=SecretStr("xoxb-secret-two"), channel="#a", signing_secret=SecretStr("secret-three")
    )
    built = Settings(sites=(site,), slack=slack, database_url=SecretStr("postgresql://bot:secret%2Dfour@db/bot"))

    assert set(built.secrets()) == {"secret-one", "xoxb-secret-two", "secret-three", "secret-four", "secret%2Dfour"}
    for text in (repr(built), str(built), built.model_dump_json()):
        assert "secret-" not in text
        assert "secret%2D" not in text
    assert Settings().secrets() == ()
    with pytest.raises(ValidationError):
        built.listen = "x"  # type: ignore[misc, assignment]


secret = st.text(st.sampled_from("abcXYZ0189-_.'\"\\ \n\täé"), min_size=10, max_size=40).map(lambda text: f"q{text}q")


@settings(max_examples=60, deadline=None)
@given(words=st.lists(secret, min_size=6, max_size=6, unique=True), chosen=st.integers(0, 4))
def test_no_secret_stands_in_any_error_text(words: list[str], chosen: int) -> None:
    """Whatever is wrong, and even where a secret was put into a place that is no secret's."""
    token, password, bot, app, signing, database = words
    secrets = [token, password, bot, f"xoxb-{app}", f"xapp-{signing}"]
    misplaced = secrets[chosen]
    environ = {
        "ITEMPATH_TOKEN": token,
        "ITEMPATH_PASSWORD": password,
        "ITEMPATH_URL": f"https://user:{password}@acme",
        "SLACK_BOT_TOKEN": bot,
        "SLACK_APP_TOKEN": secrets[3],
        "SLACK_SIGNING_SECRET": secrets[4],
        "BOT_DATABASE_URL": f"postgresql://bot:{database}@db:x/bot",
        "SLACK_CHANNEL": misplaced,
        "BOT_LISTEN": misplaced,
        "BOT_LOG_LEVEL": misplaced,
        "BOT_POLL_INTERVAL": misplaced,
    }
    with TemporaryDirectory() as folder, pytest.raises(ConfigurationError) as raised:
        load(environ=environ, cwd=Path(folder))

    # Both spellings: `repr` escapes a line break, and could so hide a leak from a plain comparison.
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.problems)
    assert len(raised.value.problems) >= 9
    for word in words:
        assert word not in told
        assert repr(word)[1:-1] not in told


def test_a_name_of_a_site_that_is_none_is_not_offered_for_a_pattern(place: Place) -> None:
    """Name and address were swapped, and the address has a password."""
    problems = str(
        place.error(
            """
            [[sites]]
            name = "https://bot:hunter2pw@vienna.example"
            url = "vienna"
            token_env = "T"
            [[routes]]
            site = "vienna"
            channel = "#x"
            """,
            environ={"T": "token"},
        )
    )
    assert "sites[0].name" in problems
    assert "routes[0].site = 'vienna': fits no site" in problems
    assert "hunter2pw" not in problems
