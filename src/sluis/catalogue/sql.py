"""The catalogues of others as they were read last, and what stood in the way since."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "harvests",
        (
            """CREATE TABLE catalogue_harvests (
                peer TEXT PRIMARY KEY, tried {int} NOT NULL, at {int}, tag TEXT NOT NULL, trouble TEXT NOT NULL,
                entries {bytes} NOT NULL)""",
        ),
    ),
)

HARVESTS = "SELECT peer, tried, at, tag, trouble, entries FROM catalogue_harvests ORDER BY peer"
"""Of every peer what was found, `at` which moment (ms since the epoch), and how the last try went."""

TAG = "SELECT tag FROM catalogue_harvests WHERE peer = :peer AND at IS NOT NULL"
"""The tag of the copy that is kept of a peer's catalogue."""

KEEP = """INSERT INTO catalogue_harvests (peer, tried, at, tag, trouble, entries)
    VALUES (:peer, :now, :now, :tag, '', :entries) ON CONFLICT (peer) DO UPDATE SET
        tried = excluded.tried, at = excluded.at, tag = excluded.tag, trouble = '', entries = excluded.entries"""
"""Keep what was found in the place of what was there."""

SAME = "UPDATE catalogue_harvests SET tried = :now, at = :now, trouble = '' WHERE peer = :peer"
"""It is still as it was."""

TROUBLE = """INSERT INTO catalogue_harvests (peer, tried, at, tag, trouble, entries)
    VALUES (:peer, :now, NULL, '', :trouble, :none) ON CONFLICT (peer) DO UPDATE SET
        tried = excluded.tried, trouble = excluded.trouble"""
"""It could not be read; what was there stays."""
