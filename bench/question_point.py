"""One person over three owners: how long it takes, against DuckDB's scanners, and how many rows leave for it.

    python bench/question_point.py [--rounds 7] [--each 60]
    python bench/question_point.py --profile sluiswijk      where a node's time goes (or brp, bag, ruimte)

Promised: median 15 ms or less, 100 times as fast as the baseline, and no row leaves that was not needed.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from _baseline import AGAINST, ask
from _measure import conclude, must, run, told
from _question import ABOUT_PEOPLE, ONE, Setting, setting
from _servers import VAR

MEDIAN, SPEEDUP = 15.0, 100.0
_WARM = 30
_READ = 256 * 1024
"""Bytes the SQLite owner may read per question; its table is twenty million."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="questions to the baseline")
    parser.add_argument("--each", type=int, default=60, help="questions to Sluis between two of those")
    parser.add_argument("--profile", metavar="NODE", help="profile this node instead of measuring")
    chosen = parser.parse_args()
    if chosen.profile:
        _profile(chosen.profile)
    else:
        with setting() as at:
            _measure(at, chosen.rounds, chosen.each)


def _measure(at: Setting, rounds: int, each: int) -> None:
    people = at.people(rounds * each, seed=1)
    right = at.right(people)
    official = at.nodes.official(ABOUT_PEOPLE)
    for bsn in at.people(_WARM, seed=2):
        official.ask(ONE, {"bsn": bsn})
    ask(at.baseline, ONE, {"bsn": people[0]})
    ours, theirs, steps = [], [], []
    leaving = at.leaving()
    spent = dict.fromkeys((node.organisation.alias for node in at.nodes), 0.0)
    for number in range(rounds):
        turn = people[number * each : (number + 1) * each]
        before = {node.organisation.alias: node.cpu() for node in at.nodes}
        for bsn in turn:
            answer, took = official.ask(ONE, {"bsn": bsn})
            ours.append(took)
            steps.append(answer["timings"])
            at.check(answer["rows"], right[bsn], "Sluis")
            leaving.answered(answer, right[bsn])
        for node in at.nodes:
            spent[node.organisation.alias] += node.cpu() - before[node.organisation.alias]
        theirs.append(_timed_baseline(at, turn[0], right[turn[0]]))
    print(told("Sluis, one person", ours))
    print(told(AGAINST, theirs))
    for step in steps[0]:
        print(told(f"  of which {step}", [one[step] for one in steps]))
    for alias, seconds in spent.items():
        print(f"processor time of node {alias:<10} {seconds * 1000 / len(ours):6.2f} ms per question")
    ratio = leaving.ratio()
    must(leaving.bytes_per_question() < _READ, "the owner of the SQLite file reads its table through")
    value, speedup = statistics.median(ours), statistics.median(theirs) / statistics.median(ours)
    conclude(
        "question_point",
        value,
        "ms",
        value <= MEDIAN and speedup >= SPEEDUP and ratio == 1.0,
        against=AGAINST,
        speedup=speedup,
        baseline_ms=statistics.median(theirs),
        fastest_ms=min(ours),
        rows_out_per_row_needed=ratio,
    )


def _timed_baseline(at: Setting, bsn: str, right: list[tuple[object, ...]]) -> float:
    began = time.perf_counter()
    rows = ask(at.baseline, ONE, {"bsn": bsn})
    took = (time.perf_counter() - began) * 1000
    at.check(rows, right, "the baseline")
    return took


def _profile(alias: str, questions: int = 400) -> None:
    file = VAR / f"{alias}.profile.json"
    file.unlink(missing_ok=True)
    with setting({alias: [str(Path(__file__).with_name("_sampler.py")), str(file)]}) as at:
        official = at.nodes.official(ABOUT_PEOPLE)
        for bsn in at.people(_WARM, seed=2):
            official.ask(ONE, {"bsn": bsn})
        file.touch()
        for bsn in at.people(questions, seed=3):
            official.ask(ONE, {"bsn": bsn})
    seen = json.loads(file.read_text())
    print(f"{alias}: looked {seen['looked']} times during {questions} questions and its stop")
    for name, seconds in sorted(seen["threads"].items(), key=lambda item: -item[1]):
        print(f"{seconds * 1000 / questions:8.2f} ms of processor per question   {name}")
    for title, kind in (("at work itself", "own"), ("at work through others", "under")):
        print(f"\n{title}, number of looks")
        for place, count in seen[kind]:
            print(f"{count:8}   {place}")


if __name__ == "__main__":
    run(main)
