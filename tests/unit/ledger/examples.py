"""A ledger and records to fill it with. All persons are fictitious."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sluis.crypto import FileKeyStore
from sluis.kernel import new_span_id, new_trace_id
from sluis.ledger import Decision, Ledger, Log, Position, Processing, Withheld, open_ledger
from sluis.ledger.model import Record
from sluis.ledger.reading import tiles_of
from sluis.ledger.verifier import tile_path
from sluis.store import Store, open_store

ORIGIN = "node.example/log/00000099000000001000"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
ACTIVITY = "https://register.example/activities/benefit"


def clock() -> datetime:
    return NOW


def processing(
    subject: str | None = None,
    *,
    trace_id: str | None = None,
    activity: str = ACTIVITY,
    start: int = NOW_MS,
    withheld: Withheld | None = None,
    **more: Any,
) -> Processing:
    attributes: dict[str, Any] = {"dpl.core.processing_activity_id": activity, **more}
    if subject is not None:
        attributes |= {"dpl.core.data_subject_id": subject, "dpl.core.data_subject_id_type": "BSN"}
    return Processing(
        trace_id or new_trace_id(),
        new_span_id(),
        "consultation of income",
        "Ok",
        start,
        start + 20,
        attributes=attributes,
        withheld=withheld,
    )


def decision(trace_id: str | None = None, allowed: bool = True) -> Decision:
    return Decision(
        trace_id or new_trace_id(),
        new_span_id(),
        "adl.access_evaluation",
        NOW_MS,
        "Ok",
        body={
            "adl.core.request": {"subject": {"type": "peer", "id": "00000099000000002000"}, "weight": 0.5},
            "adl.core.response": {"decision": allowed},
        },
    )


@contextmanager
def opened(directory: Path, **more: Any) -> Iterator[tuple[Store, Ledger]]:
    """A ledger in a directory; opening it again finds what was there."""
    store = open_store(directory / "node.db")
    try:
        yield store, open_ledger(store, FileKeyStore(directory / "keys"), ORIGIN, clock, **more)
    finally:
        store.close()


def appended(ledger: Ledger, records: Sequence[Record]) -> Position:
    """Append from a thread that has no event loop to do it in, or that is in the middle of one."""
    position: Position = ledger._store.submit_blocking(ledger._records, records, len(records))
    return position


def fill(ledger: Ledger, count: int) -> list[Processing]:
    """Append records one after the other in one call."""
    records = [processing(os.urandom(8).hex()) for _ in range(count)]
    appended(ledger, records)
    return records


def change(directory: Path, *statements: str) -> None:
    """Change the database of a ledger that was opened in a directory, as somebody would who gets at the file."""
    with sqlite3.connect(directory / "node.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def export(log: Log, directory: Path, checkpoint: str, size: int) -> None:
    """What a log serves of its first `size` leaves, as files laid out as the paths that it serves them at."""
    for level, number, width in tiles_of(size):
        path = directory / tile_path(level, number, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log.tile(level, number, width))
    (directory / "checkpoint").write_text(checkpoint, encoding="utf-8")
