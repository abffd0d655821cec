"""A table as a document that people take with them: CSV for a spreadsheet, JSON for a program.

CSV (RFC 4180) begins with a byte order mark and has `;` between its fields: so spreadsheets here open it as it is. A text that
a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV Injection; CWE-1236).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
from litestar import Response

from sluis.kernel import Text
from sluis.web.listing import Column, Listing, Row, Value, plain, value_of
from sluis.web.notation import as_moment, bsn

MOST_EXPORTED = 10_000
"""Rows of a document."""

_FORMULA = tuple("=+-@\t\r\n|＝＋－＠")
_NAME = re.compile(r"[a-z0-9-]{1,60}")


def export(listing: Listing, name: str, language: str, rows: Iterable[Row] | None = None) -> Response[bytes]:
    """The table that was asked as a document (`Asked.form`).

    Args:
        listing: of which the columns count, and the rows where no others are given.
        name: of the file, without its ending: small letters, digits and hyphens; never of a person.
        language: `nl` or `en`.
        rows: all that were asked, where the listing has but a page; `MOST_EXPORTED` are taken.

    Raises `ValueError` for another name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a file cannot be called {name}")
    found = list(islice(listing.rows if rows is None else rows, MOST_EXPORTED + 1))
    complete, found = len(found) <= MOST_EXPORTED, found[:MOST_EXPORTED]
    if listing.asked.form == "json":
        content, kind, ending = (
            as_json(listing.columns, found, language, complete),
            "application/json",
            "json",
        )
    else:
        content, kind, ending = as_csv(listing.columns, found, language), "text/csv; charset=utf-8", "csv"
    headers = {"content-disposition": f'attachment; filename="{name}.{ending}"', "content-language": language}
    return Response(content, media_type=kind, headers=headers)


def as_csv(columns: Sequence[Column], rows: Iterable[Row], language: str) -> bytes:
    """Rows as CSV; in Dutch with decimal commas."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([_harmless(column.title.said_in(language)) for column in columns])
    for row in rows:
        writer.writerow([_field(column, value_of(row, at), language) for at, column in enumerate(columns)])
    return ("\ufeff" + out.getvalue()).encode()


def as_json(columns: Sequence[Column], rows: Iterable[Row], language: str, complete: bool = True) -> bytes:
    """Rows as JSON, by the names of the columns.

    Args:
        columns: of the table.
        rows: of it.
        language: of its words.
        complete: whether these are all.
    """
    made = [
        {column.name: _member(column, value_of(row, at), language) for at, column in enumerate(columns)}
        for row in rows
    ]
    return msgspec.json.encode({"rows": made, "complete": complete})


def _field(column: Column, value: Value, language: str) -> str:
    member = _member(column, column.words(value), language)
    if member is None:
        return ""
    if column.kind == "amount" or isinstance(member, int | float):
        return str(member) if language == "en" else str(member).replace(".", ",")
    return _harmless(str(member))


def _member(column: Column, value: Value, language: str) -> Any:
    if value is None:
        return None
    if column.kind == "amount" and isinstance(value, int):
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02}"
    if column.kind == "masked":
        return bsn(plain(value, language), masked=True)
    if column.kind == "moment" and isinstance(value, int | float | datetime):
        return as_moment(value).isoformat(timespec="seconds")
    return plain(value, language) if isinstance(value, str | Text | date) else value


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
