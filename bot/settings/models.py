"""Every setting: its name, type, default and meaning.

The text below each field is what an operator reads: `reference` takes it from here. A field's `Env` or `Secret` names the
environment variable that wins over the TOML key. Models check what concerns several fields in `rules`, so that all
problems can be reported at once, even while single fields are wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bot.settings import addresses, values


@dataclasses.dataclass(frozen=True, slots=True)
class Env:
    """The environment variable of a field."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Secret(Env):
    """A field that no message may show: also `<name>_FILE`, and in TOML `<key>_env` and `<key>_file`."""

    literal: bool = False
    """Whether TOML may hold the value itself, because it is a secret only at times."""
    quotes: bool = False
    """Whether it may begin and end with a quotation mark."""


SLACK_API_URL = "https://slack.com/api/"
BOT_TOKENS = ("xoxb-", "xoxe.xoxb-")
"""Bot tokens, and those with token rotation switched on (https://docs.slack.dev/authentication/tokens)."""
APP_TOKENS = ("xapp-",)
_OTHER_TOKENS = {
    "xapp-": "an app-level token (xapp-); it belongs into SLACK_APP_TOKEN",
    "xoxb-": "a bot token (xoxb-); it belongs into SLACK_BOT_TOKEN",
    "xoxe.xoxb-": "a bot token (xoxe.xoxb-); it belongs into SLACK_BOT_TOKEN",
    "xoxp-": "a user token (xoxp-)",
    "xoxe.xoxp-": "a user token (xoxe.xoxp-)",
    "xoxe-": "a refresh or configuration token (xoxe-)",
}

_NO_CREDENTIALS = (
    "credentials are missing; set ITEMPATH_TOKEN, or ITEMPATH_USERNAME and ITEMPATH_PASSWORD "
    "(in [[sites]]: token_env, or username and password_env)"
)

Broken = Iterator[tuple[str, str]]
"""Pairs of the field a problem is told at, and what to do about it."""


class Section(BaseModel):
    """A table of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Broken:
        """What is wrong between fields; `given` holds those that are set, validated or not."""
        del given
        yield from ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        given = {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
        for field, mend in self.rules(given):
            raise ValueError(f"{field}: {mend}")
        return self


class SiteSettings(Section):
    """One ItemPath server."""

    name: values.SiteName = "default"
    """Unique name of the site, `[a-z0-9-]+`; it stands in front of a connection's id. Only in `[[sites]]`."""
    url: Annotated[values.SiteUrl, Env("ITEMPATH_URL")]
    """Address of the server, e.g. `https://customer.itempath.com`, with or without a trailing `/` or `/api`."""
    token: Annotated[values.Token | None, Secret("ITEMPATH_TOKEN")] = None
    """An application token (it never expires). Either this, or a user name and a password."""
    username: Annotated[values.Filled | None, Env("ITEMPATH_USERNAME")] = None
    """User to log in as, instead of a token; the login is refreshed before it expires."""
    password: Annotated[SecretStr | None, Secret("ITEMPATH_PASSWORD", quotes=True)] = None
    """Password of that user."""
    channel: values.Channel = ""
    """Home channel of this site. Default: `slack.channel`. Empty where a verb was loaded without Slack."""
    timezone: values.Timezone = ZoneInfo("UTC")
    """IANA zone in which this server writes its times. They carry none, and ItemPath does not document which it is."""
    ca_file: values.CaFile | None = None
    """PEM file of the authority that signed the server's certificate. Default: the system's authorities."""
    verify_tls: bool = True
    """Whether the server's certificate is verified. Without it anyone on the way can read the credentials."""
    timeout: values.Duration = timedelta(seconds=10)
    """Longest wait for one answer. A list of connections takes well under a second; ten are for a server under load."""
    poll_interval: values.PollInterval = timedelta(seconds=30)
    """How often this site is polled. Default: the `poll_interval` of the bot."""

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Broken:
        token, username, password = (name in given for name in ("token", "username", "password"))
        if token and (username or password):
            yield "token", "credentials are given twice; keep either the token, or user name and password"
        elif not (token or username or password):
            yield "token", _NO_CREDENTIALS
        elif username and not password:
            yield "password", "the password of this user name is missing"
        elif password and not username:
            yield "username", "the user name of this password is missing"
        if "ca_file" in given and given.get("verify_tls") is False:
            yield "verify_tls", "ca_file has no effect without verification; remove verify_tls, or remove ca_file"


