"""TPC-H at scale 0.1, made by DuckDB's own generator, spread over three databases: customers and orders in PostgreSQL,
lineitems and partsupp in MariaDB, the rest in SQLite; and kept as one DuckDB file with everything in it.

Every table has its primary key and indexes on foreign keys and dates: those that the benchmark's rules (TPC-H 1.5)
allow.
"""

import csv
import importlib.util
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from _servers import VAR, Mariadb, Postgres, started

SCALE = 0.1
DATABASE = "tpch"
"""Its name on both servers."""
_FOLDER = VAR / "tpch"
REFERENCE, SQLITE = _FOLDER / "reference.duckdb", _FOLDER / "rest.sqlite"
_MADE = _FOLDER / f"made-{sha256(Path(__file__).read_bytes()).hexdigest()[:12]}"
"""There when all is filled; named after this file, so that other data are made when it changes."""

TABLES = {
    "handel": ("customer", "orders"),
    "magazijn": ("lineitem", "partsupp"),
    "stam": ("part", "supplier", "nation", "region"),
}
"""Per owner its tables."""
KEYS = {
    "customer": ("c_custkey",),
    "orders": ("o_orderkey",),
    "lineitem": ("l_orderkey", "l_linenumber"),
    "partsupp": ("ps_partkey", "ps_suppkey"),
    "part": ("p_partkey",),
    "supplier": ("s_suppkey",),
    "nation": ("n_nationkey",),
    "region": ("r_regionkey",),
}
_INDEXES = {
    "customer": ("c_nationkey",),
    "orders": ("o_custkey", "o_orderdate"),
    "lineitem": ("l_partkey, l_suppkey", "l_suppkey", "l_shipdate"),
    "partsupp": ("ps_suppkey",),
    "supplier": ("s_nationkey",),
    "nation": ("n_regionkey",),
}


@dataclass(frozen=True)
class Databases:
    """The databases of the three owners, filled."""

    postgres: Postgres
    mariadb: Mariadb

    def urls(self, account: str) -> dict[str, str]:
        """Per owner, where an account finds its database."""
        return {
            "handel": self.postgres.url(DATABASE, account),
            "magazijn": self.mariadb.url(DATABASE, account),
            "stam": f"sqlite:///{SQLITE}",
        }


@contextmanager
def databases() -> Iterator[Databases]:
    """The three databases, started; filled when this is the first time."""
    with started(Databases, _fill, _MADE) as found:
        _read_through(found)
        yield found


def reference() -> "duckdb.DuckDBPyConnection":
    """A connection to the DuckDB file that holds all tables, under the owners' names."""
    return duckdb.connect(str(REFERENCE), read_only=True)


def columns(connection: "duckdb.DuckDBPyConnection", owner: str, table: str) -> dict[str, str]:
    """The columns of a table with their DuckDB types."""
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {owner}.{table}").fetchall()}


def rows(connection: "duckdb.DuckDBPyConnection", owner: str, table: str) -> int:
    """How many rows a table has."""
    found = connection.execute(f"SELECT count(*) FROM {owner}.{table}").fetchone()
    assert found is not None
    return int(found[0])


def questions() -> dict[int, str]:
    """The 22 questions as the benchmark words them, over `owner.table`."""
    owners = {table: owner for owner, tables in TABLES.items() for table in tables}
    with closing(_generator()) as connection:
        found = connection.execute("SELECT query_nr, query FROM tpch_queries()").fetchall()
    named = {}
    for number, text in found:
        tree = sqlglot.parse_one(text, dialect="duckdb")
        for table in tree.find_all(exp.Table):
            if table.name in owners:
                table.set("db", exp.to_identifier(owners[table.name]))
        named[number] = tree.sql("duckdb")
    return named


def _generator() -> "duckdb.DuckDBPyConnection":
    found = importlib.util.find_spec("duckdb_extension_tpch")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("duckdb-extension-tpch is not installed; it is in the dependency group `bench`")
    extension = next(Path(next(iter(found.submodule_search_locations))).rglob("tpch.duckdb_extension"))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    return connection


def _fill(found: Databases) -> None:
    began = time.monotonic()
    print("making the test data, once …", file=sys.stderr)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    found.postgres.create(DATABASE)
    found.mariadb.create(DATABASE)
    with closing(_generator()) as everything:
        everything.execute(f"ATTACH '{REFERENCE}' AS kept")
        everything.execute(f"CALL dbgen(sf = {SCALE})")
        for owner, tables in TABLES.items():
            everything.execute(f"CREATE SCHEMA kept.{owner}")
            for table in tables:
                everything.execute(f"CREATE TABLE kept.{owner}.{table} AS FROM {table}")
                file = _FOLDER / f"{table}.csv"
                everything.execute(f"COPY {table} TO '{file}' (HEADER false)")
                described = columns(everything, "main", table)
                {"handel": _postgres, "magazijn": _mariadb, "stam": _sqlite}[owner](
                    found, table, described, file
                )
                file.unlink()
    print(f"… made in {time.monotonic() - began:.0f} s, kept in {VAR}", file=sys.stderr)


def _read_through(found: Databases) -> None:
    """Read every table once, so that who asks first does not pay for a cold start."""
    with found.postgres.connect(DATABASE) as connection:
        for table in TABLES["handel"]:
            connection.execute(
                f"SELECT max({KEYS[table][0].partition('_')[0]}_comment) FROM {table}".encode()
            )
    with closing(found.mariadb.connect(DATABASE)) as connection:
        cursor = connection.cursor()
        for table in TABLES["magazijn"]:
            cursor.execute(f"SELECT max({KEYS[table][0].partition('_')[0]}_comment) FROM {table}")


def _created(table: str, described: dict[str, str], text: str) -> str:
    """CREATE TABLE with texts of type `text`."""
    listed = [f"{name} {kind.replace('VARCHAR', text)} NOT NULL" for name, kind in described.items()]
    return f"CREATE TABLE {table} ({', '.join(listed)}, PRIMARY KEY ({', '.join(KEYS[table])}))"


def _indexes(table: str) -> list[str]:
    return [
        f"CREATE INDEX {table}_{n} ON {table} ({names})" for n, names in enumerate(_INDEXES.get(table, ()))
    ]


def _postgres(found: Databases, table: str, described: dict[str, str], file: Path) -> None:
    with found.postgres.connect(DATABASE) as connection, connection.cursor() as cursor:
        cursor.execute(_created(table, described, "VARCHAR").encode())
        with (
            cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy,
            file.open("rb") as content,
        ):
            while part := content.read(1 << 20):
                copy.write(part)
        for statement in (*_indexes(table), f"VACUUM ANALYZE {table}"):
            cursor.execute(statement.encode())


def _mariadb(found: Databases, table: str, described: dict[str, str], file: Path) -> None:
    with closing(found.mariadb.connect(DATABASE, local_infile=True)) as connection:
        cursor = connection.cursor()
        cursor.execute(_created(table, described, "VARCHAR(200)"))
        quoted = "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY ''"
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} {quoted}")
        for statement in (*_indexes(table), f"ANALYZE TABLE {table}"):
            cursor.execute(statement)


def _sqlite(found: Databases, table: str, described: dict[str, str], file: Path) -> None:
    with closing(sqlite3.connect(SQLITE)) as connection, file.open(encoding="utf-8", newline="") as content:
        connection.execute(_created(table, described, "TEXT"))
        places = ", ".join("?" * len(described))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", csv.reader(content))
        for statement in (*_indexes(table), "ANALYZE"):
            connection.execute(statement)
        connection.commit()
