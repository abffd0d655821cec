"""What both store engines promise: durable when acknowledged, nothing half, one writer, no newer database."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from sluis.kernel import Conflict, Invalid, Unkept
from sluis.store import Migration, Store, migrate, open_store
from sluis.store.commit import insert_values

TABLE = (Migration("table", ("CREATE TABLE kept (id {int} PRIMARY KEY, content {bytes})",)),)


@pytest.fixture
def store(store: Store) -> Store:
    migrate(store, "test", TABLE)
    return store


def insert(number: int) -> Any:
    def work(connection: Connection) -> int:
        connection.execute(text("INSERT INTO kept (id) VALUES (:id)"), {"id": number})
        return number

    return work


def kept(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.execute(text("SELECT id FROM kept ORDER BY id")).scalars())


async def test_what_is_acknowledged_is_there_for_another_process(store: Store, url: str) -> None:
    assert await store.write(insert(1)) == 1
    with closing(open_store(url)) as other:
        assert kept(other) == [1]


async def test_waiting_tasks_share_commits(store: Store) -> None:
    commits = 0

    def count(_connection: Connection) -> None:
        nonlocal commits
        commits += 1

    event.listen(store.engine, "commit", count)
    assert await asyncio.gather(*[store.write(insert(number)) for number in range(200)]) == list(range(200))
    assert kept(store) == list(range(200))
    assert commits < 20


async def test_one_failing_piece_of_work_leaves_the_others_alone(store: Store) -> None:
    def fail(connection: Connection) -> None:
        insert(2)(connection)
        raise LookupError("mine")

    outcomes = await asyncio.gather(
        store.write(insert(1)), store.write(fail), store.write(insert(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [int, LookupError, int]
    assert kept(store) == [1, 3]


def test_threads_can_wait_too(store: Store) -> None:
    assert store.write_blocking(insert(1)) == 1
    assert kept(store) == [1]


async def test_a_cancelled_caller_does_not_stop_the_writer(store: Store) -> None:
    task = asyncio.ensure_future(store.write(insert(1)))
    await asyncio.sleep(0)
    task.cancel()
    assert await store.write(insert(2)) == 2
    assert kept(store) == [1, 2]


def test_a_second_writer_is_refused(store: Store, url: str) -> None:
    with closing(open_store(url)) as other, pytest.raises(Conflict):
        other.write_blocking(insert(1))
    assert kept(store) == []


def test_the_lock_goes_with_its_owner(store: Store, url: str) -> None:
    store.close()
    with closing(open_store(url)) as other:
        other.write_blocking(insert(1))


def test_migrations_run_once_and_in_order(store: Store) -> None:
    later = (*TABLE, Migration("more", ("ALTER TABLE kept ADD COLUMN more {int}",)))
    migrate(store, "test", later)
    migrate(store, "test", later)
    with store.read() as connection:
        names = (
            connection.execute(text("SELECT name FROM sluis_migrations ORDER BY position")).scalars().all()
        )
    assert list(names) == ["table", "more"]


def test_a_database_newer_than_the_code_is_refused(store: Store) -> None:
    migrate(store, "test", (*TABLE, Migration("future", ())))
    with pytest.raises(Conflict):
        migrate(store, "test", TABLE)


def test_a_failing_migration_leaves_nothing(store: Store) -> None:
    broken = (*TABLE, Migration("broken", ("CREATE TABLE half (id {int})", "CREATE TABLE kept (id {int})")))
    with pytest.raises(Unkept):
        migrate(store, "test", broken)
    migrate(store, "test", (*TABLE, Migration("whole", ("CREATE TABLE half (id {int})",))))


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 64])
def test_many_rows_arrive_as_they_were_given(store: Store, count: int) -> None:
    rows = [(number, bytes([number]) * 3 if number % 2 else None) for number in range(count)]
    values = [value for row in rows for value in row]
    store.write_blocking(lambda connection: insert_values(connection, "kept", ("id", "content"), values))
    with store.read() as connection:
        found = connection.execute(text("SELECT id, content FROM kept ORDER BY id")).all()
    assert [(row.id, row.content and bytes(row.content)) for row in found] == rows


async def test_a_reader_that_is_not_done_when_the_store_closes_leaves_no_connection_open(
    store: Store,
) -> None:
    with store.read() as connection:
        driver: Any = connection.connection.driver_connection
        store.close()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        driver.execute("SELECT 1")


async def test_a_reader_that_is_ending_when_the_store_closes_leaves_no_connection_open(store: Store) -> None:
    event.listen(store._readers, "rollback", lambda _: store.close())
    with store.read() as connection:
        driver: Any = connection.connection.driver_connection
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        driver.execute("SELECT 1")


async def test_a_reader_sees_one_snapshot(store: Store) -> None:
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar() == 0
        await store.write(insert(1))
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar() == 0


async def test_a_closed_store_keeps_nothing_more(store: Store) -> None:
    store.close()
    with pytest.raises(Unkept):
        await store.write(insert(1))


async def test_closing_keeps_what_was_waiting(store: Store, url: str) -> None:
    waiting = [asyncio.ensure_future(store.write(insert(number))) for number in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the end of the turn, when they are handed over
    await asyncio.to_thread(store.close)
    await asyncio.gather(*waiting)
    with closing(open_store(url)) as other:
        assert kept(other) == list(range(50))


@pytest.mark.postgres
async def test_a_lost_server_is_said_and_then_forgotten(empty_postgres: str) -> None:
    with closing(open_store(empty_postgres)) as store, closing(open_store(empty_postgres)) as other:
        migrate(store, "test", TABLE)
        end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        with other.engine.connect() as connection:
            connection.execute(text(end_all))
        with pytest.raises(Unkept):
            await store.write(insert(1))
        assert await store.write(insert(2)) == 2
        assert kept(store) == [2]


@pytest.mark.parametrize("where", ["sqlite://", "mysql://host/db"])
def test_another_kind_of_database_is_refused(where: str) -> None:
    with pytest.raises(Invalid):
        open_store(where)
