"""What a provable record costs: 64 waiting writers against bare SQLite commits, and checking a million records.

    python bench/ledger.py [--rounds 21] [--records 1000000]

Appending: 64 asyncio tasks each append one record, wait until it is durable, and go on with the next; a round is
8,192 records, so that every round pays for one run of search terms. Bare: sqlite3 commits 64 rows with the same
columns and the same number of bytes in one transaction (WAL, synchronous=FULL): no index, no hash, no JSON, nobody
waiting. Rounds of both alternate, so that a busy machine slows both; the medians over the rounds are compared.

Checking: every record's leaf, every tile and the root of a log of a million records, made once under `var/bench`.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import uvloop

from _measure import conclude, must, run
from sluis.crypto import FileKeyStore
from sluis.kernel import new_span_id, new_trace_id, utc_now
from sluis.ledger import Ledger, Log, Processing, open_ledger, verify
from sluis.serve import settle
from sluis.store import open_store

COST_RATIO, VERIFY_SECONDS, THOUSAND_MS = 2.5, 15.0, 15.0
WRITERS, ROUND = 64, 8192
VAR = Path(__file__).resolve().parents[1] / "var" / "bench"

Row = tuple[int, int, int, int, int, int, bytes, bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=21, help="rounds of appending (default 21)")
    parser.add_argument("--records", type=int, default=1_000_000, help="size of the log to check")
    chosen = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="ledger-"))
    try:
        ours, bare, thousand = uvloop.run(_appending(directory, chosen.rounds))
    finally:
        shutil.rmtree(directory)
    seconds = _checking(chosen.records)
    print("µs per record, 64 writers: ", *(f"{value:.1f}" for value in ours))
    print("µs per row, bare commits:  ", *(f"{value:.1f}" for value in bare))
    print("ms per append of 1,000:    ", *(f"{value:.1f}" for value in thousand))
    print(f"seconds to check {chosen.records:,} records: {seconds:.2f}")
    value, against = statistics.median(ours), statistics.median(bare)
    ratio = value / against
    conclude(
        "ledger",
        value,
        "µs/record",
        ratio <= COST_RATIO and seconds < VERIFY_SECONDS,
        against=against,
        cost_ratio=ratio,
        verify_million_seconds=seconds * 1_000_000 / chosen.records,
        records_per_second=1e6 / value,
        append_thousand_ms=statistics.median(thousand),
    )


async def _appending(directory: Path, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Microseconds per record and per bare row, round by round; milliseconds per append of 1,000 records."""
    store = open_store(directory / "node.db")
    ledger = open_ledger(store, FileKeyStore(directory / "keys"), "bench.example/log", utc_now)
    await _waiting(ledger, [_record(new_trace_id()) for _ in range(ROUND)])
    bare = _Bare(directory)
    settle()  # as a node does once it listens
    ours, theirs, thousand = [], [], []
    for number in range(rounds):
        ours.append(await _waiting(ledger, [_record(new_trace_id()) for _ in range(ROUND)]))
        theirs.append(bare.commit(number * ROUND))
    for _ in range(rounds):
        trace_id = new_trace_id()
        records = [_record(trace_id) for _ in range(1000)]
        start = time.perf_counter()
        await ledger.append(records)
        thousand.append((time.perf_counter() - start) * 1e3)
    must(ledger.log.size() == (rounds + 1) * ROUND + rounds * 1000, "records were lost")
    bare.close()
    store.close()
    return ours, theirs, thousand


async def _waiting(ledger: Ledger, records: list[Processing]) -> float:
    left = iter(records)

    async def writer() -> None:
        for record in left:
            await ledger.append([record])

    start = time.perf_counter()
    await asyncio.gather(*[writer() for _ in range(WRITERS)])
    return (time.perf_counter() - start) / len(records) * 1e6


async def _appended(ledger: Ledger, records: list[Processing]) -> None:
    await ledger.append(records)


class _Bare:
    """The baseline: rows as the ledger writes them, and nothing else."""

    def __init__(self, directory: Path) -> None:
        with sqlite3.connect(directory / "node.db") as ledger:
            columns = "idx, trace, spot, subject, activity, start, salted, leaf"
            self._like: Row = ledger.execute(f"SELECT {columns} FROM ledger_records LIMIT 1").fetchone()
        self._connection = sqlite3.connect(directory / "bare.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(
            """CREATE TABLE bare (idx INTEGER PRIMARY KEY, trace INTEGER, spot INTEGER, subject INTEGER,
            activity INTEGER, start INTEGER, salted BLOB, leaf BLOB)"""
        )

    def commit(self, first: int) -> float:
        rows = [self._row(index) for index in range(first, first + ROUND)]
        connection, spent = self._connection, 0.0
        for at in range(0, ROUND, WRITERS):
            batch = rows[at : at + WRITERS]
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?)", batch)
            connection.execute("COMMIT")
            spent += time.perf_counter() - start
        return spent / ROUND * 1e6

    def _row(self, index: int) -> Row:
        _, trace, spot, subject, activity, start, salted, leaf = self._like
        return index, trace, spot, subject, activity, start, os.urandom(len(salted)), os.urandom(len(leaf))

    def close(self) -> None:
        self._connection.close()


def _record(trace_id: str) -> Processing:
    """A log line as an owner writes it for one person of an answer; the person is a random pseudonym."""
    return Processing(
        trace_id,
        new_span_id(),
        "Raadpleging inkomen",
        "Ok",
        1_764_068_470_669,
        1_764_068_470_701,
        new_span_id(),
        {
            "dpl.core.processing_activity_id": "https://register.example/activities/benefit-application",
            "dpl.core.data_subject_id": os.urandom(32).hex()[:43],
            "dpl.core.data_subject_id_type": "BSN",
            "dpl.core.foreign_operation.processor": "https://node.municipality.example/v1",
        },
    )


def _checking(records: int) -> float:
    """Seconds to check the whole log, which is made first when it is not there."""
    directory = VAR / f"ledger-{records}"
    store = open_store(directory / "node.db")
    keys = FileKeyStore(directory / "keys")
    try:
        ledger = open_ledger(store, keys, "bench.example/log", utc_now)
        while (missing := records - ledger.log.size()) > 0:
            trace_id = new_trace_id()
            uvloop.run(_appended(ledger, [_record(trace_id) for _ in range(min(4096, missing))]))
        ledger.publish()
        start = time.perf_counter()
        found = verify(store, keys.public)
        seconds = time.perf_counter() - start
        must(found.faults == () and found.size == Log(store).size() == records, "the log is not sound")
        return seconds
    finally:
        store.close()


if __name__ == "__main__":
    run(main)
