"""A second bot on a server's database waits for its turn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot import standby
from bot.standby import STOP_WITHIN, Standby
from bot.store import engine, hold, schema
from bot.store.address import Address
from bot.store.errors import DatabaseBusy, DatabaseRefused, DatabaseTaken, SchemaNewer, StoreError
from bot.store.hold import ServerHold
from bot.store.outbox import MessageKey
from bot.store.store import CLOSE_WITHIN, Store
from tests.store.samples import commit, set_version
from tests.store.sessions import break_lock, end_sessions, ended
from tests.store.wire import Wire


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "ASK_EVERY", 0.05)


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def holder(ready_postgres: str) -> AsyncIterator[Store]:
    store = await Store.open(ready_postgres, write=True)
    yield store
    await store.close()


async def asked_again(waiting: Standby, said: list[str], times: int = 3) -> None:
    """Until it has asked so often."""
    async with asyncio.timeout(20):
        while said.count(waiting.why) < times:  # noqa: ASYNC110 - a server has no event to wait for
            await asyncio.sleep(0.01)


class Counting(Standby):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.said: list[str] = []

    def _waits_for(self, error: object) -> None:
        super()._waits_for(error)  # type: ignore[arg-type]
        self.said.append(self.why)


async def test_a_file_has_one_bot_and_a_second_one_does_not_wait(ready_sqlite: str) -> None:
    store = await Store.open(ready_sqlite, write=True)
    with pytest.raises(DatabaseBusy, match="Another bot"):
        await Standby(ready_sqlite).first(asyncio.Event())
    await store.close()


@pytest.mark.postgres
async def test_who_is_alone_is_no_standby(ready_postgres: str) -> None:
    store = await Standby(ready_postgres).first(asyncio.Event())
    assert store is not None
    await commit(store)
    await store.close()


@pytest.mark.postgres
async def test_a_standby_says_once_for_whom_it_waits_and_takes_over_when_that_one_ends(
    ready_postgres: str, holder: Store, stop: asyncio.Event
) -> None:
    waiting = Counting(ready_postgres)
    with capture_logs() as logs:
        assert await waiting.first(stop) is None
        taking = asyncio.create_task(waiting.take(stop))
        await asked_again(waiting, waiting.said)
        assert f"Another bot (itempath-bot {os.getpid()}@" in waiting.why
        await commit(holder)
        await holder.close()
        store = await taking
    assert store is not None
    assert len(await store.sites()) == 1
    await store.close()
    *waits, over = logs
    assert over["event"] == "nobody holds the database any more: taking over"
    # While the holder goes, the server may know no more who that is: another reason, which is said once as well.
    reasons = [entry["reason"] for entry in waits]
    assert len(reasons) == len(set(reasons)) <= 2
    assert {entry["event"] for entry in waits} == {"standing by"}


@pytest.mark.postgres
async def test_a_standby_waits_for_the_server_too(wire: Wire, stop: asyncio.Event) -> None:
    """It is started again, and whoever is there first takes the database."""
    waiting = Counting(wire.url)
    taking = asyncio.create_task(waiting.take(stop))
    await asked_again(waiting, waiting.said)
    assert "cannot be reached" in waiting.why
    await wire.begin()
    store = await taking
    assert store is not None
    await store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("answers", [0, 1, 3, 6, 12])
@pytest.mark.parametrize("turn", ["first", "take"])
async def test_who_is_told_to_stop_does_not_wait_for_a_server_that_does_not_answer(
    wire: Wire, stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch, answers: int, turn: str
) -> None:
    """However much of the opening was done when it fell silent; nor does the end of the process wait."""
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT", 3600.0)
    monkeypatch.setattr(engine, "COMMAND_TIMEOUT", 3600.0)
    await wire.begin()
    wire.fall_silent(after=answers)
    opening = asyncio.create_task(getattr(Standby(wire.url), turn)(stop))
    await wire.silent.wait()
    stop.set()
    async with asyncio.timeout(STOP_WITHIN + 2):
        assert await opening is None
        # As `asyncio.run` does with what is left.
        left = asyncio.all_tasks() - wire.tasks - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def test_who_is_told_to_stop_while_another_program_has_locked_the_file_ends_without_an_error(
    ready_sqlite: str, stop: asyncio.Event
) -> None:
    path = Address.parse(ready_sqlite).path
    assert path is not None
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(Standby(ready_sqlite).first(stop))
        await asyncio.sleep(0)
        stop.set()
        assert await opening is None


async def test_who_is_told_to_stop_does_not_wait_for_an_opening_that_cannot_be_broken_off(
    ready_sqlite: str, stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it comes to in the end nobody is told any more: asyncio neither."""
    begun, free, complaints = asyncio.Event(), asyncio.Event(), []

    async def stubborn(*_: object, **__: object) -> Store:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await free.wait()
        await free.wait()
        raise DatabaseRefused("It is closed.", "Open it.")

    monkeypatch.setattr(standby, "STOP_WITHIN", 0.05)
    monkeypatch.setattr(Store, "open", stubborn)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    taking = asyncio.create_task(Standby(ready_sqlite).take(stop))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(10):
        assert await taking is None
    opening = asyncio.all_tasks() - {asyncio.current_task()}
    free.set()
    await asyncio.wait(opening)
    del opening
    gc.collect()
    assert complaints == []


