"""What a provable record costs: 64 waiting writers against bare SQLite commits, and checking a million records.

Appending: 64 asyncio tasks each append one record, wait until it is durable, and go on. Bare: sqlite3 commits 64
rows with the same number of bytes in one transaction (WAL, synchronous=FULL), with no index, hash or waiter.
Rounds of both alternate, so that a busy machine slows both; medians over the rounds are compared.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from sluis.crypto import FileKeyStore
from sluis.kernel import new_span_id, new_trace_id, utc_now
from sluis.ledger import Ledger, Processing, open_ledger
from sluis.store import open_store

WRITERS = 64
VAR = Path(__file__).resolve().parents[1] / "var" / "bench"


def fictitious(trace_id: str) -> Processing:
    """A log line as an owner writes it for one person of an answer."""
    return Processing(
        trace_id,
        new_span_id(),
        "consultation of income",
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


async def waiting_writers(ledger: Ledger, records: list[Processing]) -> float:
    """Seconds in which 64 writers append the records, one at a time each."""
    left = iter(records)

    async def writer() -> None:
        for record in left:
            await ledger.append([record])

    start = time.perf_counter()
    await asyncio.gather(*[writer() for _ in range(WRITERS)])
    return time.perf_counter() - start


def bare_commits(connection: sqlite3.Connection, rows: Iterator[list[tuple[bytes]]]) -> float:
    """Seconds in which bare sqlite3 commits the rows, 64 to a transaction."""
    start = time.perf_counter()
    for batch in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO bare (content) VALUES (?)", batch)
        connection.execute("COMMIT")
    return time.perf_counter() - start


def row_bytes(path: Path) -> int:
    """How many bytes the ledger keeps of one record, on average."""
    with sqlite3.connect(path) as connection:
        query = "SELECT AVG(length(salted) + length(leaf) + 5 * 8) FROM ledger_records"
        return round(connection.execute(query).fetchone()[0])


async def appends(directory: Path, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Microseconds per record of both, round by round, and milliseconds per append of 1,000 records."""
    store = open_store(directory / "node.db")
    ledger = open_ledger(store, FileKeyStore(directory / "keys"), "bench.example/log", utc_now)
    bare = sqlite3.connect(directory / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE bare (idx INTEGER PRIMARY KEY, content BLOB)")
    per_round = WRITERS * 40
    await waiting_writers(ledger, [fictitious(new_trace_id()) for _ in range(WRITERS * 10)])
    size = row_bytes(directory / "node.db")
    ours, theirs, thousand = [], [], []
    for _ in range(rounds):
        records = [fictitious(new_trace_id()) for _ in range(per_round)]
        contents = [[(os.urandom(size),) for _ in range(WRITERS)] for _ in range(per_round // WRITERS)]
        ours.append(await waiting_writers(ledger, records) / per_round * 1e6)
        theirs.append(bare_commits(bare, iter(contents)) / per_round * 1e6)
    for _ in range(rounds):
        trace_id = new_trace_id()
        records = [fictitious(trace_id) for _ in range(1000)]
        start = time.perf_counter()
        await ledger.append(records)
        thousand.append((time.perf_counter() - start) * 1e3)
    bare.close()
    store.close()
    return ours, theirs, thousand


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="rounds of appending (default 30)")
    arguments = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="ledger-"))
    try:
        ours, theirs, thousand = uvloop.run(appends(directory, arguments.rounds))
    finally:
        shutil.rmtree(directory)
    print("microseconds per record, ours:", *(f"{value:.1f}" for value in ours))
    print("microseconds per record, bare:", *(f"{value:.1f}" for value in theirs))
    print("milliseconds per append of 1,000:", *(f"{value:.1f}" for value in thousand))
    print(statistics.median(ours)/statistics.median(theirs), statistics.median(thousand))


if __name__ == "__main__":
    main()
