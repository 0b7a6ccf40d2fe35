"""How a single value is written, and what a person is told when it is written otherwise.

Each `parse_*` takes what TOML, the environment or a program gave, and returns the value or raises `ValueError` whose text
says how to mend it. None of those texts repeats what was given: the caller decides whether it may be shown.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, SecretStr

from bot.core.cron import Cron, parse_cron
from bot.settings import addresses

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d{1,15})(ms|s|m|h|d)", re.ASCII)
_LONGEST = timedelta(days=3650)
"""Ten years: far beyond any use, and far from what date arithmetic cannot hold."""

_SITE = re.compile(r"[a-z0-9-]+")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]+")
_CHANNEL_NAME = re.compile(r"#[^\s#@<>&,:A-Z]{1,80}")
_MENTION = re.compile(r"here|channel|[UWS][A-Z0-9]+")
_USER = re.compile(r"[UW][A-Z0-9]+")
_LEVELS = ("debug", "info", "warning", "error")
_FORMATS = ("console", "json")


def parse_duration(value: object) -> timedelta:
    """`500ms`, `30s`, `5m`, `2h`, `7d`; a `timedelta` passes through."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("a duration is text with a unit: write '500ms', '30s', '5m', '2h' or '7d'")  # noqa: TRY004
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError("a duration is one whole number with its unit: write 500ms, 30s, 5m, 2h or 7d")
    milliseconds = int(match[1]) * _UNITS[match[2]]
    if milliseconds > _LONGEST / timedelta(milliseconds=1):
        raise ValueError("longer than ten years; write a shorter duration")
    return timedelta(milliseconds=milliseconds)


def format_duration(value: timedelta | None) -> str:
    """The shortest spelling that `parse_duration` reads back; `off` for `None`."""
    if value is None:
        return "off"
    milliseconds = value // timedelta(milliseconds=1)
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if milliseconds % _UNITS[unit] == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}" if milliseconds else "0s"


def _not_negative(value: object) -> timedelta:
    duration = parse_duration(value)
    if duration < timedelta(0):
        raise ValueError("must not be negative; write e.g. 3s")
    return duration


def _positive(value: object) -> timedelta:
    duration = parse_duration(value)
    if duration <= timedelta(0):
        raise ValueError("must be longer than nothing; write e.g. 30s")
    return duration


def _positive_or_off(value: object) -> timedelta | None:
    if value is None or value == "off":
        return None
    if value is False:
        raise ValueError("write 'off' in quotes to switch it off")
    try:
        return _positive(value)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def _poll_interval(value: object) -> timedelta:
    duration = parse_duration(value)
    if duration < timedelta(milliseconds=500):
        raise ValueError("at least 500ms, so that ItemPath is not hammered; 30s is a good start")
    return duration


def parse_timezone(value: object) -> ZoneInfo:
    """An IANA zone such as `Europe/Vienna`."""
    if isinstance(value, ZoneInfo):
        return value
    wanted = "write the name of an IANA time zone, e.g. UTC, Europe/Vienna or America/Toronto"
    if not isinstance(value, str):
        raise ValueError(wanted)  # noqa: TRY004
    try:
        return ZoneInfo(value.strip())
    except (KeyError, ValueError, OSError):  # unknown; not a relative name; a folder of zones such as `Europe`
        raise ValueError(wanted) from None


def parse_ca_file(value: object) -> Path:
    """A readable file of PEM certificates."""
    if not isinstance(value, str | Path):
        raise ValueError("write the path of a PEM file, in quotes")  # noqa: TRY004
    path = Path(value)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror}); write the path of a PEM file") from None
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise ValueError("the file holds no PEM certificate (-----BEGIN CERTIFICATE-----); convert it with openssl")
    return path


def parse_channel(value: object) -> str:
    """A channel id (`C…`) or `#name`."""
    text = _text(value)
    if not (_CHANNEL_ID.fullmatch(text) or _CHANNEL_NAME.fullmatch(text)):
        raise ValueError(
            "write the channel's id (C0123456789; in Slack: channel name, About, at the bottom) or '#name' in lower case"
        )
    return text