class SlackSettings(Section):
    """The Slack workspace."""

    bot_token: Annotated[values.Token, Secret("SLACK_BOT_TOKEN")]
    """Bot User OAuth Token (`xoxb-…`): Slack app, OAuth & Permissions."""
    app_token: Annotated[values.Token | None, Secret("SLACK_APP_TOKEN")] = None
    """App-level token (`xapp-…`) with `connections:write`: turns Socket Mode on; no address of one's own is needed."""
    signing_secret: Annotated[values.Token | None, Secret("SLACK_SIGNING_SECRET")] = None
    """Signing Secret: turns `POST /slack/events` on; Slack must be able to reach the bot over HTTPS."""
    channel: Annotated[values.Channel, Env("SLACK_CHANNEL")]
    """The home channel: an id (`C…`) or `#name`. A name is resolved once to an id that is stored, so renaming is safe."""
    api_url: Annotated[values.ApiUrl, Env("SLACK_API_URL")] = SLACK_API_URL
    """Address of Slack's Web API; another one for GovSlack or a proxy."""
    operators: tuple[values.User, ...] = ()
    """Ids of the users who may acknowledge and mute. Empty: everyone in the workspace."""
    adopt_wait: values.DurationOrZero = timedelta(seconds=3)
    """Wait before an unanswered post is looked for a second time: Slack may show it a moment after it took it."""

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Broken:
        # A stand-in for Slack is free in what it calls a token; a token of another kind is a mix-up anywhere.
        genuine = given.get("api_url", SLACK_API_URL) == SLACK_API_URL
        wanted = {"bot_token": BOT_TOKENS, "app_token": APP_TOKENS, "signing_secret": ()}
        for field, prefixes in wanted.items():
            if field not in given:
                continue
            token = given[field].get_secret_value().strip()
            kind = next((told for prefix, told in _OTHER_TOKENS.items() if token.startswith(prefix)), None)
            if prefixes and token.startswith(prefixes):
                continue
            if kind is not None:
                yield field, f"this is {kind}"
            elif prefixes and genuine:
                yield field, f"this is no Slack token; it must start with {prefixes[0]}"


class AlertSettings(Section):
    """`[alerts]`: when something is told, and how often."""

    confirm_polls: int = Field(default=1, ge=1, le=100)
    """Polls in a row that must agree before a flip counts. 1, because ItemPath has already tested before it reports."""
    unreachable_after: int = Field(default=2, ge=1, le=1000)
    """Failed polls in a row before a site counts as unreachable. 2, so that one lost packet wakes nobody."""
    remind_every: values.DurationOrOff = timedelta(hours=4)
    """How often an outage that nobody acknowledged is repeated; `off` allowed. Twice in a shift."""
    escalate_after: values.DurationOrOff = None
    """After how long an outage that nobody acknowledged is repeated to `escalate_to`; `off` allowed."""
    flap_threshold: int = Field(default=4, ge=2, le=1000)
    """Flips within `flap_window` from which a connection is flapping. 4 is falling twice."""
    flap_window: values.Duration = timedelta(minutes=10)
    """The window of `flap_threshold`; half of it is how long a state must hold to be final."""
    group_over: int = Field(default=5, ge=2, le=10_000)
    """Outages of one site and channel within `group_window` from which the rest shares one message."""
    group_window: values.Duration = timedelta(minutes=2)
    """How long a group waits for further members. Longer than two polls, so that one cause stays one message."""
    stale_after: values.DurationOrOff = None
    """Testable connections that ItemPath has not checked for so long become unknown; `off` allowed."""
    keep_events: values.Duration = timedelta(days=90)
    """How long events are kept for history and audit: a quarter, a few megabytes for ordinary sites."""


class Route(Section):
    """One of `[[routes]]`: the first whose patterns all match decides."""

    site: values.Pattern | None = None
    """Glob on the site's name. Without a pattern, everything matches."""
    name: values.Pattern | None = None
    """Glob on the connection's name."""
    type: values.Pattern | None = None
    """Glob on the connection's type, e.g. `MSSQL`."""
    app_id: values.Pattern | None = None
    """Glob on the id of the connection's app."""
    authentication: values.Pattern | None = None
    """Glob on the connection's authentication mode."""
    channel: values.Channel | None = None
    """Where its messages go: an id (`C…`) or `#name`. Default: the site's channel."""
    mention: values.Mention | None = None
    """Who is mentioned: `here`, `channel`, a user id `U…` or a user group id `S…`. Default: nobody."""
    escalate_to: values.Mention | None = None
    """Who is mentioned when `alerts.escalate_after` has passed; written like `mention`. Default: `mention`."""


