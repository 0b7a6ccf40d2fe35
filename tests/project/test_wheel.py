"""What `pip install` brings: everything the bot needs when it runs, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

import bot


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=60)
    (built,) = folder.glob("*.whl")
    assert built.name == f"itempath_alert_bot-{bot.__version__}-py3-none-any.whl"
    with ZipFile(built) as opened:
        yield opened


@pytest.fixture(scope="module")
def packed(wheel: ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(
    packed: set[str], own_files: list[Path], root: Path
) -> None:
    """Not the Python files alone: a page or a migration left behind is missed only on somebody else's machine."""
    relative = [path.relative_to(root) for path in own_files]
    assert packed == {path.as_posix() for path in relative if path.parts[0] == "bot"}


def test_the_wheel_holds_types_migrations_and_the_sandbox_page(packed: set[str]) -> None:
    assert "bot/py.typed" in packed
    assert [name for name in packed if PurePosixPath(name).match("bot/store/migrations/versions/*.py")]
    for suffix in ("html", "css", "js"):
        assert [name for name in packed if name.startswith("bot/sandbox/") and name.endswith(f".{suffix}")], suffix


def test_the_console_script_is_the_command_line(wheel: ZipFile) -> None:
    (entry_points,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert "itempath-bot = bot.cli:main" in wheel.read(entry_points).decode()
