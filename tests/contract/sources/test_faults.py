"""Slow, broken and restarted databases: the failure has the right kind, and the server stops working for nobody."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp
from tests.contract.sources.awkward import mariadb_connection
from tests.servers import Server

from sluis.sources import Limits, Source, SourceFailure, open_source
from sluis.sources.few import FEW

SLOW = pa.schema([("id", pa.int64()), ("t", pa.string())])


def tree(sql: str) -> exp.Query:
    found = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(found, exp.Query)
    return found


def read(
    source: Source, sql: str, schema: pa.Schema, limits: Limits | None = None, **values: Any
) -> pa.Table:
    types = {name: "BIGINT" if isinstance(value, int) else "VARCHAR" for name, value in values.items()}
    return pa.Table.from_batches(
        source.prepare(tree(sql), types, schema).run(values, limits or Limits()), schema
    )


class Database:
    """A server, how its owner speaks to it, and what it is busy with."""

    def __init__(self, source: Source, execute: Callable[[str], list[Any]], busy: str, prefix: str) -> None:
        self.source, self.execute, self._busy, self.prefix = source, execute, busy, prefix

    def busy(self) -> int:
        return int(self.execute(self._busy)[0][0])


@pytest.fixture
def on_postgres(postgres: Server) -> Iterator[Database]:
    def execute(sql: str) -> list[Any]:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    execute("CREATE OR REPLACE VIEW slow AS SELECT 1::bigint AS id, pg_sleep(60)::text AS t")
    source = open_source(postgres.reader)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()"
    yield Database(source, execute, busy, "postgres")
    source.close()


@pytest.fixture
def on_mariadb(mariadb: Server) -> Iterator[Database]:
    def execute(sql: str) -> list[Any]:
        with mariadb_connection(mariadb.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    execute("CREATE OR REPLACE VIEW slow AS SELECT CAST(1 AS SIGNED) AS id, CAST(SLEEP(60) AS CHAR) AS t")
    source = open_source(mariadb.reader)
    # The owner's account sees no one else's threads: count through the tables that sleep keeps open.
    with mariadb_connection(mariadb.reader) as connection, connection.cursor() as cursor:

        def ask(sql: str) -> list[Any]:
            if "processlist" not in sql:
                return execute(sql)
            cursor.execute(sql)
            return list(cursor.fetchall())

        busy = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%`slow`%' AND id <> connection_id()"
        yield Database(source, ask, busy, "mariadb")
    source.close()


@pytest.fixture(
    params=[
        pytest.param("on_postgres", marks=pytest.mark.postgres),
        pytest.param("on_mariadb", marks=pytest.mark.mariadb),
    ]
)
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


KEYED = "SELECT s.id, s.t FROM slow AS s WHERE s.id = $i"
BULK = "SELECT s.id, s.t FROM slow AS s"


@pytest.mark.parametrize("sql", [KEYED, BULK], ids=["keyed", "bulk"])
def test_a_query_that_takes_too_long_is_stopped_at_the_server(database: Database, sql: str) -> None:
    values = {"i": 1} if "$i" in sql else {}
    begin = time.monotonic()
    with pytest.raises(SourceFailure) as caught:
        read(database.source, sql, SLOW, Limits(seconds=0.5), **values)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - begin < 10
    _becomes_idle(database)


@pytest.mark.parametrize("sql", [KEYED, BULK], ids=["keyed", "bulk"])
def test_a_query_that_is_cancelled_is_stopped_at_the_server(database: Database, sql: str) -> None:
    values = {"i": 1} if "$i" in sql else {}
    limits = Limits(seconds=50)

    def cancel() -> None:
        _until(lambda: database.busy() > 0, "the server never began")
        limits.cancelled.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    begin = time.monotonic()
    with pytest.raises(SourceFailure) as caught:
        read(database.source, sql, SLOW, limits, **values)
    canceller.join()
    assert caught.value.kind == "cancelled"
    assert time.monotonic() - begin < 10
    _becomes_idle(database)


def _becomes_idle(database: Database) -> None:
    _until(lambda: not database.busy(), "the server still works on a query that nobody waits for")


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    """Look again and again: a database server tells nobody what it is doing."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def test_a_stopped_query_does_not_stop_the_next_one(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(SourceFailure):
            read(database.source, KEYED, SLOW, Limits(seconds=0.3), i=1)
        assert database.source.probe().healthy


