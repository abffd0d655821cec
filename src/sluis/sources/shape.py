"""From a source's own values to Arrow, strictly: a value that does not fit the type asked for is a broken row.

Types are DuckDB's, because a question means what DuckDB says it means. Nothing is rounded, cut, parsed leniently or
turned into NULL here; what is accepted for each type stands in one table.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from sluis.sources.base import SourceFailure

_NAMED: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "TEXT": pa.string(),
    "JSON": pa.string(),
    "UUID": pa.string(),
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "HUGEINT": pa.decimal128(38, 0),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "BLOB": pa.binary(),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def arrow_type(duckdb_type: str) -> pa.DataType:
    """The Arrow type that carries a DuckDB type (`BIGINT`, `DECIMAL(15,2)`), as DuckDB itself exports it.

    Raises:
        ValueError: a type that no source gives (nested types, intervals).
    """
    if known := _NAMED.get(duckdb_type):
        return known
    if match := _DECIMAL.fullmatch(duckdb_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    raise ValueError(f"no Arrow type for {duckdb_type}")


def _whole(value: Decimal | float) -> int:
    if value != int(value):
        raise ValueError("not a whole number")
    return int(value)


def _exact_float(value: int | Decimal) -> float:
    if isinstance(value, int) and float(value) != value:
        raise ValueError("not exact as a double")
    return float(value)


def _decimal(value: float) -> Decimal:
    # The shortest text that reads back as this double is what was meant when it was written.
    return Decimal(repr(value))


def _flag(value: int) -> bool:
    if value not in (0, 1):
        raise ValueError("not 0 or 1")
    return value == 1


def _day(value: str) -> date:
    if len(value) != 10:
        raise ValueError("not an ISO date")
    return date.fromisoformat(value)


def _naive(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("has a time zone")
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("has no time zone")
    return value


def _same(value: Any) -> Any:
    return value


Coercion = Callable[[Any], Any]


def _accepted(kind: pa.DataType) -> dict[type, Coercion]:
    """Which Python types may stand for an Arrow type, and how each becomes a value of it."""
    if pa.types.is_integer(kind):
        return {int: _same, Decimal: _whole}
    if pa.types.is_floating(kind):
        return {float: _same, int: _exact_float, Decimal: _exact_float}
    if pa.types.is_decimal(kind):
        return {Decimal: _same, int: _same, float: _decimal}
    if pa.types.is_boolean(kind):
        return {bool: _same, int: _flag}
    if pa.types.is_date(kind):
        return {date: _same, str: _day}
    if pa.types.is_timestamp(kind):
        check = _aware if kind.tz else _naive
        return {datetime: check, str: lambda value: check(datetime.fromisoformat(value))}
    if pa.types.is_time(kind):
        return {time: _same, str: time.fromisoformat}
    if pa.types.is_binary(kind):
        return {bytes: _same}
    return {str: _same, UUID: str}


_NONE = type(None)

_FEW = 8
"""Rows up to which Arrow is called once for all columns: building them one by one costs more than the values do."""


class _Column:
    """How one column of the answer is built; `place` is `table.column` at the source."""

    __slots__ = ("accepted", "kind", "nullable", "place", "plain")

    def __init__(self, field: pa.Field, place: str) -> None:
        self.kind, self.nullable, self.place = field.type, field.nullable, place
        self.accepted = _accepted(field.type)
        self.plain = {kind for kind, coercion in self.accepted.items() if coercion is _same} | {_NONE}

    def build(self, values: Sequence[Any]) -> pa.Array:
        return pa.array(self.fitted(values), self.kind)

    def fitted(self, values: Sequence[Any]) -> Sequence[Any]:
        """The values, each of a Python type that stands for the column's own."""
        kinds = set(map(type, values))
        if _NONE in kinds and not self.nullable:
            raise ValueError("empty where a value is required")
        if not kinds <= self.plain:
            return [None if value is None else self.accepted[type(value)](value) for value in values]
        return values


