"""The interests that recipients registered: pseudonyms and sealed references, no values. The column `notice` says whose notice it
is, and which one."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "interests",
        (
            """CREATE TABLE events_interests (
                notice TEXT NOT NULL, pseudonym {bytes} NOT NULL, reference {bytes} NOT NULL,
                since {int} NOT NULL, last {int} NOT NULL, PRIMARY KEY (notice, pseudonym)){clustered}""",
            "CREATE INDEX events_interests_pseudonym ON events_interests (pseudonym)",
            "CREATE INDEX events_interests_last ON events_interests (last)",
        ),
    ),
)

KEEP = """INSERT INTO events_interests (notice, pseudonym, reference, since, last)
    VALUES (:notice, :pseudonym, :reference, :since, :last)
    ON CONFLICT (notice, pseudonym) DO UPDATE SET reference = :reference, last = :last"""
"""Keep an interest as it stands now. `last` is the number of its last day (1 is 1 January of year 1)."""

THERE = "SELECT COUNT(*) FROM events_interests WHERE notice = :notice AND pseudonym IN :pseudonyms"
"""How many of these are there."""

COUNT = "SELECT COUNT(*) FROM events_interests WHERE notice = :notice"
"""How many a notice has."""

END = "DELETE FROM events_interests WHERE notice = :notice AND pseudonym IN :pseudonyms"
"""These are over."""

RELEVANT = """SELECT notice, pseudonym, reference FROM events_interests
    WHERE pseudonym IN :pseudonyms AND last >= :today"""
"""Who has an interest in these persons today."""

PAGE = """SELECT pseudonym, reference, since, last FROM events_interests
    WHERE notice = :notice AND pseudonym > :after ORDER BY pseudonym LIMIT :most"""
"""The interests of a notice, a page at a time."""

SWEEP = "DELETE FROM events_interests WHERE last < :today"
"""Let go of what is over."""
