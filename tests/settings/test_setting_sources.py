"""Where settings come from, and which source wins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import ALL, LOOK_UP, STORED, Need
from tests.settings.conftest import ENVIRONMENT, Place


def test_the_environment_alone_is_enough(place: Place) -> None:
    settings = place.load()

    (site,) = settings.sites
    assert (site.name, site.url, site.channel) == ("default", "https://acme.itempath.com", "#alerts")
    assert site.poll_interval == timedelta(seconds=30)
    assert settings.slack is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-genuine-bot-token"
    assert settings.database_label == "sqlite:///data/bot.db"
    assert str(settings.listen) == "127.0.0.1:8080"
    assert (settings.log_format, settings.log_level) == (None, "info")
    assert settings.notes == ()


def test_the_environment_wins_over_the_file(place: Place) -> None:
    toml = """
        poll_interval = "5m"
        listen = ":1"
        [itempath]
        url = "https://file.itempath.com"
        username = "reader"
        password_env = "PASSWORD_OF_READER"
        [slack]
        channel = "#file"
    """
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1234",
        "SLACK_CHANNEL": "#environment",
        "BOT_POLL_INTERVAL": "1m",
        "ITEMPATH_PASSWORD": "from-environment",
        "PASSWORD_OF_READER": "from-file",
    }

    settings = place.load(toml, environ=environ)

    (site,) = settings.sites
    assert site.url == "https://file.itempath.com"
    assert site.password is not None
    assert site.password.get_secret_value() == "from-environment"
    assert (site.channel, site.poll_interval) == ("#environment", timedelta(minutes=1))
    assert str(settings.listen) == ":1"


def test_an_empty_variable_counts_as_unset(place: Place) -> None:
    settings = place.load('log_level = "debug"', BOT_LOG_LEVEL="", BOT_CONFIG="", SLACK_APP_TOKEN="")

    assert settings.log_level == "debug"
    assert settings.slack is not None
    assert settings.slack.app_token is None


@pytest.mark.parametrize("way", ["argument", "variable"])
def test_a_file_named_by_argument_or_variable_is_read_instead_of_the_default(place: Place, way: str) -> None:
    place.write('log_level = "error"')
    other = place.write('log_level = "debug"', "elsewhere.toml")
    environ = {"BOT_CONFIG": "config/bot.toml"} if way == "argument" else {"BOT_CONFIG": "elsewhere.toml"}

    settings = place.load(config=other if way == "argument" else None, environ={**ENVIRONMENT, **environ})

    assert settings.log_level == "debug"


def test_a_named_file_that_is_absent_is_an_error(place: Place) -> None:
    assert "absent.toml: the file cannot be read (No such file" in str(place.error(config=Path("absent.toml")))
    assert "BOT_CONFIG (absent.toml): the file cannot be read" in place.only(BOT_CONFIG="absent.toml")


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        ('listen = ":1"\nlog_level = "info\n', "line 2, column 18"),
        ("listen = ", "line 1, column 10"),
        ("listen = :1\n", "line 1, column 10"),
    ],
)
def test_invalid_toml_is_told_with_line_and_column(place: Place, toml: str, where: str) -> None:
    assert f"config/bot.toml, {where}: this is not TOML: " in place.only(toml)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ('channel = "#swordfish', 'a quotation mark is missing at the end: channel = "…"'),
        ('channel = "#swordfish\n', 'a quotation mark is missing at the end: channel = "…"'),
        ("channel = 'swordfish", 'a quotation mark is missing at the end: channel = "…"'),
        ("channel = #swordfish", 'text and durations stand in plain quotation marks: channel = "…"'),
        ("timeout = 30s", 'text and durations stand in plain quotation marks: timeout = "…"'),
        ("operators = [\nswordfish]", 'text and durations stand in plain quotation marks: key = "…"'),
        ("swordfish = #1", 'text and durations stand in plain quotation marks: key = "…"'),
        ("verify_tls = False", "true and false stand in lower case"),
        (r'ca_file = "C:\swordfish"', r"write text with a \ in single quotation marks: ca_file = '…'"),
        ("channel = 'a'\nchannel = 'swordfish'", "something stands there twice; keep one of the two"),
        ("operators = ['swordfish' 'b']", 'commas between its values and ends with a bracket: operators = ["…", "…"]'),
        ("[swordfish", "the name of a table stands in brackets, e.g. [slack], and of one of several in two"),
        ("channel: swordfish", "write each setting as key = value"),
        ("channel = 'a' swordfish", "Expected newline or end of document after a statement"),
    ],
)
def test_invalid_toml_is_told_with_its_cure_and_without_the_line(place: Place, line: str, mend: str) -> None:
    problem = place.only(f"[slack]\n{line}")

    assert mend in problem
    assert "swordfish" not in problem


def test_a_file_that_is_nested_too_deeply_is_told(place: Place) -> None:
    assert "nested too deeply" in place.only("x = " + "[" * 5000 + "]" * 5000)


def test_a_file_in_another_encoding_is_told(place: Place) -> None:
    place.write("").write_bytes(b'log_level = "\xe4"')

    assert "byte 14 is not UTF-8" in place.only()


def test_a_byte_order_mark_does_no_harm(place: Place) -> None:
    place.write("").write_bytes(b'\xef\xbb\xbflog_level = "debug"')

    assert place.load().log_level == "debug"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file_of_its_own(place: Place, ending: str) -> None:
    place.write("").with_name("token").write_bytes(f"token-from-a-file{ending}".encode())
    environ = {**ENVIRONMENT, "ITEMPATH_TOKEN": "", "ITEMPATH_TOKEN_FILE": "config/token"}

    (site,) = place.load(environ=environ).sites

    assert site.token is not None
    assert site.token.get_secret_value() == "token-from-a-file"


def test_a_password_keeps_the_blanks_around_it(place: Place) -> None:
    environ = {**ENVIRONMENT, "ITEMPATH_TOKEN": "", "ITEMPATH_USERNAME": "reader", "ITEMPATH_PASSWORD": " blank "}

    (site,) = place.load(environ=environ).sites

    assert site.password is not None
    assert site.password.get_secret_value() == " blank "


def test_the_file_names_variable_and_file_of_a_secret(place: Place) -> None:
    place.write("xapp-from-a-file", "app-token")
    toml = '[slack]\nbot_token_env = "MY_TOKEN"\napp_token_file = "app-token"\n'

    slack = place.load(toml, environ={**ENVIRONMENT, "SLACK_BOT_TOKEN": ""}, MY_TOKEN="xoxb-mine").slack

    assert slack is not None
    assert slack.app_token is not None
    assert (slack.bot_token.get_secret_value(), slack.app_token.get_secret_value()) == ("xoxb-mine", "xapp-from-a-file")


def test_the_database_may_hold_a_password_and_so_may_come_from_a_file(place: Place) -> None:
    place.write("postgresql://bot:hidden-word@db/bot\n", "database")

    settings = place.load(BOT_DATABASE_URL_FILE="database")

    assert settings.database_label == "postgresql://bot@db/bot"
    assert "hidden-word" in settings.secrets()


def test_the_file_of_the_authority_is_found_from_the_working_directory(place: Place) -> None:
    place.write("-----BEGIN CERTIFICATE-----", "config/ca.pem")

    (site,) = place.load('[itempath]\nca_file = "config/ca.pem"').sites

    assert site.ca_file == place.cwd / "config/ca.pem"


def test_the_working_directory_is_the_current_one_by_default(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.settings import load  # noqa: PLC0415

    place.write('log_level = "debug"')
    monkeypatch.chdir(place.cwd)

    assert load(environ=ENVIRONMENT).log_level == "debug"


SITES = """
    poll_interval = "1m"
    [[sites]]
    name = "vienna"
    url = "https://vienna.itempath.com"
    token_env = "VIENNA"
    [[sites]]
    name = "graz-2"
    url = "http://10.0.7.20/api"
    username = "reader"
    password_env = "GRAZ"
    channel = "C0GRAZ"
    timezone = "Europe/Vienna"
    verify_tls = false
    timeout = "3s"
    poll_interval = "500ms"
    [slack]
    channel = "#home"
    bot_token_env = "SLACK"
