"""One small table, `persons`, in every kind of source there is; each gives the URL to open."""

import csv
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.contract.sources.awkward import mariadb_connection
from tests.servers import Server

# Fictitious persons.
PERSONS: list[dict[str, Any]] = [
    {"bsn": f"{999_000_000 + number * 7}", "name": name, "age": age, "born": born}
    for number, (name, age, born) in enumerate(
        [
            ("Ans", 34, "1990-02-28"), ("ans", 35, "1991-12-31"), ("Àns", None, None), ("Bob", 0, "2026-01-01"),
            (None, 101, "1925-03-01"), ("Ans ", 7, "2019-07-07"), ("O'Neill", 50, "1976-02-29"), ("漢字", 12, "2014-05-05"),
        ]
    )
]  # fmt: skip
COLUMNS = ("bsn", "name", "age", "born")
SCHEMA = pa.schema([("bsn", pa.string()), ("name", pa.string()), ("age", pa.int64()), ("born", pa.date32())])

_DDL = "CREATE TABLE persons(bsn varchar(9) PRIMARY KEY, name varchar(20), age integer, born date)"
_ROWS = [tuple(person[name] for name in COLUMNS) for person in PERSONS]


def _postgres(request: pytest.FixtureRequest, folder: Path) -> str:
    server: Server = request.getfixturevalue("postgres")
    with psycopg.connect(server.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS persons")
        cursor.execute(_DDL)
        cursor.executemany("INSERT INTO persons VALUES (%s,%s,%s,%s)", _ROWS)
    return server.reader


def _mariadb(request: pytest.FixtureRequest, folder: Path) -> str:
    server: Server = request.getfixturevalue("mariadb")
    with mariadb_connection(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS persons")
        cursor.execute(_DDL)
        cursor.executemany("INSERT INTO persons VALUES (%s,%s,%s,%s)", _ROWS)
    return server.reader


def _sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    path = folder / "persons.db"
    connection = sqlite3.connect(path)
    connection.execute(_DDL)
    connection.executemany("INSERT INTO persons VALUES (?,?,?,?)", _ROWS)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def _generic(request: pytest.FixtureRequest, folder: Path) -> str:
    return _sqlite(request, folder).replace("sqlite:", "sqlite+pysqlite:")


def _csv(request: pytest.FixtureRequest, folder: Path) -> str:
    with (folder / "persons.csv").open("w", encoding="utf-16", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(COLUMNS)
        writer.writerows(_ROWS)
    return f"file://{folder}"


def _json(request: pytest.FixtureRequest, folder: Path) -> str:
    rows = [{key: value for key, value in person.items() if value is not None} for person in PERSONS]
    (folder / "persons.json").write_text(json.dumps(rows))
    return f"file://{folder}/persons.json"


def _parquet(request: pytest.FixtureRequest, folder: Path) -> str:
    arrays = [pa.array([row[place] for row in _ROWS]) for place in range(3)]
    born = pa.array([row[3] for row in _ROWS]).cast(pa.date32())
    pq.write_table(pa.table([*arrays, born], names=list(COLUMNS)), folder / "persons.parquet")
    return f"file://{folder}"


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Persons (fictitious)", "version": "1"},
    "paths": {
        "/persons": {
            "get": {
                "parameters": [
                    {"name": "bsn", "in": "query", "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 2}},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                    {"name": "pageSize", "in": "query", "schema": {"type": "integer", "maximum": 3}},
                    {"name": "fields", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"content": {"application/json": {"schema": {
                    "type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/P"}}},
                }}}}},
            },
        },
        "/persons/{number}": {
            "parameters": [{"name": "number", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/P"}}}}}},
        },
    },
    "components": {"schemas": {"P": {"type": "object", "properties": {
        "bsn": {"type": "string"}, "name": {"type": ["string", "null"]}, "age": {"type": "integer"},
        "born": {"type": "string", "format": "date"}, "address": {"type": "object", "properties": {"city": {"type": "string"}}},
    }}}},
}  # fmt: skip


class Api(BaseHTTPRequestHandler):
    """A small API over the persons: pages of three, next page in a Link header."""

    asked: list[str] = []
    elsewhere: str | None = None
    """When set, the next page is said to be there."""

    def do_GET(self) -> None:
        Api.asked.append(self.path)
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path == "/v1/persons":
            self._page(query)
        elif parts.path.startswith("/v1/persons/"):
            wanted = unquote(parts.path.rpartition("/")[2])
            found = next((person for person in PERSONS if person["bsn"] == wanted), None)
            self._send(200, {**found, "address": {"city": "Sluis"}}) if found else self._send(404, {})
        elif parts.path == "/v1/moved":
            self._send(302, {}, Location="http://example.invalid/")
        else:
            self._send(404, {})

    def _page(self, query: dict[str, list[str]]) -> None:
        rows = [person for person in PERSONS if "bsn" not in query or person["bsn"] in query["bsn"]]
        page = int(query.get("page", ["1"])[0])
        fields = query.get("fields", [",".join(COLUMNS)])[0].split(",")
        shown = [{key: row[key] for key in fields if key in row} for row in rows[page * 3 - 3 : page * 3]]
        following = urlsplit(self.path)._replace(
            query=f"page={page + 1}" + "".join(f"&bsn={b}" for b in query.get("bsn", []))
        )
        links = (
            {"Link": f'<{Api.elsewhere or following.geturl()}>; rel="next"'} if page * 3 < len(rows) else {}
        )
        self._send(200, {"items": shown}, **links)

    def _send(self, status: int, body: Any, **headers: str) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(raw)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """The API on a free port; gives its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _rest(request: pytest.FixtureRequest, folder: Path) -> str:
    base: str = request.getfixturevalue("api")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    return f"openapi+file://{folder}/openapi.json?base={base}"


KINDS: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "postgres": _postgres,
    "mariadb": _mariadb,
    "sqlite": _sqlite,
    "generic": _generic,
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "rest": _rest,
}
"""Every kind, and what makes its table."""