@pytest.mark.postgres
async def test_told_to_stop_it_takes_nothing(ready_postgres: str, stop: asyncio.Event) -> None:
    stop.set()
    assert await Standby(ready_postgres).take(stop) is None


@pytest.mark.postgres
async def test_what_no_waiting_mends_ends_it(ready_postgres: str, postgres_server: str, stop: asyncio.Event) -> None:
    with pytest.raises(DatabaseRefused):
        await Standby(postgres_server.format("nowhere")).take(stop)
    await set_version(ready_postgres, "9999")
    with pytest.raises(SchemaNewer):
        await Standby(ready_postgres).take(stop)


# The one that holds it


@pytest.mark.postgres
async def test_a_network_that_falls_silent_is_an_error_and_no_wait_for_ever(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody closes such a connection; without a limit of our own a poll would wait for it as long as the kernel does."""
    monkeypatch.setattr(engine, "COMMAND_TIMEOUT", 0.3)
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr(hold, "CONNECT_TIMEOUT", 0.3)
    await wire.begin()
    store = await Store.open(wire.url, write=True)
    await commit(store)
    wire.fall_silent()
    async with asyncio.timeout(15):
        with pytest.raises(StoreError):
            await commit(store)
        with pytest.raises(StoreError):
            await store.keep()
        # The silent session is given up, so that its lock is asked for anew.
        assert isinstance(store._hold, ServerHold)
        assert store._hold._session is None
        assert not await store.held()
        await store.close()


@pytest.mark.postgres
async def test_whether_a_lock_is_held_is_not_waited_for_longer_than_a_connection(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked every few seconds, and before anything else: a statement's time would come on top."""
    monkeypatch.setattr(engine, "COMMAND_TIMEOUT", 3600.0)
    monkeypatch.setattr(hold, "CONNECT_TIMEOUT", 0.3)
    await wire.begin()
    store = await Store.open(wire.url, write=True)
    wire.fall_silent()
    async with asyncio.timeout(15):
        assert not await store.held()
        await store.close()


@pytest.mark.postgres
async def test_a_holder_takes_its_lock_again_before_anybody_else_has_it(ready_postgres: str, holder: Store) -> None:
    await holder.keep()
    await break_lock(holder, ready_postgres)
    await holder.keep()
    assert await holder.held()
    await end_sessions(ready_postgres)
    await holder.keep()
    assert await Standby(ready_postgres).first(asyncio.Event()) is None


@pytest.mark.postgres
async def test_a_holder_that_lost_its_place_learns_it_without_writing_and_edits_nothing_more(
    ready_postgres: str, holder: Store
) -> None:
    """An edit is read, sent and then recorded: read by one who may not record it, it could show what is long over."""
    await commit(holder)
    await break_lock(holder, ready_postgres)
    await ended(ready_postgres)
    second = await Standby(ready_postgres).first(asyncio.Event())
    assert second is not None
    with pytest.raises(DatabaseTaken):
        await holder.keep()
    with pytest.raises(DatabaseTaken):
        await holder.outbox.look(MessageKey(thread="default/1", n=0))
    with pytest.raises(DatabaseTaken):
        await holder.outbox.row(MessageKey(thread="default/1", n=0))
    await second.close()
    with pytest.raises(DatabaseTaken):
        await holder.keep()


@pytest.mark.postgres
@pytest.mark.usefixtures("next_version")
async def test_who_migrates_fences_the_former_holder_before_it_touches_a_table(
    ready_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one may not know yet that its session is over."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr(schema, "REVISIONS", schema.REVISIONS[:-1])
        former = await Store.open(ready_postgres, write=True)
    await commit(former)
    await break_lock(former, ready_postgres)
    migrate = schema.migrate

    def fail(connection: Connection) -> None:
        migrate(connection)
        raise RuntimeError("stopped after the tables were changed")

    monkeypatch.setattr(schema, "migrate", fail)
    with pytest.raises(RuntimeError, match="stopped after"):
        await Store.open(ready_postgres, write=True)
    with pytest.raises(DatabaseTaken):
        await commit(former)
    await former.close()


@pytest.mark.postgres
async def test_who_stops_does_not_wait_for_leave_from_a_server_that_does_not_answer(wire: Wire) -> None:
    await wire.begin()
    store = await Store.open(wire.url, write=True)
    await commit(store)
    wire.fall_silent()
    asking = asyncio.create_task(store.held())
    await asyncio.sleep(0)
    async with asyncio.timeout(CLOSE_WITHIN + 2):
        await store.close()
    asking.cancel()
    await asyncio.wait({asking})
