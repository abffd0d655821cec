"""The official test data as nodes hold it: sources, datasets, and disclosures to one asking organisation.

The person lists are split into the tables a register has (one per category, history lines beside the current one);
national tables and the migration chain are read as the files they are; the personas become one database per
organisation, SVB's stay the JSON files they are. BSNs of these sets need not pass the eleven-test.
"""

import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec
from tests.federation import ASKER, OwnerSetup

from sluis.grounds import Activity, Aggregate, Article, Closed, Column, Dataset, Disclosure, Role, Subject
from sluis.kernel import Oin, PeerId, Period, Text

GBAV = "gbav_testset_persoonslijsten_share"
CHAIN = "https://asker.example.nl/verwerkingen/vreemdelingenketen"
STATISTICS = "https://asker.example.nl/verwerkingen/statistiek"
BENEFIT = "https://asker.example.nl/verwerkingen/bijstand"

BRP_ACT = Article("Wet basisregistratie personen", "3.2", "BWBR0033715")
ALIENS_ACT = Article("Vreemdelingenwet 2000", "107", "BWBR0011823")
PARTICIPATION_ACT = Article("Participatiewet", "64", "BWBR0015703")
TAX_SECRECY = Article("Algemene wet inzake rijksbelastingen", "67", "BWBR0002320")


def _activity(id: str, name: str, article: Article) -> Activity:
    text = Text(name, name)
    since = Period(date(2024, 1, 1))
    return Activity(id, text, text, Oin(str(ASKER)), "public-task", (article,), since)


ACTIVITIES = (
    _activity(CHAIN, "vreemdelingenketen", ALIENS_ACT),
    _activity(STATISTICS, "statistiek", ALIENS_ACT),
    _activity(BENEFIT, "bijstand", PARTICIPATION_ACT),
)


def owners(shared: Path, scratch: Path) -> tuple[OwnerSetup, ...]:
    """Every owner, its databases made in `scratch`."""
    return (
        *registers(shared / "data", scratch),
        *chain(shared / "data"),
        *personas(shared / "data", scratch),
    )


def registers(data: Path, scratch: Path) -> Iterator[OwnerSetup]:
    """RvIG with the person lists, and the national tables as UTF-16 files beside them."""
    database = scratch / "gbav.sqlite"
    with sqlite3.connect(database) as connection:
        load_person_lists(data / "brp" / f"{GBAV}.csv", connection)
    connection.close()
    person = dataset(
        "personen", "gbav", "persoon", "bsn a_nummer voornamen achternaam geboortedatum geslacht", "bsn"
    )
    homes = dataset(
        "verblijf",
        "gbav",
        "verblijf",
        "bsn regel:BIGINT gemeente_code straat huisnummer postcode geheim:BIGINT",
        "bsn",
    )
    nationalities = dataset("nationaliteit", "gbav", "nationaliteit", "bsn regel:BIGINT code", "bsn")
    unions = dataset("huwelijk", "gbav", "huwelijk", "bsn partner_bsn", "bsn")
    children = dataset("kinderen", "gbav", "kind", "bsn voornamen achternaam geboortedatum", "bsn")
    columns = {"lijst": "column_1", "bsn": "01.01.20", "achternaam": "01.02.40", "geboortedatum": "01.03.10"}
    faces = tuple(Column(face, "VARCHAR", source=own) for face, own in columns.items())
    title = Text("persoonslijsten", "person lists")
    lists = Dataset("lijsten", title, "bestand", GBAV, faces, subject=Subject("bsn", "BSN"))
    tables = data / "brp" / "tabellen"
    towns = file_dataset(
        "gemeenten",
        "tabellen",
        "Tabel33 Gemeententabel (gesorteerd op code)",
        ("92.10 Gemeentecode", "92.11 Omschrijving"),
    )
    nations = file_dataset(
        "nationaliteiten",
        "tabellen",
        "Tabel32 Nationaliteitentabel (gesorteerd op code)",
        ("05.11 Nationaliteitscode", "05.12 Omschrijving"),
    )
    yield owner(
        "brp",
        1,
        {"gbav": f"sqlite:///{database}", "tabellen": tables.as_uri(), "bestand": (data / "brp").as_uri()},
        (person, CHAIN, BRP_ACT, {}),
        (lists, CHAIN, BRP_ACT, {}),
        (homes, CHAIN, BRP_ACT, {"masks": {"postcode": "substr(postcode, 1, 4)"}, "rows": "geheim = 0"}),
        (nationalities, CHAIN, BRP_ACT, {}),
        (unions, CHAIN, BRP_ACT, {"roles": {"partner_bsn": "join"}}),
        (children, CHAIN, BRP_ACT, {}),
        (towns, CHAIN, BRP_ACT, {}),
        (nations, CHAIN, BRP_ACT, {}),
    )


