"""What a dataset is like, as measured at its source by the owner, and kept in a file for the catalogue.

Nothing of a row is kept: how many rows there are, how much of each column is filled, and the last day of the one column that the
owner named for it. Of a dataset about people the number of rows is rounded, so that nobody sees one person come or go; of a
small one nothing else is kept, and of special columns never how much is filled. Source names and failures stay out of it.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from sluis.catalogue.model import Description, Measurement, Share
from sluis.catalogue.rules import tells_days
from sluis.grounds import Column, Dataset
from sluis.kernel import Clock, decode, encode
from sluis.sources import Limits, Source, SourceFailure, TableInfo
from sluis.store import write_durably

FEW = 100
"""People. Of fewer than these nothing is told but a rounded number."""

MEASUREMENTS_FILE = "var/measurements.json"
"""Where they are kept, counted from the node directory."""


def keep_measurements(directory: Path, measurements: Sequence[Measurement]) -> None:
    """Keep these in the place of earlier ones of the same datasets. Raises `OSError`."""
    path = directory / MEASUREMENTS_FILE
    every = {**kept_measurements(directory), **{one.dataset: one for one in measurements}}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, encode([every[name] for name in sorted(every)]))


def kept_measurements(directory: Path) -> dict[str, Measurement]:
    """The last of each dataset; none where nothing readable was kept."""
    try:
        found = decode((directory / MEASUREMENTS_FILE).read_bytes(), list[Measurement])
    except (OSError, msgspec.MsgspecError):
        return {}
    return {one.dataset: one for one in found}


def measure(
    dataset: Dataset, said: Description | None, source: Source, limits: Limits, clock: Clock
) -> Measurement:
    """Measure one dataset. Blocks; takes as long as the source needs to read it once.

    Args:
        dataset: the dataset.
        said: its description, which may name the column that says when a row was changed.
        source: where it is.
        limits: of this reading.
        clock: aware UTC.

    Raises `SourceFailure`.
    """
    at, begin = clock(), time.perf_counter()
    info = next((one for one in source.tables() if one.name.lower() == dataset.table.lower()), None)
    if info is None:
        raise SourceFailure("changed", f"there is no table {dataset.table}")
    native = {one.name.lower(): one.name for one in info.columns}
    columns = [(one, native[name]) for one in dataset.columns if (name := _own(one)) in native]
    counted = _counted(source, info, [name for _, name in columns], limits)
    changed = [name for one, name in columns if said and one.name == said.changed and tells_days(one)]
    newest = _newest(source, info, changed[0], limits) if changed else None
    rows = counted[0]
    shares = tuple(
        Share(one.name, filled * 100 // rows)
        for (one, _), filled in zip(columns, counted[1:], strict=True)
        if rows and one.sensitivity != "special"
    )
    told = Measurement(
        dataset.name, at, round((time.perf_counter() - begin) * 1000), rows, shares, _past(newest, at)
    )
    return veiled(told) if dataset.subject else told


def veiled(one: Measurement) -> Measurement:
    """A measurement of a dataset about people, without what would tell of one of them."""
    if one.rows < FEW:
        return Measurement(one.dataset, one.at, one.milliseconds, rounded(one.rows))
    return msgspec.structs.replace(one, rows=rounded(one.rows))


def rounded(count: int) -> int:
    """A count to two significant digits, and to tens at least; of a few, ten."""
    if 0 < count < 10:
        return 10
    unit = max(10, int(10 ** (len(str(count)) - 2)))
    return (count + unit // 2) // unit * unit


def _own(column: Column) -> str:
    """The name at the source, lower case; nothing for what is computed, whose share follows from the others."""
    return "" if column.expression is not None else (column.source or column.name).lower()


def _counted(source: Source, info: TableInfo, names: Sequence[str], limits: Limits) -> list[int]:
    """How many rows there are, and in how many of them each column is filled."""
    from sqlglot import exp

    counts = [exp.Count(this=exp.Star()), *(exp.Count(this=_column(name)) for name in names)]
    query = exp.select(*(exp.alias_(one, f"c{at}") for at, one in enumerate(counts))).from_(_table(info))
    if _pushable(query, source):
        schema = {f"c{at}": "BIGINT" for at in range(len(counts))}
        return [
            int(one.column(at)[0].as_py())
            for one in _read(source, query, schema, limits)
            for at in range(len(counts))
        ]
    types = {one.name: one.type for one in info.columns}
    shown = names or [info.columns[0].name]
    query = exp.select(*(exp.alias_(_column(name), f"c{at}") for at, name in enumerate(shown))).from_(
        _table(info)
    )
    totals = [0] * (len(names) + 1)
    for batch in _read(source, query, {f"c{at}": types[name] for at, name in enumerate(shown)}, limits):
        totals[0] += batch.num_rows
        for at in range(len(names)):
            totals[at + 1] += batch.num_rows - batch.column(at).null_count
    return totals


def _newest(source: Source, info: TableInfo, name: str, limits: Limits) -> date | None:
    """The last day in a column; None when it has none, or holds what is no day."""
    from sqlglot import exp

    kind = next(one.type for one in info.columns if one.name == name)
    query = exp.select(exp.alias_(exp.Max(this=_column(name)), "c0")).from_(_table(info))
    if not _pushable(query, source):
        query = exp.select(exp.alias_(_column(name), "c0")).from_(_table(info))
    found: date | None = None
    for batch in _read(source, query, {"c0": kind}, limits):
        days = [day for value in batch.column(0).to_pylist() if (day := _day(value)) is not None]
        found = max([*days, *([found] if found else [])], default=None)
    return found


def _read(source: Source, query: Any, schema: Mapping[str, str], limits: Limits) -> Any:
    import pyarrow as pa

    from sluis.statement import arrow_type

    fields = [(name, arrow_type(kind)) for name, kind in schema.items()]
    return source.prepare(query, {}, pa.schema(fields)).run({}, limits)


def _pushable(query: Any, source: Source) -> bool:
    from sluis.sources import column_types
    from sluis.statement import pushable

    return pushable(query, source.dialect, column_types(source.tables()))


def _column(name: str) -> Any:
    from sqlglot import exp

    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier("t", quoted=True))


def _table(info: TableInfo) -> Any:
    from sqlglot import exp

    identifier = exp.to_identifier(info.name, quoted=True)
    return exp.Table(this=identifier, alias=exp.TableAlias(this=exp.to_identifier("t", quoted=True)))


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value is not None else None
    except ValueError:
        return None


def _past(day: date | None, at: datetime) -> date | None:
    """A day that has been; one that is still to come says nothing about when rows were changed."""
    return day if day is not None and day <= at.astimezone(UTC).date() else None
