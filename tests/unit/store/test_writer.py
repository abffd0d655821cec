"""Group commit on SQLite: when the disk is full nothing is acknowledged, and all is well once there is room."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DataError, OperationalError

from sluis.kernel import Unkept
from sluis.store import Commit, Migration, Store, engine, migrate, open_store, wal, write_durably, writer

TABLE = (Migration("table", ("CREATE TABLE kept (id {int} PRIMARY KEY, content {bytes})",)),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db", waiting=10)) as store:
        migrate(store, "test", TABLE)
        yield store


def large(number: int) -> Any:
    return lambda connection: connection.execute(
        text("INSERT INTO kept VALUES (:id, zeroblob(100000))"), {"id": number}
    )


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM kept")).scalar_one())


async def test_a_full_disk_acknowledges_nothing_and_recovers(tmp_path: Path) -> None:
    full = True

    def limit(connection: Any, _record: Any) -> None:
        if full:
            connection.execute("PRAGMA max_page_count = 40")

    store = open_store(tmp_path / "node.db")
    with closing(store):
        event.listen(store.engine, "connect", limit)
        migrate(store, "test", TABLE)
        outcomes = await asyncio.gather(*[store.write(large(n)) for n in range(5)], return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unkept] * 5
        assert count(store) == 0
        full = False
        await asyncio.gather(*[store.write(large(number)) for number in range(5)])
        assert count(store) == 5


async def test_too_much_waiting_is_said_at_once(store: Store) -> None:
    begun, gate = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        gate.wait(10)

    first = asyncio.ensure_future(store.write(slow))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.ensure_future(store.write(slow)) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the end of the turn, when they are handed over
    with pytest.raises(Unkept):
        await store.write(slow)
    gate.set()
    await asyncio.gather(first, *waiting)


class Plain:
    """A lane that writes nothing, and gives of each payload its length."""

    def load(self, connection: Connection) -> None: ...
    def prepare(self, payloads: Any) -> Any:
        return payloads

    def is_brief(self, payloads: Any) -> bool:
        return False

    def apply(self, commit: Commit, payloads: Any) -> list[Any]:
        return [len(payload) for payload in payloads]

    def committed(self, connection: Connection) -> bool:
        return False

    def tidy(self, connection: Connection) -> None: ...


async def test_one_heavy_call_gets_through_alone(store: Store) -> None:
    lane = Plain()
    store.register(lane)
    assert await store.submit(lane, range(1000), 1000) == 1000


def test_a_database_that_goes_away_while_it_is_read_is_told_as_one_that_is_away(store: Store) -> None:
    with pytest.raises(Unkept), store.read():
        raise OperationalError("SELECT", {}, Exception())


def test_who_reads_next_sees_what_was_written_since_also_when_one_stopped_half_way(store: Store) -> None:
    store.write_blocking(large(1))
    store.write_blocking(large(2))

    def fail_at_the_first_row() -> None:
        with store.read() as connection:
            found = connection.execute(text("SELECT id FROM kept"))
            for _ in found:
                raise ValueError

    with pytest.raises(
        ValueError
    ) as kept:  # and with it the frame, and the result that was not read to its end
        fail_at_the_first_row()
    store.write_blocking(large(3))
    assert (count(store), kept.type) == (3, ValueError)


def test_who_keeps_half_a_result_keeps_no_snapshot(store: Store) -> None:
    store.write_blocking(large(1))
    store.write_blocking(large(2))
    with store.read() as connection:
        half = connection.execute(text("SELECT id FROM kept"))
        half.fetchone()
    store.write_blocking(large(3))
    with store.engine.connect() as writing:
        busy = writing.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # type: ignore[union-attr]
    assert (busy[0], half.closed) == (0, False)


async def test_a_value_that_no_database_takes_fails_nobody_else(store: Store) -> None:
    def too_large(connection: Connection) -> None:
        connection.execute(text("INSERT INTO kept VALUES (1, zeroblob(2000000000))"))

    first, second = await asyncio.gather(
        store.write(too_large), store.write(large(2)), return_exceptions=True
    )
    assert (type(first), isinstance(second, Exception), count(store)) == (DataError, False, 1)


async def test_what_one_turn_brings_to_several_lanes_is_one_commit(store: Store) -> None:
    applied = threading.Event()
    commits, too_early = list[Commit](), list[bool]()

    class Noting(Plain):
        def apply(self, commit: Commit, payloads: Any) -> list[Any]:
            commits.append(commit)
            applied.set()
            return super().apply(commit, payloads)

    class Slow(Noting):
        def prepare(self, payloads: Any) -> Any:
            too_early.append(applied.wait(0.1))
            return payloads

    lanes = [Noting(), Slow()]
    for lane in lanes:
        store.register(lane)
    await asyncio.gather(*[store.submit(lane, "x", 1) for lane in lanes])
    assert too_early == [False]
    assert len(set(map(id, commits))) == 1


class Brief(Plain):
    """A lane that adds a row for each payload, and remembers what was applied on which thread."""

    def __init__(self) -> None:
        self.applied: list[tuple[int, bool]] = []
        self.rows, self.loads = 0, 0

    def load(self, connection: Connection) -> None:
        self.rows = connection.execute(text("SELECT count(*) FROM kept")).scalar_one()
        self.loads += 1

    def is_brief(self, payloads: Any) -> bool:
        return True

    def apply(self, commit: Commit, payloads: Any) -> list[Any]:
        here = threading.get_ident() == LOOP
        self.applied += [(payload, here) for payload in payloads]
        commit.insert("kept", ("id", "content"), [(payload, b"") for payload in payloads])
        self.rows += len(payloads)
        return [self.rows] * len(payloads)


LOOP = threading.get_ident()  # tests and their loops run on the thread that collects them


async def settled(store: Store, lane: Brief) -> None:
    """The lane is known, and the store knows how quick its disk is."""
    await asyncio.to_thread(store.register, lane)
    number = 10_000
    while not lane.applied or not lane.applied[-1][1]:
        await store.submit(lane, number := number + 1)
        assert number < 11_000
    lane.applied.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every disk is quick: machines that do other work have slow moments."""
    monkeypatch.setattr(writer, "_NEAR", 5.0)


