"""Few rows or bulk: a query that names the rows it wants is answered in one go, over a connection that is warm; where more come, and
for all other queries, the answer streams.

For sources that keep connections to a server (`watch.Pool`). How either is asked is theirs.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pyarrow as pa
from sqlglot import exp

from sluis.sources.base import Limits, SourceFailure
from sluis.sources.fold import is_constant
from sluis.sources.shape import Shape, counted
from sluis.sources.watch import Pool
from sluis.sources.writer import conjuncts

T = TypeVar("T")

FEW = 20_000
"""Rows up to which a query is answered in one go; with more it is asked again in bulk. It is asked for one more, to know."""

Rows = Sequence[tuple[Any, ...]]


class Stale(Exception):
    """A connection from the pool turned out to be of no use any more: the server closed it, or knows its statements no longer."""


def few_or_bulk(
    few: Callable[[], Rows] | None, bulk: Callable[[], Iterator[pa.RecordBatch]], shape: Shape, limits: Limits
) -> Iterator[pa.RecordBatch]:
    """The answer to a query, in batches.

    Args:
        few: asks it in one go, for at most `FEW` + 1 rows; None where that costs more than bulk does.
        bulk: asks it in bulk.
        shape: of the answer.
        limits: what it may cost.

    Raises:
        SourceFailure: `too-many-rows`, and what asking raises.
    """
    if few is not None:
        rows = few()
        if len(rows) > limits.rows:
            raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
        if len(rows) <= FEW:
            for first in range(0, len(rows), limits.batch_rows):
                yield shape.batch(rows[first : first + limits.batch_rows], first)
            return
    yield from counted(bulk(), limits.rows)


def again_if_stale(ask: Callable[[], T], pool: Pool[Any]) -> T:
    """What `ask` gives, which is asked once more over a new connection when it raises `Stale`: that its connection was idle for
    too long, or from before a restart of the server, says nothing about now."""
    try:
        return ask()
    except Stale:
        pool.clear()
        return ask()


def gives_few(query: exp.Query) -> bool:
    """Whether few rows are to be expected: the query names them by the value of a column, or can give no more than `FEW`."""
    most = _most_rows(query)
    return any(map(_names_rows, conjuncts(query))) or (most is not None and most <= FEW)


def _names_rows(condition: exp.Expression) -> bool:
    return (
        isinstance(condition, exp.EQ)
        and isinstance(condition.left, exp.Column)
        and (isinstance(condition.right, exp.Any) or is_constant(condition.right))
    )


def _most_rows(query: exp.Query) -> int | None:
    """The most rows a query can give, None when only the data says."""
    if not isinstance(query, exp.Select):
        return None
    limit = query.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Literal):
        return int(limit.expression.this)
    aggregates = all(item.find(exp.AggFunc) is not None for item in query.selects)
    return 1 if aggregates and not query.args.get("group") else None
