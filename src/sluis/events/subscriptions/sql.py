"""The table of subscriptions."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "subscriptions",
        (
            """CREATE TABLE events_subscriptions (
                id TEXT PRIMARY KEY, created {int} NOT NULL, document {bytes} NOT NULL, credential {bytes})""",
        ),
    ),
)

ALL = "SELECT id, document, credential FROM events_subscriptions ORDER BY created, id"
"""Every subscription, the oldest first."""

KEEP = """INSERT INTO events_subscriptions (id, created, document, credential) VALUES (:id, :created, :document, :credential)
    ON CONFLICT (id) DO UPDATE SET document = excluded.document, credential = excluded.credential"""
"""A new one, or as it is from now on."""

END = "DELETE FROM events_subscriptions WHERE id = :id"
"""This one has ended."""
