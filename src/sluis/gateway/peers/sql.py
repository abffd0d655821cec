"""The tables of who is known, and by which certificates."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "peers",
        (
            "CREATE TABLE fsc_peers (id TEXT PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL, itself {int} NOT NULL)",
            "CREATE TABLE fsc_certificates (thumbprint TEXT PRIMARY KEY, peer TEXT NOT NULL, chain TEXT NOT NULL)",
        ),
    ),
)

PEERS = "SELECT id, name, address, itself FROM fsc_peers"
"""Everyone known."""

KEEP_PEER = """INSERT INTO fsc_peers (id, name, address, itself) VALUES (:id, :name, :address, :itself)
    ON CONFLICT (id) DO UPDATE SET name = :name, address = :address, itself = :itself"""
"""Remember what is known of a peer now."""

CHAIN = "SELECT chain FROM fsc_certificates WHERE thumbprint = :thumbprint"
"""A certificate that somebody signed with, PEM, with what leads to an anchor."""

KEEP_CHAIN = """INSERT INTO fsc_certificates (thumbprint, peer, chain) VALUES (:thumbprint, :peer, :chain)
    ON CONFLICT (thumbprint) DO NOTHING"""
"""Remember a certificate; a thumbprint never means another one."""

CHAINS_OF = "SELECT chain FROM fsc_certificates WHERE peer = :peer"
"""Every certificate of one peer that is kept."""
