"""The tables of the decision point, the same for SQLite and PostgreSQL: every version of the policies that ever decided.

A record names its version by digest; here is what that version said. Nothing is ever taken out: a decision must be
repeatable for as long as its record is kept.
"""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "versions",
        (
            """CREATE TABLE policy_versions (
                digest TEXT PRIMARY KEY, since {int} NOT NULL, body {bytes} NOT NULL)""",
        ),
    ),
)

KEEP = """INSERT INTO policy_versions (digest, since, body) VALUES (:digest, :since, :body)
    ON CONFLICT (digest) DO NOTHING"""
"""Keep a version, unless it is there."""

BODY = "SELECT body FROM policy_versions WHERE digest = :digest"
"""What a version said."""

ALL = "SELECT digest, since FROM policy_versions ORDER BY since, digest"
"""Every version, and when it was first used."""
