"""How far the logs of each peer were compared, and where they did not agree."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "comparison",
        (
            "CREATE TABLE gateway_compared (peer TEXT PRIMARY KEY, until {int} NOT NULL)",
            """CREATE TABLE gateway_differences (
                peer TEXT NOT NULL, transaction_id TEXT NOT NULL, direction TEXT NOT NULL, kind TEXT NOT NULL,
                line {bytes} NOT NULL, found_at {int} NOT NULL, PRIMARY KEY (peer, transaction_id, direction))""",
            "CREATE INDEX gateway_differences_found ON gateway_differences (found_at)",
        ),
    ),
)

UNTIL = "SELECT until FROM gateway_compared WHERE peer = :peer"
"""The second up to which the logs agree, but for what is noted as a difference."""

ALL_UNTIL = "SELECT peer, until FROM gateway_compared"
"""The same, of every peer."""

COMPARED = """INSERT INTO gateway_compared (peer, until) VALUES (:peer, :until)
    ON CONFLICT (peer) DO UPDATE SET until = :until"""
"""Note how far they were compared."""

ADD = """INSERT INTO gateway_differences (peer, transaction_id, direction, kind, line, found_at)
    VALUES (:peer, :transaction_id, :direction, :kind, :line, :found_at) ON CONFLICT DO NOTHING"""
"""Note a difference; the first time that it was found stands."""

TRIM = """DELETE FROM gateway_differences WHERE peer = :peer AND kind = :kind AND found_at < (
    SELECT MIN(found_at) FROM (SELECT found_at FROM gateway_differences WHERE peer = :peer AND kind = :kind
        ORDER BY found_at DESC LIMIT :kept) AS newest)"""
"""Let go of the oldest differences of a kind with a peer."""

NEWEST = """SELECT peer, kind, line, found_at FROM gateway_differences
    ORDER BY CASE WHEN kind LIKE 'failed-%' THEN 1 ELSE 0 END, found_at DESC, peer, transaction_id LIMIT :most"""
"""The differences, newest first; those that are alarms before the rest."""

COUNTS = (
    "SELECT peer, kind, COUNT(*) AS number FROM gateway_differences GROUP BY peer, kind ORDER BY peer, kind"
)
"""How many there are of each kind."""
