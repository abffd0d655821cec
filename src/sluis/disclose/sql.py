"""What is remembered between questions so that many small answers do not add up to a forbidden one: how often a
budget was drawn on, and the sizes of groups that were told.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import Connection, text

from sluis.kernel import decode, encode
from sluis.statement.groups import Size, disjoint, too_close
from sluis.store import Migration, Store, migrate

MIGRATIONS = (
    Migration(
        "budgets",
        (
            """CREATE TABLE disclose_spent (purse TEXT NOT NULL, day TEXT NOT NULL, question TEXT NOT NULL,
            PRIMARY KEY (purse, day, question))""",
            """CREATE TABLE disclose_told (board TEXT NOT NULL, question TEXT NOT NULL, cell TEXT NOT NULL,
            subjects BIGINT NOT NULL, row_count BIGINT NOT NULL, day TEXT NOT NULL,
            PRIMARY KEY (board, question, cell))""",
            """CREATE TABLE disclose_asked (board TEXT NOT NULL, question TEXT NOT NULL, fixed TEXT NOT NULL,
            day TEXT NOT NULL, PRIMARY KEY (board, question))""",
        ),
    ),
)

SPENT = "SELECT count(*) FROM disclose_spent WHERE purse = :purse AND day = :day AND question <> :question"
"""How many other questions drew on a budget that day."""

SPEND = """INSERT INTO disclose_spent (purse, day, question) VALUES (:purse, :day, :question)
ON CONFLICT DO NOTHING"""
"""Draw on a budget; the same question again costs nothing."""

FORGET_SPENT = "DELETE FROM disclose_spent WHERE day < :day"
"""Budgets are per day."""

TOLD = "SELECT question, cell, subjects, row_count FROM disclose_told WHERE board = :board AND question <> :question"
"""The groups told in answer to other questions of the same kind."""

ASKED = "SELECT question, fixed FROM disclose_asked WHERE board = :board AND question <> :question"
"""The other questions of the same kind, with the columns that their conditions set equal to a constant."""

ASK = """INSERT INTO disclose_asked (board, question, fixed, day) VALUES (:board, :question, :fixed, :day)
ON CONFLICT (board, question) DO UPDATE SET day = excluded.day"""
"""Remember a question that is about to be answered."""

TELL = """INSERT INTO disclose_told (board, question, cell, subjects, row_count, day)
VALUES (:board, :question, :cell, :subjects, :row_count, :day)
ON CONFLICT (board, question, cell) DO UPDATE SET subjects = excluded.subjects, row_count = excluded.row_count,
day = excluded.day"""
"""Remember a group that is about to be told."""

FORGET_TOLD = "DELETE FROM disclose_told WHERE day < :day"
FORGET_ASKED = "DELETE FROM disclose_asked WHERE day < :day"
"""After a year the people in a group are others."""

_REMEMBERED = timedelta(days=366)


class StoredBudget:
    """Budgets in the node's own database; durable when a method returns. Made by `open_budget`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spend(self, purse: str, day: date, question: str, limit: int) -> bool:
        """Draw on a budget; False when `limit` different questions did so that day already. Raises `Unkept`."""

        def work(connection: Connection) -> bool:
            known = {"purse": purse, "day": day.isoformat(), "question": question}
            connection.execute(text(FORGET_SPENT), {"day": day.isoformat()})
            if connection.execute(text(SPENT), known).scalar_one() >= limit:
                return False
            connection.execute(text(SPEND), known)
            return True

        return await self._store.write(work)

    async def tell(
        self,
        board: str,
        day: date,
        question: str,
        fixed: Mapping[str, str],
        sizes: Mapping[str, Size],
        minimum: int,
    ) -> bool:
        """Remember groups before they are told; False, and nothing remembered, when they are too close to earlier ones.

        Args:
            board: what is compared with each other: asker, activity, datasets and grouping.
            day: today.
            question: digest of the whole question.
            fixed: per column that a condition sets equal to a constant, a digest of the constant.
            sizes: the groups, by digest of their key.
            minimum: fewest subjects that a difference may show.
        """

        def work(connection: Connection) -> bool:
            for statement in (FORGET_TOLD, FORGET_ASKED):
                connection.execute(text(statement), {"day": (day - _REMEMBERED).isoformat()})
            known = {"board": board, "question": question}
            asked = connection.execute(text(ASKED), known)
            conditions = {row.question: decode(row.fixed, dict[str, str]) for row in asked}
            earlier: dict[str, dict[str, Size]] = {name: {} for name in conditions}
            for row in connection.execute(text(TOLD), known):
                earlier[row.question][row.cell] = Size(row.subjects, row.row_count)
            for name, before in earlier.items():
                if not disjoint(fixed, conditions[name]) and too_close(sizes, before, minimum):
                    return False
            connection.execute(text(ASK), {**known, "fixed": encode(fixed).decode(), "day": day.isoformat()})
            rows = [
                {
                    "board": board, "question": question, "cell": cell, "subjects": size.subjects,
                    "row_count": size.rows, "day": day.isoformat(),
                }
                for cell, size in sizes.items()
            ]  # fmt: skip
            if rows:
                connection.execute(text(TELL), rows)
            return True

        return await self._store.write(work)


def open_budget(store: Store) -> StoredBudget:
    """Budgets kept in this database. Raises `Conflict`, `Unkept`."""
    migrate(store, "disclose", MIGRATIONS)
    return StoredBudget(store)
