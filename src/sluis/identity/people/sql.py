"""The table of this room, the same for SQLite and PostgreSQL.

Everything is looked up in memory; the table is what that is loaded from. So it has one row for each thing, sealed, of
whatever kind: a mandate, a guardianship, a signature, a contact person, a company as it was read, a person's officer key.
"""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "people",
        (
            """CREATE TABLE people_kept (
                kind TEXT NOT NULL, id TEXT NOT NULL, sealed {bytes} NOT NULL, PRIMARY KEY (kind, id)){clustered}""",
        ),
    ),
)

ALL = "SELECT kind, id, sealed FROM people_kept"
"""Everything that is kept."""

KEEP = """INSERT INTO people_kept (kind, id, sealed) VALUES (:kind, :id, :sealed)
    ON CONFLICT (kind, id) DO UPDATE SET sealed = excluded.sealed"""
"""Keep a thing in the place of what it was before."""

FORGET = "DELETE FROM people_kept WHERE kind = :kind AND id = :id"
"""Keep it no longer."""
