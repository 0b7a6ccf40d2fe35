from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from bot.store import schema
from bot.store.store import Store
from bot.store.tables import metadata
from tests.conftest import in_a_thread, prepare
from tests.store.embedded import create, server
from tests.store.wire import Wire

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server of our own, without a database's name; it ends with the tests."""
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def prepared_postgres(postgres_server: str) -> str:
    """A database with tables, for one test after the other: making one for each takes longer than most tests."""

    async def made() -> None:
        await prepare(await create(postgres_server, "prepared"))

    in_a_thread(made())
    return postgres_server.format("prepared")


END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = ";".join(
    (
        END_SESSIONS,
        *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
        "INSERT INTO meta VALUES ('install_id', '0123456789abcdef')",
        f"UPDATE schema_version SET version_num = '{schema.REVISIONS[-1]}'",
    )
)
"""As it was when its tables were made, whatever a test left there."""


@pytest.fixture
async def empty_postgres(postgres_server: str) -> AsyncIterator[str]:
    name = f"bot_{next(_numbers)}"
    yield await create(postgres_server, name)
    admin = await asyncpg.connect(postgres_server.format("postgres"))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def ready_postgres(prepared_postgres: str) -> str:
    admin = await asyncpg.connect(prepared_postgres)
    await admin.execute(EMPTY)
    await admin.close()
    return prepared_postgres


@pytest.fixture
async def wire(ready_postgres: str, unused_tcp_port: int) -> AsyncIterator[Wire]:
    made = Wire(ready_postgres, unused_tcp_port)
    yield made
    await made.end()


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.db"


@pytest.fixture
def ready_sqlite(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of this program with one migration more."""
    shutil.copytree(Path(schema.__file__).parent / "migrations", tmp_path / "migrations")
    (tmp_path / "migrations/versions/9000_next.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision, down_revision = '9000', '{schema.REVISIONS[-1]}'\n"
        "def upgrade():\n    op.add_column('site', sa.Column('next', sa.Text))\n"
    )
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "schema.py"))
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9000"))


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
"""Every rule of the store holds on both."""


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database without tables."""
    found: str = request.getfixturevalue(f"empty_{request.param}")
    return found


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    """A database with tables and nothing in them."""
    found: str = request.getfixturevalue(f"ready_{request.param}")
    return found


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url, write=True)
    try:
        yield opened
    finally:
        await opened.close()
