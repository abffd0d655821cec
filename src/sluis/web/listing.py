"""Long tables that people read a page at a time: what is asked of one, what it holds, and its addresses. Pure.

What an address asks is bounded, and whatever in it is unknown counts as not asked, so that no address does harm. Addresses
are deep links (RFC 3986): sorting, paging, filtering and exporting each keep what else was asked. Whatever names a person may
not be filtered by an address: such a search is a form of its own, that is posted.

A table that is small and at hand is filtered, sorted and cut by `arranged`. One that grows without end, such as the log, is
read a page at a time from where the last one ended (`Asked.after`, `Listing.more`), and says only whether there is more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from sluis.kernel import Text

PAGE = 25
"""Rows of a page."""

LONGEST = 100
"""Characters of what is filtered by."""

_MOST_PAGES = 10_000
_LONGEST_POSITION = 300
_MOST_KEPT = 50
_OWN = frozenset(("page", "sort", "after", "as"))

Kind = Literal["text", "number", "plain", "amount", "day", "moment", "bsn", "masked"]
Form = Literal["", "csv", "json"]
Value = str | int | float | date | datetime | Text | None


class Column(msgspec.Struct, frozen=True):
    """A column.

    Args:
        name: in addresses and in JSON.
        title: above it.
        sort: whether one can sort by it.
        filter: whether one can filter by it; never by what names a person.
        align: `end` for figures that are compared.
        kind: how its values are shown: `amount` is in cents, `moment` in seconds since the epoch or a datetime, `masked` a BSN
            of which only the end shows, `plain` a figure that counts nothing, such as a year.
        choices: what can be filtered by, with its words; without, a text is typed.
        foreign: whether its texts are names that others gave, which may be written from right to left.
    """

    name: str
    title: Text
    sort: bool = False
    filter: bool = False
    align: Literal["start", "end"] = "start"
    kind: Kind = "text"
    choices: tuple[tuple[str, Text], ...] = ()
    foreign: bool = False

    def words(self, value: Value) -> Value:
        """What a value of `choices` is called; any other is itself."""
        return next((words for one, words in self.choices if one == value), value)


class Cell(msgspec.Struct, frozen=True):
    """A value with more than itself.

    Args:
        value: as in a cell without more.
        href: a page of this node that it leads to.
        tone: how a state looks, as a mark: `ok`, `warning`, `error`, or `plain`.
        told: a line below it.
    """

    value: Value
    href: str = ""
    tone: Literal["", "plain", "ok", "warning", "error"] = ""
    told: Value = None


class Row(msgspec.Struct, frozen=True):
    """A row.

    Args:
        cells: one for each column.
        of: what it is about, for the template that puts an action beside it.
    """

    cells: tuple[Value | Cell, ...]
    of: Any = None


class Asked(msgspec.Struct, frozen=True):
    """What an address asks of a table.

    Args:
        path: of the page.
        page: from 1 on.
        sort: the column; empty for the order in which the rows come.
        down: whether from high to low.
        filters: text by column, of those that can be filtered by.
        after: where the page before ended, as that said it.
        form: as which document the whole is asked.
        kept: other parameters of the page, which every address keeps.
        prefix: of this table's parameters, on a page with more than one.
        size: rows of a page.
    """

    path: str
    page: int = 1
    sort: str = ""
    down: bool = False
    filters: Mapping[str, str] = {}
    after: str = ""
    form: Form = ""
    kept: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    size: int = PAGE

    @property
    def first(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.size

    def pairs(self, **other: str) -> list[tuple[str, str]]:
        """Parameters of an address that asks the same, but for these; without those of the page.

        Args:
            other: `page`, `sort`, `after` or `as`, or a column that is filtered by; empty to leave it out.
        """
        order = f"{'-' if self.down else ''}{self.sort}" if self.sort else ""
        said = {"sort": order, **self.filters, **other}
        return [*self.kept, *((self.prefix + name, value) for name, value in said.items() if value)]

    def address(self, **other: str) -> str:
        """The address of that."""
        query = urlencode(self.pairs(**other))
        return f"{self.path}?{query}" if query else self.path

    def bare(self) -> str:
        """The address without any filter."""
        return self.address(**dict.fromkeys(self.filters, ""))

    def turned(self, column: Column) -> str:
        """The address of this table sorted by a column; from high to low when it was sorted by it already."""
        turn = column.name == self.sort and not self.down
        return self.address(sort=f"-{column.name}" if turn else column.name)


class Listing(msgspec.Struct, frozen=True):
    """A page of a table.

    Args:
        caption: what the table is.
        columns: from left to right; the first says what a row is about.
        rows: of this page.
        asked: what was asked.
        total: rows on all pages; None when nobody counted them.
        more: where the next page begins, of a table that is read from there; empty when this is the last.
        exports: whether it can be had as a whole (`sluis.web.export`).
        nothing: what to say where no row is, of a table that nobody filtered.
    """

    caption: Text
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    asked: Asked
    total: int | None = None
    more: str = ""
    exports: bool = False
    nothing: Text = Text("Hier is nog niets.", "There is nothing here yet.")

    @property
    def pages(self) -> int | None:
        """As many; None when nobody knows."""
        return None if self.total is None else max(1, -(-self.total // self.asked.size))

    @property
    def next(self) -> str:
        """The address of the next page; empty when there is none."""
        if self.more:
            return self.asked.address(after=self.more)
        if self.pages is not None and self.asked.page < self.pages:
            return self.asked.address(page=str(self.asked.page + 1))
        return ""

    @property
    def previous(self) -> str:
        """The address of the page before, or of the first one where nobody counted; empty on the first."""
        if self.asked.after:
            return self.asked.address()
        before = self.asked.page - 1
        return self.asked.address(page=str(before) if before > 1 else "") if before >= 1 else ""

    @property
    def filtered(self) -> bool:
        """Whether somebody asked for less than all."""
        return bool(self.asked.filters)


def read_asked(
    path: str,
    pairs: Iterable[tuple[str, str]],
    columns: Sequence[Column],
    *,
    keep: Iterable[str] = (),
    prefix: str = "",
    size: int = PAGE,
    sort: str = "",
) -> Asked:
    """What an address asks of a table; what is unknown in it, or too much, counts as not asked.

    Args:
        path: of the page.
        pairs: the parameters of its query; of each the last counts.
        columns: of the table.
        keep: names of other parameters of the page that its addresses keep.
        prefix: of the parameters of this table.
        size: rows of a page.
        sort: the order where none is asked: a column, with `-` before it from high to low.

    Raises `ValueError` when a column has the name of something else.
    """
    if taken := {column.name for column in columns} & _OWN:
        raise ValueError(f"columns cannot be called {taken}")
    every, kept = list(pairs), frozenset(keep)
    given = {name[len(prefix) :]: value for name, value in every if name.startswith(prefix)}
    by = given.get("sort") or ""
    if by.removeprefix("-") not in {column.name for column in columns if column.sort}:
        by = sort
    form = given.get("as")
    return Asked(
        path,
        _number(given.get("page", "")),
        by.removeprefix("-"),
        by.startswith("-"),
        {column.name: text for column in columns if column.filter and (text := _text(column, given))},
        _position(given.get("after", "")),
        form if form in ("csv", "json") else "",  # type: ignore[arg-type]
        tuple((name, value[:LONGEST]) for name, value in every if name in kept)[:_MOST_KEPT],
        prefix,
        size,
    )


def arranged(
    caption: Text,
    columns: Sequence[Column],
    rows: Iterable[Row],
    asked: Asked,
    language: str,
    exports: bool = False,
    nothing: Text | None = None,
) -> Listing:
    """The page that was asked of a table that is at hand: filtered, sorted, and cut. Asked as a document, the whole.

    Args:
        caption: what the table is.
        columns: of it.
        rows: all of them, no more than a request may take time for.
        asked: what was asked.
        language: `nl` or `en`, in which its words are compared.
        exports: as in a `Listing`.
        nothing: the same.
    """
    found = list(rows)
    for at, column in enumerate(columns):
        wanted = asked.filters.get(column.name, "").casefold()
        if wanted:
            fits = str.__eq__ if column.choices else str.__contains__
            found = [one for one in found if fits(plain(value_of(one, at), language).casefold(), wanted)]
        if column.name == asked.sort:
            found.sort(key=_order(at, language), reverse=asked.down)
    last = max(1, -(-len(found) // asked.size))
    asked = msgspec.structs.replace(asked, page=min(asked.page, last))
    shown = found if asked.form else found[asked.first : asked.first + asked.size]
    listing = Listing(caption, tuple(columns), tuple(shown), asked, len(found), exports=exports)
    return listing if nothing is None else msgspec.structs.replace(listing, nothing=nothing)


def value_of(row: Row, at: int) -> Value:
    """The value in a cell."""
    cell = row.cells[at]
    return cell.value if isinstance(cell, Cell) else cell


def plain(value: Value, language: str) -> str:
    """A value as text that can be looked through."""
    if value is None:
        return ""
    if isinstance(value, Text):
        return value.said_in(language)
    if isinstance(value, date):
        return value.isoformat()
    return str.__str__(value) if isinstance(value, str) else str(value)


def _order(at: int, language: str) -> Callable[[Row], tuple[bool, Any]]:
    """By value, and what has none first; texts as a person sorts them, whatever their case."""

    def key(row: Row) -> tuple[bool, Any]:
        value = value_of(row, at)
        if isinstance(value, str | Text):
            return True, plain(value, language).casefold()
        return value is not None, value if value is not None else 0

    return key


def _text(column: Column, given: Mapping[str, str]) -> str:
    text = " ".join(given.get(column.name, "").split())[:LONGEST]
    if column.choices and text not in {value for value, _ in column.choices}:
        return ""
    return text


def _number(text: str) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) <= 6
    return min(max(int(text), 1), _MOST_PAGES) if fits else 1


def _position(text: str) -> str:
    return text if len(text) <= _LONGEST_POSITION and text.isascii() and text.isprintable() else ""
