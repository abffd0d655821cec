"""An answer as people read it: a table that can be sorted and taken along, a chart where there are figures, a picture of relations,
where each column came from, and how the person that it is about will see it. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.grounds import Activity, Article, Offer
from sluis.kernel import Text
from sluis.query.axes import Trait, axes
from sluis.query.graph import MOST_ROWS, Picture, picture
from sluis.query.model import Answer, Explanation, Origin, Provenance
from sluis.statement import parse
from sluis.web import Asked, Chart, Column, Listing, Row, amount, arranged, bsn, number

Dataset = tuple[str, str]
Kind = Literal["text", "number", "plain", "amount", "day", "moment", "bsn"]

LONGEST = 2_000
"""Characters of a value that are shown."""

MOST_DRAWN = 100
"""Rows of a chart."""

_TAKEN = ("page", "sort", "after", "as")  # names of other things in an address


class ColumnOrigin(msgspec.Struct, frozen=True):
    """A column of an answer, and where it came from: the owner, dataset and column, whether it is masked and by what, and on
    which articles it was opened."""

    name: str
    title: Text
    owner: str
    dataset: Text
    column: str
    masked: str | None
    articles: tuple[Article, ...]


class Seen(msgspec.Struct, frozen=True):
    """How the person will see one consultation: who gave it, which data, on which articles; and until when, on which article,
    they will not, where the law says so."""

    owner: str
    datasets: tuple[Text, ...]
    articles: tuple[Article, ...]
    withheld: Article | None
    days: int


class View(msgspec.Struct, frozen=True):
    """An answer with what is known of its datasets."""

    answer: Answer
    activity: Activity
    offers: Mapping[Dataset, Offer]
    owners: Mapping[str, str]

    def columns(self) -> tuple[Column, ...]:
        """The columns of the table."""
        return tuple(
            self._column(field, self.answer.provenance[at])
            for at, field in enumerate(self.answer.table.schema)
        )

    def listing(self, asked: Asked, language: str, wanted: str = "") -> Listing:
        """The page of the table that was asked.

        Args:
            asked: which.
            language: of the page.
            wanted: only rows in which this text stands.
        """
        whole = bool(wanted or asked.sort or asked.filters or asked.form)
        rows, columns = self.rows() if whole else [], self.columns()
        if wanted:
            rows = [row for row in rows if any(wanted.casefold() in _searched(one) for one in row.cells)]
        caption = Text("Het antwoord op uw vraag", "The answer to your question")
        nothing = Text(
            "Er zijn geen rijen met deze tekst.", "No row has this text."
        ) if wanted else Text(
            "Er is niets gevonden. Dat kan ook komen door wat gesloten blijft.", "Nothing was found. What stays closed may be why."
        )  # fmt: skip
        if whole:
            return arranged(caption, columns, rows, asked, language, exports=True, nothing=nothing)
        total = self.answer.table.num_rows
        asked = msgspec.structs.replace(asked, page=min(asked.page, max(1, -(-total // asked.size))))
        shown = tuple(self.rows(asked.size, asked.first))
        return Listing(caption, columns, shown, asked, total, exports=True, nothing=nothing)

    def rows(self, most: int | None = None, first: int = 0) -> list[Row]:
        """The rows, or so many of them."""
        table = self.answer.table.slice(first, most)
        columns = [[cell(one) for one in column.to_pylist()] for column in table.columns]
        return [Row(tuple(row)) for row in zip(*columns, strict=True)]

    def chart(self) -> Chart | None:
        """The figures, along what they lie along; None when there is nothing to draw."""
        columns, table = self.columns(), self.answer.table
        some = [at for at in range(len(columns)) if table.column(at).null_count < table.num_rows]
        drawn = axes([self._trait(columns[at], at) for at in some]) if table.num_rows > 1 else None
        if drawn is None:
            return None
        along = some[drawn.along]
        shown = [along, *(some[at] for at in drawn.figures)]
        found = [[row.cells[at] for at in shown] for row in self.rows(MOST_DRAWN)]
        if columns[along].kind != "text":
            found.sort(key=lambda row: (row[0] is not None, row[0]))
        if columns[along].kind in ("plain", "number"):
            # A year is a word below the chart: there is nothing between two.
            found = [[None if row[0] is None else f"{row[0]:.0f}", *row[1:]] for row in found]
        rows = tuple(Row(tuple(row)) for row in found)
        form: Literal["line", "bars"] = "line" if columns[along].kind in ("day", "moment") else "bars"
        told = Text(f"De eerste {MOST_DRAWN} rijen.", f"The first {MOST_DRAWN} rows.") if (
            self.answer.table.num_rows > MOST_DRAWN
        ) else None  # fmt: skip
        title = Text("De getallen in beeld", "The figures in a chart")
        plain = tuple(msgspec.structs.replace(columns[at], sort=False) for at in shown)
        return Chart(title, plain, rows, form, told)

    def _trait(self, column: Column, at: int) -> Trait:
        """What a column is, for a chart."""
        origin = self.answer.provenance[at]
        direct = origin.origins[0] if len(origin.origins) == 1 else None
        offer = self.offers.get((direct.owner, direct.dataset)) if direct else None
        names = {*offer.key, offer.subject.column if offer.subject else ""} if offer else set()
        field = self.answer.table.schema.field(at)
        truth = pa.types.is_boolean(field.type)
        return Trait(
            field.name, "other" if truth else column.kind, origin.unit or "",
            direct is not None and direct.column in names,
        )  # fmt: skip

    def picture(self, language: str) -> Picture | None:
        """The relations; None when there is nothing to draw."""
        subject = next((at for at, one in enumerate(self.columns()) if one.kind == "bsn"), None)
        titles = {name: offer.title for name, offer in self.offers.items()}
        columns = self.columns()
        rows = [
            [said(one, language, columns[at].kind) for at, one in enumerate(row.cells)]
            for row in self.rows(MOST_ROWS)
        ]
        return picture(rows, self.answer.provenance, subject, titles, self.owners)

    def origins(self) -> list[ColumnOrigin]:
        """Where each column came from; one that was computed from more, more than once."""
        found = []
        for column, one in zip(self.columns(), self.answer.provenance, strict=True):
            found += [self._origin(one.column, column.title, origin) for origin in one.origins]
        return found

    def seen(self) -> list[Seen]:
        """How the person it is about will see this."""
        return [
            Seen(
                self.owners.get(one.owner, one.owner),
                tuple(offer.title for offer in self._of(one.owner, one.datasets)),
                articles_of(self._of(one.owner, one.datasets)),
                *_withheld(self._of(one.owner, one.datasets)),
            )
            for one in self.answer.consulted
        ]

    def _of(self, owner: str, datasets: Iterable[str]) -> list[Offer]:
        return [self.offers[owner, one] for one in datasets if (owner, one) in self.offers]

    def _column(self, field: pa.Field, origin: Provenance) -> Column:
        kind: Kind = "text"
        align: Literal["start", "end"] = "start"
        direct = origin.origins[0] if len(origin.origins) == 1 else None
        offer = self.offers.get((direct.owner, direct.dataset)) if direct else None
        subject = offer.subject if offer else None
        if pa.types.is_date(field.type):
            kind = "day"
        elif pa.types.is_timestamp(field.type):
            kind = "moment"
        elif (
            pa.types.is_integer(field.type)
            or pa.types.is_floating(field.type)
            or pa.types.is_decimal(field.type)
        ):
            kind, align = (
                _figures(pa.types.is_integer(field.type), direct is not None, origin.unit or ""),
                "end",
            )
        elif (
            direct
            and subject
            and subject.type == "BSN"
            and direct.column == subject.column
            and not direct.masked
        ):
            kind = "bsn"
        name, others = field.name, set(self.answer.table.schema.names)
        while name in _TAKEN or (name != field.name and name in others):
            name += "_"
        return Column(
            name, self._title(field.name, direct, offer), sort=True, align=align, kind=kind, foreign=kind == "text",
        )  # fmt: skip

    @staticmethod
    def _title(name: str, direct: Origin | None, offer: Offer | None) -> Text:
        """What the owner calls it, where the official did not."""
        if direct is not None and offer is not None and direct.column == name:
            found = next((one.title for one in offer.columns if one.name == name), None)
            if found is not None:
                return Text(found.nl[:1].upper() + found.nl[1:], found.en[:1].upper() + found.en[1:])
        words = name.replace("_", " ")[:100]
        return Text(words, words)

    def _origin(self, name: str, title: Text, origin: Origin) -> ColumnOrigin:
        offer = self.offers.get((origin.owner, origin.dataset))
        return ColumnOrigin(
            name, title, self.owners.get(origin.owner, origin.owner),
            offer.title if offer else Text(origin.dataset, origin.dataset), origin.column, origin.masked,
            offer.disclosure.articles if offer else (),
        )  # fmt: skip


class Fetched(msgspec.Struct, frozen=True):
    """Columns of one dataset: those that come into the answer, and those that only say which rows, or join them."""

    shown: tuple[str, ...]
    used: tuple[str, ...]


def fetched(told: Explanation) -> dict[Dataset, Fetched]:
    """Which columns a question takes of each dataset."""
    shown = {
        (one.owner, one.dataset, one.column): None for column in told.provenance for one in column.origins
    }
    found: dict[Dataset, Fetched] = {}
    for part in told.parts:
        tree = parse(part.sql)
        tables = {table.alias_or_name: table.name for table in tree.find_all(exp.Table)}
        only = next(iter(tables.values())) if len(tables) == 1 else ""
        named = {(tables.get(one.table, only), one.name): None for one in tree.find_all(exp.Column)}
        for dataset in part.datasets:
            mine = tuple(name for owner, of, name in shown if (owner, of) == (part.owner, dataset))
            used = tuple(name for of, name in named if of == dataset and name not in mine)
            found[part.owner, dataset] = Fetched(mine, used)
    return found


def articles_of(offers: Iterable[Offer]) -> tuple[Article, ...]:
    """The articles on which these are open."""
    return tuple(dict.fromkeys(article for offer in offers for article in offer.disclosure.articles))


def cell(value: Any) -> Any:
    """A value as a table shows it; never one too long for a page."""
    if isinstance(value, bool):
        return Text("ja", "yes") if value else Text("nee", "no")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if value is None or isinstance(value, int | float | date | datetime):
        return value
    return str(value)[:LONGEST]


def said(value: Any, language: str, kind: str = "") -> str:
    """A value in a few words, in the notation of its kind of column."""
    if value is None:
        return ""
    if isinstance(value, Text):
        return value.said_in(language)
    if kind == "amount":
        return amount(value, language)
    if kind == "bsn":
        return bsn(value)
    if isinstance(value, date):
        return value.isoformat()
    return number(value, language) if kind == "number" else str(value)


def _figures(whole: bool, direct: bool, unit: str) -> Kind:
    """What figures are: amounts, quantities, or names such as a year: whole, of a dataset as they are, and of nothing."""
    if whole and unit.startswith("eurocent"):
        return "amount"
    return "plain" if whole and direct and not unit else "number"


def _searched(value: Any) -> str:
    return f"{value.nl} {value.en}".casefold() if isinstance(value, Text) else said(value, "nl").casefold()


def _withheld(offers: Sequence[Offer]) -> tuple[Article | None, int]:
    found = [one.disclosure.withhold for one in offers if one.disclosure.withhold]
    longest = max(found, key=lambda one: one.days, default=None)
    return (longest.article, longest.days) if longest else (None, 0)
