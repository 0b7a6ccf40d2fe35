"""The commands that people and machines are told to type: they exist, and they are the same ones everywhere."""

import os
import re
import subprocess
from pathlib import Path

import pytest

SUMMARY = "===== 7 passed in 0.01s ====="


def make_targets(root: Path) -> set[str]:
    makefile = (root / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    return set(phony.split())


def commands(text: str) -> set[str]:
    """The targets that a text calls in its code: at the start of a line, after a prompt, or between backticks."""
    return set(re.findall(r"(?:^|`|\$ )make ([a-z]+)\b", text, re.MULTILINE))


def test_the_readme_shows_the_two_commands(root: Path) -> None:
    assert {"demo", "test"} <= commands((root / "README.md").read_text())


def test_the_ci_runs_the_readmes_test_command_and_then_the_browser(root: Path) -> None:
    lines = (root / ".ci/run").read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("make ")] == ["test", "browser"]


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_that_is_named_exists(root: Path, file: str) -> None:
    named = commands((root / file).read_text())
    assert named
    assert named <= make_targets(root)


def test_make_help_tells_of_every_target(root: Path) -> None:
    # These tests are mostly run by make, whose flags are not for another make.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    told = subprocess.run(
        ["make", "help"], env=environ, cwd=root, check=True, capture_output=True, text=True, timeout=30
    ).stdout
    assert {line.split()[0] for line in told.splitlines()[1:]} == make_targets(root)


def run_ci(root: Path, tools: Path, make: str) -> subprocess.CompletedProcess[str]:
    """`.ci/run` with a stand-in for `make`, which appends each target to `called`, and for Chromium."""
    for name, script in (("make", f'echo "$1" >>{tools}/called\n{make}'), ("chromium", "")):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    environ.pop("CHROMIUM", None)
    return subprocess.run(
        [root / ".ci/run"], env=environ, cwd=tools, check=False, capture_output=True, text=True, timeout=30
    )


def test_the_ci_ends_with_the_closing_lines_of_both_runs(root: Path, tmp_path: Path) -> None:
    ran = run_ci(root, tmp_path, f'echo "{SUMMARY}"; echo "TOTAL 100%"')
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-2:] == [SUMMARY, SUMMARY]
    assert (tmp_path / "called").read_text().split() == ["test", "browser"]


def test_the_ci_fails_with_the_first_run_that_fails(root: Path, tmp_path: Path) -> None:
    ran = run_ci(root, tmp_path, "echo '===== 1 failed, 6 passed in 0.01s ====='; exit 2")
    assert ran.returncode != 0
    assert (tmp_path / "called").read_text().split() == ["test"]


def test_the_ci_fails_when_no_test_has_reported(root: Path, tmp_path: Path) -> None:
    assert run_ci(root, tmp_path, "true").returncode != 0
