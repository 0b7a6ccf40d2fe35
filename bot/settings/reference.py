"""The reference of every setting, taken from the models: what documentation is checked against."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.settings import models
from bot.settings.models import Secret, Section
from bot.settings.sources import annotation
from bot.settings.values import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDoc:
    """One setting as documentation has to name it."""

    table: str
    """The TOML table: empty for the top of the file, else `itempath`, `sites`, `slack`, `alerts`, …"""
    keys: tuple[str, ...]
    """Its TOML keys within the table; a secret has two, `*_env` and `*_file`."""
    env: tuple[str, ...]
    """Its environment variables; a secret has two."""
    default: str | None
    """As it is written in the file; `None` when it has none."""
    required: bool
    secret: bool
    meaning: str


def reference() -> list[SettingDoc]:
    """Every setting. Those of a site stand under `itempath`; `[[sites]]` has the same and `name`."""
    settings, site = models.Settings, models.SiteSettings
    return [
        *(_doc("", settings, name) for name in settings.PLAIN),
        _doc("sites", site, "name"),
        *(_doc("itempath", site, name) for name in site.model_fields if name != "name"),
        *_all("slack", models.SlackSettings),
        *_all("alerts", models.AlertSettings),
        *_all("routes", models.Route),
        *_all("maintenance", models.Maintenance),
    ]


def _all(table: str, section: type[Section]) -> Iterator[SettingDoc]:
    return (_doc(table, section, name) for name in section.model_fields)


def _doc(table: str, section: type[Section], name: str) -> SettingDoc:
    info = section.model_fields[name]
    mark = annotation(info)
    secret = isinstance(mark, Secret)
    literal = isinstance(mark, Secret) and mark.literal
    return SettingDoc(
        table=table,
        keys=(*((name,) if literal or not secret else ()), *((f"{name}_env", f"{name}_file") if secret else ())),
        env=() if mark is None else (mark.name, f"{mark.name}_FILE") if secret else (mark.name,),
        default=_default(info),
        required=info.is_required() or (table, name) == ("sites", "name"),
        secret=secret,
        meaning=_meanings(models)[section.__name__, name],
    )


def _default(info: FieldInfo) -> str | None:
    value = info.default
    if info.is_required() or value in ("", ()):
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta) or (value is None and "off" in str(info.metadata)):
        return format_duration(value)
    return None if value is None else str(value)


@functools.cache
def _meanings(module: ModuleType) -> dict[tuple[str, str], str]:
    """The text below each field, by class and field. Read on demand: starting the bot does not pay for it."""
    found: dict[tuple[str, str], str] = {}
    for cls in ast.parse(inspect.getsource(module)).body:
        if not isinstance(cls, ast.ClassDef):
            continue
        for field, below in zip(cls.body, cls.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[cls.name, name] = " ".join(text.split())
    return found