"""
SECRETS = {"VIENNA": "token-of-vienna", "GRAZ": "password-of-graz", "SLACK": "xoxb-1"}


def test_several_sites_take_their_defaults_from_the_bot(place: Place) -> None:
    vienna, graz = place.load(SITES, environ=SECRETS).sites

    assert (vienna.name, vienna.channel, vienna.poll_interval) == ("vienna", "#home", timedelta(minutes=1))
    assert (graz.name, graz.channel, graz.poll_interval) == ("graz-2", "C0GRAZ", timedelta(milliseconds=500))
    assert (graz.timezone.key, graz.verify_tls, graz.timeout) == ("Europe/Vienna", False, timedelta(seconds=3))


def test_variables_of_one_server_beside_several_are_an_error_that_says_so(place: Place) -> None:
    error = place.error(SITES, environ=SECRETS, ITEMPATH_URL="https://a", ITEMPATH_PASSWORD_FILE="b")

    assert [problem.env for problem in error.problems] == ["ITEMPATH_URL", "ITEMPATH_PASSWORD_FILE"]
    assert "beside [[sites]] it is unclear which site it means" in str(error)


def test_a_variable_that_a_site_names_itself_is_no_such_error(place: Place) -> None:
    toml = SITES.replace('"VIENNA"', '"ITEMPATH_TOKEN"')

    vienna, _ = place.load(toml, environ=SECRETS, ITEMPATH_TOKEN="token-by-name").sites

    assert vienna.token is not None
    assert vienna.token.get_secret_value() == "token-by-name"


def test_the_tables_of_one_and_of_several_servers_exclude_each_other(place: Place) -> None:
    assert "move it into a [[sites]]" in place.only(f'{SITES}\n[itempath]\nurl = "https://a"', environ=SECRETS)


def test_names_of_sites_are_given_and_unique(place: Place) -> None:
    twice = place.only(SITES.replace("graz-2", "vienna"), environ=SECRETS)
    absent = place.only(SITES.replace('name = "graz-2"', ""), environ=SECRETS)
    wrong = place.only(SITES.replace("graz-2", "Graz"), environ=SECRETS)
    number = place.only(SITES.replace('"graz-2"', "2"), environ=SECRETS)

    assert twice == "sites[1].name = 'vienna': sites[0] has the same name; names are unique"
    assert absent.startswith("sites[1].name: required")
    assert wrong.startswith("sites[1].name = 'Graz': lower-case letters")
    assert number.startswith("sites[1].name = 2: write it as text")


def test_a_site_of_several_is_told_its_own_keys(place: Place) -> None:
    toml = SITES.replace('url = "https://vienna.itempath.com"', "").replace('token_env = "VIENNA"', "")

    error = place.error(toml, environ=SECRETS)

    assert [(p.key, p.env) for p in error.problems] == [("sites[0].token", None), ("sites[0].url", None)]


def test_an_empty_list_of_sites_is_an_error(place: Place) -> None:
    assert "at least one [[sites]]" in place.only(
        "sites = []", environ={**SECRETS, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#a"}
    )


def test_a_verb_validates_only_what_it_uses(place: Place) -> None:
    broken = "listen = 1\ndatabase_url = 1\n[itempath]\nchannel = 1\n[slack]\nx = 1\n[alerts]\nx = 1\n[[routes]]\nx = 1\n[[maintenance]]\nx = 1\n"

    looking = place.load(broken, needs=LOOK_UP, SLACK_BOT_TOKEN="nonsense")
    assert looking.sites[0].channel == ""
    assert looking.slack is None

    stored = place.load(broken.replace("database_url = 1", ""), environ={}, needs=STORED)
    assert stored.sites == ()
    assert stored.database_label == "sqlite:///data/bot.db"

    assert frozenset(Need) == ALL
    assert len(place.error(needs=ALL).problems) == 7


def test_without_sites_no_pattern_for_sites_is_checked(place: Place) -> None:
    settings = place.load('[[routes]]\nsite = "nowhere"', environ={}, needs=frozenset({Need.SERVICE}))

    assert settings.routes[0].site == "nowhere"


def test_a_variable_that_is_nearly_a_setting_is_noted(place: Place) -> None:
    notes = place.load(BOT_POLL_INTERVALL="1m", BOT_SERVICE_HOST="10.0.0.1", HOME="/root").notes

    assert notes == ("BOT_POLL_INTERVALL is set but is no setting; did you mean BOT_POLL_INTERVAL?",)


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("SLACK_BOT_TOKEN", '"xoxb-genuine"', "slack.bot_token"),
        ("SLACK_CHANNEL", "'#alerts'", "slack.channel"),
        ("ITEMPATH_URL", '"https://acme"', "itempath.url"),
        ("ITEMPATH_TOKEN", '"eyJ.genuine.token"', "itempath.token"),
        ("SLACK_APP_TOKEN", '""', "slack.app_token"),
        ("SLACK_SIGNING_SECRET_FILE", '"/run/secret"', "slack.signing_secret"),
        ("BOT_DATABASE_URL", '"sqlite:///data/bot.db"', "database_url"),
        ("BOT_LOG_LEVEL", '"info"', "log_level"),
        ("BOT_CONFIG", '"config/bot.toml"', "the file"),
    ],
)
def test_a_variable_with_its_quotation_marks_is_told(place: Place, variable: str, value: str, key: str) -> None:
    assert place.only(environ={**ENVIRONMENT, variable: value}) == (
        f"{variable} ({key}): stands in quotation marks, which belong to the value in Docker's env files: take them away"
    )


def test_a_variable_that_the_file_names_is_told_too_if_it_stands_in_quotation_marks(place: Place) -> None:
    problem = place.only("[slack]\nbot_token_env = 'B'", SLACK_BOT_TOKEN="", B='"xoxb-1"')

    assert problem.startswith("B (slack.bot_token_env): stands in quotation marks")


def test_a_password_may_have_quotation_marks_and_is_only_noted(place: Place) -> None:
    loaded = place.load(ITEMPATH_TOKEN="", ITEMPATH_USERNAME="me", ITEMPATH_PASSWORD="'word'")

    assert loaded.sites[0].password is not None
    assert loaded.sites[0].password.get_secret_value() == "'word'"
    (note,) = loaded.notes
    assert note.startswith(
        "ITEMPATH_PASSWORD stands in quotation marks, which belong to the value in Docker's env files"
    )
    assert note.endswith("take them away unless they are part of the secret")


def test_a_quotation_mark_at_one_end_is_none_of_docker(place: Place) -> None:
    assert "write the channel's id" in place.only(SLACK_CHANNEL='"')
