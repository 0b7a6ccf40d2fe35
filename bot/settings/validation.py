"""From what was given for a section to the section itself, or to everything that is wrong with it."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from bot.settings.models import Secret, Section
from bot.settings.sources import HIDDEN, Given, Sources, annotation, environment_names, joined

_MEND = {
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "tuple_type": "write a list in brackets, e.g. ['U0123456789']",
}

AnySection = TypeVar("AnySection", bound=Section)


def validate(sources: Sources, section: type[AnySection], given: Given) -> AnySection | None:
    """The section, or `None` after noting everything that is wrong with it."""
    before = sources.count
    told = set()
    for name, mend in section.rules({**given.values, **dict.fromkeys(given.unusable, SecretStr(""))}):
        told.add(f"{name}: {mend}")
        if name not in given.unusable:
            _about(sources, section, given, name, mend)
    try:
        made = section.model_validate(given.values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True, include_input=False):
            _translate(sources, section, given, detail, told)
        return None
    return made if sources.count == before and not given.unusable else None


def _translate(sources: Sources, section: type[Section], given: Given, detail: Any, told: set[str]) -> None:
    text = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        # The model does not know of fields that were given but cannot be used, and would call them missing.
        if text not in told and not given.unusable:
            name, _, mend = text.partition(": ")
            _about(sources, section, given, name, mend)
        return
    name, *rest = detail["loc"]
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        if name not in given.unusable:
            _about(sources, section, given, name, _how_to_set(sources, section, given, name))
        return
    bounds = {"greater_than_equal": "at least {ge}", "less_than_equal": "at most {le}"}
    mend = bounds[kind].format(**context) if kind in bounds else _MEND.get(kind, text)
    _about(sources, section, given, name, mend, index="".join(f"[{part}]" for part in rest))


def _how_to_set(sources: Sources, section: type[Section], given: Given, name: str) -> str:
    mark = annotation(section.model_fields[name])
    keys = f"{name}_env or {name}_file" if isinstance(mark, Secret) else name
    if mark is None or given.key.startswith("sites"):
        return f"required; set {keys}"
    near = [n for n, meant in sources.misspelt(environment_names(section)) if meant in {mark.name, f"{mark.name}_FILE"}]
    hint = f" ({near[0]} is set: a misspelling?)" if near else ""
    return f"required; set {mark.name}{hint}, or {keys} in the file"


def _about(sources: Sources, section: type[Section], given: Given, name: str, mend: str, *, index: str = "") -> None:
    origin = given.origins.get(name)
    if origin is not None:
        value = given.values[name]
        for part in re.findall(r"\d+", index):
            value = value[int(part)]
        sources.problem(
            f"{origin.key}{index}",
            mend,
            env=origin.env,
            given=HIDDEN if origin.hidden or _suspicious(value) else _written(value),
        )
    else:
        mark = annotation(section.model_fields[name])
        env = mark.name if mark is not None and not given.key.startswith("sites") else None
        sources.problem(joined(given.key, name), mend, env=env)


def _written(value: object) -> str:
    """`value` about as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, date | time) else repr(value)


def _suspicious(value: object) -> bool:
    """Whether a plain value may hold a password: `user:password@host`."""
    return isinstance(value, str) and "@" in value and (":" in value or "/" in value)