class Maintenance(Section):
    """One of `[[maintenance]]`: while it lasts, what it covers is muted."""

    start: values.Moment | None = None
    """Begin of a single window, e.g. `2026-12-24T18:00:00`; together with `end`."""
    end: values.Moment | None = None
    """End of a single window."""
    schedule: values.Schedule | None = None
    """Begin of a repeated window: cron, five fields (minute hour day month weekday); together with `duration`."""
    duration: values.Duration | None = None
    """Length of a repeated window."""
    timezone: values.Timezone = ZoneInfo("UTC")
    """IANA zone of `schedule`, and of a `start` and `end` without an offset."""
    site: values.Pattern | None = None
    """Glob on the site's name. Without a pattern, all sites are covered."""
    name: values.Pattern | None = None
    """Glob on the connection's name. Without a pattern, all connections are covered."""
    reason: values.Text = ""
    """Shown where something is muted by it."""

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Broken:
        single, repeated = given.keys() & {"start", "end"}, given.keys() & {"schedule", "duration"}
        if single and repeated:
            yield "schedule", "this mixes two kinds; write either start and end, or schedule and duration"
        elif not single and not repeated:
            yield "start", "when is missing; write start and end, or schedule and duration"
        for one, other in (("start", "end"), ("schedule", "duration")):
            present = given.keys() & {one, other}
            if len(present) == 1 and not (single and repeated):
                missing = ({one, other} - present).pop()
                yield missing, f"missing beside {present.pop()}"

    @model_validator(mode="after")
    def _in_utc(self) -> Self:
        """A single window is kept in UTC; an hour that the zone has twice means its first occurrence."""
        for name in ("start", "end"):
            moment = getattr(self, name)
            if moment is not None:
                aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=self.timezone)
                try:
                    object.__setattr__(self, name, aware.astimezone(UTC))
                except OverflowError:
                    raise ValueError(f"{name}: beyond every calendar; write a year from 2 to 9998") from None
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end: must come after start")
        return self


class Settings(Section):
    """Everything the bot can be told. What a verb does not need holds its default, and `slack` is `None`."""

    database_url: Annotated[values.DatabaseUrl, Secret("BOT_DATABASE_URL", literal=True)] = SecretStr(
        "sqlite:///data/bot.db"
    )
    """Where everything is kept: `sqlite:///relative`, `sqlite:////absolute` or `postgresql://user:password@host/name`."""
    listen: Annotated[values.ListenAt, Env("BOT_LISTEN")] = addresses.Listen("127.0.0.1", 8080)
    """Where the HTTP server listens: `host:port`, `:8080` for every interface, `[::1]:8080`."""
    poll_interval: Annotated[values.PollInterval, Env("BOT_POLL_INTERVAL")] = timedelta(seconds=30)
    """How often ItemPath is asked, at least `500ms`. Each poll is an entry in ItemPath's own call log."""
    log_format: Annotated[values.Format, Env("BOT_LOG_FORMAT")] = None
    """`console` or `json`. Default: `console` on a terminal, else `json`."""
    log_level: Annotated[values.Level, Env("BOT_LOG_LEVEL")] = "info"
    """`debug`, `info`, `warning` or `error`."""
    sites: tuple[SiteSettings, ...] = ()
    slack: SlackSettings | None = None
    alerts: AlertSettings = AlertSettings()
    routes: tuple[Route, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    notes: tuple[str, ...] = ()
    """What is no error but worth a warning at the start."""

    PLAIN: ClassVar[tuple[str, ...]] = ("database_url", "listen", "poll_interval", "log_format", "log_level")
    """The settings that stand at the top of the file, outside any table."""

    @property
    def database_label(self) -> str:
        """The database's address without its password, for messages."""
        return addresses.database_label(self.database_url.get_secret_value())

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, so that logs can be kept free of them."""
        found = [*addresses.database_passwords(self.database_url.get_secret_value())]
        for section in (*self.sites, *([self.slack] if self.slack else ())):
            found += [
                v.get_secret_value()
                for name in type(section).model_fields
                if isinstance(v := getattr(section, name), SecretStr)
            ]
        return tuple(secret for secret in found if secret)
