"""The repository speaks of itself alone."""

import re
from pathlib import Path

# Written so that this file is not its own finding.
FOLDERS = "work|farm|root|home"
REGISTRIES = r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|(?:deb|snapshot)\.debian\.org"
FOREIGN = re.compile(rf"(?<![\w.*])/(?:{FOLDERS})/|{REGISTRIES}")


def text_of(path: Path) -> str:
    """A file's text; of a picture or another binary, what of it can be read."""
    return path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_names_a_folder_of_somebodys_machine_or_a_package_registry(own_files: list[Path], root: Path) -> None:
    found = [f"{path.relative_to(root)}: {match[0]}" for path in own_files for match in FOREIGN.finditer(text_of(path))]
    assert found == []


def test_the_search_for_foreign_names_finds_them() -> None:
    """The rule above can fail: the patterns do match what they are meant for."""
    assert FOREIGN.search("/" + "work/shared")
    assert FOREIGN.search("see https://" + "pypi" + ".org/simple")
    assert not FOREIGN.search("tests/home/page")


def test_no_room_outgrows_one_sitting(own_files: list[Path], root: Path) -> None:
    """A file past about 350 lines is two rooms."""
    sizes = {
        str(path.relative_to(root)): len(path.read_text().splitlines())
        for path in own_files
        if path.suffix == ".py" and path.relative_to(root).parts[0] == "bot"
    }
    assert sizes
    assert {name: lines for name, lines in sizes.items() if lines > 400} == {}


def test_no_work_is_left_for_later(own_files: list[Path], root: Path) -> None:
    """Open work belongs in the tracker, where somebody sees it."""
    markers = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
    found = [
        str(path.relative_to(root))
        for path in own_files
        if path.suffix in {".py", ".js", ".css", ".html", ".toml", ".md", ".yaml"} and markers.search(text_of(path))
    ]
    assert found == []
