"""A table as a document that people take with them: CSV for a spreadsheet, JSON for a program.

CSV (RFC 4180) begins with a byte order mark and has `;` between its fields: so spreadsheets here open it as it is. A text that
a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV Injection; CWE-1236).

A document is made in pieces, between which others have their turn: so a large one keeps nobody else waiting.
"""

import asyncio
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
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

PIECE = 100
"""Rows that are made at once: a few milliseconds of work."""

_FORMULA = tuple("=+-@\t\r\n|＝＋－＠")
_NAME = re.compile(r"[a-z0-9-]{1,60}")


async def export(
    listing: Listing, name: str, language: str, rows: Iterable[Row] | None = None
) -> Response[bytes]:
    """The table that was asked as a document (`Asked.form`).

    Args:
        listing: of which the columns count, and the rows where no others are given.
        name: of the file, without its ending: small letters, digits and hyphens; never of a person.
        language: `nl` or `en`.
        rows: all that were asked, where the listing has but a page; `MOST_EXPORTED` are taken, each as it is needed.

    Raises `ValueError` for another name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a file cannot be called {name}")
    found = iter(listing.rows if rows is None else rows)
    if listing.asked.form == "json":
        pieces, kind, ending = json_pieces(listing.columns, found, language), "application/json", "json"
    else:
        pieces, kind, ending = csv_pieces(listing.columns, found, language), "text/csv; charset=utf-8", "csv"
    content = bytearray()
    for piece in pieces:
        content += piece
        await asyncio.sleep(0)  # whoever else waits goes first
    headers = {"content-disposition": f'attachment; filename="{name}.{ending}"', "content-language": language}
    return Response(bytes(content), media_type=kind, headers=headers)


def csv_pieces(columns: Sequence[Column], rows: Iterator[Row], language: str) -> Iterator[bytes]:
    """Rows as CSV, `MOST_EXPORTED` at most; in Dutch with decimal commas."""
    head, some = (
        [_harmless(column.title.said_in(language)) for column in columns],
        islice(rows, MOST_EXPORTED),
    )
    yield "\ufeff".encode() + _lines([head])
    while piece := [*islice(some, PIECE)]:
        yield _lines(
            [_field(column, value_of(row, at), language) for at, column in enumerate(columns)]
            for row in piece
        )


def json_pieces(columns: Sequence[Column], rows: Iterator[Row], language: str) -> Iterator[bytes]:
    """Rows as JSON, by the names of the columns, `MOST_EXPORTED` at most; and whether these are all."""
    some, before = islice(rows, MOST_EXPORTED), b'{"rows":['
    while piece := [*islice(some, PIECE)]:
        made = [
            {column.name: _member(column, value_of(row, at), language) for at, column in enumerate(columns)}
            for row in piece
        ]
        yield before + msgspec.json.encode(made)[1:-1]
        before = b","
    complete = next(rows, None) is None
    yield (b"" if before == b"," else before) + b'],"complete":' + msgspec.json.encode(complete) + b"}"


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


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
