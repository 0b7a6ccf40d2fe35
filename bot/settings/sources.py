"""Where settings come from: a TOML file and the environment. The environment wins; an empty variable is unset."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.settings.addresses import is_path
from bot.settings.models import Env, Secret, Section, Settings, SiteSettings, SlackSettings
from bot.settings.problems import ConfigurationError, Problem, masked, without
from bot.settings.syntax import explain

HIDDEN = "(given, not shown)"
_LARGEST = 1 << 20
"""Bytes read of a file. Nobody writes a megabyte of settings; a device or a log named by mistake must not fill memory."""
_SHOWN = 80
_SURE = 0.75
"""Likeness of a key to another from which it is that one, misspelt: a letter left out or two changed about."""
_QUOTED = re.compile(r"""(["']).*\1""", re.DOTALL)
_TAKE_AWAY = "stands in quotation marks, which belong to the value in Docker's env files: take them away"
_DISTINCT = 8
"""Length from which a secret is looked for in our own words too: shorter ones occur in ordinary text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where one value came from."""

    key: str
    env: str | None = None
    """The variable, when it came from there."""
    hidden: bool = False


@dataclass(slots=True)
class Given:
    """What was given for one section, before it is validated."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    """Fields that were given in a way that already is a problem: they are not missing on top of that."""


def annotation(info: FieldInfo) -> Env | None:
    """The `Env` or `Secret` of a field."""
    return next((mark for mark in info.metadata if isinstance(mark, Env)), None)


def environment_names(*sections: type[Section]) -> tuple[str, ...]:
    """Every variable that is read for these sections, `_FILE` included."""
    marks = [mark for section in sections for info in section.model_fields.values() if (mark := annotation(info))]
    return tuple(
        n for mark in marks for n in ([mark.name, f"{mark.name}_FILE"] if isinstance(mark, Secret) else [mark.name])
    )


class Sources:
    """Reads the sources, and gathers problems until `finish` raises them together."""

    def __init__(self, *, environ: Mapping[str, str], cwd: Path) -> None:
        self._environ = {name: value for name, value in environ.items() if value}
        self._cwd = cwd
        self._problems: list[Problem] = []
        self._secrets: set[str] = set()
        self._referenced: set[str] = set()
        self._notes: list[str] = []
        self._source = "environment"

    def problem(self, key: str, mend: str, *, env: str | None = None, given: str | None = None) -> None:
        self._problems.append(Problem(key=key, mend=mend, env=env, given=given))

    def finish(self) -> None:
        """Raise `ConfigurationError` if there was any problem."""
        if self._problems:
            raise self._error()

    def _error(self) -> ConfigurationError:
        # Only at the end are all secrets known that a text must not hold.
        return ConfigurationError([self._clean(problem) for problem in self._problems], source=self._source)

    @property
    def count(self) -> int:
        """Problems so far."""
        return len(self._problems)

    def is_set(self, name: str) -> bool:
        """Whether a variable is set for itself, not as the target of somebody's `*_env`."""
        return name in self._environ and name not in self._referenced

    def _clean(self, problem: Problem) -> Problem:
        distinct = [secret for secret in self._secrets if len(secret) >= _DISTINCT]
        return dataclasses.replace(
            problem,
            key=masked(problem.key, distinct),
            mend=without(problem.mend, distinct),  # our own words: no guessing what else may be one
            given=None if problem.given is None else masked(problem.given, self._secrets, limit=_SHOWN),
        )

    # --- the file

    def read(self, config: Path | None) -> dict[str, Any]:
        """The table of `--config`, else of `$BOT_CONFIG`, else of `config/bot.toml` if there is one, else an empty one."""
        variable = self._environ.get("BOT_CONFIG")
        chosen = config or (Path(variable) if variable else Path("config/bot.toml"))
        path = self._cwd / chosen
        if config is None and variable is None and not path.exists():
            return {}
        self._source = f"{chosen} and environment"
        env = "BOT_CONFIG" if config is None and variable else None
        if env and self._in_quotes(env, "the file"):
            raise self._error()
        try:
            text = _read_text(path)
            return tomllib.loads(text)
        except OSError as error:
            self.problem(str(chosen), f"the file cannot be read ({error.strerror}); name an existing file", env=env)
        except UnicodeDecodeError as error:
            self.problem(str(chosen), f"byte {error.start + 1} is not UTF-8; save the file as UTF-8", env=env)
        except tomllib.TOMLDecodeError as error:
            line, column, what = explain(error, text)
            self.problem(f"{chosen}, line {line}, column {column}", f"this is not TOML: {what}")
        except RecursionError:
            self.problem(str(chosen), "it is nested too deeply to be understood; no setting needs that")
        # What a file that cannot be read would have said is unknown: nothing further could be judged.
        raise self._error()

    def table(self, value: object, key: str) -> dict[str, Any]:
        """`value` as the table `[key]`."""
        if isinstance(value, dict):
            return value
        self.problem(key, f"write it as a table with one pair of brackets: [{key}]")
        return {}

    def tables(self, value: object, key: str) -> list[dict[str, Any]]:
        """`value` as the list of tables `[[key]]`."""
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.problem(key, f"write it as tables with two pairs of brackets: [[{key}]]")
        return []

    # --- sections

    def collect(
        self,
        section: type[Section],
        table: Mapping[str, Any],
        key: str,
        *,
        fields: Iterable[str] | None = None,
        env: bool = False,
    ) -> Given:
        """What is given for the fields of `section`: by the environment if `env`, else by `table`, which stands at `key`."""
        names = tuple(section.model_fields if fields is None else fields)
        given = Given(key)
        known: set[str] = set()
        for name in names:
            mark = annotation(section.model_fields[name])
            if isinstance(mark, Secret):
                known |= {name, f"{name}_env", f"{name}_file"}
                self._collect_secret(given, name, mark, table, env=env)
                continue
            known.add(name)
            if env and mark is not None and mark.name in self._environ:
                if self._in_quotes(mark.name, joined(key, name)):
                    given.unusable.add(name)
                else:
                    self._put(given, name, self._environ[mark.name], env=mark.name)
            elif name in table:
                self._put(given, name, table[name])
        for unknown in table.keys() - known:
            meant = self.unknown(
                unknown, key, known - {n for n in names if isinstance(annotation(section.model_fields[n]), Secret)}
            )
            given.unusable |= {n for n in names if meant in (n, f"{n}_env", f"{n}_file")} - given.values.keys()
        return given

    def unknown(self, name: str, key: str, known: Iterable[str]) -> str | None:
        """Tell of a key that there is not; the one that is nearly certain to be meant, if any."""
        spelt, names = name.lower().replace("-", "_"), sorted(known)
        near = difflib.get_close_matches(spelt, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        self.problem(joined(key, name), f"unknown key; {hint}")
        return next(iter(difflib.get_close_matches(spelt, names, n=1, cutoff=_SURE)), None)

    def _in_quotes(self, variable: str, key: str) -> bool:
        """Whether a variable was given with its quotation marks, which is told."""
        quoted = _QUOTED.fullmatch(self._environ[variable]) is not None
        if quoted:
            self.problem(key, _TAKE_AWAY, env=variable)
        return quoted

    def _put(self, given: Given, name: str, value: object, *, env: str | None = None) -> None:
        if name == "ca_file" and isinstance(value, str):
            value = str(self._cwd / value)
        given.values[name] = value
        given.origins[name] = Origin(key=joined(given.key, name), env=env)

    def _collect_secret(self, given: Given, name: str, mark: Secret, table: Mapping[str, Any], *, env: bool) -> None:
        key = joined(given.key, name)
        values = list(self._secret_values(key, name, mark, table, env=env))
        if name in table and not mark.literal:
            if isinstance(table[name], str):
                self._secrets.add(table[name])
            advice = (
                f"a secret does not belong into the file; set {mark.name} or "
                if env
                else "a secret does not belong into the file; use "
            )
            self.problem(key, f"{advice}{name}_env (the name of a variable) or {name}_file (a path)", given=HIDDEN)
            given.unusable.add(name)
        for origin, value in values[:1]:
            if value is None:
                given.unusable.add(name)
            else:
                given.values[name] = SecretStr(value)
                given.origins[name] = origin

    def _secret_values(
        self, key: str, name: str, mark: Secret, table: Mapping[str, Any], *, env: bool
    ) -> Iterator[tuple[Origin, str | None]]:
        """The places that hold the secret, best first; `None` for one that was named but does not hold it."""
        direct, by_file = mark.name, f"{mark.name}_FILE"
        if env and direct in self._environ and by_file in self._environ:
            self.problem(key, f"{by_file} is set as well; keep one of the two", env=direct, given=HIDDEN)
        if env and direct in self._environ:
            yield Origin(key=key, env=direct, hidden=True), self._secret_variable(direct, mark, key)
        elif env and by_file in self._environ:
            origin = Origin(key=key, env=by_file, hidden=True)
            quoted = self._in_quotes(by_file, key)
            yield origin, None if quoted else self._secret_file(self._environ[by_file], mark, key, by_file)
        ways = [way for way in (f"{name}_env", f"{name}_file", *([name] if mark.literal else ())) if way in table]
        if len(ways) > 1:
            self.problem(key, f"{' and '.join(ways)} are both given; keep one of them")
        for way in ways:
            origin = Origin(key=f"{key.removesuffix(name)}{way}", hidden=True)
            value = table[way]
            if not isinstance(value, str) or not value:
                self.problem(origin.key, "write it as text, in quotes", given=repr(value) if way != name else HIDDEN)
                yield origin, None
            elif way == name:
                yield origin, self._secret(value, mark)
            elif way == f"{name}_env":
                yield origin, self._named_variable(value, mark, origin.key)
            else:
                yield origin, self._secret_file(value, mark, origin.key, None)

    def _secret(self, value: str, mark: Secret) -> str:
        # An address without a person in it would only be masked in the advice that it is given.
        if not mark.literal or not (is_path(value.strip()) or ("://" in value and not re.search("[@?]", value))):
            self._secrets |= {value, value.strip()}
        return value

    def _secret_variable(self, name: str, mark: Secret, key: str) -> str | None:
        value = self._secret(self._environ[name], mark)
        if mark.quotes and _QUOTED.fullmatch(value):
            self._notes.append(f"{name} {_TAKE_AWAY} unless they are part of the secret")
        elif self._in_quotes(name, key):
            self._secret(value[1:-1], mark)
            return None
        return value

    def _named_variable(self, name: str, mark: Secret, key: str) -> str | None:
        self._referenced |= {name, f"{name}_FILE"}
        if name in self._environ:
            return self._secret_variable(name, mark, key)
        # A secret pasted here by mistake is the commonest slip: the name is shown only if it looks like one.
        shown = repr(name) if re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", name) else HIDDEN
        self.problem(key, "the variable it names is not set; set it, or name another", given=shown)
        return None

    def _secret_file(self, path: str, mark: Secret, key: str, env: str | None) -> str | None:
        try:
            text = _read_text(self._cwd / path)
        except UnicodeDecodeError:
            self.problem(key, "the file is not text in UTF-8; write the bare secret into it", env=env, given=repr(path))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a path"
            self.problem(key, f"the file cannot be read ({why})", env=env, given=repr(path))
        else:
            value = text.removesuffix("\n").removesuffix("\r")  # what editors and `echo` add
            if value.strip():
                return self._secret(value, mark)
            self.problem(key, "the file is empty; write the secret into it", env=env, given=repr(path))
        return None

    def misspelt(self, known: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Variables that are set and nearly, but not quite, one of `known`; with the one that is meant."""
        names = sorted(known)
        for name in sorted(self._environ.keys() - set(names) - self._referenced - {"BOT_CONFIG"}):
            if name.startswith(("BOT_", "SLACK_", "ITEM")):
                for meant in difflib.get_close_matches(name, names, n=1, cutoff=0.9):
                    yield name, meant

    def notes(self) -> tuple[str, ...]:
        """Warnings for what was read."""
        known = ("BOT_CONFIG", *environment_names(Settings, SiteSettings, SlackSettings))
        near = (f"{name} is set but is no setting; did you mean {meant}?" for name, meant in self.misspelt(known))
        return (*self._notes, *near)


def joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8-sig")