def test_the_account_of_the_reader_cannot_write_and_says_so(database: Database) -> None:
    assert database.source.probe().read_only is True


@pytest.mark.postgres
@pytest.mark.mariadb
def test_an_account_that_can_write_is_told_of(postgres: Server, mariadb: Server) -> None:
    for server in (postgres, mariadb):
        source = open_source(server.url)
        assert source.probe().read_only is False
        source.close()


@pytest.mark.parametrize(
    "url", ["postgresql://x@127.0.0.1:1/x", "mariadb://x:y@127.0.0.1:1/x", "sqlite:////nowhere/x.db"]
)
def test_a_source_that_is_down_is_unreachable(url: str) -> None:
    source = open_source(url)
    assert source.probe().healthy is False
    with pytest.raises(SourceFailure) as caught:
        source.tables()
    assert caught.value.kind == "unreachable"
    source.close()


@pytest.mark.mariadb
def test_a_wrong_password_is_refused(mariadb: Server) -> None:
    source = open_source(mariadb.reader.replace("reader:reader", "reader:wrong"))
    with pytest.raises(SourceFailure) as caught:
        source.tables()
    assert caught.value.kind == "refused"
    source.close()


def test_connections_that_the_server_closed_are_opened_again(database: Database) -> None:
    database.execute("DROP TABLE IF EXISTS kept")
    database.execute("CREATE TABLE kept(id bigint primary key, t varchar(5))")
    database.execute("INSERT INTO kept VALUES (1, 'a')")
    prepared = database.source.prepare(
        tree("SELECT k.id, k.t FROM kept AS k WHERE k.id = $i"), {"i": "BIGINT"}, SLOW
    )
    assert next(prepared.run({"i": 1}, Limits())).num_rows == 1
    if database.prefix == "postgres":
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'reader'"
        )
    else:
        others = "SELECT id FROM information_schema.processlist WHERE id <> connection_id()"
        for (thread,) in database.execute(others):
            with mariadb_connection("mariadb://reader:reader@" + _where(database)) as connection:
                connection.query(f"KILL {thread}")
        _until(lambda: not database.execute(others), "the server still holds what was killed")
    assert next(prepared.run({"i": 1}, Limits())).num_rows == 1


def _where(database: Database) -> str:
    arguments = database.source.arguments  # type: ignore[attr-defined]
    return f"{arguments['host']}:{arguments['port']}/{arguments['database']}"


def test_a_table_that_changed_under_a_prepared_query_is_read_as_it_is_now(database: Database) -> None:
    database.execute("DROP TABLE IF EXISTS changing")
    database.execute("CREATE TABLE changing(id bigint primary key, t varchar(5))")
    database.execute("INSERT INTO changing VALUES (1, 'a')")
    prepared = database.source.prepare(
        tree("SELECT c.id, c.t FROM changing AS c WHERE c.id = $i"), {"i": "BIGINT"}, SLOW
    )
    assert next(prepared.run({"i": 1}, Limits())).num_rows == 1
    database.execute(
        "ALTER TABLE changing " + ("ALTER t TYPE text" if database.prefix == "postgres" else "MODIFY t text")
    )
    assert next(prepared.run({"i": 1}, Limits())).column("t").to_pylist() == ["a"]
    database.execute("ALTER TABLE changing DROP COLUMN t")
    with pytest.raises(SourceFailure) as caught:
        list(prepared.run({"i": 1}, Limits()))
    assert caught.value.kind == "changed"


# ---- many rows

