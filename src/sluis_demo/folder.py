"""Tables from a folder instead of invented people: `DIR/ORGANISATION/table.json`, each an array of objects.

The key `_profile_bsn` says whose record it is; it becomes the column `bsn` where the record has no such column of its
own. Types follow from the values; nested values stay JSON text.
"""

import json
import re
from pathlib import Path
from typing import Any

from sluis.kernel import Invalid, Place, Text
from sluis_demo.registers import FICTITIOUS, Cell, Registers, Table

ORGANISATIONS = ("sluiswijk", "rvig", "belastingdienst", "uwv", "svb", "kvk", "rdw")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_KEYS = ("bsn", "ouder_bsn", "partner_bsn", "kvk_nummer")


def read_folder(folder: Path) -> Registers:
    """Every table of the seven organisations that lies in `folder`; the names of folders may be in capitals.

    Raises: Invalid with the file, when the folder or a file is not laid out as described.
    """
    if not folder.is_dir():
        raise _invalid(folder, "de map is er niet", "the folder is not there")
    found: Registers = {}
    for place in sorted(folder.iterdir()):
        name = place.name.lower()
        if name in ORGANISATIONS and place.is_dir():
            tables = [_table(path) for path in sorted(place.glob("*.json"))]
            found[name] = [table for table in tables if table.columns]
    if not any(found.values()):
        raise _invalid(
            folder,
            "er ligt geen tabel van een bekende organisatie in",
            "it holds no table of a known organisation",
        )
    return found


def _table(path: Path) -> Table:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _invalid(path, "het is geen leesbare JSON", "it is not readable JSON") from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _invalid(path, "het is geen lijst van records", "it is not a list of records")
    names = list(dict.fromkeys(name for record in records for name in record if name != "_profile_bsn"))
    whose = not {"bsn", "ouder_bsn"} & set(names)
    rows = [
        [record["_profile_bsn"]] if whose and "_profile_bsn" in record else [None][:whose]
        for record in records
    ]
    for row, record in zip(rows, records, strict=True):
        row.extend(record.get(name) for name in names)
    columns = (["bsn"] if whose else []) + names
    types = [_type([row[at] for row in rows]) for at in range(len(columns))]
    cells = [(*(_cell(value) for value in row), FICTITIOUS) for row in rows]
    keys = tuple(name for name in columns if name in _KEYS)
    return Table(path.stem, (*zip(columns, types, strict=True), ("fictief", "VARCHAR")), keys, cells)


def _type(values: list[Any]) -> str:
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    if kinds and kinds <= {int, float}:
        return "DOUBLE"
    if kinds == {str} and all(_DAY.fullmatch(value) for value in known):
        return "DATE"
    return "VARCHAR"


def _cell(value: Any) -> Cell:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    cell: Cell = value
    return cell


def _invalid(path: Path, nl: str, en: str) -> Invalid:
    return Invalid(
        "demo-data-unreadable",
        Text("De demo kan deze gegevens niet laden.", "The demo cannot load this data."),
        Text(f"Bij `{path}`: {nl}.", f"At `{path}`: {en}."),
        Text(
            "Geef een map met per organisatie een map vol JSON-tabellen.",
            "Give a folder with a folder of JSON tables per organisation.",
        ),
        place=Place(str(path)),
    )
