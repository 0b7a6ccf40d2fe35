"""What docs/guarantees.md promises is shown by tests that exist, line by line."""

import ast
import re
from functools import cache
from pathlib import Path

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises(root: Path) -> list[str]:
    """The rows of its tables, without heads."""
    lines = (root / "docs/guarantees.md").read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| promised |")]


@cache
def functions_of(path: Path) -> set[str]:
    if not path.exists():
        return set()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_every_promise_names_a_test(root: Path) -> None:
    assert promises(root)
    assert [line for line in promises(root) if not NAMED.search(line)] == []


def test_every_test_that_is_named_exists(root: Path) -> None:
    named = {match.groups() for line in promises(root) for match in NAMED.finditer(line)}
    assert named
    assert [f"{file}::{name}" for file, name in sorted(named) if name not in functions_of(root / file)] == []
