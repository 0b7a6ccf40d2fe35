"""From the sources to `Settings`: only what a verb uses, and every problem at once."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.core.maintenance import glob
from bot.settings.models import (
    AlertSettings,
    Maintenance,
    Route,
    Settings,
    SiteSettings,
    SlackSettings,
)
from bot.settings.sources import Given, Origin, Sources, environment_names
from bot.settings.validation import AnySection, validate
from bot.settings.values import parse_pattern, parse_site_name


class Need(enum.StrEnum):
    """A part of the settings. What a verb does not need is neither read nor validated; logging always is."""

    DATABASE = "database"
    ITEMPATH = "itempath"
    SLACK = "slack"
    SERVICE = "service"
    """`listen`, `[alerts]`, `[[routes]]`, `[[maintenance]]`."""


ALL = frozenset(Need)
"""`run` and `check`."""
LOOK_UP = frozenset({Need.ITEMPATH})
"""`connections`."""
STORED = frozenset({Need.DATABASE})
"""`incidents`."""

_OWNERS = {
    "database_url": Need.DATABASE,
    "listen": Need.SERVICE,
    "poll_interval": Need.ITEMPATH,
    "log_format": None,
    "log_level": None,
}
_TABLES = ("itempath", "sites", "slack", "alerts", "routes", "maintenance")


def load(
    *, config: Path | None = None, environ: Mapping[str, str], cwd: Path | None = None, needs: frozenset[Need] = ALL
) -> Settings:
    """Read file and environment. Relative paths are taken from `cwd`. Raises `ConfigurationError` with all problems."""
    sources = Sources(environ=environ, cwd=cwd or Path.cwd())
    table = sources.read(config)
    parts: dict[str, Any] = {}

    plain = tuple(name for name in Settings.PLAIN if _OWNERS[name] is None or _OWNERS[name] in needs)
    known = {*Settings.PLAIN, "database_url_env", "database_url_file"}
    for name in sorted(table.keys() - known - set(_TABLES)):
        meant = sources.unknown(name, "", known | set(_TABLES))
        if meant in _TABLES and isinstance(table[name], dict | list):
            # Read as what it was meant for: else all that stands in it would be missing too.
            table.setdefault(meant, table[name])
    top = {key: value for key, value in table.items() if key.removesuffix("_env").removesuffix("_file") in plain}
    general = validate(sources, Settings, sources.collect(Settings, top, "", fields=plain, env=True))

    slack = _slack(sources, table) if Need.SLACK in needs else None
    if Need.ITEMPATH in needs:
        defaults = {"poll_interval": general.poll_interval} if general else {}
        channel = {"channel": slack.channel} if slack else {}
        ignored = () if Need.SLACK in needs else ("channel",)
        parts["sites"] = tuple(_sites(sources, table, defaults | channel, ignored))
    if Need.SERVICE in needs:
        alerts = sources.table(table.get("alerts", {}), "alerts")
        parts["alerts"] = validate(sources, AlertSettings, sources.collect(AlertSettings, alerts, "alerts"))
        parts["routes"] = _list(sources, Route, table, "routes")
        parts["maintenance"] = _list(sources, Maintenance, table, "maintenance")
        if Need.ITEMPATH in needs:
            _check_sites_named(sources, table)
    sources.finish()
    named = {name: getattr(general, name) for name in plain}
    return Settings(**named, **parts, slack=slack, notes=sources.notes())


def _slack(sources: Sources, table: Mapping[str, Any]) -> SlackSettings | None:
    given = sources.table(table.get("slack", {}), "slack")
    return validate(sources, SlackSettings, sources.collect(SlackSettings, given, "slack", env=True))


def _sites(
    sources: Sources, table: Mapping[str, Any], defaults: Mapping[str, Any], ignored: tuple[str, ...]
) -> Iterator[SiteSettings]:
    fields = tuple(name for name in SiteSettings.model_fields if name != "name")
    if "sites" not in table:
        given = sources.collect(
            SiteSettings, sources.table(table.get("itempath", {}), "itempath"), "itempath", fields=fields, env=True
        )
        yield from _site(sources, given, defaults, ignored)
        return
    if "itempath" in table:
        sources.problem("itempath", "beside [[sites]] it is unclear; move it into a [[sites]] with a name of its own")
    tables = sources.tables(table["sites"], "sites")
    if table["sites"] == []:
        sources.problem("sites", "the list is empty; write at least one [[sites]], or an [itempath]")
    names: dict[object, str] = {}
    for number, each in enumerate(tables):
        key = f"sites[{number}]"
        given = sources.collect(SiteSettings, each, key)
        name = given.values.get("name")
        if name is None and "name" not in given.unusable:
            sources.problem(f"{key}.name", "required; give each site a unique name, e.g. vienna-2")
        elif isinstance(name, str) and name in names:
            sources.problem(f"{key}.name", f"{names[name]} has the same name; names are unique", given=repr(name))
        elif isinstance(name, str):
            names[name] = key
        yield from _site(sources, given, defaults, ignored)
    for variable in environment_names(SiteSettings):
        if sources.is_set(variable):
            sources.problem(
                "sites",
                "beside [[sites]] it is unclear which site it means; remove the variable, or remove [[sites]] from the file "
                "(credentials: name a variable of each site's own in token_env or password_env)",
                env=variable,
            )


def _site(
    sources: Sources, given: Given, defaults: Mapping[str, Any], ignored: tuple[str, ...]
) -> Iterator[SiteSettings]:
    for name in ignored:
        given.values.pop(name, None)
    for name, value in defaults.items():
        if name not in given.values:
            given.values[name] = value
            given.origins[name] = Origin(key=name)
    site = validate(sources, SiteSettings, given)
    if site is not None:
        yield site


def _list(sources: Sources, section: type[AnySection], table: Mapping[str, Any], key: str) -> tuple[AnySection, ...]:
    made = [
        validate(sources, section, sources.collect(section, each, f"{key}[{number}]"))
        for number, each in enumerate(sources.tables(table.get(key, []), key))
    ]
    return tuple(each for each in made if each is not None)


def _check_sites_named(sources: Sources, table: Mapping[str, Any]) -> None:
    """A pattern for sites that fits none is a misspelling: its route or window would silently never apply."""
    names = _site_names(table)
    for key in ("routes", "maintenance"):
        given = table.get(key, [])
        for number, each in enumerate(given if isinstance(given, list) else ()):
            try:
                pattern = parse_pattern(each["site"])
            except (LookupError, TypeError, ValueError):
                continue  # without one, or it has been told what is wrong with it
            if names and not any(glob(pattern, name) for name in names):
                there_are = ", ".join(filter(_is_name, names))
                mend = f"fits no site; there are {there_are}" if there_are else "fits no site"
                sources.problem(f"{key}[{number}].site", mend, given=repr(pattern))


def _is_name(name: str) -> bool:
    """What is none might be anything, a secret too."""
    try:
        return parse_site_name(name) == name
    except ValueError:
        return False


def _site_names(table: Mapping[str, Any]) -> list[str]:
    """As they are given, right or wrong; none if that cannot be told of every site."""
    if "sites" not in table:
        return [SiteSettings.model_fields["name"].default]
    try:
        return [each["name"].strip() for each in table["sites"]]
    except (LookupError, TypeError, AttributeError):
        return []
