"""The table of what was used of an owner's data, the same for SQLite and PostgreSQL; and the named statements over it."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "use",
        (
            """CREATE TABLE disclose_use (
                day {int} NOT NULL, dataset TEXT NOT NULL, disclosure TEXT NOT NULL, peer TEXT NOT NULL,
                activity TEXT NOT NULL,
                questions {int} NOT NULL, persons {int} NOT NULL, refused {int} NOT NULL, failed {int} NOT NULL,
                previews {int} NOT NULL, cents {int} NOT NULL,
                PRIMARY KEY (day, dataset, disclosure, peer, activity)){clustered}""",
            "CREATE TABLE disclose_counted (one {int} PRIMARY KEY, records {int} NOT NULL)",
            "INSERT INTO disclose_counted (one, records) VALUES (1, 0)",
        ),
    ),
)

COUNTED = "SELECT records FROM disclose_counted WHERE one = 1"
"""How many records of the log, from the first, are in the counts."""

GO_ON = "UPDATE disclose_counted SET records = :end WHERE one = 1"
"""A stretch was counted."""

ADD = """INSERT INTO disclose_use
        (day, dataset, disclosure, peer, activity, questions, persons, refused, failed, previews, cents)
    VALUES (:day, :dataset, :disclosure, :peer, :activity, :questions, :persons, :refused, :failed, :previews, :cents)
    ON CONFLICT (day, dataset, disclosure, peer, activity) DO UPDATE SET
        questions = disclose_use.questions + excluded.questions, persons = disclose_use.persons + excluded.persons,
        refused = disclose_use.refused + excluded.refused, failed = disclose_use.failed + excluded.failed,
        previews = disclose_use.previews + excluded.previews, cents = disclose_use.cents + excluded.cents"""
"""Add what a stretch of the log has to what was counted before it."""

SUMS = "questions persons refused failed previews cents".split()
NAMES = ("day", "dataset", "disclosure", "peer", "activity")


def totals(by: tuple[str, ...], where: tuple[str, ...]) -> str:
    """Sums over a period, per combination of some of `NAMES`, narrowed by others; largest first, or by day the newest
    first, at most `:most`."""
    chosen = "".join(f"{name}, " for name in by)
    sums = ", ".join(f"SUM({one}) AS {one}" for one in SUMS)
    narrowed = "".join(f" AND {name} = :{name}" for name in where)
    grouped = f"GROUP BY {', '.join(by)}" if by else ""
    order = ", ".join(["day DESC"] if "day" in by else ["SUM(questions) DESC", *by])
    return (
        f"SELECT {chosen}{sums} FROM disclose_use WHERE day >= :since AND day < :until{narrowed} "
        f"{grouped} {f'ORDER BY {order}' if by else ''} LIMIT :most"
    )
