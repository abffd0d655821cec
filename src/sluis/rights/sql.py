"""The table of this room, and its statements, the same for SQLite and PostgreSQL.

Who asks what, about what, and the answer are sealed. In the clear stands what must be found: pseudonyms, kinds, states, moments.
"""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "requests",
        (
            """CREATE TABLE rights_requests (
                side TEXT NOT NULL, peer TEXT NOT NULL, receipt TEXT NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL,
                state TEXT NOT NULL, created {int} NOT NULL, changed {int} NOT NULL, ends {int}, due {int},
                attempts {int} NOT NULL, trouble TEXT NOT NULL, sealed {bytes} NOT NULL,
                PRIMARY KEY (side, peer, receipt))""",
            "CREATE INDEX rights_requests_person ON rights_requests (person, created)",
            "CREATE INDEX rights_requests_due ON rights_requests (due) WHERE due IS NOT NULL",
            "CREATE INDEX rights_requests_desk ON rights_requests (side, created)",
            "CREATE INDEX rights_requests_ends ON rights_requests (ends) WHERE ends IS NOT NULL",
        ),
    ),
    Migration(
        "open",
        ("CREATE INDEX rights_requests_open ON rights_requests (side, peer) WHERE ends IS NULL",),
    ),
)

_ALL = "receipt, side, peer, person, kind, state, created, changed, ends, due, attempts, trouble, sealed"

ADD = f"""INSERT INTO rights_requests ({_ALL}) VALUES (:receipt, :side, :peer, :person, :kind, :state, :created, :changed,
    :ends, :due, :attempts, :trouble, :sealed)"""
"""A new request."""

ONE = f"SELECT {_ALL} FROM rights_requests WHERE side = :side AND peer = :peer AND receipt = :receipt"
"""One request."""

OF_PERSON = f"""SELECT {_ALL} FROM rights_requests WHERE person = :person AND side = :side
    ORDER BY created DESC, receipt LIMIT :most OFFSET :skip"""
"""The requests of a person, newest first."""

COUNT_OF_PERSON = (
    "SELECT COUNT(*) FROM rights_requests WHERE person = :person AND side = :side AND created >= :since"
)
"""How many a person has made since a moment."""

DESK = f"""SELECT {_ALL} FROM rights_requests WHERE side = 'received' AND kind IN :kinds AND state IN :states
    ORDER BY created DESC, receipt LIMIT :most OFFSET :skip"""
"""What came in, newest first."""

COUNT_DESK = (
    """SELECT COUNT(*) FROM rights_requests WHERE side = 'received' AND kind IN :kinds AND state IN :states"""
)
"""How many of these there are."""

COUNT_OPEN = "SELECT COUNT(*) FROM rights_requests WHERE side = 'received' AND peer = :peer AND ends IS NULL"
"""How many of one organisation are not finished."""

DUE = f"SELECT {_ALL} FROM rights_requests WHERE due IS NOT NULL AND due <= :now ORDER BY due LIMIT :most"
"""What must be sent: a request to where it goes, or how far it is to where it came from."""

KEEP = """UPDATE rights_requests SET state = :state, changed = :changed, ends = :ends, due = :due, attempts = :attempts,
    trouble = :trouble, sealed = :sealed WHERE side = :side AND peer = :peer AND receipt = :receipt"""
"""A request in the place of what it was."""

SENT = """UPDATE rights_requests SET due = NULL, attempts = 0, trouble = '' WHERE side = :side AND peer = :peer
    AND receipt = :receipt AND state = :state"""
"""How far it is has arrived, and it is no further since: no state comes twice."""

AGAIN = """UPDATE rights_requests SET due = :due, attempts = attempts + 1, trouble = :trouble
    WHERE side = :side AND peer = :peer AND receipt = :receipt"""
"""It did not arrive, and when it is tried again."""

SWEEP = "DELETE FROM rights_requests WHERE ends IS NOT NULL AND ends < :now"
"""Destroy what was kept long enough."""