@pytest.mark.usefixtures("quick")
async def test_who_brings_a_few_rows_writes_them_itself_and_they_are_durable(
    store: Store, tmp_path: Path
) -> None:
    await settled(store, lane := Brief())
    before = lane.rows
    assert await asyncio.gather(*[store.submit(lane, number) for number in range(3)]) == [before + 3] * 3
    assert lane.applied == [(0, True), (1, True), (2, True)]
    with closing(sqlite3.connect(tmp_path / "node.db")) as other:
        assert other.execute("SELECT count(*) FROM kept").fetchone() == (before + 3,)


async def test_a_slow_disk_is_left_to_the_writers_thread(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_NEAR", 0.0)
    await asyncio.to_thread(store.register, lane := Brief())
    for number in range(50):
        await store.submit(lane, number)
    assert {here for _, here in lane.applied} == {False}


@pytest.mark.usefixtures("quick")
async def test_many_rows_are_left_to_the_writers_thread(store: Store) -> None:
    await settled(store, lane := Brief())
    await store.submit(lane, 1, 257)
    assert lane.applied == [(1, False)]


@pytest.mark.usefixtures("quick")
async def test_nobody_overtakes_what_was_handed_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await settled(store, lane := Brief())
    taken, gate = threading.Event(), threading.Event()
    take = writer.GroupWriter._take

    def slow(self: writer.GroupWriter) -> Any:
        came = take(self)
        taken.set()
        gate.wait(10)
        return came

    await store.write(lambda _connection: None)
    monkeypatch.setattr(writer.GroupWriter, "_take", slow)
    await store.write(lambda _connection: gate.set())  # taken before; the next is taken slowly
    gate.clear()
    taken.clear()
    first = asyncio.ensure_future(store.submit(lane, 1, 257))
    assert await asyncio.to_thread(taken.wait, 10)
    second = asyncio.ensure_future(store.submit(lane, 2))
    await asyncio.sleep(0.01)  # it was brought, and the thread has not begun
    gate.set()
    await asyncio.gather(first, second)
    assert lane.applied == [(1, False), (2, False)]


@pytest.mark.usefixtures("quick")
async def test_what_cannot_be_written_where_it_is_brought_is_refused_and_loaded_again(store: Store) -> None:
    await settled(store, lane := Brief())
    before = (lane.rows, lane.loads)
    await store.submit(lane, 1)
    with pytest.raises(Unkept):
        await store.submit(lane, 1)  # the same key
    assert [here for _, here in lane.applied] == [True, True]
    await store.submit(lane, 2)
    assert (lane.rows, lane.loads) == (before[0] + 2, before[1] + 1)


@pytest.mark.usefixtures("quick")
def test_a_loop_that_was_stopped_in_the_middle_leaves_nothing_to_the_next(store: Store) -> None:
    async def leave() -> None:
        await settled(store, lane)
        future = store.submit(lane, 1)
        future.add_done_callback(lambda _: None)
        asyncio.get_running_loop().stop()
        await future

    lane = Brief()
    with suppress(RuntimeError):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(leave())
    loop.close()
    lane.applied.clear()

    async def bring() -> None:
        await asyncio.wait_for(store.submit(lane, 2), 10)

    asyncio.run(bring())
    assert [payload for payload, _ in lane.applied] == [2]


async def test_what_was_written_gets_into_the_database_without_a_commit_doing_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_DUE", 64 * 60)  # rows, of which each commit counts for 64
    for number in range(70):
        await store.write(large(number))
    for _ in range(200):
        if (tmp_path / "node.db").stat().st_size > 60 * 100_000:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("it stays in the log")


async def test_the_log_is_written_over_while_somebody_writes_all_the_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_DUE", 64 * 5)
    for number in range(300):
        await asyncio.gather(*[store.write(large(10 * number + one)) for one in range(2)])
    assert (tmp_path / "node.db-wal").stat().st_size < 300 * 2 * 100_000 / 4


async def test_who_reads_all_the_while_holds_nobody_up(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_DUE", 64 * 5)
    await store.write(large(0))
    with store.read() as reading:
        assert reading.execute(text("SELECT count(*) FROM kept")).scalar_one() == 1
        for number in range(1, 40):
            await asyncio.wait_for(store.write(large(number)), 5)
        assert reading.execute(text("SELECT count(*) FROM kept")).scalar_one() == 1
    assert count(store) == 40


async def test_the_log_is_short_again_after_who_read_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST", 2**20)
    monkeypatch.setattr(wal, "_DUE", 64 * 5)
    log = tmp_path / "other.db-wal"
    with closing(open_store(tmp_path / "other.db")) as other:
        migrate(other, "room", TABLE)
        with other.read() as reading:
            assert reading.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
            for number in range(40):
                await other.write(large(number))
            assert log.stat().st_size > 2**21
        for number in range(40, 400):
            await other.write(large(number))
            if log.stat().st_size < 2**21:
                return
    pytest.fail("it stays as long as it was")


async def test_who_writes_is_told_so_when_no_thread_can_empty_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(large(0))
    monkeypatch.setattr(wal, "_DUE", 1)

    def full(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        for number in range(1, 4):
            await asyncio.wait_for(store.write(large(number)), 5)
    await store.write(large(4))
    assert count(store) == 5


async def test_the_log_is_emptied_by_what_was_written_and_not_by_who_wrote(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[int]()
    monkeypatch.setattr(wal.Wal, "wrote", lambda _, rows: written.append(rows))
    await asyncio.to_thread(store.register, lane := Plain())
    await store.submit(lane, "x", 1000)
    assert written[-1] == 1000


async def test_what_is_durable_is_acknowledged_whatever_a_lane_makes_of_it(store: Store) -> None:
    loaded = list[Connection]()

    class Stumbling(Plain):
        def load(self, connection: Connection) -> None:
            loaded.append(connection)

        def committed(self, connection: Connection) -> bool:
            if len(loaded) == 1:
                raise OperationalError("PRAGMA", {}, Exception())
            return False

    lane = Stumbling()
    await asyncio.to_thread(store.register, lane)
    assert (await store.submit(lane, "x", 1), len(loaded)) == (1, 2)


def test_a_commit_is_synchronous(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA secure_delete")).scalar() == 1


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    write_durably(path, b"old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint"
    write_durably(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["checkpoint"]
