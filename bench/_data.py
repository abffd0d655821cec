"""The people, addresses and permits that the figures are measured over: a million, a million and 200,000, invented.

Written once in DuckDB's SQL, kept as a DuckDB file that holds everything (`REFERENCE`, which answers are checked
against), and loaded from there into the three databases of the owners. BSNs pass the eleven-test and begin with a 9;
everybody lives alone, so that a list of people needs as many addresses as it names people.
"""

import csv
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

from _servers import VAR, Mariadb, Postgres, started

PERSONS, ADDRESSES, PERMITS = 1_000_000, 1_000_000, 200_000
MINIMUM = 10
"""The smallest group that the aggregate-only disclosure lets out; one municipality has fewer people."""

_FOLDER = VAR / "question"
REFERENCE, SQLITE = _FOLDER / "reference.duckdb", _FOLDER / "permits.sqlite"
_MADE = _FOLDER / f"made-{sha256(Path(__file__).read_bytes()).hexdigest()[:12]}"
"""There when all is filled; named after this file, so that other data are made when it changes."""
DATABASE = "question"
"""Its name on both servers."""

# prefix, then the digit that makes 9·d1 + 8·d2 + … + 2·d8 - d9 a multiple of eleven; 10 is no digit.
_INVENTED_BSNS = f"""
    SELECT bsn, row_number() OVER (ORDER BY bsn) - 1 AS i FROM (
        SELECT (prefix * 10 + check_digit)::VARCHAR AS bsn FROM (
            SELECT prefix, list_sum([(prefix // (10 ** (8 - n))::BIGINT % 10) * (10 - n) for n in range(1, 9)])
                           % 11 AS check_digit
            FROM (SELECT 90000000 + range AS prefix FROM range({PERSONS * 12 // 10})))
        WHERE check_digit < 10)
    ORDER BY bsn LIMIT {PERSONS}"""

_TABLES = f"""
    CREATE TABLE persons AS
    SELECT bsn,
           list_extract(['Sanne', 'Fatima', 'Emma', 'Daan', 'Mohammed', 'Bram', 'Yara', 'Thijs'],
                        1 + (hash(i) % 8)::INTEGER) || ' '
             || list_extract(['Proef', 'Test', 'Nep', 'Verzin', 'Schijn', 'Droom', 'Papier', 'Fabel'],
                             1 + (hash(i + 1) % 8)::INTEGER)
             || list_extract(['stra', 'sma', 'huizen', 'dijk', 'berg', 'hof', 'brug', 'meer'],
                             1 + (hash(i + 2) % 8)::INTEGER) AS naam,
           DATE '1925-01-01' + (hash(i + 3) % 36500)::INTEGER AS geboortedatum,
           (i * 387420489 % {ADDRESSES})::INTEGER AS adres_id,
           CASE WHEN i < {MINIMUM - 3} THEN 'Sluiseiland'
                ELSE 'Gemeente ' || lpad((1 + sqrt((hash(i + 4) % 115600)::DOUBLE)::INTEGER)::VARCHAR, 3, '0')
           END AS gemeente,
           (1400000 + hash(i + 5) % 7000000)::BIGINT AS inkomen
    FROM ({_INVENTED_BSNS});
    CREATE TABLE addresses AS
    SELECT range::INTEGER AS adres_id,
           lpad((hash(range) % 1000)::VARCHAR, 4, '0') || chr(65 + (hash(range + 1) % 26)::INTEGER)
             || chr(65 + (hash(range + 2) % 26)::INTEGER) AS postcode,
           (1 + hash(range + 3) % 200)::INTEGER AS huisnummer,
           list_extract(['Sluiskade', 'Peilpad', 'Schutstraat', 'Kolkweg', 'Deurlaan', 'Stuwdreef'],
                        1 + (hash(range + 4) % 6)::INTEGER) AS straat,
           list_extract(['Sluiswijk', 'Peildorp', 'Schutveen', 'Kolkstad', 'Stuwerveen'],
                        1 + (hash(range + 5) % 5)::INTEGER) AS plaats
    FROM range({ADDRESSES});
    CREATE TABLE permits AS
    SELECT range::INTEGER AS nummer, bsn,
           list_extract(['bouw', 'kap', 'uitrit', 'evenement', 'horeca'], 1 + (hash(range) % 5)::INTEGER) AS soort,
           DATE '2015-01-01' + (hash(range + 1) % 4000)::INTEGER AS verleend,
           list_extract(['verleend', 'ingetrokken', 'verlopen'], 1 + (hash(range + 2) % 3)::INTEGER) AS status
    FROM range({PERMITS}) JOIN ({_INVENTED_BSNS}) ON i = hash(range + 3) % {PERSONS};"""

