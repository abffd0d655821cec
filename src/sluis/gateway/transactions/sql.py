"""The tables of the transaction log and their statements, the same for SQLite and PostgreSQL.

A line is four values: `gateway_transactions` is only ever added to at its end, and what the lines of one grant have in
common stands once in `gateway_passages`. Looking up goes three ways:

- by time: `created_at` never goes down, so a time is a place, found by halving;
- by peer, grant or service: their passages are few, and each 4,096 lines it is noted which passages occur in them;
- by transaction id: an index. A UUIDv7 begins with its time, so it too grows at its end, at under 1 µs a line.
"""

from sluis.store import Migration

RUN = 4096

MIGRATIONS = (
    Migration(
        "transactions",
        (
            """CREATE TABLE gateway_passages (
                id {int} PRIMARY KEY, direction TEXT NOT NULL, grant_hash TEXT NOT NULL, service_name TEXT NOT NULL,
                outway_peer TEXT NOT NULL, service_peer TEXT NOT NULL,
                outway_delegator TEXT, service_delegator TEXT, additional TEXT)""",
            """CREATE TABLE gateway_transactions (
                number {int} PRIMARY KEY, passage {int} NOT NULL, transaction_id {bytes} NOT NULL,
                created_at {int} NOT NULL)""",
            """CREATE TABLE gateway_transaction_runs (
                passage {int} NOT NULL, run {int} NOT NULL, PRIMARY KEY (passage, run)){clustered}""",
            "CREATE INDEX gateway_transaction_ids ON gateway_transactions (transaction_id)",
        ),
    ),
)

COLUMNS = ("number", "passage", "transaction_id", "created_at")
PASSAGE_COLUMNS = (
    "id", "direction", "grant_hash", "service_name", "outway_peer", "service_peer",
    "outway_delegator", "service_delegator", "additional",
)  # fmt: skip

PASSAGES = f"SELECT {', '.join(PASSAGE_COLUMNS)} FROM gateway_passages"
"""Every passage there has been."""

OF_PEER = f"{PASSAGES} WHERE :peer IN (outway_peer, service_peer, outway_delegator, service_delegator)"
"""The passages that a peer has part in."""

LAST = "SELECT number, created_at FROM gateway_transactions ORDER BY number DESC LIMIT 1"
"""Where the log ends."""

RUNS = "SELECT COALESCE(MAX(run) + 1, 0) FROM gateway_transaction_runs"
"""How many runs have their passages noted."""

ADD_RUN = """INSERT INTO gateway_transaction_runs (passage, run)
    SELECT DISTINCT passage, CAST(:run AS BIGINT) FROM gateway_transactions WHERE number >= :first AND number < :end"""
"""Note which passages occur in a run."""

FIRST_SINCE = """SELECT number, created_at FROM gateway_transactions
    WHERE number >= :number ORDER BY number LIMIT 1"""
"""The first line at or after a place; lines that were destroyed leave gaps."""

RUNS_DOWN = """SELECT DISTINCT run FROM gateway_transaction_runs
    WHERE passage IN :passages AND run <= :last AND run >= :first ORDER BY run DESC"""
"""The runs in which some passages occur, newest first."""

RUNS_UP = RUNS_DOWN.replace("DESC", "ASC")
"""The same, oldest first."""

LINES_DOWN = """SELECT number, passage, transaction_id, created_at FROM gateway_transactions
    WHERE number >= :first AND number < :end AND passage IN :passages ORDER BY number DESC LIMIT :most"""
"""Lines of some passages in a stretch of the log, newest first."""

LINES_UP = LINES_DOWN.replace("DESC", "ASC")
"""The same, oldest first."""

COUNTS = """SELECT passage, created_at / :span AS stretch, COUNT(*) AS lines, MAX(created_at) AS newest
    FROM gateway_transactions WHERE number > :after AND number <= :last AND created_at >= :since
    GROUP BY passage, stretch"""
"""How many lines of each passage there are in a stretch of the log, by a span of time (ms)."""

OF_IDS = """SELECT number, passage, transaction_id, created_at FROM gateway_transactions
    WHERE transaction_id IN :ids AND passage IN :passages ORDER BY number DESC LIMIT :most"""
"""The newest lines of some transactions under some passages, newest first."""

STRETCH = """SELECT passage, created_at / 86400000 AS day, COUNT(*) AS number FROM gateway_transactions
    WHERE number >= :first AND number < :end GROUP BY passage, created_at / 86400000"""
"""How many lines of each passage there are in a stretch of the log, per day since the epoch (UTC)."""

OF_ONE = f"{PASSAGES} WHERE id IN :ids"
"""Some passages."""
