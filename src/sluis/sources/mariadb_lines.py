"""Rows that MariaDB wrote as lines of CSV (`mariadb_sql`), read by Arrow: bulk without Python touching every value."""

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv as pacsv

from sluis.sources.shape import Shape


class Lines:
    """Reads lines as rows of one shape."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._names = [f"c{place}" for place in range(len(shape.schema))]
        kinds = zip(self._names, shape.schema.types, strict=True)
        self._direct = _options({name: _csv_type(kind) for name, kind in kinds})
        self._as_text = _options(dict.fromkeys(self._names, pa.string()))

    def batch(self, lines: bytes, first: int) -> pa.RecordBatch:
        """The rows on these lines; `first` is the number of the first one. Raises: SourceFailure for a broken row."""
        try:
            batch = self._table(lines, self._direct)
        except pa.ArrowException:
            # Some value does not fit: read again as text, to tell which.
            batch = self._table(lines, self._as_text)
        return self._shape.conform(_unhexed(batch, self._shape.schema), first)

    def _table(self, lines: bytes, options: pacsv.ConvertOptions) -> pa.RecordBatch:
        # An empty line is a row: NULL in a table of one column.
        parsing = pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        reading = pacsv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(lines) + 1024)
        table = pacsv.read_csv(
            io.BytesIO(lines + b"\n"), read_options=reading, parse_options=parsing, convert_options=options
        )
        return table.combine_chunks().to_batches()[0]


def _csv_type(kind: pa.DataType) -> pa.DataType:
    """What Arrow's CSV reader reads strictly by itself; the rest comes as text and is cast."""
    return (
        kind
        if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or kind == pa.float64()
        else pa.string()
    )


def _options(types: Mapping[str, pa.DataType]) -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        check_utf8=True,
    )


def _unhexed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        pa.array([None if v is None else bytes.fromhex(v) for v in array.to_pylist()], pa.binary())
        if pa.types.is_binary(kind)
        else array
        for array, kind in zip(batch.columns, schema.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
