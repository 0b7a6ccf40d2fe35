"""The lock files: complete, hashed, of one mind, and free of addresses."""

import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUNTIME, DEVELOPMENT, BUILD = "requirements.txt", "requirements-dev.txt", "requirements-build.txt"
LOCKS = [RUNTIME, DEVELOPMENT, BUILD]
PIN = re.compile(r"(?P<requirement>[a-z0-9-]+(\[[a-z,]+\])?==[^ ]+( ; .+?)?)(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)")


def entries(lock: Path) -> list[str]:
    """The lock's logical lines: comments gone, continued lines joined, one space between words."""
    lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [" ".join(entry.split()) for entry in "\n".join(lines).replace("\\\n", " ").splitlines() if entry.strip()]


def pins(lock: Path) -> dict[str, Requirement]:
    found = [Requirement(match["requirement"]) for match in map(PIN.fullmatch, entries(lock)) if match]
    return {canonicalize_name(pin.name): pin for pin in found}


def wanted(root: Path) -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by the lock that has to answer it."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text())
    groups = pyproject["dependency-groups"]
    runtime = pyproject["project"]["dependencies"] + pyproject["project"]["optional-dependencies"]["postgresql"]
    development = [item for item in groups["dev"] if isinstance(item, str)]
    return {
        lock: [Requirement(item) for item in items]
        for lock, items in (
            (RUNTIME, runtime),
            (DEVELOPMENT, runtime + development + groups["build"]),
            (BUILD, groups["build"]),
        )
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_pinned_and_hashed_package(root: Path, lock: str) -> None:
    """Nothing but pins: an option line (an index, a folder of wheels) would stand out here."""
    lines = entries(root / lock)
    assert lines
    assert [line[:80] for line in lines if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path_in_its_comments_either(root: Path, lock: str) -> None:
    assert re.findall(r".*(?:://|--index-url|--find-links|(?<=\s)/\w).*", (root / lock).read_text()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_answers_everything_that_pyproject_asks_for(root: Path, lock: str) -> None:
    """`make lock` was run after the last change of pyproject.toml."""
    pinned = pins(root / lock)
    for requirement in wanted(root)[lock]:
        pin = pinned.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is missing from {lock}: run make lock"
        locked = str(pin.specifier).removeprefix("==")
        assert requirement.specifier.contains(locked), f"{requirement} is locked at {locked}: run make lock"


def test_the_locks_agree_on_every_version(root: Path) -> None:
    """What is tested is what is shipped."""
    development = pins(root / DEVELOPMENT)
    for lock in (RUNTIME, BUILD):
        for name, pin in pins(root / lock).items():
            assert str(development[name].specifier) == str(pin.specifier), name


def test_the_tests_run_on_the_locked_versions(root: Path) -> None:
    pinned = [pin for pin in pins(root / DEVELOPMENT).values() if pin.marker is None or pin.marker.evaluate()]
    assert {pin.name: version(pin.name) for pin in pinned} == {
        pin.name: str(pin.specifier).removeprefix("==") for pin in pinned
    }


def test_a_package_wanted_with_an_extra_is_pinned_with_it(root: Path) -> None:
    """Of pip 23: it takes a newer `name[extra]` for another package than the pinned `name`, and then misses its hash: the day
    that the newer one is released nothing can be installed any more.
    """
    pinned = pins(root / DEVELOPMENT)
    asked = [item for items in wanted(root).values() for item in items]
    for name, pin in pinned.items():
        if pin.marker is None or pin.marker.evaluate():
            asked += [item for item in map(Requirement, requires(name) or ()) if item.name in pinned]
    extras = {item.name: item.extras for item in asked if item.extras and (not item.marker or item.marker.evaluate())}
    assert {"coverage", "sqlalchemy"} <= extras.keys()
    assert {name: pinned[name].extras for name in extras} == extras
