"""The table of saved questions, and its statements, the same for SQLite and PostgreSQL. Of a person there is a pseudonym alone."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "saved",
        (
            """CREATE TABLE query_saved (
                id TEXT PRIMARY KEY, person TEXT NOT NULL, shared {int} NOT NULL, used {int} NOT NULL,
                content {bytes} NOT NULL)""",
            "CREATE INDEX query_saved_person ON query_saved (person, used)",
            "CREATE INDEX query_saved_shared ON query_saved (shared, used)",
        ),
    ),
)

ADD = "INSERT INTO query_saved (id, person, shared, used, content) VALUES (:id, :person, :shared, :used, :content)"
"""Save a question."""

SEEN = """SELECT id, person, shared, used, content FROM query_saved
    WHERE (person = :person OR shared = 1) AND used >= :since ORDER BY used DESC, id LIMIT :most"""
"""What a person finds: their own, and what colleagues share; what was used last first."""

ONE = """SELECT id, person, shared, used, content FROM query_saved
    WHERE id = :id AND (person = :person OR shared = 1) AND used >= :since"""
"""One of those."""

COUNT = "SELECT count(*) FROM query_saved WHERE person = :person"
"""How many somebody saved."""

COUNT_SHARED = "SELECT count(*) FROM query_saved WHERE shared = 1"
"""How many are shared."""

USE = "UPDATE query_saved SET used = :used WHERE id = :id"
"""Somebody used it."""

CHANGE = "UPDATE query_saved SET content = :content, shared = :shared WHERE id = :id AND person = :person"
"""Change what is one's own."""

DELETE = "DELETE FROM query_saved WHERE id = :id AND person = :person"
"""Delete what is one's own."""

SWEEP = "DELETE FROM query_saved WHERE used < :since"
"""Delete what nobody used for long."""