class Shape:
    """The schema an answer must have, and where its columns come from.

    Args:
        schema: what was asked for.
        places: per column of the schema, `table.column` at the source, or what describes it.
        keys: indexes of the columns that name a row; their values go into the place of a broken row.
    """

    def __init__(self, schema: pa.Schema, places: Sequence[str], keys: Sequence[int] = ()) -> None:
        self.schema, self.keys = schema, keys
        self.columns = [_Column(field, place) for field, place in zip(schema, places, strict=True)]
        self._names = tuple(schema.names)
        alike = len(set(self._names)) < len(self._names)
        self._row = pa.struct(list(schema)) if self._names and not alike else None

    def batch(self, rows: Sequence[Sequence[Any]], first: int = 0) -> pa.RecordBatch:
        """Rows as one batch. `first` is the number of the first row in the answer, from 0.

        Raises:
            SourceFailure: `broken-row`, with the place of the first value that does not fit.
        """
        columns = zip(*rows, strict=True) if rows else ([] for _ in self.columns)
        try:
            if self._row is not None and 0 < len(rows) <= _FEW:
                return self._few(columns, self._row)
            arrays = [column.build(values) for column, values in zip(self.columns, columns, strict=True)]
        except (ValueError, KeyError, TypeError, OverflowError, ArithmeticError, pa.ArrowException) as error:
            raise self._broken(rows, first) from error
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _few(self, columns: Iterator[Sequence[Any]], row: pa.DataType) -> pa.RecordBatch:
        fitted = [column.fitted(values) for column, values in zip(self.columns, columns, strict=True)]
        dicts = [dict(zip(self._names, values, strict=True)) for values in zip(*fitted, strict=True)]
        return pa.RecordBatch.from_struct_array(pa.array(dicts, row))

    def _broken(self, rows: Sequence[Sequence[Any]], first: int) -> SourceFailure:
        for number, row in enumerate(rows):
            for column, value in zip(self.columns, row, strict=False):
                try:
                    column.build([value])
                except (ValueError, KeyError, TypeError, OverflowError, ArithmeticError, pa.ArrowException):
                    return self.failure(column.place, column.kind, row, first + number)
        return SourceFailure("broken-row", "the rows do not have the columns asked for")

    def failure(self, place: str, kind: pa.DataType, row: Sequence[Any], number: int) -> SourceFailure:
        """The failure for one value: which column, which row, and the type it should have had."""
        key = ", ".join(f"{self.schema.field(index).name}={row[index]!r}" for index in self.keys)
        where = f"row with {key}" if key else f"row {number + 1} of the answer"
        return SourceFailure("broken-row", f"a value does not fit {kind}", f"{place}, {where}")

    def conform(self, batch: pa.RecordBatch, first: int = 0) -> pa.RecordBatch:
        """A batch that a driver made, cast to exactly the schema; every cast is a safe one.

        Raises:
            SourceFailure: `broken-row`, when a value does not survive the cast.
        """
        arrays = [self._cast(batch, index, column, first) for index, column in enumerate(self.columns)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _cast(self, batch: pa.RecordBatch, index: int, column: _Column, first: int) -> pa.Array:
        array, target = batch.column(index), column.kind
        try:
            array = _safely(array, target)
            if array.null_count and not column.nullable:
                raise ValueError("empty where a value is required")
        except (ValueError, pa.ArrowException) as error:
            raise self._first_bad(batch, index, column, first) from error
        return array

    def _first_bad(self, batch: pa.RecordBatch, index: int, column: _Column, first: int) -> SourceFailure:
        array = batch.column(index)
        for number in range(len(array)):
            try:
                _safely(array.slice(number, 1), column.kind)
                fits = array[number].is_valid or column.nullable
            except (ValueError, pa.ArrowException):
                fits = False
            if not fits:
                row = [batch.column(other)[number].as_py() for other in range(batch.num_columns)]
                return self.failure(column.place, column.kind, row, first + number)
        return SourceFailure("broken-row", f"a value does not fit {column.kind}", column.place)


def _safely(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Arrow's own casts are safe but for one: any number would do for a boolean."""
    if array.type == kind:
        return array
    if pa.types.is_boolean(kind) and pa.types.is_integer(array.type):
        extremes = pc.min_max(array).as_py()
        if extremes["max"] is not None and not 0 <= extremes["min"] <= extremes["max"] <= 1:
            raise ValueError("not 0 or 1")
    return array.cast(kind)


def counted(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The batches, as long as they hold at most `rows` rows together.

    Raises:
        SourceFailure: `too-many-rows`, before the batch that goes over is given.
    """
    seen = 0
    for batch in batches:
        seen += batch.num_rows
        if seen > rows:
            raise SourceFailure("too-many-rows", f"more than {rows} rows")
        yield batch
