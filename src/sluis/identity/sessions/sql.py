"""Sessions in the node's own database: one row each, without a word about the person that can be read."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "sessions",
        (
            """CREATE TABLE identity_sessions (
                digest {bytes} NOT NULL PRIMARY KEY, handle TEXT NOT NULL, begun {int} NOT NULL, seen {int} NOT NULL,
                ends {int} NOT NULL, sealed {bytes} NOT NULL)""",
        ),
    ),
)

ALL = "SELECT digest, handle, begun, seen, ends, sealed FROM identity_sessions ORDER BY begun, handle"
"""Every session that is kept."""

KEEP = """INSERT INTO identity_sessions (digest, handle, begun, seen, ends, sealed)
    VALUES (:digest, :handle, :begun, :seen, :ends, :sealed)"""
"""Keep a new session."""

FORGET = "DELETE FROM identity_sessions WHERE digest = :digest"
"""Forget a session that ended."""

SEE = "UPDATE identity_sessions SET seen = :seen WHERE digest = :digest"
"""When a session was last used."""
