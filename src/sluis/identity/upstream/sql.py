"""Sign-ins underway, in the node's own database: without a secret, and without a word about who it is."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "started",
        (
            """CREATE TABLE identity_upstream_started (
                state {bytes} NOT NULL PRIMARY KEY, browser {bytes} NOT NULL, method TEXT NOT NULL, next TEXT NOT NULL,
                level TEXT, ends {int} NOT NULL)""",
            "CREATE INDEX identity_upstream_ends ON identity_upstream_started (ends)",
        ),
    ),
    # From where a browser came; a keyed digest, so that it names no address.
    Migration("origins", ("ALTER TABLE identity_upstream_started ADD COLUMN origin {bytes}",)),
)

BEGIN = """INSERT INTO identity_upstream_started (state, browser, method, next, level, ends, origin)
    VALUES (:state, :browser, :method, :next, :level, :ends, :origin)"""
"""Keep that a sign-in began; state and browser as SHA-256 of what only that browser and the provider saw."""

TAKE = """DELETE FROM identity_upstream_started WHERE state = :state AND browser = :browser
    RETURNING method, next, level, ends"""
"""Use a sign-in, which can be done once, and only by the browser that began it."""

SWEEP = "DELETE FROM identity_upstream_started WHERE ends <= :now"
"""Forget those that took too long."""

UNDERWAY = "SELECT count(*) FROM identity_upstream_started"
"""How many are underway."""

CROWD = """DELETE FROM identity_upstream_started WHERE state IN (SELECT state FROM (
    SELECT state, ROW_NUMBER() OVER (ORDER BY place, ends DESC) AS rank FROM (
        SELECT state, ends, ROW_NUMBER() OVER (PARTITION BY origin ORDER BY ends DESC) AS place
        FROM identity_upstream_started) AS placed) AS ranked
    WHERE rank > :most)"""
"""Of too many, those give way that wait longest of whoever has most: nobody pushes out others by beginning often."""
