"""Standing questions: sealed, with a keyed digest of the answer before and never the answer."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "standing-questions",
        (
            """CREATE TABLE events_standing (
                id TEXT PRIMARY KEY, peer TEXT NOT NULL, disclosure TEXT NOT NULL, state TEXT NOT NULL,
                because TEXT NOT NULL, cadence {int} NOT NULL, due {int} NOT NULL, last {int} NOT NULL,
                asked {int}, ended {int}, handle {bytes} NOT NULL, reference {bytes} NOT NULL,
                question {bytes} NOT NULL, digest {bytes} NOT NULL)""",
            "CREATE INDEX events_standing_due ON events_standing (state, due)",
            "CREATE INDEX events_standing_peer ON events_standing (peer, state)",
        ),
    ),
)

KEEP = """INSERT INTO events_standing
    (id, peer, disclosure, state, because, cadence, due, last, handle, reference, question, digest)
    VALUES (:id, :peer, :disclosure, 'standing', '', :cadence, :due, :last, :handle, :reference, :question, :digest)"""
"""Keep a new question. `last` is the number of its last day, `due` the round in which it is read, in milliseconds."""

COUNT = "SELECT COUNT(*) FROM events_standing WHERE peer = :peer AND disclosure = :disclosure AND state = 'standing'"
"""How many a peer has under a disclosure."""

USED = "SELECT 1 FROM events_standing WHERE peer = :peer AND handle = :handle AND state = 'standing'"
"""Whether a peer has one under this reference (a keyed digest)."""

OF_PEER = """SELECT id, disclosure, state, because, due, last, asked, reference
    FROM events_standing WHERE peer = :peer ORDER BY id"""
"""All that a peer has or had, in no order that means anything."""

ONE = "SELECT state, question FROM events_standing WHERE id = :id AND peer = :peer"
"""One question of a peer."""

DUE = """SELECT id, peer, disclosure, cadence, due, last, question, reference, digest FROM events_standing
    WHERE state = 'standing' AND due <= :now AND id > :after ORDER BY id LIMIT :most"""
"""Whose turn it is, a page at a time."""

SOONEST = "SELECT MIN(due) FROM events_standing WHERE state = 'standing'"
"""When the next one has its turn."""

READ = """UPDATE events_standing SET digest = :digest, because = :because, asked = :asked, due = :next
    WHERE id = :id AND state = 'standing' AND due = :due"""
"""It was read, in the turn that it had: then nobody else noted that turn, and nothing is told twice."""

END = """UPDATE events_standing SET state = 'ended', because = :because, ended = :ended, question = :none, digest = :none
    WHERE id = :id AND state = 'standing'"""
"""It is over. What was asked, and the digest, are gone."""

SWEEP = "DELETE FROM events_standing WHERE state = 'ended' AND ended < :since"
"""Let go of what ended long ago."""