_IN_POSTGRES = """
    CREATE TABLE persons (bsn VARCHAR(9) PRIMARY KEY, naam VARCHAR(80) NOT NULL, geboortedatum DATE NOT NULL,
        adres_id INTEGER NOT NULL, gemeente VARCHAR(80) NOT NULL, inkomen BIGINT NOT NULL)"""
_IN_MARIADB = """
    CREATE TABLE addresses (adres_id INT PRIMARY KEY, postcode VARCHAR(6) NOT NULL, huisnummer INT NOT NULL,
        straat VARCHAR(80) NOT NULL, plaats VARCHAR(80) NOT NULL)"""
_IN_SQLITE = """
    CREATE TABLE permits (nummer INTEGER PRIMARY KEY, bsn TEXT NOT NULL, soort TEXT NOT NULL, verleend DATE NOT NULL,
        status TEXT NOT NULL)"""


@dataclass(frozen=True)
class Databases:
    """The databases of the three owners, filled, and everything once more in one DuckDB file."""

    postgres: Postgres
    mariadb: Mariadb

    @property
    def persons(self) -> str:
        """Where a node finds the persons; so on for the others."""
        return self.postgres.url(DATABASE, "node")

    @property
    def addresses(self) -> str:
        return self.mariadb.url(DATABASE, "node")

    @property
    def permits(self) -> str:
        return f"sqlite:///{SQLITE}"


@contextmanager
def databases() -> Iterator[Databases]:
    """The three databases, started; filled when this is the first time."""
    with started(Databases, _fill, _MADE) as found:
        yield found


def reference() -> "duckdb.DuckDBPyConnection":
    """A connection to the DuckDB file that holds all three tables: `persons`, `addresses`, `permits`."""
    return duckdb.connect(str(REFERENCE), read_only=True)


def _fill(found: Databases) -> None:
    began = time.monotonic()
    print("making the test data, once …", file=sys.stderr)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    with closing(duckdb.connect(str(REFERENCE))) as everything:
        everything.execute(_TABLES)
        for table, load in (("persons", _postgres), ("addresses", _mariadb), ("permits", _sqlite)):
            file = _FOLDER / f"{table}.csv"
            everything.execute(f"COPY {table} TO '{file}' (HEADER false)")
            load(found, file)
            file.unlink()
    print(f"… made in {time.monotonic() - began:.0f} s, kept in {VAR}", file=sys.stderr)


def _postgres(found: Databases, file: Path) -> None:
    found.postgres.create(DATABASE)
    with found.postgres.connect(DATABASE) as connection, connection.cursor() as cursor:
        cursor.execute(_IN_POSTGRES.encode())
        with cursor.copy("COPY persons FROM STDIN (FORMAT csv)") as copy, file.open("rb") as rows:
            while part := rows.read(1 << 20):
                copy.write(part)
        cursor.execute("VACUUM ANALYZE persons")


def _mariadb(found: Databases, file: Path) -> None:
    found.mariadb.create(DATABASE)
    with closing(found.mariadb.connect(DATABASE, local_infile=True)) as connection:
        cursor = connection.cursor()
        cursor.execute(_IN_MARIADB)
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE addresses FIELDS TERMINATED BY ','")
        cursor.execute("ANALYZE TABLE addresses")


def _sqlite(found: Databases, file: Path) -> None:
    with closing(sqlite3.connect(SQLITE)) as connection, file.open(encoding="utf-8", newline="") as rows:
        connection.execute(_IN_SQLITE)
        connection.executemany("INSERT INTO permits VALUES (?, ?, ?, ?, ?)", csv.reader(rows))
        connection.execute("CREATE INDEX permits_bsn ON permits (bsn)")
        connection.execute("ANALYZE")
        connection.commit()
