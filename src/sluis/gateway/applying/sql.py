"""What this node was told to be: one row per declaration."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "declarations",
        (
            """CREATE TABLE gateway_applied (
                kind TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, body {bytes} NOT NULL,
                contract TEXT NOT NULL, before TEXT NOT NULL, PRIMARY KEY (kind, name))""",
        ),
    ),
)

ALL = "SELECT kind, name, digest, body, contract, before FROM gateway_applied ORDER BY kind, name"
"""Every declaration."""

KEEP = """INSERT INTO gateway_applied (kind, name, digest, body, contract, before)
    VALUES (:kind, :name, :digest, :body, :contract, :before)
    ON CONFLICT (kind, name) DO UPDATE SET digest = :digest, body = :body, contract = :contract, before = :before"""
"""Keep a declaration in the place of the one before it."""