def chain(data: Path) -> Iterator[OwnerSetup]:
    """The migration chain: five organisations, each with its own CSV files."""
    folder = {"bestanden": (data / "migratieketen").as_uri()}
    files = csv_dataset("bestanden", data / "migratieketen")
    dossiers = msgspec.structs.replace(files("dossiers", "ind_dossiers"), key=("v_nummer",))
    counted = {"aggregate": Aggregate(minimum=3), "subject_required": False}
    yield owner(
        "ind",
        2,
        folder,
        (dossiers, CHAIN, ALIENS_ACT, {"roles": {"bsn": "join"}}),
        (dossiers, STATISTICS, ALIENS_ACT, counted),
        (files("gebeurtenissen", "gebeurtenissen"), CHAIN, ALIENS_ACT, {}),
    )
    yield owner("coa", 3, folder, (files("bewoners", "coa_bewoners"), CHAIN, ALIENS_ACT, {}))
    yield owner("dtv", 4, folder, (files("casussen", "dtv_casussen"), CHAIN, ALIENS_ACT, {}))
    yield owner("kmar", 5, folder, (files("passages", "kmar_grenspassages"), CHAIN, ALIENS_ACT, {}))
    yield owner("bz", 6, folder, (files("visa", "bz_visa"), CHAIN, ALIENS_ACT, {}))


def personas(data: Path, scratch: Path) -> Iterator[OwnerSetup]:
    """The personas: one database per organisation, opened for a benefit application."""
    sources = data / "personas" / "sources"

    def held(organisation: str) -> str:
        database = scratch / f"{organisation}.sqlite"
        with sqlite3.connect(database) as connection:
            for path in sorted((sources / organisation).glob("*.json")):
                load_json(path, connection)
        connection.close()
        return f"sqlite:///{database}"

    law = PARTICIPATION_ACT
    closed = {
        "closed": (Closed(("spaargeld", "beleggingen"), Text("fiscaal geheim", "tax secrecy"), TAX_SECRECY),)
    }
    yield owner(
        "rvig",
        11,
        {"db": held("RvIG")},
        (
            dataset("personen", "db", "personen", "bsn geboortedatum:DATE nationaliteit", "bsn"),
            BENEFIT,
            BRP_ACT,
            {},
        ),
        (
            dataset("relaties", "db", "relaties", "bsn partnerschap_type partner_bsn", "bsn"),
            BENEFIT,
            BRP_ACT,
            {"roles": {"partner_bsn": "join"}},
        ),
        (
            dataset("gezag", "db", "gezag_relaties", "bsn_gezagdrager naam_kind", "bsn_gezagdrager"),
            BENEFIT,
            BRP_ACT,
            {},
        ),
    )
    box1 = dataset(
        "inkomen", "db", "box1", "bsn loon_uit_dienstbetrekking:BIGINT winst_uit_onderneming:BIGINT", "bsn"
    )
    wealth = dataset(
        "vermogen", "db", "box3", "bsn spaargeld:BIGINT beleggingen:BIGINT schulden:BIGINT", "bsn"
    )
    abroad = dataset("buitenland", "db", "buitenlands_inkomen", "bsn bedrag:BIGINT land", "bsn")
    yield owner(
        "belastingdienst",
        12,
        {"db": held("BELASTINGDIENST")},
        (box1, BENEFIT, law, {}),
        (wealth, BENEFIT, law, {**closed, "roles": {"spaargeld": None, "beleggingen": None}}),
        (abroad, BENEFIT, law, {}),
        (box1, STATISTICS, law, {"aggregate": Aggregate(minimum=3), "subject_required": False}),
    )
    work = dataset(
        "dienstverbanden",
        "db",
        "dienstverbanden",
        "bsn start_date:DATE end_date:DATE uren_per_week:BIGINT",
        "bsn",
    )
    yield owner("uwv", 13, {"db": held("UWV")}, (work, BENEFIT, law, {}))
    child_benefit = dataset(
        "kinderbijslag", "db", "algemene_kinderbijslagwet", "ouder_bsn aantal_kinderen:BIGINT", "ouder_bsn"
    )
    yield owner("svb", 14, {"db": (sources / "SVB").as_uri()}, (child_benefit, BENEFIT, law, {}))
    offices = dataset("functionarissen", "db", "functionarissen", "bsn kvk_nummer functie status", "bsn")
    yield owner("kvk", 15, {"db": held("KVK")}, (offices, BENEFIT, law, {}))


def owner(
    alias: str,
    number: int,
    sources: dict[str, str],
    *opened: tuple[Dataset, str, Article, dict[str, object]],
) -> OwnerSetup:
    """An owner with a disclosure for each (dataset, activity, article, what differs from "everything output")."""
    oin = PeerId(f"000000099{number:011}")
    disclosures = tuple(
        _disclosure(f"{alias}-{at}", what, activity, article, dict(special), oin)
        for at, (what, activity, article, special) in enumerate(opened)
    )
    datasets = {what.name: what for what, _, _, _ in opened}
    return OwnerSetup(alias, oin, sources, tuple(datasets.values()), disclosures)


