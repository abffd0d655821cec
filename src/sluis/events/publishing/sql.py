"""What was published, so that the same once more does nothing; and counts of what was told and withheld."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "published",
        (
            """CREATE TABLE events_published (
                source TEXT NOT NULL, id TEXT NOT NULL, digest {bytes} NOT NULL,
                last {int} NOT NULL, PRIMARY KEY (source, id)){clustered}""",
            "CREATE INDEX events_published_last ON events_published (last)",
            """CREATE TABLE events_counts (
                day {int} NOT NULL, type TEXT NOT NULL, rule TEXT NOT NULL, count {int} NOT NULL,
                PRIMARY KEY (day, type, rule)){clustered}""",
        ),
    ),
)

COLUMNS = ("source", "id", "digest", "last")

KNOWN = "SELECT source, id, digest FROM events_published WHERE id IN :ids"
"""What was published under one of these ids, by whatever system."""

COUNT = """INSERT INTO events_counts (day, type, rule, count) VALUES (:day, :type, :rule, :count)
    ON CONFLICT (day, type, rule) DO UPDATE SET count = events_counts.count + :count"""
"""Count on."""

COUNTS = "SELECT day, type, rule, count FROM events_counts WHERE day >= :since ORDER BY day DESC, type, rule"
"""What was counted since a day (1 is 1 January of year 1)."""

SWEEP = "DELETE FROM events_published WHERE last < :today"
"""Let go of what nobody publishes again."""

SWEEP_COUNTS = "DELETE FROM events_counts WHERE day < :since"
"""Let go of old counts."""
