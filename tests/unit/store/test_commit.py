"""A group commit: rows go alone in one call when they can, in one transaction with the rest when they cannot."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError

from sluis.store import Commit, Migration, Store, migrate, open_store

TABLE = (Migration("tables", ("CREATE TABLE one (id {int})", "CREATE TABLE two (id {int} PRIMARY KEY)")),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        migrate(store, "test", TABLE)
        yield store


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.engine.connect() as connection:
        yield connection


def kept(store: Store, table: str) -> list[int]:
    with store.read() as connection:
        return list(connection.execute(text(f"SELECT id FROM {table} ORDER BY id")).scalars())


def rows(*ids: int) -> list[tuple[int]]:
    return [(number,) for number in ids]


@pytest.mark.parametrize("count", [1, 128, 129, 300])
def test_rows_of_one_table_are_all_kept(store: Store, connection: Connection, count: int) -> None:
    with Commit(connection) as commit:
        commit.insert("one", ("id",), rows(*range(count)))
    assert kept(store, "one") == list(range(count))


def test_rows_that_go_alone_need_no_transaction_around_them(store: Store, connection: Connection) -> None:
    begun = list[Connection]()
    event.listen(store.engine, "begin", begun.append)
    with Commit(connection) as commit:
        commit.insert("one", ("id",), rows(1, 2))
    assert (kept(store, "one"), begun) == ([1, 2], [])


def test_what_is_done_after_an_insert_sees_its_rows(store: Store, connection: Connection) -> None:
    with Commit(connection) as commit:
        commit.insert("one", ("id",), rows(1))
        commit.connection.execute(text("INSERT INTO two SELECT id + 1 FROM one"))
        commit.insert("two", ("id",), rows(9))
    assert (kept(store, "one"), kept(store, "two")) == ([1], [2, 9])


def test_of_two_tables_both_are_written_or_neither(store: Store, connection: Connection) -> None:
    def twice() -> None:
        with Commit(connection) as commit:
            commit.insert("one", ("id",), rows(1))
            commit.insert("two", ("id",), rows(1, 1))

    with pytest.raises(Exception, match="UNIQUE"):
        twice()
    connection.invalidate()
    assert (kept(store, "one"), kept(store, "two")) == ([], [])


def test_an_error_inside_undoes_all(store: Store, connection: Connection) -> None:
    def twice() -> None:
        with Commit(connection) as commit:
            commit.insert("one", ("id",), rows(1))
            commit.connection.execute(text("INSERT INTO two VALUES (1), (1)"))

    with pytest.raises(IntegrityError):
        twice()
    assert kept(store, "one") == []


def test_an_error_before_anything_was_written_writes_nothing(store: Store, connection: Connection) -> None:
    def broken() -> None:
        with Commit(connection) as commit:
            commit.insert("one", ("id",), rows(1))
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert kept(store, "one") == []
