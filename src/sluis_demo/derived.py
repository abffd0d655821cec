"""Datasets and disclosures for tables that nobody prepared, from a list of legal grounds (`--data`, `--grounds`).

The list is a CSV with a line for each field that a law lets a service use: `doel_wet` (purpose), `bron_organisatie`,
`bron_tabel`, `bron_velden` (separated by `|`), `soort` (`sources`: the field lies in that table; `input`: the purpose
uses it) and `grondslag_law`, `grondslag_bwb_id`, `grondslag_article`, `grondslag_paragraph`. A column that no line
opens for the purpose stays closed, and the disclosure says so.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sluis.grounds import Article, Closed, Column, Dataset, Disclosure, Role, Subject
from sluis.kernel import Invalid, Oin, Place, Text
from sluis_demo.activities import BENEFIT, SINCE, SLUISWIJK
from sluis_demo.laws import TAX_SECRECY
from sluis_demo.organisations import Organisation
from sluis_demo.registers import Table

PURPOSE = "participatiewet/bijstand"
COMPUTED_FROM = {
    "leeftijd": ("personen.geboortedatum",),
    "heeft_partner": ("relaties.partnerschap_type",),
    "heeft_nederlandse_nationaliteit": ("personen.nationaliteit",),
    "heeft_vast_adres": ("verblijfplaats.woonplaats",),
    "is_actieve_ondernemer": ("inschrijvingen.status", "inschrijvingen.activiteit"),
    "pensioenleeftijd": ("algemene_ouderdomswet_gegevens.pensioenleeftijd",),
    "maandelijks_inkomen": ("maandelijks_inkomen.bedrag",),
    "bedrijfsinkomen": ("bedrijfsinkomen.bedrag",),
    "bezittingen": ("bezittingen.bedrag", "box3.bezittingen"),
}
"""What a law computes, and the fields, as `table.field`, that it computes it from."""

PURPOSE_LIMITATION = Article("Algemene verordening gegevensbescherming", "5, lid 1, onder b")
NO_GROUND = Text(
    "Geen regel in de grondslagen opent dit voor bijstand.", "No rule in the list of grounds opens this."
)
_LOWER = re.compile(r"[^a-z0-9_]+")


class Ground(msgspec.Struct, frozen=True):
    """A field of an organisation that the purpose may use, and on which article. `key_only`: to look up, not to see."""

    organisation: str
    table: str
    field: str
    article: Article
    key_only: bool


def read_grounds(path: Path) -> tuple[Ground, ...]:
    """The fields that the purpose may use. Raises: Invalid when the file does not have the columns named above."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        return tuple(_grounds(lines))
    except (OSError, KeyError, ValueError) as error:
        raise Invalid(
            "grounds-unreadable",
            Text("De grondslagen zijn niet te lezen.", "The list of grounds cannot be read."),
            Text(
                f"In `{path}` ontbreekt een kolom, of het is geen CSV.",
                f"`{path}` lacks a column, or is not CSV.",
            ),
            Text(
                "Geef met `--grounds` een bestand in de goede vorm.",
                "Give a file in the right form with `--grounds`.",
            ),
            place=Place(str(path)),
        ) from error


def _grounds(lines: list[dict[str, str]]) -> Iterator[Ground]:
    lies_in = {
        (line["bron_organisatie"], field): line["bron_tabel"]
        for line in lines
        for field in line["bron_velden"].split("|")
        if line["soort"] == "sources"
    }
    for line in lines:
        if line["doel_wet"] != PURPOSE or not line["grondslag_law"]:
            continue
        paragraph = f", lid {line['grondslag_paragraph']}" if line["grondslag_paragraph"] else ""
        article = Article(
            line["grondslag_law"], line["grondslag_article"] + paragraph, line["grondslag_bwb_id"] or None
        )
        owner = line["bron_organisatie"]
        for field in line["bron_velden"].split("|"):
            for place in COMPUTED_FROM.get(field, (f"{lies_in.get((owner, field), '')}.{field}",)):
                table, _, name = place.partition(".")
                yield Ground(owner.lower(), table, name, article, field.endswith("_bsn"))