MANY = pa.schema(
    [("id", pa.int64()), ("t", pa.string()), ("m", pa.decimal128(15, 2)), ("n", pa.decimal128(30, 4)), ("d", pa.date32()),
     ("f", pa.bool_()), ("x", pa.float64()), ("s", pa.timestamp("us")), ("g", pa.int64())]
)  # fmt: skip


@pytest.fixture
def many(database: Database) -> Database:
    database.execute("DROP TABLE IF EXISTS many")
    database.execute(
        "CREATE TABLE many(id bigint primary key, t varchar(20), m decimal(15,2), n decimal(30,4), d date, f boolean,"
        f" x double precision, s {'timestamp' if database.prefix == 'postgres' else 'datetime(6)'}, g int)"
    )
    series = (
        "generate_series(0, 24999) AS s(i)"
        if database.prefix == "postgres"
        else "(SELECT CAST(seq AS SIGNED) AS i FROM seq_0_to_24999) AS s"
    )
    database.execute(
        "INSERT INTO many SELECT i, CASE WHEN i % 7 <> 0 THEN CONCAT('náam ', i) END,"
        " (i - 12000) / 100.0, (i - 12000) * 12345678901.0001, CASE WHEN i % 5 <> 0 THEN DATE '2001-02-03' END,"
        " i % 2 = 0, i / 8.0, TIMESTAMP '2001-02-03 04:05:06.000007', 1 FROM " + series
    )
    return database


def test_bulk_and_keyed_reading_give_the_same_values(many: Database) -> None:
    listed = ", ".join(f"k.{name}" for name in MANY.names)
    bulk = read(many.source, f"SELECT {listed} FROM many AS k", MANY).sort_by("id")
    assert bulk.num_rows == 25_000
    for number in (0, 1, 7, 11_999, 24_999):
        keyed = read(many.source, f"SELECT {listed} FROM many AS k WHERE k.id = $i", MANY, i=number)
        assert keyed.to_pylist() == bulk.slice(number, 1).to_pylist()
    row = bulk.slice(24_999, 1).to_pylist()[0]
    assert row["m"] == Decimal("129.99")
    assert row["n"] == Decimal("12999") * Decimal("12345678901.0001")
    assert row["d"] == date(2001, 2, 3)


def test_a_key_that_fits_many_rows_still_streams_them(many: Database) -> None:
    schema = pa.schema([("id", pa.int64())])
    prepared = many.source.prepare(tree("SELECT k.id FROM many AS k WHERE k.g = $i"), {"i": "BIGINT"}, schema)
    batches = list(prepared.run({"i": 1}, Limits(batch_rows=1000)))
    assert sum(batch.num_rows for batch in batches) == 25_000 > FEW
    assert max(batch.num_rows for batch in batches) <= 1000


def test_very_many_keys_are_taken(many: Database) -> None:
    keys = pa.array(range(-5_000, 25_000))
    schema = pa.schema([("id", pa.int64())])
    prepared = many.source.prepare(
        tree("SELECT k.id FROM many AS k WHERE k.id = ANY($k)"), {"k": "BIGINT"}, schema
    )
    assert sum(batch.num_rows for batch in prepared.run({"k": keys}, Limits())) == 25_000


# ---- values that do not fit


