"""People of the migration chain, and what happens to them: invented, or read from a folder with tables.

Invented people have BSNs out of the block of `people`, and names put together from words for "invented".
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from sluis_demo.dice import Dice
from sluis_demo.people import ENDINGS, FEMALE, INVENTED, MALE

FOLDER = "migratieketen"
_SEED = 20_261_122
_PEOPLE = (
    "999985048 999985085 999985103 999985127 999985140 999985164 999985218 999985231 "
    "999985255 999985267 999985292 999985309 999985322 999985334 999985346 999985371"
).split()
"""BSNs of the block of `people`, which that leaves out."""
_RESIDENTS, _OPEN_CASES = 12, 5
_PLACES = ("Proefdorp", "Nephuizen", "Fabelveen", "Schijnberg")
_DAY = date(2026, 1, 1)  # what is over then, is over


class Happened(msgspec.Struct, frozen=True):
    """Something that a partner tells its node: the id that its own system gave it, about whom, and the facts."""

    id: str
    bsn: str
    facts: Mapping[str, Any]


class Cases(msgspec.Struct, frozen=True):
    """Who is known where, and what happens.

    `relations` has per partner whom it knows, with the reference that it uses for that itself. `decision` and `moves` are told
    in the story; the decision is about the resident, who is called `name`.
    """

    name: str
    decision: Happened
    moves: tuple[Happened, ...]
    relations: Mapping[str, Mapping[str, str]]


def cases_of(data: Path | None) -> Cases | None:
    """Those out of a folder with tables, as far as it has them; invented ones without such a folder.

    Args:
        data: the folder that the demo was given; the chain's tables lie in `migratieketen` in it, or beside where the list of
            grounds lies.
    """
    if data is None:
        return invented()
    folders = (data, data / FOLDER, data / ".." / ".." / FOLDER)
    folder = next((one for one in folders if (one / "ind_dossiers.csv").is_file()), None)
    return None if folder is None else _given(folder)


def invented() -> Cases:
    """Twelve people who live in reception; nobody exists."""
    dice = Dice(_SEED)
    residents, visas = dice.shuffled(_PEOPLE[:_RESIDENTS]), _PEOPLE[_RESIDENTS:]
    resident, *others = residents[:_OPEN_CASES]
    moving = (resident, others[0], resident)
    given = dice.pick(FEMALE + MALE)
    return Cases(
        name=f"{given} {dice.pick(INVENTED)}{dice.pick(ENDINGS)}",
        decision=Happened("besluit-2026-0117", resident, {"uitkomst": "afgewezen", "verstreken": False, "kenmerk": "A-0117"}),
        moves=tuple(
            Happened(f"verhuizing-{number}", bsn, {"locatie": place})
            for number, (bsn, place) in enumerate(zip(moving, dice.shuffled(_PLACES), strict=False), 1)
        ),
        relations={
            "coa": _referred("bewoner", residents),
            "dtv": _referred("casus", residents[:_OPEN_CASES]),
            "bz": _referred("visum", visas),
        },
    )  # fmt: skip


def _given(folder: Path) -> Cases | None:
    """Out of tables: the decision about somebody of whom most partners know, and who moves too; None without one."""
    files = {row["v_nummer"]: row for row in _read(folder, "ind_dossiers")}
    bsns = {number: row["bsn"] for number, row in files.items() if row["bsn"]}
    leaving = {row["v_nummer"]: row for row in _read(folder, "dtv_casussen")}
    relations = {
        "coa": [row["v_nummer"] for row in _read(folder, "coa_bewoners") if not row["uitstroomdatum"]],
        "dtv": [number for number, row in leaving.items() if row["status"] == "open"],
        "bz": [row["v_nummer"] for row in _read(folder, "bz_visa")],
    }
    happened = [row for row in _read(folder, "gebeurtenissen") if row["v_nummer"] in bsns]
    moves = [
        row for row in happened if row["type"] == "verhuizing.opvang" and row["v_nummer"] in relations["dtv"]
    ]
    moving = {row["v_nummer"] for row in moves}
    decided = [
        row for row in happened if row["type"] == "asielbeslissing.genomen" and row["v_nummer"] in moving
    ]
    if not decided:
        return None
    one = max(
        decided, key=lambda row: (row["v_nummer"] in relations["coa"], row["v_nummer"] not in relations["bz"])
    )
    number, file = one["v_nummer"], files[one["v_nummer"]]
    until = leaving[number]["vertrekplicht_per"]
    facts = {
        "uitkomst": one["uitkomst"],
        "verstreken": date.fromisoformat(until) <= _DAY,
        "kenmerk": one["id"],
    }
    return Cases(
        name=f"{file['voornamen']} {file['geslachtsnaam']}",
        decision=Happened(one["id"], bsns[number], facts),
        moves=tuple(Happened(row["id"], bsns[row["v_nummer"]], {"locatie": row["uitkomst"]}) for row in moves),
        relations={
            alias: _referred(word, dict.fromkeys(bsns[number] for number in numbers if number in bsns))
            for (alias, numbers), word in zip(relations.items(), ("bewoner", "casus", "visum"), strict=True)
        },
    )  # fmt: skip


def _referred(word: str, bsns: Iterable[str]) -> dict[str, str]:
    return {bsn: f"{word}-{number}" for number, bsn in enumerate(bsns, 1)}


def _read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
