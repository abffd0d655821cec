"""Files: CSV, JSON, JSON Lines and Parquet, one file or a folder of them; a file is a table.

Files are read whole, kept until they change, and queried by an in-memory DuckDB that can reach nothing. What is
messy in practice is met the same way every time:

- encoding: a byte order mark decides (UTF-8, UTF-16), else UTF-8, or the `encoding` given;
- separator: of `;` `,` tab and `|` the one that the first line has most of, or the `separator` given;
- names: an empty one becomes `column_N` (N: its place, from 1); a second `name` becomes `name_2`, a third `name_3`;
- types: whole numbers, decimals, ISO dates and true/false when *every* value is one; else text. Numbers with leading
  zeros, or all of one length from six digits, are codes and stay text, as do dates with month or day 00;
- an empty CSV field is NULL; a nested JSON value is its JSON text; a key that an object lacks is NULL;
- a row with too many or too few fields is a broken row, named by file and line.
"""

import codecs
import csv
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.fold import locked_duckdb
from sluis.sources.shape import Shape, counted
from sluis.sources.types import Typing
from sluis.sources.watch import watched
from sluis.sources.writer import places

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".json": "json", ".jsonl": "lines", ".ndjson": "lines", ".parquet": "parquet"}  # fmt: skip
"""What a file is, by its suffix."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SEPARATORS = ";,\t|"
_FRACTION = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,9})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CODE_LENGTH = 6


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names as they are used: none empty, none twice (without regard to case)."""
    found: list[str] = []
    seen: set[str] = set()
    for place, given in enumerate(names, 1):
        name = base = given.strip() or f"column_{place}"
        number = 1
        while name.lower() in seen:
            number += 1
            name = f"{base}_{number}"
        seen.add(name.lower())
        found.append(name)
    return found


def _decoded(path: Path, encoding: str | None) -> bytes:
    """The file as UTF-8 without a mark."""
    raw = path.read_bytes()
    for mark, found in _MARKS:
        if raw.startswith(mark):
            raw, encoding = raw[len(mark) :], found
            break
    if (encoding or "utf-8").lower().replace("_", "-") == "utf-8":
        return raw
    try:
        return raw.decode(encoding or "utf-8").encode()
    except (UnicodeDecodeError, LookupError) as error:
        raise SourceFailure("broken-row", f"not {encoding}: {error}", path.name) from error