def derive(organisation: Organisation, tables: list[Table], grounds: tuple[Ground, ...]) -> Organisation:
    """The organisation with datasets for these tables, and with disclosures for what the grounds open in them.

    A dataset that the organisation prepared itself is kept as far as its table and columns are there.
    """
    prepared = {dataset.table: dataset for dataset in organisation.datasets}
    datasets = [
        restricted
        for table in tables
        if (
            restricted := _restrict(prepared[table.name], table)
            if table.name in prepared
            else _propose(table)
        )
    ]
    own = [ground for ground in grounds if ground.organisation == organisation.alias]
    opened = [_open(dataset, own, organisation) for dataset in datasets]
    return Organisation(
        organisation.alias,
        organisation.name,
        organisation.oin,
        tuple(datasets),
        tuple(disclosure for disclosure in opened if disclosure),
    )


def _restrict(dataset: Dataset, table: Table) -> Dataset | None:
    """The prepared dataset, with the columns that the table has, and those that nobody prepared behind them."""
    there = dict(table.columns)
    kept = [
        column
        if column.expression
        else msgspec.structs.replace(column, type=there[column.source or column.name])
        for column in dataset.columns
        if _needs(column) <= there.keys()
    ]
    used = {name for column in kept for name in _needs(column)}
    names = {column.name for column in kept}
    rest = [column for column in _columns(table) if column.source not in used and column.name not in names]
    if dataset.subject is None or dataset.subject.column not in names:
        return None
    return msgspec.structs.replace(dataset, columns=(*kept, *rest), key=())


def _propose(table: Table) -> Dataset | None:
    columns = _columns(table)
    subject = next((column.name for column in columns if column.name in ("bsn", "ouder_bsn")), None)
    name = _LOWER.sub("_", table.name.lower())[:63]
    return (
        Dataset(name, Text(name, name), "register", table.name, columns, subject=Subject(subject, "BSN"))
        if subject
        else None
    )


def _columns(table: Table) -> tuple[Column, ...]:
    """Every column but the label; amounts are eurocents in these tables."""
    return tuple(
        Column(
            _LOWER.sub("_", name.lower()), kind, source=name, unit="eurocent" if name == "bedrag" else None
        )
        for name, kind in table.columns
        if name != "fictief"
    )


def _needs(column: Column) -> set[str]:
    """The source's own columns behind a column."""
    if column.expression is None:
        return {column.source or column.name}
    from sqlglot import exp, parse_one

    return {found.name for found in parse_one(column.expression, read="duckdb").find_all(exp.Column)}


def _open(dataset: Dataset, grounds: list[Ground], organisation: Organisation) -> Disclosure | None:
    assert dataset.subject is not None
    opened: dict[str, Role] = {}
    articles: list[Article] = []
    for column in dataset.columns:
        for ground in grounds:
            if ground.table != dataset.table or ground.field not in (column.name, column.source):
                continue
            opened[column.name] = "join" if ground.key_only else "output"
            articles += [ground.article] if ground.article not in articles else []
    if not any(role == "output" for role in opened.values()):
        return None
    article = TAX_SECRECY if organisation.alias == "belastingdienst" else PURPOSE_LIMITATION
    roles: dict[str, Role] = {dataset.subject.column: "output"}
    closed = tuple(
        column.name
        for column in dataset.columns
        if column.name not in opened | roles and column.name != "fictief"
    )
    return Disclosure(
        id=f"bijstand-{dataset.name.replace('_', '-')}",
        version=1,
        dataset=dataset.name,
        recipient=SLUISWIJK,
        activity=BENEFIT.id,
        columns=roles | opened,
        articles=tuple(articles),
        ground="public-task",
        controller=Oin(organisation.oin),
        valid=SINCE,
        max_subjects=25,
        closed=(Closed(closed, NO_GROUND, article),) if closed else (),
    )