def _disclosure(
    name: str, what: Dataset, activity: str, article: Article, special: dict[str, object], oin: PeerId
) -> Disclosure:
    roles = special.pop("roles", {})
    assert isinstance(roles, dict)
    every: dict[str, Role | None] = {column.name: "output" for column in what.columns}
    every.update(roles)
    return msgspec.structs.replace(
        Disclosure(
            id=name,
            version=1,
            dataset=what.name,
            recipient=ASKER,
            activity=activity,
            columns={column: role for column, role in every.items() if role is not None},
            articles=(article,),
            ground="public-task",
            controller=Oin(str(oin)),
            valid=Period(date(2024, 1, 1)),
            subject_required=what.subject is not None,
        ),
        **special,
    )


def dataset(name: str, source: str, table: str, columns: str, subject: str | None = None) -> Dataset:
    """A dataset; `columns` are names, with `:TYPE` where it is not text."""
    typed = [part.partition(":") for part in columns.split()]
    about = (
        Subject(subject, "https://ind.nl/v-nummer" if subject == "v_nummer" else "BSN") if subject else None
    )
    return Dataset(
        name,
        Text(name, name),
        source,
        table,
        tuple(Column(name, kind or "VARCHAR") for name, _, kind in typed),
        subject=about,
    )


def file_dataset(name: str, source: str, table: str, columns: Sequence[str]) -> Dataset:
    """A national table: `code` and `omschrijving`, about no person."""
    faces = zip(("code", "omschrijving"), columns, strict=True)
    return Dataset(
        name,
        Text(name, name),
        source,
        table,
        tuple(Column(face, "VARCHAR", source=own) for face, own in faces),
    )


def csv_dataset(source: str, folder: Path):  # type: ignore[no-untyped-def]
    """A maker of datasets over the CSV files of a folder, every column text."""

    def make(name: str, file: str) -> Dataset:
        with (folder / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
            header = next(csv.reader(lines))
        return dataset(name, source, file, " ".join(header), "v_nummer")

    return make


def load_person_lists(path: Path, connection: sqlite3.Connection) -> None:
    """Tables persoon, verblijf, nationaliteit, huwelijk and kind out of the GBA-V person lists.

    A list is one line with the list's name and the current values, followed by lines with earlier values and further
    children, nationalities and so on (Logisch Ontwerp GBA: element numbers as column names, 01.01.20 is the BSN).
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=";")
        header = next(lines)
        at = {name: place for place, name in reversed(list(enumerate(header)))}
        parts: dict[str, list[tuple[object, ...]]] = {
            name: [] for name in ("persoon", "verblijf", "nationaliteit", "huwelijk", "kind")
        }
        bsn: str | None = None
        secret, number = 0, 0
        for line in lines:

            def cells(*elements: str, line: list[str] = line) -> tuple[str | None, ...]:
                return tuple(line[at[element]] or None for element in elements)

            if line[0]:
                (bsn, secrecy), number = cells("01.01.20", "07.70.10"), 0
                secret = int(secrecy or 0)
                own = cells("01.01.10", "01.02.10", "01.02.40", "01.03.10", "01.04.10")
                parts["persoon"].append((bsn, *own))
                parts["huwelijk"].append((bsn, *cells("05.01.20")))
            number += 1
            home = cells("08.09.10", "08.11.10", "08.11.20", "08.11.60")
            if home[0]:
                parts["verblijf"].append((bsn, number, *home, secret))
            if line[at["04.05.10"]]:
                parts["nationaliteit"].append((bsn, number, *cells("04.05.10")))
            if line[at["09.02.40"]]:
                parts["kind"].append((bsn, *cells("09.02.10", "09.02.40", "09.03.10")))
    columns = {
        "persoon": "bsn a_nummer voornamen achternaam geboortedatum geslacht",
        "verblijf": "bsn regel:INTEGER gemeente_code straat huisnummer postcode geheim:INTEGER",
        "nationaliteit": "bsn regel:INTEGER code",
        "huwelijk": "bsn partner_bsn",
        "kind": "bsn voornamen achternaam geboortedatum",
    }
    for name, rows in parts.items():
        store(connection, name, columns[name], rows)


def load_json(path: Path, connection: sqlite3.Connection) -> None:
    """A table of a persona file; nested values are left out."""
    records = json.loads(path.read_text(encoding="utf-8"))
    kinds: dict[str, str] = {}
    for record in records:
        for name, value in record.items():
            if not isinstance(value, list | dict) and name != "_profile_bsn":
                kinds[name] = "INTEGER" if isinstance(value, int) else kinds.get(name, "TEXT")
    columns = " ".join(f"{name}:{kind}" for name, kind in kinds.items())
    if columns:
        store(connection, path.stem, columns, ([record.get(name) for name in kinds] for record in records))


def store(connection: sqlite3.Connection, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    """Create a table and fill it."""
    typed = [(*part.split(":"), "TEXT")[:2] for part in columns.split()]
    definitions = ", ".join(f'"{column}" {kind}' for column, kind in typed)
    connection.execute(f'CREATE TABLE "{name}" ({definitions})')
    connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(typed))})', rows)
