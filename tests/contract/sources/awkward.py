"""Two tables full of awkward values, made the same in every kind of source."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql

TEXTS = [
    None, "", " ", "a", "A", "a ", " a", "á", "a\u0301", "Z", "z", "ij", "IJ", "10", "9", "%", "_", "a_b", "a%b", "\\",
    "\\a", "straße", "STRASSE", "😀", "ab", "aB", "b", "é", "'", '"', "null",
]  # fmt: skip
SMALL = [None, 0, 1, -1, 2, -2, 3, 7, -7, 10, 100, -100]
LARGE = [None, 0, 1, -1, 2**31, -(2**31), 2**40 + 1, 10**15, -(10**15), 9007199254740993]
MONEY = [
    None,
    *map(Decimal, ("0.00", "0.01", "-0.01", "1.10", "12.34", "-12.35", "1234567.89", "-99999.99", "10.00")),
]
FINE = [None, *map(Decimal, ("0.0000", "0.0001", "0.0500", "-0.1250", "1.0000", "99999.9999", "10.0000"))]
DAYS = [
    None,
    *map(
        date.fromisoformat,
        ("1900-01-01", "1999-12-31", "2000-02-29", "2020-01-31", "2024-02-29", "2026-11-21"),
    ),
]
MOMENTS = [
    None,
    datetime(2000, 1, 1),
    datetime(2020, 1, 31, 23, 59, 59, 999999),
    datetime(2020, 1, 31),
    datetime(1999, 12, 31, 12),
]
REALS = [None, 0.0, 0.1, -0.5, 1.5, 1e10, -2.25, 3.0]
FLAGS = [None, True, False]

COLUMNS = {
    "id": "BIGINT", "t": "VARCHAR", "u": "VARCHAR", "c": "VARCHAR", "i": "INTEGER", "j": "INTEGER", "b": "BIGINT",
    "m": "DECIMAL(15,2)", "n": "DECIMAL(10,4)", "f": "BOOLEAN", "day": "DATE", "moment": "TIMESTAMP", "x": "DOUBLE",
}  # fmt: skip


def awkward_rows(count: int = 90, seed: int = 7) -> list[tuple[Any, ...]]:
    """Every value of every list above at least once, in reproducible combinations. `c` has no outer blanks: it is a
    CHAR(5) where that exists."""
    dice = random.Random(seed)
    fixed = [None, "", "a", "A", "ab", "á", "10"]
    pools: Sequence[Sequence[Any]] = (
        TEXTS,
        TEXTS,
        fixed,
        SMALL,
        SMALL,
        LARGE,
        MONEY,
        FINE,
        FLAGS,
        DAYS,
        MOMENTS,
        REALS,
    )
    rows = []
    for number in range(count):
        values = (
            pool[number % len(pool)] if place % 3 == 0 else dice.choice(pool)
            for place, pool in enumerate(pools)
        )
        rows.append((number, *values))
    return rows


DDL = {
    "postgres": "id bigint primary key, t text, u varchar(20), c char(5), i integer, j integer, b bigint, m numeric(15,2),"
    " n numeric(10,4), f boolean, day date, moment timestamp, x double precision",
    "mariadb": "id bigint primary key, t varchar(20), u varchar(20) collate utf8mb4_unicode_ci, c char(5), i int, j int,"
    " b bigint, m decimal(15,2), n decimal(10,4), f boolean, day date, moment datetime(6), x double, key(t), key(u)",
    "sqlite": "id integer primary key, t text, u varchar(20) collate nocase, c char(5), i integer, j int, b bigint,"
    " m decimal(15,2), n decimal(10,4), f boolean, day date, moment timestamp, x real",
}
OTHERS = [(1, "a", 1), (2, "A", None), (3, None, 0), (4, "a ", 7), (5, "á", -7), (6, "b", 1), (7, "", 2)]
OTHER_DDL = "id bigint primary key, t varchar(20), i integer"


def fill_postgres(url: str) -> None:
    """Make the tables in PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS awkward, other")
        cursor.execute(f"CREATE TABLE awkward({DDL['postgres']})")
        cursor.execute(f"CREATE TABLE other({OTHER_DDL})")
        cursor.executemany(f"INSERT INTO awkward VALUES ({','.join(['%s'] * len(COLUMNS))})", awkward_rows())
        cursor.executemany("INSERT INTO other VALUES (%s,%s,%s)", OTHERS)


def mariadb_connection(url: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """A connection of the test itself."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, password=parts.password or "",
        database=parts.path.lstrip("/"), autocommit=True, charset="utf8mb4",
    )  # fmt: skip


def fill_mariadb(url: str) -> None:
    """Make the tables in MariaDB."""
    with mariadb_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS awkward, other")
        cursor.execute(f"CREATE TABLE awkward({DDL['mariadb']})")
        cursor.execute(f"CREATE TABLE other({OTHER_DDL})")
        cursor.executemany(f"INSERT INTO awkward VALUES ({','.join(['%s'] * len(COLUMNS))})", awkward_rows())
        cursor.executemany("INSERT INTO other VALUES (%s,%s,%s)", OTHERS)


def _for_sqlite(row: Sequence[Any]) -> Iterator[Any]:
    for value in row:
        if isinstance(value, datetime):
            yield value.isoformat(sep=" ")
        elif isinstance(value, date):
            yield value.isoformat()
        else:
            yield float(value) if isinstance(value, Decimal) else value


def fill_sqlite(path: Path) -> None:
    """Make the tables in SQLite."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE awkward({DDL['sqlite']})")
        connection.execute(f"CREATE TABLE other({OTHER_DDL})")
        marks = ",".join("?" * len(COLUMNS))
        connection.executemany(
            f"INSERT INTO awkward VALUES ({marks})", [tuple(_for_sqlite(r)) for r in awkward_rows()]
        )
        connection.executemany("INSERT INTO other VALUES (?,?,?)", OTHERS)
    connection.close()


def later(day: date, days: int) -> date:
    """A day some days later."""
    return day + timedelta(days=days)
