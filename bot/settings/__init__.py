"""Every setting of the bot: a TOML file and the environment become one frozen `Settings`, or a list of all problems.

`load` is the way in; a verb says what it needs and nothing else is validated. No secret ever stands in a message, a
`repr` or an exception.
"""

from bot.core.cron import Cron, parse_cron
from bot.settings.addresses import Listen
from bot.settings.load import ALL, LOOK_UP, STORED, Need, load
from bot.settings.models import AlertSettings, Maintenance, Route, Settings, SiteSettings, SlackSettings
from bot.settings.problems import ConfigurationError, Problem
from bot.settings.reference import SettingDoc, reference
from bot.settings.values import format_duration, parse_duration

__all__ = [
    "ALL",
    "LOOK_UP",
    "STORED",
    "AlertSettings",
    "ConfigurationError",
    "Cron",
    "Listen",
    "Maintenance",
    "Need",
    "Problem",
    "Route",
    "SettingDoc",
    "Settings",
    "SiteSettings",
    "SlackSettings",
    "format_duration",
    "load",
    "parse_cron",
    "parse_duration",
    "reference",
]
