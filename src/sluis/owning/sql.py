"""The table of versions of disclosures that this node used, the same for SQLite and PostgreSQL."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "versions",
        (
            """CREATE TABLE owning_versions (
                disclosure TEXT NOT NULL, digest TEXT NOT NULL, since {int} NOT NULL, body {bytes} NOT NULL,
                PRIMARY KEY (disclosure, digest))""",
        ),
    ),
)

KNOWN = "SELECT disclosure, digest FROM owning_versions"
"""Every version that was used here."""

KEEP = """INSERT INTO owning_versions (disclosure, digest, since, body) VALUES (:disclosure, :digest, :since, :body)
    ON CONFLICT (disclosure, digest) DO NOTHING"""
"""A version is in use from now on."""

NEWEST = """SELECT digest, since, body FROM owning_versions WHERE disclosure = :disclosure
    ORDER BY since DESC LIMIT :most"""
"""Versions of one disclosure, newest first."""
