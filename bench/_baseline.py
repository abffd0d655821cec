"""What the figures are held against: DuckDB 1.5.5 with its scanner extensions, ATTACHed to the same databases.

The extensions come as wheels and are loaded by path; nothing is fetched while measuring. The names of datasets are
the same as in Sluis (`owner.dataset`), so that both are asked the same text.
"""

import importlib.util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

VERSION = "1.5.5"
AGAINST = f"DuckDB {VERSION}, ATTACH with scanner extensions"
_KINDS = {"postgresql": "postgres", "mariadb": "mysql", "sqlite": "sqlite"}


def attached(urls: dict[str, str]) -> "duckdb.DuckDBPyConnection":
    """A connection to all of these databases.

    Args:
        urls: per owner, where its database is, with an account that may only read.
    """
    if duckdb.__version__ != VERSION:
        raise SystemExit(f"the baseline is DuckDB {VERSION}; this is {duckdb.__version__}")
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    for alias, url in urls.items():
        kind = _KINDS[urlsplit(url).scheme]
        connection.execute(f"LOAD '{_extension(kind)}'")
        connection.execute(f"ATTACH '{_place(url)}' AS {alias} (TYPE {kind}, READ_ONLY)")
    return connection


def ask(
    connection: "duckdb.DuckDBPyConnection", sql: str, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """The answer to a question, every row of it fetched."""
    rows: list[tuple[Any, ...]] = connection.execute(sql, parameters).fetchall()
    return rows


def _extension(kind: str) -> Path:
    found = importlib.util.find_spec(f"duckdb_extension_{kind}_scanner")
    if found is None or not found.submodule_search_locations:
        raise SystemExit(
            f"duckdb-extension-{kind}-scanner is not installed; it is in the dependency group `bench`"
        )
    folder = Path(next(iter(found.submodule_search_locations)))
    return folder / "extensions" / f"v{VERSION}" / f"{kind}_scanner.duckdb_extension"


def _place(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return url.removeprefix("sqlite:///")
    name = "dbname" if parts.scheme == "postgresql" else "database"
    database = parts.path.removeprefix("/")
    return f"host={parts.hostname} port={parts.port} user={parts.username} password={parts.password} {name}={database}"
