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
    Migration("origins", ("ALTER TABLE gateway_applied ADD COLUMN origin TEXT NOT NULL DEFAULT 'apply'",)),
)

ALL = "SELECT kind, name, digest, body, contract, before, origin FROM gateway_applied ORDER BY kind, name"
"""Every declaration."""

KEEP = """INSERT INTO gateway_applied (kind, name, digest, body, contract, before, origin)
    VALUES (:kind, :name, :digest, :body, :contract, :before, :origin)
    ON CONFLICT (kind, name) DO UPDATE
    SET digest = :digest, body = :body, contract = :contract, before = :before, origin = :origin"""
"""Keep a declaration in the place of the one before it."""

FORGET = "DELETE FROM gateway_applied WHERE kind = :kind AND name = :name"
"""Forget a declaration."""