@pytest.mark.mariadb
@pytest.mark.parametrize("where", ["", "WHERE z.id = 1"], ids=["bulk", "keyed"])
@pytest.mark.parametrize(
    ("column", "kind"), [("d", pa.date32()), ("s", pa.timestamp("us")), ("f", pa.bool_())]
)
def test_what_mariadb_lets_in_and_is_no_value_is_a_broken_row(
    on_mariadb: Database, where: str, column: str, kind: pa.DataType
) -> None:
    on_mariadb.execute("DROP TABLE IF EXISTS zero")
    on_mariadb.execute(
        "CREATE TABLE zero(id bigint primary key, d date, s datetime, f boolean) SELECT 1 AS id, NULL AS d, NULL AS s, 2 AS f"
    )
    with (
        mariadb_connection("mariadb://owner:owner@" + _where(on_mariadb)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET sql_mode = ''")
        cursor.execute("UPDATE zero SET d = '0000-00-00', s = '2020-00-15 00:00:00'")
    schema = pa.schema([("id", pa.int64()), (column, kind)])
    with pytest.raises(SourceFailure) as caught:
        read(on_mariadb.source, f"SELECT z.id, z.{column} FROM zero AS z {where}", schema)
    assert caught.value.kind == "broken-row"
    assert f"zero.{column}" in caught.value.place


@pytest.fixture
def loose(tmp_path: Path) -> Iterator[Source]:
    """SQLite takes any value in any column; here some do not fit."""
    path = tmp_path / "loose.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE loose(id INTEGER PRIMARY KEY, age INTEGER, born DATE, name TEXT, ok BOOLEAN)"
    )
    connection.executemany(
        "INSERT INTO loose VALUES (?,?,?,?,?)",
        [
            (1, 10, "2000-01-01", "a", 1),
            (2, "old", "2000-13-01", b"b", 7),
            (3, 30, None, None, 0),
            (4, 2.5, 20000101, "d", None),
        ],
    )
    connection.commit()
    connection.close()
    source = open_source(f"sqlite:///{path}")
    yield source
    source.close()


@pytest.mark.parametrize(
    ("sql", "kind", "column"),
    [
        ("SELECT l.age AS v FROM loose AS l", pa.int64(), "age"),
        ("SELECT l.born AS v FROM loose AS l", pa.date32(), "born"),
        ("SELECT l.name AS v FROM loose AS l", pa.string(), "name"),
        ("SELECT l.ok AS v FROM loose AS l", pa.bool_(), "ok"),
        ("SELECT sum(l.age) AS v FROM loose AS l", pa.decimal128(38, 0), "age"),
        ("SELECT count(*) AS v FROM loose AS l WHERE l.age > 5", pa.int64(), "age"),
        ("SELECT count(*) AS v FROM loose AS l WHERE l.born < DATE '2020-01-01'", pa.int64(), "born"),
        ("SELECT max(l.name) AS v FROM loose AS l", pa.string(), "name"),
        ("SELECT count(DISTINCT l.ok) AS v FROM loose AS l", pa.int64(), "ok"),
        ("SELECT l.id AS v FROM loose AS l ORDER BY l.age", pa.int64(), "age"),
        ("SELECT s.v FROM (SELECT l.age AS v FROM loose AS l) AS s", pa.int64(), "age"),
    ],
)
def test_a_sqlite_value_of_the_wrong_type_is_never_bent(
    loose: Source, sql: str, kind: pa.DataType, column: str
) -> None:
    with pytest.raises(SourceFailure) as caught:
        read(loose, sql, pa.schema([("v", kind)]))
    assert caught.value.kind == "broken-row"
    assert f"loose.{column}" in caught.value.place


def test_a_sqlite_row_found_by_its_key_is_not_bothered_by_broken_ones(loose: Source) -> None:
    found = read(
        loose,
        "SELECT l.age, l.name FROM loose AS l WHERE l.id = $i",
        pa.schema([("age", pa.int64()), ("name", pa.string())]),
        i=1,
    )
    assert found.to_pylist() == [{"age": 10, "name": "a"}]


def test_a_sqlite_query_is_stopped_when_its_time_is_up(tmp_path: Path) -> None:
    path = tmp_path / "big.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE n(i INTEGER)")
    connection.executemany("INSERT INTO n VALUES (?)", ((i,) for i in range(3000)))
    connection.commit()
    connection.close()
    source = open_source(f"sqlite:///{path}")
    begin = time.monotonic()
    with pytest.raises(SourceFailure) as caught:
        read(
            source,
            "SELECT count(*) AS c FROM n AS a, n AS b, n AS c WHERE a.i < b.i",
            pa.schema([("c", pa.int64())]),
            Limits(seconds=0.3),
        )
    assert caught.value.kind == "timeout"
    assert time.monotonic() - begin < 5
    source.close()
