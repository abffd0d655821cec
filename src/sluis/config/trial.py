"""The owner's SQL tried on empty tables in DuckDB, which is what says what SQL means here: no rows, no source. And the
conditions of notices, in the language of CloudEvents.

`grounds` has seen that an expression may stand there; this sees that its functions exist and its types fit.
"""

from collections.abc import Iterator
from typing import Any

from sluis.events import compile_expression
from sluis.grounds import (
    Dataset,
    Disclosure,
    Document,
    EventType,
    Fault,
    Keys,
    Notice,
    Reading,
    expression_fault,
    meant,
)
from sluis.kernel import Invalid, Text


def try_expressions(reading: Reading) -> Iterator[Invalid]:
    """The problems that DuckDB 1.5 has with conditions and masks that are otherwise in order."""
    tried: dict[str, list[tuple[Disclosure, Document]]] = {}
    for written in reading.written:
        one = written.item
        if isinstance(one, Disclosure) and (one.rows or one.masks):
            tried.setdefault(one.dataset, []).append((one, written.document))
    datasets = [dataset for dataset in map(reading.grounds.dataset, tried) if dataset]
    if not datasets:
        return
    import duckdb  # only here: most commands need no engine

    with duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "1"}) as connection:
        for dataset in datasets:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in dataset.columns)
            connection.execute(f"CREATE OR REPLACE TABLE dataset ({columns})")
            for one, document in tried[dataset.name]:
                for fault in _faults(one, dataset, connection):
                    yield fault.problem(document)


def try_conditions(reading: Reading) -> Iterator[Invalid]:
    """Conditions of notices that cannot be read, name a function that is not there, or a fact that their event does not
    have."""
    for written in reading.written:
        one = written.item
        event = reading.grounds.event(one.event) if isinstance(one, Notice) else None
        if isinstance(one, Notice) and one.condition is not None and event is not None:
            for fault in _condition_faults(one.condition, event):
                yield fault.problem(written.document)


def _condition_faults(condition: str, event: EventType) -> Iterator[Fault]:
    try:
        expression = compile_expression(condition)
    except Invalid as problem:
        yield Fault(("condition",), "condition", problem.what, problem.why, problem.next)
        return
    for doubt in expression.doubts:
        yield _no_condition(doubt.text, _WRITE)
    for name in sorted(expression.names - event.facts.keys()):
        why = Text(f"`{event.type}` heeft geen feit `{name}`.", f"`{event.type}` has no fact `{name}`.")
        yield _no_condition(why, meant(name, event.facts))


_WRITE = Text(
    "Schrijf een voorwaarde over de feiten, zoals `uitkomst = 'afgewezen'`.",
    "Write a condition over the facts, such as `outcome = 'refused'`.",
)


def _no_condition(why: Text, next: Text) -> Fault:
    what = Text("Deze voorwaarde kan hier niet.", "This condition is not possible here.")
    return Fault(("condition",), "condition", what, why, next)


def _faults(one: Disclosure, dataset: Dataset, connection: Any) -> Iterator[Fault]:
    import duckdb

    names = {column.name for column in dataset.columns}
    for keys, text, needed in _expressions(one, dataset):
        if expression_fault(text, names) is not None:
            continue
        try:
            ((_, found, *_),) = connection.execute(f"DESCRIBE SELECT (\n{text}\n) FROM dataset").fetchall()
        except duckdb.Error as error:
            told = str(error).splitlines()[0]
            yield _fault(keys, Text(f"DuckDB meldt: {told}", f"DuckDB says: {told}"))
            continue
        if needed != "VARCHAR" and _family(found) != _family(needed) and text.strip().upper() != "NULL":
            yield _fault(keys, Text(f"Zij geeft {found}, geen {needed}.", f"It gives {found}, not {needed}."))


def _expressions(one: Disclosure, dataset: Dataset) -> Iterator[tuple[Keys, str, str]]:
    """Each expression with the type it must have; a mask has its column's, and anything can be shown as text."""
    if one.rows is not None:
        yield ("rows",), one.rows, "BOOLEAN"
    for name, mask in one.masks.items():
        column = dataset.column(name)
        if column is not None:
            yield ("masks", name), mask, column.type


def _family(kind: str) -> str:
    families = {"VARCHAR": "text", "BOOLEAN": "truth", "DATE": "time", "TIMESTAMP": "time"}
    return families.get(kind, "number")


def _fault(keys: Keys, why: Text) -> Fault:
    return Fault(
        keys,
        "expression-does-not-work",
        Text("Deze SQL-expressie werkt niet.", "This SQL expression does not work."),
        why,
        Text(
            "Probeer haar in DuckDB, en let op namen van functies en op typen.",
            "Try it in DuckDB, and mind names of functions and types.",
        ),
    )
