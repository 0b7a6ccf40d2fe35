"""The documents tell the truth: what they name exists, and no setting is missing."""

from __future__ import annotations

import ast
import configparser
import re
import unicodedata
from pathlib import Path

import pytest
import typer

from bot.cli.app import app
from bot.cli.working import BAD_CONFIGURATION
from bot.core.events import EventKind
from bot.core.incidents import Why
from bot.core.sight import NOT_RECORDED
from bot.settings import SettingDoc, load, reference
from bot.slack.commands.grammar import parse
from bot.slack.commands.vocabulary import WORDS, Help
from bot.telemetry import Metrics
from tests.project.conftest import ROOT

README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
OWN_SETTINGS = "config/bot.toml"
"""A deployment's own file, which the project does not have."""
RENAMED = {"poll_interval": "interval"}
"""Settings that have another name where they are read."""
VERBS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def settings_table(table: str) -> dict[str, list[str]]:
    """The rows of the README's table about `table` (empty: the top of the file), by their first key."""
    parts = re.split(r"(?m)^#### (.+)$", README.partition("\n## Settings\n")[2].partition("\n### ")[0])
    (text,) = [
        text
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
        if (f"[{table}]" in heading if table else "[" not in heading)
    ]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {codes(row[0])[0]: row for row in rows}


