"""Where data lives: one file per kind of source; what all of them promise stands in `base`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from sluis.kernel import Invalid, Text
from sluis.sources.base import (
    ColumnInfo,
    Limits,
    Prepared,
    Probe,
    Scalar,
    Source,
    SourceFailure,
    TableInfo,
    Value,
)
from sluis.sources.fold import constant_type, is_constant, is_simple, locked_duckdb
from sluis.sources.shape import arrow_type
from sluis.sources.types import (
    Types,
    Typing,
    column_types,
    decimal_parts,
    family,
    normal,
    table_name,
    unify,
    widens,
)
from sluis.sources.writer import is_keyed, is_plain, is_plain_condition


def _sqlite(url: str, **options: Any) -> Source:
    from sluis.sources.sqlite import SqliteSource

    return SqliteSource(unquote(url.removeprefix("sqlite:///")), **options)


def _postgres(url: str, **options: Any) -> Source:
    from sluis.sources.postgres import PostgresSource

    return PostgresSource(url, **options)


def _mariadb(url: str, **options: Any) -> Source:
    from sluis.sources.mariadb import MariadbSource

    return MariadbSource(url, **options)


def _files(url: str, **options: Any) -> Source:
    from sluis.sources.files import FilesSource

    return FilesSource(unquote(urlsplit(url).path), **options)


KINDS: dict[str, Callable[..., Source]] = {
    "file": _files,
    "mariadb": _mariadb,
    "mysql": _mariadb,
    "postgresql": _postgres,
    "postgres": _postgres,
    "sqlite": _sqlite,
}
"""URL scheme to what opens it. The database drivers are heavy, so each is imported when first needed."""


def open_source(url: str, **options: Any) -> Source:
    """Open a source. Nothing is contacted yet: an unreachable source fails when it is first asked something."""
    scheme = url.partition(":")[0].lower()
    opener = KINDS.get(scheme)
    if opener is None:
        raise Invalid(
            "unknown-source-kind",
            Text("Deze soort bron is niet bekend.", "This kind of source is not known."),
            Text(f"De URL begint met {scheme!r}.", f"The URL begins with {scheme!r}."),
            Text(f"Gebruik een van: {', '.join(KINDS)}.", f"Use one of: {', '.join(KINDS)}."),
        )
    return opener(url, **options)


__all__ = [
    "ColumnInfo",
    "Limits",
    "Prepared",
    "Probe",
    "Scalar",
    "Source",
    "SourceFailure",
    "TableInfo",
    "Types",
    "Typing",
    "Value",
    "arrow_type",
    "column_types",
    "constant_type",
    "decimal_parts",
    "family",
    "is_constant",
    "is_keyed",
    "is_plain",
    "is_plain_condition",
    "is_simple",
    "locked_duckdb",
    "normal",
    "open_source",
    "table_name",
    "unify",
    "widens",
]
