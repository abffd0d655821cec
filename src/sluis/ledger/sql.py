"""The ledger's tables and statements, the same for SQLite and PostgreSQL.

`ledger_records` is only ever appended to, in the order of the leaves; a random index would make every record cost
a page of its own to write. So looking things up goes in runs: with the last of each 8,192 records come their search terms,
sorted and packed (`terms`), and a note of the activities that occur in them. What came after the last run is scanned.

`salted` is exactly what is hashed: sixteen random bytes and the record's canonical JSON. When the record is
destroyed it becomes null, and `entry`, the hash that the leaf was made of, takes its place.
"""

from sluis.store import Migration

RUN = 8192
"""Records in a run."""

PARTS, PART_BITS = 128, 23
"""Rows of `ledger_terms` for a run, of which eight fit on a page, and the low bits of a term that do not tell its part."""

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
    Migration(
        "packed-terms",  # whoever opens the log makes runs that are not there
        (
            "DROP TABLE ledger_terms",
            "DELETE FROM ledger_activities",
            "DELETE FROM ledger_runs",
            "CREATE TABLE ledger_terms (part {int} PRIMARY KEY, entries {bytes} NOT NULL)",
        ),
    ),
)

RECORD_COLUMNS = ("idx", "trace", "spot", "subject", "activity", "start", "salted", "leaf")
TILE_COLUMNS = ("level", "number", "hashes", "root")
TERM_COLUMNS = ("part", "entries")
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

SPOTS = "SELECT run, spots FROM ledger_runs WHERE run >= 0 ORDER BY run"
"""The idempotency keys of every run, eight bytes each."""

DROP_RUNS = (
    "DELETE FROM ledger_terms WHERE part < 0 OR part >= :part",
    "DELETE FROM ledger_activities WHERE run < 0 OR run >= :run",
    "DELETE FROM ledger_runs WHERE run < 0 OR run >= :run",
)
"""All that is kept of runs from one on."""

SPOTS_OF_RUN = "SELECT spots FROM ledger_runs WHERE run = :run"
"""The idempotency keys of one run."""

CHANGE_SPOTS = "UPDATE ledger_runs SET spots = :spots WHERE run = :run"
"""Some of its records were destroyed."""

RUNS = "SELECT COUNT(*) FROM ledger_runs"
"""How many runs there are."""

TAIL = """SELECT idx, spot, CASE WHEN salted IS NOT NULL THEN trace END, subject, activity, start
    FROM ledger_records WHERE idx >= :first AND idx < :end ORDER BY idx"""
"""A stretch of records that are in no run: idempotency keys, and what search terms are made of; not of what was destroyed."""

SAME_SPOT = "SELECT idx, salted FROM ledger_records WHERE idx IN :places AND spot = :spot ORDER BY idx"
"""Which of some records have this idempotency key (or, once in many billions, another with the same number)."""


def parts_of(terms: int) -> str:
    """The parts of some runs that so many terms (`term0`, …) stand in, if they occur."""
    listed = " UNION ALL ".join(f"SELECT CAST(:term{number} AS BIGINT)" for number in range(terms))
    return f"""WITH RECURSIVE terms(term) AS ({listed}),
    every(run) AS (SELECT CAST(:low AS BIGINT) UNION ALL SELECT run + 1 FROM every WHERE run + 1 < :high)
    SELECT run, term, (SELECT entries FROM ledger_terms WHERE part = run * {PARTS} + (term >> {PART_BITS}))
    FROM every CROSS JOIN terms WHERE :low < :high"""


CHANGE_PART = "UPDATE ledger_terms SET entries = :entries WHERE part = :part"
"""Entries of a part were taken out."""

DROP_PART = "DELETE FROM ledger_terms WHERE part = :part"
"""The last entry of a part was taken out."""

FOUND = """SELECT idx, salted FROM ledger_records
    WHERE idx IN :places AND start BETWEEN :since AND :until AND salted IS NOT NULL ORDER BY idx DESC"""
"""Those of some records that began in a period, newest first."""

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


def parts_of_run(run: int) -> str:
    """All parts of a run."""
    first = run * PARTS
    return f"SELECT part, entries FROM ledger_terms WHERE part >= {first} AND part < {first + PARTS} ORDER BY part"


def terms_of_run(run: int) -> str:
    """The search terms of the records of a run."""
    first = run * RUN
    return f"""SELECT idx, trace, subject FROM ledger_records
        WHERE idx >= {first} AND idx < {first + RUN} AND salted IS NOT NULL ORDER BY idx"""


def without_activity(run: int) -> str:
    """The records of a run that the note of its activities does not lead to."""
    first = run * RUN
    return f"""SELECT idx FROM ledger_records AS r
        WHERE idx >= {first} AND idx < {first + RUN} AND salted IS NOT NULL AND activity IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM ledger_activities AS a
            WHERE a.run = {run} AND a.activity = r.activity AND r.start BETWEEN a.since AND a.until)"""


def no_tiles(size: int) -> str:
    """Which rows of `ledger_tiles` are no full tiles of a log of so many leaves."""
    full = " OR ".join(f"(level = {level} AND number < {size >> 8 * level + 8})" for level in range(8))
    return f"number < 0 OR NOT ({full})"


def stray_tiles(size: int) -> str:
    """The tiles that a log of so many leaves cannot have."""
    return f"SELECT level, number FROM ledger_tiles WHERE {no_tiles(size)}"


def drop_stray_tiles(size: int) -> str:
    """Drop them."""
    return f"DELETE FROM ledger_tiles WHERE {no_tiles(size)}"


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
