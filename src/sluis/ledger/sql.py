"""The ledger's tables and statements, the same for SQLite and PostgreSQL.

`ledger_records` is only ever appended to, in the order of the leaves; a random index would make every record cost
a page of its own to write. So looking things up goes in runs: of each 8,192 records the search terms are added to
`ledger_terms` in their order, while the next are written, and a note of the activities that occur in them at the end; only
then it counts as a run. What came after the last run is scanned.

`salted` is exactly what is hashed: sixteen random bytes and the record's canonical JSON. When the record is
destroyed it becomes null, and `entry`, the hash that the leaf was made of, takes its place.
"""

from sluis.store import Migration

RUN = 8192

RUN_STEP, TERM_STEP = 2**43, 2**13
"""An entry of `ledger_terms` is one number: run (20 bits), term (30 bits), place in the run (13 bits). So it is its own
key, and a sorted run is added at the end of the table, at a fifth of the cost of four columns."""

MIGRATIONS = (
    Migration(
        "records",
        (
            """CREATE TABLE ledger_records (
                idx {int} PRIMARY KEY,
                trace {int} NOT NULL, spot {int} NOT NULL, subject {int}, activity {int}, start {int} NOT NULL,
                salted {bytes}, leaf {bytes} NOT NULL, entry {bytes})""",
            "CREATE TABLE ledger_terms (entry {int} PRIMARY KEY)",
            """CREATE TABLE ledger_activities (
                run {int} NOT NULL, activity {int} NOT NULL, since {int} NOT NULL, until {int} NOT NULL,
                PRIMARY KEY (run, activity)){clustered}""",
            "CREATE TABLE ledger_runs (run {int} PRIMARY KEY, spots {bytes} NOT NULL)",
            """CREATE TABLE ledger_tiles (
                level {int} NOT NULL, number {int} NOT NULL, hashes {bytes} NOT NULL, root {bytes} NOT NULL,
                PRIMARY KEY (level, number))""",
            """CREATE TABLE ledger_epochs (
                number {int} PRIMARY KEY, origin TEXT NOT NULL, since {int} NOT NULL, checkpoint TEXT)""",
            """CREATE TABLE ledger_witnessed (
                origin TEXT PRIMARY KEY, size {int} NOT NULL, root {bytes} NOT NULL, checkpoint TEXT NOT NULL)""",
        ),
    ),
)

RECORD_COLUMNS = ("idx", "trace", "spot", "subject", "activity", "start", "salted", "leaf")
TILE_COLUMNS = ("level", "number", "hashes", "root")
TERM_COLUMNS = ("entry",)
ACTIVITY_COLUMNS = ("run", "activity", "since", "until")
RUN_COLUMNS = ("run", "spots")

SIZE = "SELECT COALESCE(MAX(idx) + 1, 0) FROM ledger_records"
"""How many leaves the tree has."""

LEAVES = "SELECT leaf FROM ledger_records WHERE idx >= :first AND idx < :end ORDER BY idx"
"""Leaf hashes, for the tile that is not full yet."""

ROOTS = "SELECT root FROM ledger_tiles WHERE level = :level AND number >= :first AND number < :end ORDER BY number"
"""What stands in a tile one level higher."""

TILE = "SELECT hashes FROM ledger_tiles WHERE level = :level AND number = :number"
"""A full tile."""

SPOTS = "SELECT spots FROM ledger_runs ORDER BY run"
"""The idempotency keys of every run, eight bytes each."""

RUNS = "SELECT COUNT(*) FROM ledger_runs"
"""How many runs have been added to the search terms."""

DROP_BEGUN = "DELETE FROM ledger_terms WHERE entry >= :first"
"""Take away what was added of a run that was not finished."""

TAIL = """SELECT idx, spot, CASE WHEN salted IS NOT NULL THEN trace END, subject, activity, start
    FROM ledger_records WHERE idx >= :first ORDER BY idx"""
"""What came after the last run: idempotency keys, and what search terms are made of; not of what was destroyed."""

_IN_RUNS = f"""every(run) AS (
        SELECT CAST(:low AS BIGINT) UNION ALL SELECT run + 1 FROM every WHERE run + 1 < :high),
    hits(idx) AS (
        SELECT every.run * :size + entry % {TERM_STEP} FROM every CROSS JOIN terms CROSS JOIN ledger_terms
        WHERE entry BETWEEN every.run * {RUN_STEP} + term * {TERM_STEP}
        AND every.run * {RUN_STEP} + term * {TERM_STEP} + {TERM_STEP - 1})"""

SAME_SPOT = f"""WITH RECURSIVE terms(term) AS (SELECT CAST(:trace AS BIGINT)), {_IN_RUNS}
    SELECT r.idx, r.salted FROM hits JOIN ledger_records r ON r.idx = hits.idx
    WHERE r.spot = :spot AND :low < :high ORDER BY r.idx"""
"""Records in the runs with this idempotency key (or, once in many billions, another with the same number)."""


def found_in_runs(terms: int) -> str:
    """Records in some runs that may be about one of so many terms (`term0`, …), newest first."""
    listed = " UNION ALL ".join(f"SELECT CAST(:term{number} AS BIGINT)" for number in range(terms))
    return f"""WITH RECURSIVE terms(term) AS ({listed}), {_IN_RUNS}
    SELECT r.idx, r.salted FROM hits JOIN ledger_records r ON r.idx = hits.idx
    WHERE r.start BETWEEN :since AND :until AND r.salted IS NOT NULL ORDER BY r.idx DESC"""


