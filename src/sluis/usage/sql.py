"""What was counted of use, per month, and statements that do not change any more."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "usage",
        (
            """CREATE TABLE usage_calls (
                month TEXT NOT NULL, side TEXT NOT NULL, peer TEXT NOT NULL, service TEXT NOT NULL, grant_hash TEXT NOT NULL,
                calls {int} NOT NULL, failed {int} NOT NULL, PRIMARY KEY (month, side, peer, service, grant_hash)){clustered}""",
            """CREATE TABLE usage_charges (
                month TEXT NOT NULL, side TEXT NOT NULL, peer TEXT NOT NULL, activity TEXT NOT NULL,
                questions {int} NOT NULL, persons {int} NOT NULL, cents {int} NOT NULL,
                PRIMARY KEY (month, side, peer, activity)){clustered}""",
            "CREATE TABLE usage_counted (what TEXT PRIMARY KEY, place {int} NOT NULL)",
            "INSERT INTO usage_counted (what, place) VALUES ('calls', 0)",
            "INSERT INTO usage_counted (what, place) VALUES ('charges', 0)",
            "CREATE TABLE usage_statements (number TEXT PRIMARY KEY, month TEXT NOT NULL, statement {bytes} NOT NULL)",
        ),
    ),
)

PLACE = "SELECT place FROM usage_counted WHERE what = :what"
"""How far was counted: the first line, or record, that was not."""

GO_ON = "UPDATE usage_counted SET place = :place WHERE what = :what"
"""A stretch was counted; in one commit with what it adds."""

ADD_CALLS = """INSERT INTO usage_calls (month, side, peer, service, grant_hash, calls, failed)
    VALUES (:month, :side, :peer, :service, :grant_hash, :calls, :failed)
    ON CONFLICT (month, side, peer, service, grant_hash) DO UPDATE SET
        calls = usage_calls.calls + excluded.calls, failed = usage_calls.failed + excluded.failed"""
"""Add what a stretch of the transaction log has."""

ADD_CHARGES = """INSERT INTO usage_charges (month, side, peer, activity, questions, persons, cents)
    VALUES (:month, :side, :peer, :activity, :questions, :persons, :cents)
    ON CONFLICT (month, side, peer, activity) DO UPDATE SET
        questions = usage_charges.questions + excluded.questions, persons = usage_charges.persons + excluded.persons,
        cents = usage_charges.cents + excluded.cents"""
"""Add what a stretch of the log has."""

CALLS = "SELECT side, peer, service, grant_hash, calls, failed FROM usage_calls WHERE month = :month"
"""The calls of a month."""

CHARGES = "SELECT side, peer, activity, questions, persons, cents FROM usage_charges WHERE month = :month"
"""The answers with a price of a month."""

MONTHS = "SELECT month FROM usage_calls UNION SELECT month FROM usage_charges ORDER BY month DESC"
"""The months in which something was used, newest first."""

KEEP = """INSERT INTO usage_statements (number, month, statement) VALUES (:number, :month, :statement)
    ON CONFLICT (number) DO NOTHING"""
"""Keep a statement that does not change any more; the first stands."""

KEPT = "SELECT statement FROM usage_statements WHERE month = :month ORDER BY number"
"""The statements of a month that do not change any more."""
