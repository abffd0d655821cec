"""Compute a residual over what was fetched: in plain Python when it is small and simple (`plain`), otherwise in an
in-memory DuckDB that can reach nothing: no files, no network, no extensions, no Python variables, bounded memory, no
spill to disk, configuration locked. A connection serves one question and is dropped.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Mapping
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.sources import locked_duckdb
from sluis.statement import plain, shapes
from sluis.statement.split import Plan


class EngineLimits(msgspec.Struct, frozen=True):
    """What combining one answer may cost. `small` is the number of fetched rows up to which Python is tried."""

    memory: str = "512MB"
    threads: int = 2
    seconds: float = 30.0
    small: int = 1000


class Combiner:
    """Combines answers; keeps `spares` connections ready, since opening one takes longer than most questions."""

    def __init__(self, limits: EngineLimits | None = None, spares: int = 1) -> None:
        self._limits = limits or EngineLimits()
        self._spares: queue.SimpleQueue[duckdb.DuckDBPyConnection] = queue.SimpleQueue()
        self._wanted = spares
        self._filling = threading.Lock()
        self._closed = False

    def warm(self) -> None:
        """Open the spare connections now."""
        with self._filling:
            while self._spares.qsize() < self._wanted and not self._closed:
                self._spares.put(_connect(self._limits))

    def close(self) -> None:
        """Give the spare connections up; may be called twice."""
        self._closed = True
        with self._filling, contextlib.suppress(queue.Empty):
            while True:
                self._spares.get_nowait().close()

    async def combine(
        self, plan: Plan, relations: Mapping[str, pa.Table], values: Mapping[str, Any]
    ) -> pa.Table:
        """Compute the residual of a plan.

        Args:
            plan: whose residual it is.
            relations: the fetched tables by fetch id.
            values: the question's parameters.

        Raises:
            Invalid: `answer-too-large`, `answer-too-slow`, `form-unsupported` or `cannot-compute`; no value of the data
                is in it.
        """
        if sum(table.num_rows for table in relations.values()) <= self._limits.small:
            compiled = plain.compiled(plan)
            answer = compiled(relations, values) if compiled is not None else None
            if answer is not None:
                return answer
        connection = self._take()
        work = asyncio.create_task(asyncio.to_thread(_compute, connection, plan, relations, values))
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._limits.seconds)
        except TimeoutError:
            raise _problem("answer-too-slow") from None
        finally:
            while not work.done():  # again and again: a statement that had not yet begun does not notice
                connection.interrupt()
                await asyncio.wait({work}, timeout=0.05)
            work.exception()  # noted; it was raised above, or nobody waits for it any more
            # Not a daemon: the interpreter may not end while a connection is being opened.
            threading.Thread(target=self._renew, args=(connection,)).start()

    def _renew(self, used: duckdb.DuckDBPyConnection) -> None:
        """Drop a connection and open the next: milliseconds that nobody's question should wait for."""
        used.close()
        self.warm()

    def _take(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._spares.get_nowait()
        except queue.Empty:
            return _connect(self._limits)


def _connect(limits: EngineLimits) -> duckdb.DuckDBPyConnection:
    """A connection that can reach nothing, with the first registration of an Arrow table behind it."""
    connection = locked_duckdb(limits.threads, limits.memory)
    connection.register("first", pa.table({"one": [1]}))
    connection.execute("SELECT one FROM first").to_arrow_table()
    connection.unregister("first")
    return connection


def _compute(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    relations: Mapping[str, pa.Table],
    values: Mapping[str, Any],
) -> pa.Table:
    sql, names = _statement(plan)
    try:
        for fetch in plan.fetches:
            connection.register(f"{fetch.id}_arrow", relations[fetch.id])
            columns = ", ".join(
                f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in fetch.columns
            )
            connection.execute(f'CREATE TEMP VIEW "{fetch.id}" AS SELECT {columns} FROM "{fetch.id}_arrow"')
        return connection.execute(sql, {name: _value(values[name]) for name in names}).to_arrow_table()
    except duckdb.OutOfMemoryException:
        raise _problem("answer-too-large") from None
    except duckdb.InterruptException:
        raise _problem("answer-too-slow") from None
    except duckdb.NotImplementedException:  # it cannot plan some correlated subqueries over outer joins
        raise _problem("form-unsupported") from None
    except duckdb.Error:
        raise _problem("cannot-compute") from None


def _statement(plan: Plan) -> tuple[str, tuple[str, ...]]:
    """The residual as SQL with every parameter cast to its type, and the parameters in it."""
    if "sql" not in plan.memory:
        residual = plan.residual.copy()
        names = tuple(dict.fromkeys(node.name for node in residual.find_all(exp.Placeholder)))
        for node in list(residual.find_all(exp.Placeholder)):
            kind = plan.parameters.get(node.name)
            if kind is not None:
                full = f"{kind}[]" if shapes.is_list(node) else kind
                node.replace(exp.cast(node.copy(), exp.DataType.build(full, dialect="duckdb")))
        plan.memory["sql"] = (residual.sql("duckdb"), names)
    statement: tuple[str, tuple[str, ...]] = plan.memory["sql"]
    return statement


def _value(value: Any) -> Any:
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return value.to_pylist()
    return list(value) if isinstance(value, tuple | set | frozenset) else value


_WHY = {
    "answer-too-large": Text(
        "Daarvoor is meer geheugen nodig dan mag.", "It takes more memory than is allowed."
    ),
    "answer-too-slow": Text("Het samenvoegen duurde te lang.", "Combining took too long."),
    "form-unsupported": Text(
        "DuckDB, dat hier samenvoegt, kent deze vorm van vragen niet. Vaak is het een subvraag met een FULL, LEFT of RIGHT "
        "JOIN, die naar de vraag eromheen verwijst. Aan de gegevens ligt het niet.",
        "DuckDB, which combines here, does not know this form of question. Often it is a subquery with a FULL, LEFT or RIGHT "
        "JOIN that refers to the question around it. It is not because of the data.",
    ),
    "cannot-compute": Text(
        "Een berekening of omzetting lukt niet bij een van de waarden.",
        "A computation or conversion fails on one of the values.",
    ),
}
_NEXT = {
    "answer-too-large": Text("Stel een nauwere vraag.", "Ask a narrower question."),
    "answer-too-slow": Text("Stel een nauwere vraag.", "Ask a narrower question."),
    "form-unsupported": Text(
        "Zet die subvraag in WITH, en koppel haar met JOIN; of stel twee vragen.",
        "Put that subquery in WITH, and join it with JOIN; or ask two questions.",
    ),
    "cannot-compute": Text("Gebruik TRY_CAST of een ruimer type.", "Use TRY_CAST or a wider type."),
}


def _problem(code: str) -> Invalid:
    what = Text("De antwoorden konden niet worden samengevoegd.", "The answers could not be combined.")
    return Invalid(code, what, _WHY[code], _NEXT[code])
