"""What holds for all tests: none depends on this machine's environment, and none on how fast this machine is."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import os
import shutil
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.store import Store

# Time limits on single examples would make slow machines fail.
settings.register_profile("default", deadline=None, max_examples=40)
# For a long look by hand: `pytest --hypothesis-profile=thorough tests/core/test_laws.py`.
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's own variables must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("BOT_", "SLACK_", "ITEMPATH_")):
            monkeypatch.delenv(name)


class _Compiled(dict[Any, Any]):
    """Statements as SQLAlchemy keeps them, known again by any engine of the same kind of database."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Each test has a database of its own. To compile all that is asked of it anew would be a third of its work."""
    made = functools.partial(create_async_engine, execution_options={"compiled_cache": _Compiled()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.store.engine.create_async_engine", made)
        yield


def in_a_thread(work: Coroutine[Any, Any, None]) -> None:
    """So that no test's event loop is touched."""
    with concurrent.futures.ThreadPoolExecutor() as executor:
        executor.submit(asyncio.run, work).result()


async def prepare(url: str) -> None:
    """Make the tables."""
    await (await Store.open(url, write=True)).close()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "bot.db"
    in_a_thread(prepare(f"sqlite:///{path}"))
    return path


@pytest.fixture
def database(tmp_path: Path, prepared_sqlite: Path) -> Path:
    """A SQLite file with the tables and nothing in them: making them takes longer than most tests."""
    return Path(shutil.copy(prepared_sqlite, tmp_path / "bot.db"))
