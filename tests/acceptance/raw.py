"""Official test data read with nothing but csv, json and sqlite3: what the engine's answers are measured against.

Every file becomes a table of text (JSON keeps its numbers), so that an expected answer is one plain SQL statement over
the raw rows. Nothing of `sluis` is used here.
"""

import csv
import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

GBAV = "brp/gbav_testset_persoonslijsten_share.csv"


def database(shared: Path) -> sqlite3.Connection:
    """Everything under `shared/data` that the questions use, in one database in memory."""
    connection = sqlite3.connect(":memory:")
    data = shared / "data"
    person_lists(connection, data / GBAV)
    for path in (data / "brp" / "tabellen").glob("Tabel*.csv"):
        number = path.name[5:7]
        with path.open(encoding="utf-16", newline="") as file:
            lines = list(csv.reader(file))
        table(connection, f"tabel{number}", [f"c{at}" for at in range(len(lines[0]))], lines[1:])
    for path in (data / "migratieketen").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
        table(connection, path.stem, lines[0], ([cell or None for cell in line] for line in lines[1:]))
    for path in (data / "personas" / "sources").glob("*/*.json"):
        rows = json.loads(path.read_text(encoding="utf-8"))
        names = sorted({name for row in rows for name in row})
        cells = ([flat(row.get(name)) for name in names] for row in rows)
        table(connection, f"{path.parent.name}_{path.stem}", names, cells)
    return connection


def person_lists(connection: sqlite3.Connection, path: Path) -> None:
    """Table `lijst`: list name (filled down over the history lines), line in that list from 1, and a column per
    element, `e010120` for 01.01.20; of a name that occurs twice the first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file, delimiter=";"))
    names: dict[str, int] = {}
    for at, name in enumerate(lines[0]):
        names.setdefault("e" + name.replace(".", ""), at)
    rows, current, number = [], "", 0
    for line in lines[1:]:
        current, number = (line[0], 1) if line[0] else (current, number + 1)
        rows.append([current, number, *(line[at] or None for name, at in names.items() if name != "e")])
    table(connection, "lijst", ["lijst", "regel", *(name for name in names if name != "e")], rows)


def table(
    connection: sqlite3.Connection, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """A table without types, with these rows in it."""
    quoted = ", ".join(f'"{column}"' for column in columns)
    connection.execute(f'CREATE TABLE "{name}" ({quoted})')
    connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})', rows)


def flat(value: object) -> object:
    """Lists and objects as JSON text, everything else as it is."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
