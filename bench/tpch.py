"""The 22 questions of TPC-H at scale 0.1, over three owners, through their nodes: everything is disclosed, so that the
planner alone makes the difference. Against DuckDB's scanner extensions on the same databases; every answer of both is
checked against one DuckDB that holds everything.

    python bench/tpch.py [--rounds 3] [--only 3 9 18]

Promised: 22 of 22 right, and in total at least one and a half times as fast as the baseline.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from typing import Any

from _baseline import AGAINST, ask, attached
from _federation import Federation, Organisation, federation
from _measure import conclude, must, run
from _servers import BASELINE, NODE
from _tpch_data import KEYS, TABLES, columns, databases, questions, reference, rows
from sluis.grounds import Activity, Article, Column, Dataset, Disclosure
from sluis.kernel import PeerId, Period, Text

SPEEDUP = 1.5
EVERYTHING = "https://register.voorbeeld.nl/handelscijfers"

_ASKER = PeerId("00000001000000005000")
_OINS = {
    "handel": PeerId("00000001000000006000"),
    "magazijn": PeerId("00000001000000007000"),
    "stam": PeerId("00000001000000008000"),
}
_LAW = Article("Wet van de metingen (fictief)", "1")
_SINCE = Period(date(2025, 1, 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=int, nargs="*", default=None)
    chosen = parser.parse_args()
    asked = {
        number: sql for number, sql in questions().items() if chosen.only is None or number in chosen.only
    }
    with ExitStack() as stack:
        found = stack.enter_context(databases())
        everything = stack.enter_context(reference())
        urls = found.urls(NODE)
        owners = [_owner(everything, alias, urls[alias]) for alias in TABLES]
        asker = Organisation("bureau", _ASKER, "Bureau Handelscijfers (fictief)")
        nodes = stack.enter_context(federation(asker, owners, (_activity(),)))
        baseline = stack.enter_context(attached(found.urls(BASELINE)))
        _measure(nodes, everything, baseline, asked, chosen.rounds)


def _both(text: str) -> Text:
    return Text(text, text)


def _activity() -> Activity:
    return Activity(
        EVERYTHING,
        _both("Handelscijfers (fictief)"),
        _both("Cijfers over handel."),
        _ASKER,
        "public-task",
        (_LAW,),
        _SINCE,
    )


def _owner(everything: Any, alias: str, url: str) -> Organisation:
    """An owner that opens all columns of all its tables, without naming a subject."""
    datasets = []
    disclosures = []
    for table in TABLES[alias]:
        described = columns(everything, alias, table)
        datasets.append(
            Dataset(
                name=table,
                title=_both(f"{table} (fictief)"),
                source="register",
                table=table,
                columns=tuple(Column(name, kind, sensitivity="open") for name, kind in described.items()),
                key=KEYS[table],
                rows=rows(everything, alias, table),
            )
        )
        disclosures.append(
            Disclosure(
                id=f"{table}-alles",
                version=1,
                dataset=table,
                recipient=_ASKER,
                activity=EVERYTHING,
                columns=dict.fromkeys(described, "output"),
                articles=(_LAW,),
                ground="public-task",
                controller=_OINS[alias],
                valid=_SINCE,
                subject_required=False,
                max_rows=10_000_000,
            )
        )
    return Organisation(alias, _OINS[alias], f"Register {alias} (fictief)", url, datasets, disclosures)


def _measure(nodes: Federation, everything: Any, baseline: Any, asked: dict[int, str], rounds: int) -> None:
    official = nodes.official(EVERYTHING)
    ours: dict[int, list[float]] = {number: [] for number in asked}
    theirs: dict[int, list[float]] = {number: [] for number in asked}
    wrong = set()
    for number, sql in asked.items():
        right = everything.execute(sql).fetchall()
        for _ in range(rounds):
            answer, took = official.ask(sql, {})
            ours[number].append(took)
            if not _same(answer["rows"], right):
                wrong.add(number)
            began = time.perf_counter()
            rows_of_baseline = ask(baseline, sql, {})
            theirs[number].append((time.perf_counter() - began) * 1000)
            must(_same(rows_of_baseline, right), f"the baseline gave another answer to question {number}")
        left = sum(part["rows"] for part in answer["receipts"])
        print(_line(number, ours[number], theirs[number], left, number not in wrong), flush=True)
    official.close()
    total, against = (sum(map(statistics.median, series.values())) for series in (ours, theirs))
    right_ones = len(asked) - len(wrong)
    conclude(
        "tpch",
        total,
        "ms",
        right_ones == 22 and against / total >= SPEEDUP,
        against=AGAINST,
        speedup=against / total,
        baseline_ms=against,
        right=right_ones,
    )


def _line(number: int, ours: Sequence[float], theirs: Sequence[float], left: int, right: bool) -> str:
    one, other = statistics.median(ours), statistics.median(theirs)
    return (
        f"question {number:>2}   {one:9.1f} ms   baseline {other:9.1f} ms   {other / one:6.2f} x   "
        f"rows leaving {left:>8}   {'right' if right else 'WRONG'}"
    )


def _same(rows: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> bool:
    """The same rows. In any order: where several rows tie in the ORDER BY, each order is right."""
    if len(rows) != len(right):
        return False
    return sorted(map(_key, rows)) == sorted(map(_key, right))


def _key(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(_shown(value) for value in row)


def _shown(value: Any) -> str:
    """Numbers rounded to nine digits: what is left is the last bits of an average."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return str(value)
    return f"{float(number):.9g}"


if __name__ == "__main__":
    run(main)
