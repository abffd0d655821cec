"""The tables of the inbox: which events came (as digests, for a time), how subscriptions at sources stand, and what waits for
an earlier one."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "inbox",
        (
            "CREATE TABLE inbox_seen (digest {bytes} PRIMARY KEY, day {int} NOT NULL)",
            "CREATE INDEX inbox_seen_day ON inbox_seen (day)",
            """CREATE TABLE inbox_followed (
                source TEXT NOT NULL, subscription TEXT NOT NULL, upto {int} NOT NULL,
                PRIMARY KEY (source, subscription))""",
            # Without content: an event that came before over another subscription; only its place counts.
            """CREATE TABLE inbox_held (
                source TEXT NOT NULL, subscription TEXT NOT NULL, sequence {int} NOT NULL, content {bytes},
                PRIMARY KEY (source, subscription, sequence))""",
        ),
    ),
)

SEEN = "SELECT digest FROM inbox_seen WHERE digest IN :digests"
SEE = "INSERT INTO inbox_seen (digest, day) VALUES (:digest, :day) ON CONFLICT (digest) DO NOTHING"
SWEEP = "DELETE FROM inbox_seen WHERE day < :before"

ALL = "SELECT source, subscription, upto FROM inbox_followed"
ALL_HELD = "SELECT source, subscription, sequence FROM inbox_held ORDER BY sequence"
STAND = """INSERT INTO inbox_followed (source, subscription, upto) VALUES (:source, :subscription, :upto)
    ON CONFLICT (source, subscription) DO UPDATE SET upto = :upto"""
FOLLOW = """INSERT INTO inbox_followed (source, subscription, upto) VALUES (:source, :subscription, :upto)
    ON CONFLICT (source, subscription) DO NOTHING"""

HOLD = """INSERT INTO inbox_held (source, subscription, sequence, content)
    VALUES (:source, :subscription, :sequence, :content) ON CONFLICT (source, subscription, sequence) DO NOTHING"""
HELD = """SELECT sequence, content FROM inbox_held
    WHERE source = :source AND subscription = :subscription AND sequence IN :sequences"""
RELEASE = """DELETE FROM inbox_held
    WHERE source = :source AND subscription = :subscription AND sequence IN :sequences"""
FORGET = "DELETE FROM inbox_followed WHERE source = :source AND subscription = :subscription"
FORGET_HELD = "DELETE FROM inbox_held WHERE source = :source AND subscription = :subscription"
