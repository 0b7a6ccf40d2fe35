"""How single values are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.settings import Listen, Maintenance, addresses, format_duration, parse_cron, parse_duration, values


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("30s", 30_000), (" 5m ", 300_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    "value", ["30", "", "s", "1h30m", "-5s", "5 m", "1.5h", "5M", "٣s", "1" * 16 + "s", 30, 1.5, None]
)
def test_a_duration_without_its_unit_is_told_how_to_be_written(value: object) -> None:
    with pytest.raises(ValueError, match=r"500ms.*30s.*5m.*2h.*7d"):
        parse_duration(value)


def test_a_duration_that_no_calendar_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_duration("999999999999d")


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)).map(
        lambda d: timedelta(milliseconds=d // timedelta(milliseconds=1))
    )
)
def test_every_duration_is_read_back_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


PARSERS: tuple[Callable[[str], object], ...] = (
    parse_duration,
    parse_cron,
    addresses.parse_site_url,
    addresses.parse_api_url,
    addresses.parse_database_url,
    addresses.parse_listen,
    values.parse_timezone,
    values.parse_channel,
    values.parse_mention,
    values.parse_ca_file,
)


def refusal(parse: Callable[[str], object], text: str) -> str | None:
    """Why a text is refused, `None` if it is not; any other failure is let through."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None


@given(st.integers(0, 10**20), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_every_number_with_a_unit_is_a_duration_or_a_clear_refusal(number: int, unit: str) -> None:
    why = refusal(parse_duration, f"{number}{unit}")

    if why is None:
        assert timedelta(0) <= parse_duration(f"{number}{unit}") <= timedelta(days=3650)
    else:
        assert "write" in why


@given(st.text(), st.sampled_from(PARSERS))
def test_no_text_makes_a_parser_fail_otherwise_than_by_a_refusal(text: str, parse: Callable[[str], object]) -> None:
    assert refusal(parse, text) != ""


def test_off_is_written_for_a_duration_that_is_off() -> None:
    assert format_duration(None) == "off"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://acme.itempath.com", "https://acme.itempath.com"),
        ("https://acme.itempath.com/", "https://acme.itempath.com"),
        ("https://acme.itempath.com/api", "https://acme.itempath.com"),
        ("https://acme.itempath.com/api/", "https://acme.itempath.com"),
        ("http://10.0.0.5:8000/api", "http://10.0.0.5:8000"),
        ("https://intranet/itempath/api/", "https://intranet/itempath"),
        ("https://intranet/capi", "https://intranet/capi"),
        (" http://[fd00::1]:8000/ ", "http://[fd00::1]:8000"),
    ],
)
def test_a_site_is_addressed_with_or_without_api_and_slash(text: str, normal: str) -> None:
    assert addresses.parse_site_url(text) == normal


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("acme.itempath.com", "scheme is missing"),
        ("ftp://acme.itempath.com", "only http:// and https://"),
        ("https://user:word@acme.itempath.com", "must not hold credentials"),
        ("https://", "not an address"),
        ("https://a b", "not an address"),
        ("https://\u202eexample", "not an address"),
        ("https://acme.itempath.com:port", "host or port"),
        ("https://acme.itempath.com/?a=1", "remove everything from"),
        ("https://acme.itempath.com/#a", "remove everything from"),
        ("https://acme.itempath.com/?", "remove everything from"),
        (7, "in quotes"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_why(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        addresses.parse_site_url(value)


@pytest.mark.parametrize("text", ["https://slack.com/api", "https://slack.com/api/"])
def test_the_web_api_ends_with_one_slash(text: str) -> None:
    assert addresses.parse_api_url(text) == "https://slack.com/api/"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("sqlite:///data/bot.db", "sqlite:///data/bot.db"),
        ("sqlite:////var/lib/bot@home.db?timeout=5", "sqlite:////var/lib/bot@home.db"),
        ("postgresql://bot:p%40ss@db:5432/bot?sslmode=require", "postgresql://bot@db:5432/bot"),
        ("postgresql://db/bot", "postgresql://db/bot"),
    ],
)
def test_a_database_is_shown_without_its_password(url: str, label: str) -> None:
    assert addresses.database_label(addresses.parse_database_url(url)) == label


