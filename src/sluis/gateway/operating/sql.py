"""Why this node rejected or revoked contracts: FSC carries no reasons, so they stay here."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "reasons",
        ("CREATE TABLE gateway_reasons (contract TEXT PRIMARY KEY, reason TEXT NOT NULL)",),
    ),
)

KEEP = """INSERT INTO gateway_reasons (contract, reason) VALUES (:contract, :reason)
    ON CONFLICT (contract) DO UPDATE SET reason = :reason"""
"""Note why."""

OF = "SELECT contract, reason FROM gateway_reasons WHERE contract IN :contracts"
"""The reasons for some contracts."""
