"""All people in groups, under an activity for which no row may leave: against DuckDB's scanner over the same database.

    python bench/question_aggregate.py [--rounds 7] [--each 3]

Promised: at least as fast as the baseline, which gets every row. Groups under the minimum must be absent, and those
that would tell how large these are.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from _baseline import AGAINST, ask
from _data import MINIMUM
from _measure import conclude, must, run, told
from _question import GROUPS, OVERVIEW, Setting, options, setting

SPEEDUP = 1.0


def main() -> None:
    chosen = options(rounds=7, each=3)
    with setting() as at:
        _measure(at, chosen.rounds, chosen.each)


def _measure(at: Setting, rounds: int, each: int) -> None:
    official = at.nodes.official(OVERVIEW)
    everything = at.reference.execute(GROUPS.replace("brp.", "")).fetchall()
    shown = _shown(everything)
    must(len(shown) < len(everything), "the data hold no group that is too small to show")
    official.ask(GROUPS, {})
    ask(at.baseline, GROUPS, {})
    ours, theirs, steps = [], [], []
    leaving = at.leaving()
    for _ in range(rounds):
        for _ in range(each):
            answer, took = official.ask(GROUPS, {})
            ours.append(took)
            steps.append(answer["timings"])
            _check(answer["rows"], shown, "Sluis")
        began = time.perf_counter()
        rows = ask(at.baseline, GROUPS, {})
        theirs.append((time.perf_counter() - began) * 1000)
        _check(rows, everything, "the baseline")
    print(told("Sluis, groups over all", ours))
    print(told(AGAINST, theirs))
    for step in steps[0]:
        print(told(f"  of which {step}", [one[step] for one in steps]))
    left = leaving.left()["brp"] / len(ours)
    print(f"rows leaving brp {left:27.1f} per question   groups {len(everything)}, shown {len(shown)}")
    must(left <= len(everything), "rows left where only groups may")
    value, speedup = statistics.median(ours), statistics.median(theirs) / statistics.median(ours)
    conclude(
        "question_aggregate",
        value,
        "ms",
        speedup >= SPEEDUP,
        against=AGAINST,
        speedup=speedup,
        baseline_ms=statistics.median(theirs),
        fastest_ms=min(ours),
    )


def _shown(groups: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Those that may be told: not the small ones, and not the smallest others while the hidden ones, which are what is
    left of the total, are still fewer people than a group must have."""
    hidden = 0
    told = []
    for group in sorted(groups, key=lambda row: row[1]):
        if group[1] < MINIMUM or 0 < hidden < MINIMUM:
            hidden += group[1]
        else:
            told.append(group)
    return sorted(told)


def _check(rows: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]], who: str) -> None:
    must(
        [row[:2] for row in map(tuple, rows)] == [row[:2] for row in right],
        f"{who} gave other groups or counts",
    )
    near = all(
        abs(float(one[2]) - other[2]) < 1e-6 * abs(other[2]) for one, other in zip(rows, right, strict=True)
    )
    must(near, f"{who} gave other averages")


if __name__ == "__main__":
    run(main)
