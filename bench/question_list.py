"""A list of a thousand persons over three owners, against DuckDB's scanners; every owner writes a line per person.

    python bench/question_list.py [--rounds 5] [--each 5]

Promised: 8 times as fast as the baseline, one log record per person at every owner, no row leaves that was not needed.
"""

import statistics
import time
from collections import Counter
from typing import Any

from _baseline import AGAINST, ask
from _measure import conclude, must, run, told
from _question import ABOUT_PEOPLE, MANY, Setting, options, setting

PEOPLE, SPEEDUP = 1000, 8.0
_SUBJECT = "dpl.core.data_subject_id"


def main() -> None:
    chosen = options(rounds=5, each=5)
    with setting() as at:
        _measure(at, chosen.rounds, chosen.each)


def _measure(at: Setting, rounds: int, each: int) -> None:
    official = at.nodes.official(ABOUT_PEOPLE)
    first = at.people(PEOPLE, seed=10)
    for _ in range(2):
        answer, _ = official.ask(MANY, {"people": first})
    _one_line_each(at, answer)
    ask(at.baseline, MANY, {"people": first})
    ours, theirs, steps = [], [], []
    leaving = at.leaving()
    for number in range(rounds):
        people = at.people(PEOPLE, seed=11 + number)
        right = [row for rows in at.right(people).values() for row in rows]
        for _ in range(each):
            answer, took = official.ask(MANY, {"people": people})
            ours.append(took)
            steps.append(answer["timings"])
            at.check(answer["rows"], right, "Sluis")
            leaving.answered(answer, right)
        began = time.perf_counter()
        rows = ask(at.baseline, MANY, {"people": people})
        theirs.append((time.perf_counter() - began) * 1000)
        at.check(rows, right, "the baseline")
    _one_line_each(at, answer)
    print(told(f"Sluis, {PEOPLE} persons", ours))
    print(told(AGAINST, theirs))
    for step in steps[0]:
        print(told(f"  of which {step}", [one[step] for one in steps]))
    ratio = leaving.ratio()
    value, speedup = statistics.median(ours), statistics.median(theirs) / statistics.median(ours)
    conclude(
        "question_list",
        value,
        "ms",
        speedup >= SPEEDUP and ratio == 1.0,
        against=AGAINST,
        speedup=speedup,
        baseline_ms=statistics.median(theirs),
        fastest_ms=min(ours),
        rows_out_per_row_needed=ratio,
        persons=PEOPLE,
    )


def _one_line_each(at: Setting, answer: dict[str, Any]) -> None:
    """Every owner's ledger holds exactly one record of processing for each person (address) it was asked about."""
    for alias, node in at.nodes.owners.items():
        lines = Counter(
            record["attributes"][_SUBJECT]
            for record in node.records(answer["traceId"])
            if _SUBJECT in record.get("attributes", {})
        )
        must(
            len(lines) == PEOPLE and set(lines.values()) == {1},
            f"{alias} wrote {lines.total()} lines about {len(lines)} of {PEOPLE} persons",
        )
        print(f"lines in the log of {alias:<14} {lines.total():>10}   persons {len(lines):>10}")


if __name__ == "__main__":
    run(main)