def codes(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def row_of(doc: SettingDoc) -> list[str]:
    return settings_table(doc.table)[doc.keys[0]]


def is_read(doc: SettingDoc) -> bool:
    """Whether anything beyond the settings themselves reads it, or what makes values of the others' out of them."""
    name = RENAMED.get(doc.keys[0], doc.keys[0].removesuffix("_env"))
    files = [path for path in ROOT.glob("bot/**/*.py") if path.parent.name != "settings" or path.name == "policy.py"]
    return any(re.search(rf"\.{name}\b", path.read_text()) for path in files)


def _id(doc: SettingDoc) -> str:
    return f"{doc.table}.{doc.keys[0]}"


@pytest.mark.parametrize("doc", reference(), ids=_id)
def test_the_settings_table_names_every_setting_with_its_variables_and_its_default(doc: SettingDoc) -> None:
    keys, environment, default, meaning = row_of(doc)

    assert codes(keys) == doc.keys
    assert codes(environment) == doc.env
    assert meaning
    if doc.required:
        assert default.startswith("required")
    elif doc.default is not None:
        assert default == f"`{doc.default}`"
    else:
        # In words: a value alone would be one that the bot does not have.
        assert re.fullmatch(r"`[^`]*`|required.*|", default) is None


def test_the_settings_tables_name_nothing_else() -> None:
    tables = {doc.table for doc in reference()} - {"sites"}
    named = {(table, key) for table in tables for key in settings_table(table)}

    assert named == {("itempath" if doc.table == "sites" else doc.table, doc.keys[0]) for doc in reference()}


@pytest.mark.parametrize("doc", reference(), ids=_id)
def test_no_setting_is_accepted_without_an_effect(doc: SettingDoc) -> None:
    assert is_read(doc)


def toml_examples() -> list[str]:
    return re.findall(r"(?ms)^```toml\n(.*?)^```$", README)


def test_every_example_of_a_settings_file_is_accepted(tmp_path: Path) -> None:
    """As it stands if it has sites; what is only a part of a file, behind the one that has."""
    (whole,) = [text for text in toml_examples() if "[[sites]]" in text]
    (tmp_path / "graz-password").write_text("secret")
    whole = whole.replace("/run/secrets/", f"{tmp_path}/")
    secrets = {"VIENNA_TOKEN": "a", "SLACK_BOT_TOKEN": "xoxb-a", "SLACK_APP_TOKEN": "xapp-a"}

    for part in ["", *(text for text in toml_examples() if "[[sites]]" not in text)]:
        (tmp_path / "bot.toml").write_text(f"{whole}\n{part}")
        settings = load(config=tmp_path / "bot.toml", environ=secrets, cwd=tmp_path)
        assert settings.notes == ()
        assert len(settings.maintenance) == part.count("[[maintenance]]")
    assert len(toml_examples()) > 1


def section(heading: str) -> str:
    return README.partition(f"\n## {heading}")[2].partition("\n## ")[0]


def test_every_command_of_the_readme_is_understood_and_every_one_is_told() -> None:
    named = re.findall(r"`/connection ([^`]+)`", README)
    table = re.findall(r"`/connection ([^`]+)`", section("Asking"))

    assert {word for text in table for word in text.split()[:1]} >= set(WORDS)
    for text in named:
        command = parse(text)
        assert not isinstance(command, Help) or text == "help", text


def given_reasons() -> set[str]:
    """What is written for a `reason` anywhere in the decision."""
    found: set[str] = set()
    for path in ROOT.glob("bot/core/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            value: ast.expr | None = None
            match node:
                case ast.keyword(arg="reason", value=value) | ast.Assign(targets=[ast.Name(id="reason")], value=value):
                    pass
                case ast.Call(func=ast.Name(id="Hold"), args=[value]):
                    pass
            strings = [] if value is None else [n.value for n in ast.walk(value) if isinstance(n, ast.Constant)]
            found |= {text for text in strings if isinstance(text, str) and re.fullmatch(r"[a-z_]+", text)}
    return found


def test_every_reason_is_told_and_every_one_that_is_named_is_one_that_a_decision_gives() -> None:
    """The tables that say why somebody was told, or was not."""
    incidents, _, notices = section("Verbs").partition("\n### Why was I told")[2].partition("| `why` of a notice ")
    rows = re.findall(r"(?m)^\| (?:`(\w+)`[^|]*)?\| ((?:`\w+`,? ?)+)\|", incidents)
    cells = [cell for _, cell in rows] + re.findall(r"(?m)^\| ((?:`\w+`,? ?)+)\|", notices)
    named = {reason for cell in cells for reason in codes(cell)}
    kinds = {kind for kind, _ in rows if kind}

    assert len(rows) > len(kinds) > 4
    assert kinds <= set(EventKind)
    assert named - set(Why) - {NOT_RECORDED} == given_reasons() - set(Why)


def test_every_variable_that_is_named_exists() -> None:
    known = {"BOT_CONFIG", *(name for doc in reference() for name in doc.env)}
    named = set(re.findall(r"\b(?:BOT|ITEMPATH|SLACK)_[A-Z_]+\b", README))

    assert named == known


def test_every_verb_that_is_named_exists_and_every_verb_is_named() -> None:
    # There it is the name of a container.
    text = README.replace("docker exec itempath-bot ", "")
    called = set(re.findall(r"(?:python -m bot|itempath-bot) ([a-z]+)\b", text))
    listed = set(re.findall(r"(?m)^\| `([a-z]+)(?: \[[^|]*)?` \|", section("Verbs").partition("\n### ")[0]))

    assert called
    assert called <= VERBS
    assert listed == VERBS


def test_every_option_that_is_named_exists() -> None:
    """Those of `python -m bot`, in examples and in the list of verbs."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"(?m)^(?:\S*python -m bot|.*itempath-bot) ([a-z]+) (.*--.*)$", README)
    named = {(verb, option) for verb, rest in lines for option in re.findall(r"--[a-z-]+", rest)}

    assert named
    for verb, option in named:
        assert option in {name for parameter in commands[verb].params for name in parameter.opts}


def test_every_metric_that_is_named_exists_and_every_metric_is_named() -> None:
    metrics = Metrics(version="0")
    metrics.watch("vienna")
    shown = set(re.findall(r"(?m)^# TYPE (itempath_bot_\w+)", metrics.render()[0].decode()))
    listed = set(re.findall(r"(?m)^\| `(itempath_bot_\w+)` \|", README))
    used = set(re.findall(r"\bitempath_bot_\w+", README))

    assert listed == shown
    assert used == listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"`((?:\.ci|bot|config|deploy|docs|tests)/[\w./-]+)`", text)) - {OWN_SETTINGS}

    assert {name for name in named if not (ROOT / name).exists()} == set()


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", document.read_text())
    words = [
        unicodedata.normalize("NFC", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)).lower() for heading in headings
    ]
    return {re.sub(r"[^\w\- ]", "", each).strip().replace(" ", "-") for each in words}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_picture_within_the_project_leads_somewhere(document: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", document.read_text())
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|srcset|href)="([^"]+)"', text)]
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        if "://" in path or (document.name == "template.md" and "NNNN" in path):
            continue
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


def test_every_picture_has_a_light_and_a_dark_form_is_shown_and_is_small() -> None:
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs/pictures").iterdir()}
    shown = set(re.findall(r'"docs/pictures/([^"]+)"', README))

    assert shown == set(pictures)
    assert {name.rpartition("-")[2] for name in pictures} == {"light.png", "dark.png"}
    assert {name.replace("-dark.", "-light.") for name in pictures} <= shown
    assert max(pictures.values()) < 150_000


def test_every_picture_is_told_in_words() -> None:
    images = re.findall(r"<img [^>]+>", README)

    assert images
    assert all(re.search(r'alt="[^"]{40,}"', image) for image in images)


def test_the_unit_of_systemd_runs_the_bot_and_gives_it_the_time_that_it_needs_to_stop() -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(README.partition("```ini\n")[2].partition("```")[0])

    service = unit["Service"]
    assert service["ExecStart"].startswith(service["WorkingDirectory"])
    assert service["ExecStart"].endswith("-m bot run")
    assert service["EnvironmentFile"] == f"{service['WorkingDirectory']}/.env"
    assert int(service["RestartPreventExitStatus"]) == BAD_CONFIGURATION
    assert int(service["TimeoutStopSec"]) > int(re.findall(r"stops within (\d+) seconds", README)[0])