def test_the_password_of_a_database_is_known_decoded_and_as_it_stands_in_the_address() -> None:
    assert addresses.database_passwords("postgresql://bot:p%40ss@db/bot") == ("p@ss", "p%40ss")
    assert addresses.database_passwords("postgresql://bot:word@db/bot") == ("word",)
    assert addresses.database_passwords("sqlite:///data/bot.db") == ()
    assert addresses.database_passwords("postgresql:///bot?host=/run&password=p%40ss") == ("p@ss",)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("mysql://bot@db/bot", "unknown kind"),
        ("data", "unknown kind"),
        ("data/bot.db", "write sqlite:///data/bot.db$"),
        ("/data/bot.db", "write sqlite:////data/bot.db$"),
        ("postgres://bot@db/bot", "write it out"),
        ("postgresql+asyncpg://bot@db/bot", "no driver"),
        ("sqlite+aiosqlite:///bot.db", "no driver"),
        ("sqlite:///a\0b", "NUL"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite://bot.db", "three slashes"),
        ("postgresql://bot@db", "name of the database"),
        ("postgresql://bot@db:x/bot", "host or port"),
        ("postgresql://bot:p#w@db/bot", "%23"),
        (3, "write sqlite"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_why(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        addresses.parse_database_url(value)


@pytest.mark.parametrize(
    "password", ["La@ger", "La/ger", "La#ger", "La?ger", "La ger", "La%ger", "La[ger", "1/La?ger", "1/a?La=ger"]
)
def test_a_password_whose_end_cannot_be_told_is_refused_without_showing_any_of_it(password: str) -> None:
    with pytest.raises(ValueError, match="write @ as %40, / as %2F") as caught:
        addresses.parse_database_url(f"postgresql://bot:{password}@db:5432/bot")
    assert "ger" not in str(caught.value)
    assert "La" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:8080", Listen("127.0.0.1", 8080)),
        (":8080", Listen(None, 8080)),
        ("[::1]:0", Listen("::1", 0)),
        ("bot.internal:65535", Listen("bot.internal", 65535)),
    ],
)
def test_listening_addresses_are_read_and_written_alike(text: str, listen: Listen) -> None:
    assert addresses.parse_listen(text) == listen
    assert addresses.parse_listen(listen) is listen
    assert str(listen) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("8080", "host:port"),
        ("localhost", "host:port"),
        ("localhost:http", "host:port"),
        ("http://localhost:80", "IPv6 address stands in brackets"),
        ("::1:8080", "brackets"),
        ("[zz]:80", "no IPv6"),
        ("a b:80", "host:port"),
        ("localhost:65536", "65535"),
        (8080, "host:port"),
    ],
)
def test_a_listening_address_that_is_none_is_told_why(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        addresses.parse_listen(value)


def test_time_zones_are_those_of_iana() -> None:
    assert values.parse_timezone("Europe/Vienna") == ZoneInfo("Europe/Vienna")
    assert values.parse_timezone(ZoneInfo("UTC")) == ZoneInfo("UTC")


@pytest.mark.parametrize("value", ["Vienna", "Europe", "../etc/passwd", "/etc/localtime", "", "+02:00", 2])
def test_what_is_no_time_zone_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="IANA"):
        values.parse_timezone(value)


def test_the_authority_must_be_a_readable_pem_file(tmp_path: Path) -> None:
    pem, other = tmp_path / "ca.pem", tmp_path / "ca.der"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    other.write_bytes(b"\x30\x82")

    assert values.parse_ca_file(str(pem)) == pem
    with pytest.raises(ValueError, match="no PEM certificate"):
        values.parse_ca_file(other)
    with pytest.raises(ValueError, match=r"cannot be read \(No such file"):
        values.parse_ca_file(str(tmp_path / "absent.pem"))
    with pytest.raises(ValueError, match="in quotes"):
        values.parse_ca_file(1)


@pytest.mark.parametrize("text", ["C0123456789", "G1", "#alerts", "#störungen-2"])
def test_a_channel_is_an_id_or_a_name_with_its_hash(text: str) -> None:
    assert values.parse_channel(text) == text


@pytest.mark.parametrize("value", ["alerts", "#Alerts", "#a b", "#", "@me", "<#C1>", "", 5])
def test_other_spellings_of_a_channel_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"channel's id|in quotes"):
        values.parse_channel(value)


@pytest.mark.parametrize("text", ["here", "channel", "U0123", "W0123", "S0123"])
def test_a_mention_is_here_channel_or_an_id(text: str) -> None:
    assert values.parse_mention(text) == text


@pytest.mark.parametrize("text", ["@here", "<!here>", "everyone", "u0123", "C0123"])
def test_other_mentions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write here, channel"):
        values.parse_mention(text)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "no-break\N{NO-BREAK SPACE}space", "\t "])
def test_a_token_that_was_copied_badly_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(values.Token, config={"hide_input_in_errors": True}).validate_python(SecretStr(token))

    assert "copy it once more" in str(raised.value)
    assert token == "\t " or token not in str(raised.value)


def test_a_schedule_is_read_as_crontab_describes_it() -> None:
    cron = parse_cron("*/20 0-4/2,22 1 jan,DEC mon-wed,7")

    assert cron.minutes == {0, 20, 40}
    assert cron.hours == {0, 2, 4, 22}
    assert cron.days == {1}
    assert cron.months == {1, 12}
    assert cron.weekdays == {0, 1, 2, 3}
    assert cron.either_day


def test_an_open_step_counts_from_its_start() -> None:
    assert parse_cron("50/5 * * * *").minutes == {50, 55}


@pytest.mark.parametrize("text", ["0 2 * * sun", "0 2 1 * *", "0 2 * * */2"])
def test_a_day_is_restricted_by_one_field_unless_both_are_given(text: str) -> None:
    assert not parse_cron(text).either_day


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 2 * *", "five fields.*this one has 4"),
        ("@daily", "five fields"),
        ("60 2 * * *", "the minute is"),
        ("0 24 * * *", "the hour is"),
        ("0 2 0 * *", "the day of the month is"),
        ("0 2 * 13 *", "the month is"),
        ("0 2 * * 8", "the day of the week is"),
        ("5-1 2 * * *", "the minute is"),
        ("*/0 2 * * *", "the minute is"),
        ("1,,2 2 * * *", "the minute is"),
        ("0 2 * sun *", "the month is"),
        ("0 2 30 2 *", "never comes"),
    ],
)
def test_a_schedule_that_cannot_be_is_told_which_field_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_cron(text)


def test_the_thirtieth_of_february_is_no_matter_when_the_weekday_counts_too() -> None:
    assert parse_cron("0 2 30 2 mon").either_day


def test_a_single_window_is_kept_in_utc() -> None:
    window = Maintenance(
        start=datetime.fromisoformat("2026-07-01T18:00:00"),
        end=datetime(2026, 7, 1, 18, 30, tzinfo=UTC),
        timezone=ZoneInfo("Europe/Vienna"),
    )

    assert window.start == datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
    assert window.end == datetime(2026, 7, 1, 18, 30, tzinfo=UTC)


def test_a_schedule_passes_through_as_a_value() -> None:
    cron = parse_cron("0 2 * * *")

    assert Maintenance(schedule=cron, duration=timedelta(hours=1)).schedule is cron
