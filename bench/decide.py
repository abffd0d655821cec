"""Decisions per second on one core: a thousand disclosures, every decision durable in the log before it is answered.

    python bench/decide.py [--seconds 10] [--disclosures 1000]

One process on one core holds the decision point and the ledger, over SQLite on the disk under `var/bench`. 64 tasks each
ask whether a peer may use a dataset, wait for the answer, which comes when its record is durable, and ask the next; peers
and activities go round, so that every slice of the policies is used. Beside the disclosures stand ten policies of the
organisation itself that forbid. One in ten questions is refused. After a second of running in, the rate counts over whole
seconds, and the time of each decision from asking to answer. At the end as many records must be in the log as were
answered.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from datetime import date
from itertools import count
from pathlib import Path

import uvloop

from _measure import conclude, must, percentile, run, told
from sluis.crypto import FileKeyStore
from sluis.grounds import Activity, Article, Disclosure, Grounds
from sluis.kernel import Oin, PeerId, Period, Text, Trace, utc_now
from sluis.ledger import decisions, open_ledger
from sluis.policy import DecisionPoint, Evaluation, Policies, consultation, open_versions, rulings_of
from sluis.serve import settle
from sluis.store import open_store

PER_SECOND, P99_MS, CALLERS = 3_000, 25.0, 64
PEERS, ACTIVITIES = 20, 10
VAR = Path(__file__).resolve().parents[1] / "var" / "bench"
LAW = Article("Participatiewet", "64", "BWBR0015703")
SINCE = Period(date(2020, 1, 1))
OWN = "".join(
    f"""@id("closed-{number}") forbid (principal, action == Action::"consult", resource)
    when {{ context.acr == "closed-{number}" }};\n"""
    for number in range(10)
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=10, help="how long to measure (default 10)")
    parser.add_argument("--disclosures", type=int, default=1_000, help="how many (default 1,000)")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="decide-"))
    try:
        uvloop.run(_measure(directory, chosen.disclosures, chosen.seconds))
    finally:
        shutil.rmtree(directory)


async def _measure(directory: Path, disclosures: int, seconds: int) -> None:
    store = open_store(directory / "node.db")
    ledger = open_ledger(store, FileKeyStore(directory / "keys"), "bench.example/log", utc_now)
    grounds, questions = _grounds(disclosures)
    policies = Policies({"own.cedar": OWN}, rulings_of(grounds, "own", True), contracts=True)
    began = time.perf_counter()
    point = DecisionPoint(policies, "own", ledger, utc_now)
    open_versions(store).keep(policies, utc_now())
    print(f"{'making ready':<34} {(time.perf_counter() - began) * 1000:17.2f} ms   {disclosures} disclosures")
    print(told("deciding alone", [_alone(point, question) for question in questions]))
    settle()  # as a node does once it listens
    end = time.perf_counter() + 1 + seconds
    numbers, answered = count(), list[tuple[float, float]]()

    async def caller() -> None:
        while (started := time.perf_counter()) < end:
            number = next(numbers)
            question = questions[number % len(questions)]
            decided = await point.evaluate(question, Trace.begin())
            must(
                decided.permit == (number % len(questions) % 10 != 0),
                f"{decided.rule} is not what was to come out",
            )
            now = time.perf_counter()
            answered.append((now, (now - started) * 1000))

    first = time.perf_counter() + 1
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    store.close()
    counted = [(at, took) for at, took in answered if first <= at < first + seconds]
    rates = [sum(first + second <= at < first + second + 1 for at, _ in counted) for second in range(seconds)]
    times = [took for _, took in counted]
    store = open_store(directory / "node.db")
    must(sum(1 for _ in decisions(store, 0)) == len(answered), "not every answer has its record")
    store.close()
    print(told(f"until durable, {CALLERS} callers", times))
    print("a second: ", *rates)
    rate, late = statistics.median(rates), percentile(times, 99)
    conclude("decide", rate, "decisions/s", rate >= PER_SECOND and late <= P99_MS, p99_ms=late,
             p50_ms=statistics.median(times), disclosures=disclosures, callers=CALLERS)  # fmt: skip


def _alone(point: DecisionPoint, question: Evaluation) -> float:
    began = time.perf_counter()
    point.decide(question)
    return (time.perf_counter() - began) * 1000


def _grounds(disclosures: int) -> tuple[Grounds, list[Evaluation]]:
    """Disclosures over peers and activities, and one question about each; each tenth is not covered by a contract."""
    peers = [PeerId(f"{number:020}") for number in range(1, PEERS + 1)]
    name = Text("Test", "Test")
    activities = tuple(
        Activity(f"urn:activity:{number}", name, name, Oin(peers[0]), "public-task", (LAW,), SINCE)
        for number in range(ACTIVITIES)
    )
    made = []
    for number in range(disclosures):
        peer, activity = peers[number % PEERS], activities[number // PEERS % ACTIVITIES].id
        made.append(
            Disclosure(f"d{number}", 1, f"dataset_{number}", peer, activity, {"a": "output"}, (LAW,), "public-task",
                       Oin(peers[0]), SINCE, refuse_acr=("local",))
        )  # fmt: skip
    questions = [
        consultation(one.recipient, "p", "http://eidas.europa.eu/LoA/substantial", one.activity, f"own.{one.dataset}",
                     agreed=[] if number % 10 == 0 else [one.id], context={"case": "Z-1"})
        for number, one in enumerate(made)
    ]  # fmt: skip
    return Grounds((), activities, tuple(made)), questions


if __name__ == "__main__":
    run(main)
