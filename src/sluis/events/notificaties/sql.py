"""The tables of channels and abonnementen."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "notificaties",
        (
            "CREATE TABLE zgw_channels (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, document {bytes} NOT NULL)",
            """CREATE TABLE zgw_subscriptions (
                id TEXT PRIMARY KEY, created {int} NOT NULL, document {bytes} NOT NULL, auth {bytes} NOT NULL)""",
        ),
    ),
)

CHANNELS = "SELECT document FROM zgw_channels ORDER BY name"
"""Every channel."""

KEEP_CHANNEL = "INSERT INTO zgw_channels (id, name, document) VALUES (:id, :name, :document)"
"""A new one."""

SUBSCRIPTIONS = "SELECT document, auth FROM zgw_subscriptions ORDER BY created, id"
"""Every abonnement, the oldest first."""

KEEP = """INSERT INTO zgw_subscriptions (id, created, document, auth) VALUES (:id, :created, :document, :auth)
    ON CONFLICT (id) DO UPDATE SET document = excluded.document, auth = excluded.auth"""
"""A new one, or as it is from now on."""

END = "DELETE FROM zgw_subscriptions WHERE id = :id"
"""This one is no more."""