def parse_mention(value: object) -> str:
    """`here`, `channel`, a user id `U…` (`W…` in Enterprise Grid) or a user group id `S…`."""
    text = _text(value)
    if not _MENTION.fullmatch(text):
        raise ValueError("write here, channel, a user id (U…) or a user group id (S…), without @ and <>")
    return text


def _user(value: object) -> str:
    text = _text(value)
    if not _USER.fullmatch(text):
        raise ValueError("write user ids (U…; in Slack: profile, ⋮, Copy member ID), not names")
    return text


def parse_site_name(value: object) -> str:
    text = _text(value)
    if not _SITE.fullmatch(text):
        raise ValueError("lower-case letters, digits and - only, e.g. vienna-2")
    return text


def parse_pattern(value: object) -> str:
    """A glob. Numbers are taken too: an app id is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = _text(value)
    if not text:
        raise ValueError("an empty pattern matches nothing; remove the key, or write *")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write it as text, in quotes")  # noqa: TRY004
    return value.strip()


def _token(value: object) -> SecretStr:
    """A secret that travels in a header: a stray line break or quote from copying would make it useless."""
    text = (value.get_secret_value() if isinstance(value, SecretStr) else _text(value)).strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("is blank, or holds a space, a line break or a character that no token has; copy it once more")
    return SecretStr(text)


def _database(value: object) -> SecretStr:
    return SecretStr(addresses.parse_database_url(value.get_secret_value() if isinstance(value, SecretStr) else value))


def _filled(value: object) -> str:
    text = _text(value)
    if not text:
        raise ValueError("must not be blank")
    return text


def _level(value: object) -> str:
    text = _text(value).lower()
    if text not in _LEVELS:
        raise ValueError(f"write one of {', '.join(_LEVELS)}")
    return text


def _format(value: object) -> str | None:
    if value is None:
        return None
    text = _text(value).lower()
    if text not in _FORMATS:
        raise ValueError("write console or json; without it, console is used on a terminal and json elsewhere")
    return text


def _moment(value: object) -> datetime:
    """A moment of TOML (`2026-12-24T18:00:00`, with or without offset), or the same as text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > len("2026-12-24") else None
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise ValueError("write a date and a time, e.g. 2026-12-24T18:00:00 or 2026-12-24T18:00:00+01:00")  # noqa: TRY004
    return value


def _cron(value: object) -> Cron:
    if isinstance(value, Cron):
        return value
    text = _text(value)
    try:
        return parse_cron(text)
    except ValueError as error:
        # Which words there are is told to whoever wrote one in five fields.
        if len(text.split()) == 5 and re.search("[A-Za-z]", text):
            raise ValueError(f"{error}; months may be jan to dec, weekdays sun to sat") from None
        raise


Duration = Annotated[timedelta, BeforeValidator(_positive)]
DurationOrZero = Annotated[timedelta, BeforeValidator(_not_negative)]
DurationOrOff = Annotated[timedelta | None, BeforeValidator(_positive_or_off)]
PollInterval = Annotated[timedelta, BeforeValidator(_poll_interval)]
SiteUrl = Annotated[str, BeforeValidator(addresses.parse_site_url)]
ApiUrl = Annotated[str, BeforeValidator(addresses.parse_api_url)]
Token = Annotated[SecretStr, BeforeValidator(_token)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database)]
ListenAt = Annotated[addresses.Listen, BeforeValidator(addresses.parse_listen)]
Timezone = Annotated[ZoneInfo, BeforeValidator(parse_timezone)]
CaFile = Annotated[Path, BeforeValidator(parse_ca_file)]
Channel = Annotated[str, BeforeValidator(parse_channel)]
Mention = Annotated[str, BeforeValidator(parse_mention)]
User = Annotated[str, BeforeValidator(_user)]
SiteName = Annotated[str, BeforeValidator(parse_site_name)]
Pattern = Annotated[str, BeforeValidator(parse_pattern)]
Text = Annotated[str, BeforeValidator(_text)]
Filled = Annotated[str, BeforeValidator(_filled)]
Level = Annotated[str, BeforeValidator(_level)]
Format = Annotated[str | None, BeforeValidator(_format)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Schedule = Annotated[Cron, BeforeValidator(_cron)]