RUNS_OF_ACTIVITY = """SELECT run FROM ledger_activities
    WHERE activity = :activity AND until >= :since AND since <= :until ORDER BY run DESC"""
"""The runs in which an activity occurs in a period, newest first."""

FOUND_IN_RUN = """SELECT idx, salted FROM ledger_records
    WHERE idx >= :first AND idx < :end AND activity = :activity AND start BETWEEN :since AND :until
    AND salted IS NOT NULL ORDER BY idx DESC"""
"""Records of a run that may be about an activity, newest first."""

FOUND_IN_TAIL = {
    column: f"""SELECT idx, salted FROM ledger_records
    WHERE idx >= :first AND {column} IN :terms AND salted IS NOT NULL ORDER BY idx DESC"""
    for column in ("trace", "subject", "activity")
}
"""Records after the last run that may be about these terms, newest first."""

IN_PERIOD = """SELECT salted FROM ledger_records WHERE idx >= :first AND idx < :end
    AND start >= :since AND start < :until AND salted IS NOT NULL ORDER BY idx"""
"""Records of a stretch that began in a period."""

BODIES = """SELECT idx, salted FROM ledger_records WHERE idx >= :first AND idx < :end
    AND salted IS NOT NULL ORDER BY idx"""
"""What stands in a stretch, and was not destroyed."""

NEWEST_START = "SELECT MAX(start) FROM ledger_records WHERE idx >= :first AND idx < :end"
"""When the newest of a stretch began."""

SALTED = "SELECT idx, salted FROM ledger_records WHERE idx = :idx"
"""One record as it was hashed."""


def without_terms(run: int) -> str:
    """The records of a run that its search terms, or its activities, do not lead to."""
    first = run * RUN
    place = f"{run * RUN_STEP} - {first} + idx"
    return f"""SELECT idx FROM ledger_records AS r
        WHERE idx >= {first} AND idx < {first + RUN} AND salted IS NOT NULL AND (
            NOT EXISTS (SELECT 1 FROM ledger_terms WHERE entry = {place} + r.trace * {TERM_STEP})
            OR r.subject IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM ledger_terms WHERE entry = {place} + r.subject * {TERM_STEP})
            OR r.activity IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM ledger_activities AS a
                WHERE a.run = {run} AND a.activity = r.activity AND r.start BETWEEN a.since AND a.until))
        ORDER BY idx"""


SPAN = "SELECT idx, salted, leaf, entry FROM ledger_records WHERE idx >= :first AND idx < :end ORDER BY idx"
"""A stretch of the log with all that its leaves are made of."""

CHECKED = ("idx", "salted", "leaf", "entry", "trace", "subject", "activity", "start")


def checked(first: int, end: int) -> str:
    """All that is checked of the records of a stretch."""
    return f"SELECT {','.join(CHECKED)} FROM ledger_records WHERE idx >= {first} AND idx < {end} ORDER BY idx"


def gone(first: int, end: int) -> str:
    """Which records of a stretch were destroyed."""
    return (
        f"SELECT idx FROM ledger_records WHERE idx >= {first} AND idx < {end} AND salted IS NULL ORDER BY idx"
    )


def kept_tile(level: int, number: int) -> str:
    """A full tile, and its root."""
    return f"SELECT hashes, root FROM ledger_tiles WHERE level = {level} AND number = {number}"


DESTROY_TERMS = f"""DELETE FROM ledger_terms WHERE entry IN (
    SELECT :run * {RUN_STEP} + trace * {TERM_STEP} + idx - :first FROM ledger_records WHERE idx = :idx
    UNION ALL SELECT :run * {RUN_STEP} + subject * {TERM_STEP} + idx - :first FROM ledger_records
        WHERE idx = :idx AND subject IS NOT NULL)"""
"""Take the search terms of a record away."""

DESTROY = """UPDATE ledger_records SET salted = NULL, entry = :entry, trace = 0, spot = 0, subject = NULL,
    activity = NULL, start = 0 WHERE idx = :idx"""
"""Destroy a record; its leaf and what the leaf is the hash of stay."""

EPOCH = "SELECT number, origin, since, checkpoint FROM ledger_epochs ORDER BY number DESC LIMIT 1"
"""The epoch the log is in: its origin, the size it began at, and its newest checkpoint."""

NEW_EPOCH = "INSERT INTO ledger_epochs (number, origin, since) VALUES (:number, :origin, :since)"
"""The log goes on under this origin."""

PUBLISH = "UPDATE ledger_epochs SET checkpoint = :checkpoint WHERE number = :number"
"""Keep the newest checkpoint of an epoch, with the cosignatures under it."""

EPOCHS = "SELECT number, origin, since, checkpoint FROM ledger_epochs ORDER BY number"
"""Every epoch of the log."""

WITNESSED = "SELECT size, root, checkpoint FROM ledger_witnessed WHERE origin = :origin"
"""The newest checkpoint that this node cosigned for another log."""

ALL_WITNESSED = "SELECT origin, checkpoint FROM ledger_witnessed"
"""The newest checkpoint of every log that this node cosigned."""

WITNESS = """INSERT INTO ledger_witnessed (origin, size, root, checkpoint) VALUES (:origin, :size, :root, :checkpoint)
    ON CONFLICT (origin) DO UPDATE SET size = :size, root = :root, checkpoint = :checkpoint"""
"""Remember what was cosigned; the only thing a witness must never forget."""
