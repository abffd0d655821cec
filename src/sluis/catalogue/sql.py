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
    Migration(  # one row to an entry: who looks at one decodes one. What was kept before is read anew.
        "harvested",
        (
            "DROP TABLE catalogue_harvests",
            """CREATE TABLE catalogue_harvests (
                peer TEXT PRIMARY KEY, tried {int} NOT NULL, at {int}, tag TEXT NOT NULL, trouble TEXT NOT NULL,
                many {int} NOT NULL, size {int} NOT NULL, faults {bytes} NOT NULL)""",
            """CREATE TABLE catalogue_harvested (
                peer TEXT NOT NULL, place {int} NOT NULL, iri TEXT NOT NULL, entry {bytes} NOT NULL,
                PRIMARY KEY (peer, place))""",
            "CREATE INDEX catalogue_harvested_iri ON catalogue_harvested (iri)",
        ),
    ),
)

TERMS_MIGRATIONS = (
    Migration(
        "terms",
        (
            """CREATE TABLE catalogue_accepted (
                side TEXT NOT NULL, peer TEXT NOT NULL, iri TEXT NOT NULL, digest TEXT NOT NULL, at {int} NOT NULL,
                sealed {bytes} NOT NULL, PRIMARY KEY (side, peer, iri, digest))""",
        ),
    ),
)

ACCEPTED = "SELECT side, peer, iri, digest, sealed FROM catalogue_accepted ORDER BY at"
"""Every acceptance of terms that this organisation gave or received."""

KEEP_ACCEPTED = """INSERT INTO catalogue_accepted (side, peer, iri, digest, at, sealed)
    VALUES (:side, :peer, :iri, :digest, :at, :sealed) ON CONFLICT (side, peer, iri, digest) DO UPDATE SET
        sealed = excluded.sealed"""
"""Keep one; of one that is there, what became of it."""

_STATE = "peer, tried, at, tag, trouble, many, size, faults"

HARVESTS = f"SELECT {_STATE} FROM catalogue_harvests ORDER BY peer"
"""Of every peer at which moment (ms since the epoch) it was read, how much was found, and how the last try went."""

HARVEST = f"SELECT {_STATE} FROM catalogue_harvests WHERE peer = :peer"
"""The same of one peer."""

ENTRIES = "SELECT peer, entry FROM catalogue_harvested ORDER BY peer, place"
"""Everything that was found."""

ENTRY = "SELECT entry FROM catalogue_harvested WHERE iri = :iri AND peer = :peer ORDER BY place LIMIT 1"
"""One thing that was found at a peer."""

ENDING = r"SELECT entry FROM catalogue_harvested WHERE peer = :peer AND iri LIKE :ending ESCAPE '\' ORDER BY place LIMIT 2"
"""Things of a peer whose address ends in some way."""

TAG = "SELECT tag FROM catalogue_harvests WHERE peer = :peer AND at IS NOT NULL"
"""The tag of the copy that is kept of a peer's catalogue."""

KEEP = """INSERT INTO catalogue_harvests (peer, tried, at, tag, trouble, many, size, faults)
    VALUES (:peer, :now, :now, :tag, '', :many, :size, :faults) ON CONFLICT (peer) DO UPDATE SET
        tried = excluded.tried, at = excluded.at, tag = excluded.tag, trouble = '', many = excluded.many,
        size = excluded.size, faults = excluded.faults"""
"""Note that it was read, and how much was found."""

EMPTY = "DELETE FROM catalogue_harvested WHERE peer = :peer"
"""Let go of what was found at a peer before."""

FILL = "INSERT INTO catalogue_harvested (peer, place, iri, entry) VALUES (:peer, :place, :iri, :entry)"
"""Keep one thing that was found."""

SAME = "UPDATE catalogue_harvests SET tried = :now, at = :now, trouble = '' WHERE peer = :peer"
"""It is still as it was."""

TROUBLE = """INSERT INTO catalogue_harvests (peer, tried, at, tag, trouble, many, size, faults)
    VALUES (:peer, :now, NULL, '', :trouble, 0, 0, :none) ON CONFLICT (peer) DO UPDATE SET
        tried = excluded.tried, trouble = excluded.trouble"""
"""It could not be read; what was there stays."""
