"""The project as its own subject: its files, found without git, so that an unpacked archive can be tested too."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def ignored_names() -> list[str]:
    """The patterns of `.gitignore` that hold in every folder, and `.git` itself."""
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return [".git", *(line.rstrip("/") for line in lines if line and line[0] not in "#/")]


def walk(folder: Path, ignored: list[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in ignored):
            continue
        if path.is_dir():
            yield from walk(path, ignored)
        else:
            yield path


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def own_files() -> list[Path]:
    """Every file of the project, without what git ignores by name and without a deployment's own `data/`."""
    return [path for path in walk(ROOT, ignored_names()) if path.relative_to(ROOT).parts[0] != "data"]
