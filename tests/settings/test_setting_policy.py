"""What the settings mean for a site reaches the decision: nothing that can be set is lost on the way."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.cron import parse_cron
from bot.core.maintenance import Window
from bot.core.policy import Policy, RouteRule
from bot.settings import AlertSettings, Maintenance, Route, Settings, SiteSettings
from bot.settings.policy import channels_of, peers_of, policy_of, windows_of

START, END = datetime(2026, 12, 24, 18, tzinfo=UTC), datetime(2026, 12, 24, 20, tzinfo=UTC)


def site(name: str, channel: str = "C0HOME") -> SiteSettings:
    return SiteSettings.model_validate(
        {"name": name, "url": "https://x.example", "token": "t", "channel": channel, "poll_interval": "45s"}
    )


SETTINGS = Settings(
    sites=(site("plant"), site("berlin"), site("oslo", "C0OSLO")),
    alerts=AlertSettings.model_validate(
        {
            "confirm_polls": 2,
            "unreachable_after": 3,
            "remind_every": "1h",
            "escalate_after": "20m",
            "flap_threshold": 6,
            "flap_window": "15m",
            "group_over": 9,
            "group_window": "3m",
            "stale_after": "2h",
        }
    ),
    routes=(
        Route(
            site="pl*",
            name="SAP*",
            type="REST",
            app_id="2",
            authentication="Basic*",
            channel="C0SAP",
            mention="here",
            escalate_to="U0BOSS",
        ),
    ),
    maintenance=(
        Maintenance.model_validate({"start": START, "end": END, "site": "plant", "name": "SAP*", "reason": "move"}),
        Maintenance.model_validate({"schedule": "0 3 * * 0", "duration": "2h", "timezone": "Europe/Vienna"}),
    ),
)


def test_every_setting_reaches_the_decision() -> None:
    policy = policy_of(SETTINGS, SETTINGS.sites[0])
    rule = RouteRule(
        site="pl*",
        name="SAP*",
        type="REST",
        app_id="2",
        authentication="Basic*",
        channel="C0SAP",
        mention="here",
        escalate_to="U0BOSS",
    )
    assert policy == Policy(
        site="plant",
        home="C0HOME",
        interval=timedelta(seconds=45),
        confirm_polls=2,
        unreachable_after=3,
        remind_every=timedelta(hours=1),
        escalate_after=timedelta(minutes=20),
        flap_threshold=6,
        flap_window=timedelta(minutes=15),
        group_over=9,
        group_window=timedelta(minutes=3),
        stale_after=timedelta(hours=2),
        maintenance=(
            Window(site="plant", name="SAP*", reason="move", start=START, end=END, zone=ZoneInfo("UTC")),
            Window(schedule=parse_cron("0 3 * * 0"), duration=timedelta(hours=2), zone=ZoneInfo("Europe/Vienna")),
        ),
        sites_in_channel=2,
        routes=(rule,),
    )


def test_no_field_of_the_policy_is_left_to_its_default_by_accident() -> None:
    given = policy_of(SETTINGS, SETTINGS.sites[0])
    for field in dataclasses.fields(Policy):
        if field.default is not dataclasses.MISSING:
            assert getattr(given, field.name) != field.default, field.name


def test_sites_of_one_channel_know_of_each_other() -> None:
    plant, _, oslo = SETTINGS.sites
    assert peers_of(SETTINGS, plant) == ("berlin",)
    assert peers_of(SETTINGS, oslo) == ()
    assert policy_of(SETTINGS, oslo).sites_in_channel == 1
    assert channels_of(SETTINGS) == ("C0HOME", "C0OSLO", "C0SAP")


def test_a_repeated_window_opens_in_its_own_zone() -> None:
    _, weekly = windows_of(SETTINGS)
    sunday = datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
    assert weekly.until(sunday) == datetime(2026, 11, 29, 4, tzinfo=UTC)
    assert weekly.until(sunday - timedelta(hours=1)) is None
