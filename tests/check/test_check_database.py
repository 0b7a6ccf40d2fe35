"""The line about the database: what `run` would meet there, found out without changing anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.check.database import check_database
from bot.check.lines import Verdict
from bot.core.state import Decision
from bot.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder that does not exist."""
    return tmp_path / "data" / "bot.db"


@pytest.fixture
def file(path: Path) -> Path:
    """As `path`, and an empty file."""
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


async def make(url: str, *, sites: tuple[str, ...] = ()) -> None:
    store = await Store.open(url, write=True)
    for site in sites:
        now = datetime.now(UTC)
        async with store.tick(site, now=now, lately=timedelta(0)) as tick:
            await tick.apply(Decision(site=replace(tick.state.site, serial=1)), now)
    await store.remember_channel("alerts", "C0ALERTS")
    await store.close()


async def test_a_database_that_does_not_exist_yet_is_fine_and_is_not_made(url: str, path: Path) -> None:
    line, remembered = await check_database(url, channels=["#alerts"])
    assert line.verdict is Verdict.OK
    assert line.said.endswith("does not exist. `run` will make it.")
    assert remembered == {}
    assert not path.parent.exists()


async def test_a_database_that_may_not_be_makeable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `/proc` the superuser hears that it can be written."""
    monkeypatch.setattr("os.access", lambda *_: True)
    line, _ = await check_database("sqlite:////proc/x.db", channels=[])
    assert line.verdict is Verdict.WARNING
    assert line.said == "The database file /proc/x.db does not exist. Whether it can be made there cannot be told."


async def test_a_database_in_use_is_read_beside_the_bot_that_holds_it(url: str) -> None:
    running = await Store.open(url, write=True)
    try:
        line, _ = await check_database(url, channels=[])
    finally:
        await running.close()
    assert line.verdict is Verdict.OK
    assert line.said == "readable and writable, with 0 sites in it"


async def test_the_ids_that_the_bot_remembers_for_names_are_handed_on(url: str) -> None:
    await make(url, sites=("vienna",))
    line, remembered = await check_database(url, channels=["#alerts", "#others"])
    assert line.said == "readable and writable, with 1 site in it"
    assert remembered == {"#alerts": "C0ALERTS"}


async def test_older_tables_are_what_run_will_see_to(file: Path) -> None:
    line, _ = await check_database(f"sqlite:///{file}", channels=[])
    assert line.verdict is Verdict.OK
    assert "`run` will see to it" in line.said


async def test_newer_tables_are_wrong_and_the_line_says_what_to_do(url: str, path: Path) -> None:
    await make(url)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version_num = '9999'"))
    engine.dispose()
    line, _ = await check_database(url, channels=[])
    assert line.verdict is Verdict.WRONG
    assert "newer version" in line.said
    assert line.remedy


async def test_a_file_that_is_no_database_is_wrong() -> None:
    line, _ = await check_database(f"sqlite:///{Path(__file__)}", channels=[])
    assert line.verdict is Verdict.WRONG
    assert "is not a SQLite database" in line.said


async def test_what_cannot_be_written_is_wrong_although_it_can_be_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(url)
    monkeypatch.setattr("os.access", lambda *_: False)
    line, _ = await check_database(url, channels=[])
    assert line.verdict is Verdict.WRONG
    assert "cannot be written" in line.said
