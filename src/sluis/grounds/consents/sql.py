"""The consents of people, as they stand; what changed them is in the log."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "consents",
        (
            """CREATE TABLE grounds_consents (
                id TEXT PRIMARY KEY, subject TEXT NOT NULL, consent {bytes} NOT NULL, given {int} NOT NULL,
                ended {int} NOT NULL)""",
            "CREATE INDEX grounds_consents_subject ON grounds_consents (subject)",
            "CREATE INDEX grounds_consents_ended ON grounds_consents (ended)",
        ),
    ),
)

KEEP = """INSERT INTO grounds_consents (id, subject, consent, given, ended)
    VALUES (:id, :subject, :consent, :given, :ended) ON CONFLICT (id) DO UPDATE SET consent = :consent, ended = :ended"""
"""Keep a consent as it stands now. `ended` is the number of its last day (1 is 1 January of year 1), or of that on which it was
revoked."""

STANDING = "SELECT consent FROM grounds_consents WHERE ended >= :today ORDER BY given, id"
"""Consents that hold on a day or after it, and those revoked since, oldest first."""

OF_SUBJECT = "SELECT consent FROM grounds_consents WHERE subject = :subject ORDER BY given DESC, id"
"""The consents of one person, also those that ended, newest first."""

ONE = "SELECT consent FROM grounds_consents WHERE id = :id"
"""One consent."""

FORGET = "DELETE FROM grounds_consents WHERE ended < :before"
"""Forget consents that ended before a day."""
