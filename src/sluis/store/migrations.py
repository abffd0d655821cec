"""The tables of every room, brought up to date in order. What was applied stands in one table, `sluis_migrations`.

A database that knows a migration which this code does not know was written by newer code: it is refused, because
old code would write records that the new code no longer understands.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import Conflict, Text
from sluis.store.engine import Store

APPLIED = "SELECT name FROM sluis_migrations WHERE room = :room ORDER BY position"
"""The migrations of one room that this database has had, in order."""

NOTE = "INSERT INTO sluis_migrations (room, position, name) VALUES (:room, :position, :name)"
"""Note that a migration was applied."""

_TABLE = """CREATE TABLE IF NOT EXISTS sluis_migrations (
    room TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (room, position))"""

_TYPES = {
    "sqlite": {"bytes": "BLOB", "int": "INTEGER", "clustered": " WITHOUT ROWID"},
    "postgresql": {"bytes": "BYTEA", "int": "BIGINT", "clustered": ""},
}


class Migration(msgspec.Struct, frozen=True):
    """One step. `statements` may hold `{bytes}` and `{int}` (types of columns) and `{clustered}` (after a table whose
    primary key is its order on disk), where the engines differ."""

    name: str
    statements: tuple[str, ...]


def migrate(store: Store, room: str, migrations: Sequence[Migration]) -> None:
    """Apply what this database has not had yet, all of it in one transaction.

    Args:
        store: the database; this process becomes its writer.
        room: whose tables these are.
        migrations: all steps of the room, oldest first; steps are only ever added at the end.

    Raises:
        Conflict: the database is newer than the code, or has another history.
    """
    store.write_blocking(lambda connection: _apply(connection, room, migrations))


def check_migrated(store: Store, room: str, migrations: Sequence[Migration]) -> None:
    """Hold the tables of a room against this code, in a process that does not bring them up to date itself. Blocks.

    Raises:
        Conflict: they are older or newer than this code.
    """
    with store.read() as connection:
        there = connection.execute(text("SELECT to_regclass('sluis_migrations')")).scalar() is not None
        had = [row.name for row in connection.execute(text(APPLIED), {"room": room})] if there else []
    if len(had) < len(migrations):
        raise _older(room)
    if had != [migration.name for migration in migrations]:
        raise _newer(room)


def _apply(connection: Connection, room: str, migrations: Sequence[Migration]) -> None:
    connection.execute(text(_TABLE))
    had = [row.name for row in connection.execute(text(APPLIED), {"room": room})]
    if had != [migration.name for migration in migrations[: len(had)]]:
        raise _newer(room)
    for position in range(len(had), len(migrations)):
        for statement in migrations[position].statements:
            connection.execute(text(statement.format(**_TYPES[connection.dialect.name])))
        connection.execute(
            text(NOTE), {"room": room, "position": position, "name": migrations[position].name}
        )


def _older(room: str) -> Conflict:
    return Conflict(
        "store-is-older",
        Text("Deze database is nog niet bijgewerkt.", "This database has not been brought up to date yet."),
        Text(
            f"De tabellen van '{room}' zijn ouder dan deze versie van Sluis.",
            f"The tables of '{room}' are older than this Sluis.",
        ),
        Text("Start eerst het knooppunt zelf, met deze versie.", "Start the node itself first, with this version."),
    )  # fmt: skip


def _newer(room: str) -> Conflict:
    return Conflict(
        "store-is-newer",
        Text(
            "Deze database is nieuwer dan deze versie van Sluis.", "This database is newer than this Sluis."
        ),
        Text(
            f"Er staan stappen in voor '{room}' die deze versie niet kent.",
            f"It holds steps for '{room}' that this version does not know.",
        ),
        Text("Installeer de nieuwere versie.", "Install the newer version."),
    )