def _separator(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _read_csv(path: Path, encoding: str | None, separator: str | None, header: bool) -> pa.Table:
    raw = _decoded(path, encoding)
    head = raw[: 1 << 20].decode("utf-8", errors="ignore")
    separator = separator or _separator(head.partition("\n")[0])
    reader = csv.reader(io.StringIO(head), delimiter=separator)
    first = next(reader, [])
    names = unique_names(first if header else [""] * len(first))
    if not names:
        raise SourceFailure("broken-row", "the file is empty", path.name)
    bad: list[pacsv.InvalidRow] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        bad.append(row)
        return "error"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(raw),
            # One thread: only then does a broken row know its number.
            read_options=pacsv.ReadOptions(
                column_names=names, skip_rows=reader.line_num if header else 0, use_threads=False
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                invalid_row_handler=refuse,
                ignore_empty_lines=True,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowException as error:
        if bad:
            said = f"{bad[0].actual_columns} fields instead of {bad[0].expected_columns}"
            line = bad[0].number if bad[0].number is not None else "?"
            raise SourceFailure("broken-row", said, f"{path.name}, row {line}") from error
        kind = "text that is not UTF-8; give its encoding" if "UTF8" in str(error) else "unreadable CSV"
        raise SourceFailure("broken-row", kind, path.name) from error
    return pa.table([_typed(table.column(name)) for name in names], names=names)


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text as what all its values are."""
    sample = [value for value in column.slice(0, 200).to_pylist() if value is not None]
    for fits, kind in _GUESSES:
        if all(map(fits, sample)):
            values = pc.unique(column).to_pylist()
            present = [value for value in values if value is not None]
            if present and all(map(fits, present)) and (target := kind(present)) is not None:
                return column.cast(target)
    return column


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _number(values: Sequence[str]) -> pa.DataType | None:
    """The type of numbers written as text; None when they are codes."""
    lengths = {len(value) for value in values}
    if (
        len(lengths) == 1
        and len(values) > 1
        and min(lengths) >= _CODE_LENGTH
        and all(v.isdigit() for v in values)
    ):
        return None
    scale = max(len(value.partition(".")[2]) for value in values)
    return pa.decimal128(18 + scale, scale) if scale else pa.int64()


_GUESSES: tuple[tuple[Callable[[str], bool], Callable[[Sequence[str]], pa.DataType | None]], ...] = (
    (lambda text: text in {"true", "false"}, lambda values: pa.bool_()),
    (_is_day, lambda values: pa.date32()),
    (lambda text: _FRACTION.fullmatch(text) is not None, _number),
)


def _read_json(path: Path, encoding: str | None) -> pa.Table:
    try:
        found = json.loads(_decoded(path, encoding), parse_float=Decimal)
    except ValueError as error:
        line = getattr(error, "lineno", "?")
        raise SourceFailure("broken-row", "unreadable JSON", f"{path.name}, line {line}") from error
    return _rows_to_table(_records(found), path)


def _records(found: Any) -> list[Any]:
    """The rows of a JSON document: an array, the one array of objects inside an object, or the object itself."""
    if isinstance(found, list):
        return found
    lists = [value for value in found.values() if _is_records(value)] if isinstance(found, dict) else []
    return lists[0] if len(lists) == 1 else [found]


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _read_lines(path: Path, encoding: str | None) -> pa.Table:
    rows = []
    for number, line in enumerate(_decoded(path, encoding).splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line, parse_float=Decimal))
        except ValueError as error:
            raise SourceFailure("broken-row", "unreadable JSON", f"{path.name}, line {number}") from error
    return _rows_to_table(rows, path)


def _rows_to_table(rows: list[Any], path: Path) -> pa.Table:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise SourceFailure("broken-row", "not an object", f"{path.name}, item {number}")
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return pa.table([json_column([row.get(key) for row in rows]) for key in keys], names=unique_names(keys))


def json_column(values: Sequence[Any]) -> pa.Array:
    """JSON values (decimals as Decimal) as one column: of their own type when they agree, else as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, Decimal}:
        return _decimals(values)
    if kinds == {str}:
        days = all(value is None or _is_day(value) for value in values)
        text = pa.array(values, pa.string())
        return text.cast(pa.date32()) if days else text
    return pa.array(
        [value if value is None or isinstance(value, str) else json_text(value) for value in values],
        pa.string(),
    )


def json_text(value: Any) -> str:
    """A JSON value as its text, decimals as they were written."""
    return json.dumps(value, ensure_ascii=False, default=lambda number: float(number))


def _decimals(values: Sequence[Any]) -> pa.Array:
    scale = max(
        -int(value.as_tuple().exponent) for value in map(Decimal, filter(lambda v: v is not None, values))
    )
    if 0 <= scale <= 18:
        return pa.array([None if v is None else Decimal(v) for v in values], pa.decimal128(38, scale))
    return pa.array([None if v is None else float(v) for v in values], pa.float64())


def _read_parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceFailure("broken-row", "unreadable Parquet", path.name) from error
    columns = [
        pa.array([None if v is None else json.dumps(v, default=str) for v in column.to_pylist()], pa.string())
        if pa.types.is_nested(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(columns, names=unique_names(table.column_names))


class FilesPrepared:
    """A query over files."""

    def __init__(
        self, source: "FilesSource", sql: str, tables: frozenset[str], names: Sequence[str], shape: Shape
    ) -> None:
        self._source, self._sql, self._tables, self._names, self._shape = source, sql, tables, names, shape

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`. A file that changed since is read again first."""
        given = {
            name: value.to_pylist() if isinstance(value := values[name], pa.Array) else value
            for name in self._names
        }
        cursor = self._source.fresh(self._tables)
        try:
            with watched(limits, cursor.interrupt) as reading:
                yield from counted(self._batches(cursor, given, limits, reading.check), limits.rows)
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()

    def _batches(
        self,
        cursor: duckdb.DuckDBPyConnection,
        given: Mapping[str, Any],
        limits: Limits,
        check: Callable[[], None],
    ) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in cursor.execute(self._sql, dict(given)).to_arrow_reader(limits.batch_rows):
            check()
            yield self._shape.conform(batch, first)
            first += batch.num_rows


def _failure(error: duckdb.Error) -> SourceFailure:
    text = str(error).splitlines()[0]
    if isinstance(error, duckdb.ConversionException):
        return SourceFailure("broken-row", text)
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return SourceFailure("changed", text)
    return SourceFailure("failed", text)


class FilesSource:
    """A file, or the files of one folder.

    Args:
        path: the file or folder.
        encoding: of text files without a byte order mark.
        separator: between the fields of a CSV.
        header: whether the first line of a CSV holds names; without, columns are `column_1`, ….
    """

    dialect: str | None = "duckdb"

    def __init__(
        self, path: str | Path, encoding: str | None = None, separator: str | None = None, header: bool = True
    ) -> None:
        self._path, self._encoding, self._separator, self._header = Path(path), encoding, separator, header
        self._duckdb: duckdb.DuckDBPyConnection | None = None
        self._loaded: dict[str, tuple[int, int]] = {}
        self._described: dict[str, TableInfo] = {}
        self._lock = threading.Lock()

    def _files(self) -> dict[str, Path]:
        """Per table name its file; two files with one stem get their suffix in the name."""
        try:
            if self._path.is_file():
                return {self._path.stem: self._path}
            listed = sorted(path for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise SourceFailure("unreachable", str(error.strerror), self._path.name) from error
        stems = [path.stem.lower() for path in listed]
        return {
            path.stem if stems.count(path.stem.lower()) == 1 else path.name.replace(".", "_"): path
            for path in listed
        }

    def fresh(self, tables: frozenset[str]) -> duckdb.DuckDBPyConnection:
        """A cursor on these tables (lower-case names) as their files are now.

        Raises:
            SourceFailure: `unreachable`, `changed` when a file is gone, `broken-row`.
        """
        with self._lock:
            files = {name.lower(): (name, path) for name, path in self._files().items()}
            if gone := tables - files.keys():
                raise SourceFailure("changed", f"there is no file for {', '.join(sorted(gone))}")
            for name in sorted(tables):
                self._load(*files[name])
            return self._opened().cursor()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._duckdb is None:
            self._duckdb = locked_duckdb(memory="4GB")
        return self._duckdb

    def _load(self, name: str, path: Path) -> None:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._loaded.get(name) == stamp:
                return
            table = self._read(path)
        except OSError as error:
            raise SourceFailure("unreachable", str(error.strerror), path.name) from error
        if not table.num_columns:
            raise SourceFailure("broken-row", "nothing in this file names a column", path.name)
        quoted = '"' + name.replace('"', '""') + '"'
        store = self._opened()
        store.register("incoming", table)
        store.execute(f"CREATE OR REPLACE TABLE {quoted} AS SELECT * FROM incoming")
        store.unregister("incoming")
        described = store.execute(f"DESCRIBE {quoted}").fetchall()
        columns = tuple(ColumnInfo(row[0], row[1], row[1].lower(), True) for row in described)
        self._described[name] = TableInfo(name, columns, (), table.num_rows)
        self._loaded[name] = stamp

    def _read(self, path: Path) -> pa.Table:
        kind = SUFFIXES.get(path.suffix.lower(), "csv")
        if kind == "parquet":
            return _read_parquet(path)
        if kind == "csv":
            return _read_csv(path, self._encoding, self._separator, self._header)
        return (_read_json if kind == "json" else _read_lines)(path, self._encoding)

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`."""
        return self._look()[0]

    def _look(self) -> tuple[tuple[TableInfo, ...], list[SourceFailure]]:
        """The tables of all files that can be read, and what is wrong with the others: one bad file in a folder does
        not close the rest."""
        found, wrong = [], []
        with self._lock:
            for name, path in self._files().items():
                try:
                    self._load(name, path)
                    found.append(self._described[name])
                except SourceFailure as failure:
                    wrong.append(failure)
        if wrong and not found:
            raise wrong[0]
        return tuple(found), wrong

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        tree = query.copy()
        names = tuple(dict.fromkeys(node.name for node in tree.find_all(exp.Placeholder)))
        for node in list(tree.find_all(exp.Placeholder)):
            many = "[]" if node.find_ancestor(exp.Any) else ""
            node.replace(exp.cast(node.copy(), parameters[node.name] + many, dialect="duckdb"))
        local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        tables = frozenset(t.name.lower() for t in tree.find_all(exp.Table) if t.name.lower() not in local)
        sql = tree.sql(dialect="duckdb", identify=True)
        cursor = self.fresh(tables)
        try:
            cursor.execute(f"EXPLAIN {sql}", dict.fromkeys(names))
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()
        words, _ = places(query, Typing(query, {}, parameters))
        return FilesPrepared(self, sql, tables, names, Shape(schema, words))

    def probe(self) -> Probe:
        """See `base.Source.probe`. The time is that of the newest file; a file that cannot be read is told of."""
        begin = time.perf_counter()
        try:
            stamps = [path.stat().st_mtime for path in self._files().values()]
            wrong = self._look()[1]
        except (SourceFailure, OSError) as error:
            return Probe(False, (time.perf_counter() - begin) * 1000, None, None, str(error))
        as_of = datetime.fromtimestamp(max(stamps), UTC) if stamps else None
        read_only = not os.access(self._path, os.W_OK)
        took = (time.perf_counter() - begin) * 1000
        return Probe(not wrong, took, as_of, read_only, "; ".join(map(str, wrong)))

    def close(self) -> None:
        """See `base.Source.close`."""
        with self._lock:
            if self._duckdb is not None:
                self._duckdb.close()
            self._duckdb, self._loaded, self._described = None, {}, {}
