"""A proposal for datasets over a source that nobody prepared: names, types, keys, whom the rows are about.

A sample of each table is looked at; its values decide, and none of them ever leaves this module. All of it is a guess
that a person must read: sensitivity above all (AVG articles 4, 9 and 10).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.grounds import Column, Dataset, Subject
from sluis.kernel import Invalid, Text, Upstream, passes_eleven_test
from sluis.sources.base import ColumnInfo, Limits, Source, SourceFailure, TableInfo
from sluis.sources.shape import arrow_type

SAMPLE = 500
"""Rows looked at per table."""

_SPECIAL = re.compile(
    r"diagnos|gezondheid|medisch|ziekte|ziek_|handicap|beperking|zwanger|religie|geloof|kerk|etnic|ras$|^ras_|afkomst"
    r"|seksue|geaardheid|vakbond|politiek|straf|veroordeel|delict|detentie|gedetineerd|detain|vog$|_vog|biometr|dna|vingerafdruk"
    r"|health|medical|disease|disab|pregnan|religi|ethnic|sexual|union_member|convict|offen[cs]e|criminal|prison|fingerprint"
)
_IDENTIFYING = re.compile(
    r"bsn|burgerservice|sofinummer|naam$|^naam|_naam|voorna|voorletter|geboorte|adres|straat|e_?mail|telefoon|mobiel"
    r"|iban|rekening|paspoort|identiteits|v_nummer|kenteken|a_nummer|rijbewijs|handtekening|pasfoto"
    r"|^name|_name$|surname|birth|address|street|phone|passport|licen[cs]e"
)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+", re.IGNORECASE)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_BSN_NAME = re.compile(r"bsn|burgerservice|sofi|citizen_service")

_TYPES = {
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "UTINYINT": "INTEGER",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "FLOAT": "DOUBLE",
    "TIMESTAMPTZ": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "TIME": "VARCHAR",
    "UUID": "VARCHAR",
}
"""Source types that a dataset does not know, and the one that holds their values; a BLOB is left out."""


class Proposal(msgspec.Struct, frozen=True):
    """A proposed dataset, the columns that may hold a BSN (by their names in the dataset), and whether values could be
    looked at: without a sample the guess rests on names alone."""

    dataset: Dataset
    candidates: tuple[str, ...]
    sampled: bool


def snake(name: str) -> str:
    """A name as a question can write it: lower case, digits and underscores, not beginning with a digit."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")[:60] or "column"
    return plain if plain[0].isalpha() else f"c_{plain}"


def _unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in map(snake, names):
        number, candidate = 1, name
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found


def _title(name: str) -> Text:
    words = name.replace("_", " ").strip().capitalize()
    return Text(words, words)


def _sample(source: Source, table: TableInfo, columns: Sequence[ColumnInfo]) -> pa.Table | None:
    """Some rows, None when none can be had (a path that needs a key, a value that does not fit)."""
    query = exp.select(
        *(exp.column(exp.to_identifier(c.name, quoted=True), table="t") for c in columns)
    ).from_(
        exp.Table(
            this=exp.to_identifier(table.name, quoted=True), alias=exp.TableAlias(this=exp.to_identifier("t"))
        )
    )
    if source.dialect is not None:
        query = query.limit(SAMPLE)
    schema = pa.schema([(f"c{place}", arrow_type(column.type)) for place, column in enumerate(columns)])
    try:
        batches = source.prepare(query, {}, schema).run({}, Limits(seconds=10, batch_rows=SAMPLE))
        return pa.Table.from_batches([batch] if (batch := next(iter(batches), None)) else [], schema)
    except SourceFailure as failure:
        if failure.kind in {"unreachable", "refused"}:
            raise
        return None


def _bsn_share(values: Sequence[Any]) -> float:
    """Which part of the values present are nine digits that pass the eleven-test; 0 when there are none."""
    texts = [
        f"{value:09d}" if isinstance(value, int) else str(value) for value in values if value is not None
    ]
    return sum(_is_bsn(text) for text in texts) / len(texts) if texts else 0.0


def _is_bsn(text: str) -> bool:
    return len(text) == 9 and text.isascii() and text.isdigit() and passes_eleven_test(text)


def _may_be_bsn(name: str, kind: str, values: Sequence[Any]) -> bool:
    """By values: enough different ones, (nearly) all pass. By name: all look like one, as test sets hold some that fail."""
    if kind not in {"VARCHAR", "INTEGER", "BIGINT"}:
        return False
    present = {value for value in values if value is not None}
    if _BSN_NAME.search(name) and not name.startswith(("heeft_", "is_", "has_")):
        return not present or all(len(str(value)) in {8, 9} and str(value).isdigit() for value in present)
    return len(present) >= 5 and _bsn_share(list(present)) >= 0.9


def _sensitivity(name: str, values: Sequence[Any], candidate: bool, dataset: str) -> str:
    if _SPECIAL.search(name):
        return "special"
    texts = [value for value in values if isinstance(value, str)]
    named = candidate or _IDENTIFYING.search(name)
    if named or any(
        texts and sum(bool(p.fullmatch(t)) for t in texts) * 2 > len(texts) for p in (_MAIL, _IBAN)
    ):
        return "identifying"
    # In a table that is about something special, every fact is: `detentie.status`.
    return "special" if _SPECIAL.search(dataset) else "personal"


def _subject_of(candidates: Sequence[str], key: Sequence[str]) -> str | None:
    """The most likely column: called just that, else the key, else one whose name says so, else the first."""
    if not candidates:
        return None
    ranked = {
        name: (name in {"bsn", "burgerservicenummer"}, name in key, not name.startswith("_"))
        for name in candidates
    }
    return max(candidates, key=lambda name: ranked[name])


def _key_of(
    table: TableInfo, columns: Sequence[ColumnInfo], names: Sequence[str], source: Source
) -> tuple[str, ...]:
    """The source's own key; of files, which have none, the first column whose values all differ."""
    renamed = {column.name: name for column, name in zip(columns, names, strict=True)}
    if table.key or source.dialect != "duckdb" or not table.rows or table.rows < 2:
        return tuple(renamed[name] for name in table.key if name in renamed)
    # A column that may hold a BSN first: with few rows many columns happen to differ.
    ranked = sorted(columns, key=lambda column: not _BSN_NAME.match(snake(column.name)))
    for column in ranked:
        if _all_differ(source, table, column):
            return (renamed[column.name],)
    return ()


def _all_differ(source: Source, table: TableInfo, column: ColumnInfo) -> bool:
    quoted = exp.column(exp.to_identifier(column.name, quoted=True), table="t")
    distinct = exp.Count(this=exp.Distinct(expressions=[quoted]))
    query = exp.select(exp.alias_(distinct, "n")).from_(
        exp.Table(
            this=exp.to_identifier(table.name, quoted=True), alias=exp.TableAlias(this=exp.to_identifier("t"))
        )
    )
    batches = source.prepare(query, {}, pa.schema([("n", pa.int64())])).run({}, Limits(seconds=10))
    return bool(next(iter(batches)).column(0)[0].as_py() == table.rows)


def propose(source: Source, name: str) -> Iterator[Proposal]:
    """A proposal per table, one at a time, as looking may take a while.

    Args:
        source: an open source.
        name: what the source is called in `node.toml`.

    Raises:
        SourceFailure: the source cannot be read at all.
    """
    tables = [table for table in source.tables() if table.columns]
    for table, dataset in zip(
        tables, _unique([table.name.rpartition(".")[2] for table in tables]), strict=True
    ):
        columns = [column for column in table.columns if column.type != "BLOB"]
        if columns:
            yield _proposed(source, name, table, columns, dataset)


def _proposed(
    source: Source, origin: str, table: TableInfo, columns: Sequence[ColumnInfo], dataset: str
) -> Proposal:
    sample = _sample(source, table, columns)
    values = [sample.column(place).to_pylist() if sample else [] for place in range(len(columns))]
    names = _unique([column.name for column in columns])
    types = [_TYPES.get(column.type, column.type) for column in columns]
    candidates = tuple(
        name for name, kind, seen in zip(names, types, values, strict=True) if _may_be_bsn(name, kind, seen)
    )
    key = _key_of(table, columns, names, source)
    subject = _subject_of(candidates, key)
    described = tuple(
        Column(
            name=name,
            type=kind,
            source=column.name if column.name != name else None,
            sensitivity=_sensitivity(name, seen, name in candidates, dataset),  # type: ignore[arg-type]
        )
        for name, kind, column, seen in zip(names, types, columns, values, strict=True)
    )
    return Proposal(
        Dataset(
            name=dataset,
            title=_title(dataset),
            source=origin,
            table=table.name,
            columns=described,
            subject=Subject(subject, "BSN") if subject else None,
            key=key,
            rows=table.rows,
        ),
        candidates,
        sample is not None,
    )


def missing_file(url: str) -> Path | None:
    """The file or folder that the URL of a source names, when it is not there."""
    scheme, _, rest = url.partition("://")
    path = Path(unquote(rest.removeprefix("/"))) if scheme == "sqlite" else Path(unquote(urlsplit(url).path))
    return path if scheme in {"sqlite", "file", "openapi+file"} and not path.exists() else None


def problem_of(failure: SourceFailure, url: str = "") -> Upstream | Invalid:
    """What went wrong with a source, for whoever operates it; the failure's own text may hold data and is left out."""
    if missing := missing_file(url):
        return Upstream(
            "source-not-there",
            Text("De bron is er niet.", "The source is not there."),
            Text(f"Het bestand of de map {missing} bestaat niet.", f"There is no file or directory {missing}."),
            Text("Controleer het pad in de URL. Een volledig pad schrijft u als sqlite:////srv/register.db of"
                 " file:///srv/tabellen.",
                 "Check the path in the URL. An absolute one is written sqlite:////srv/register.db or"
                 " file:///srv/tables."),
        )  # fmt: skip
    nl, en = _TEXTS.get(failure.kind, _TEXTS["failed"])
    return Upstream(
        f"source-{failure.kind}",
        Text("De bron geeft niet wat gevraagd is.", "The source does not give what was asked."),
        Text(nl, en),
        Text(
            "Controleer adres, account en gegevens van de bron, en meet met `sluis source probe`.",
            "Check address, account and data of the source, and measure with `sluis source probe`.",
        ),
        retry=failure.kind in {"unreachable", "timeout"},
    )


_TEXTS = {
    "unreachable": ("De bron is niet bereikbaar.", "The source cannot be reached."),
    "timeout": ("De bron antwoordt niet op tijd.", "The source does not answer in time."),
    "cancelled": ("Het lezen is afgebroken.", "Reading was cancelled."),
    "too-many-rows": ("De bron geeft meer rijen dan mag.", "The source gives more rows than allowed."),
    "broken-row": (
        "Een waarde past niet bij het type van haar kolom.",
        "A value does not fit its column's type.",
    ),
    "changed": ("Een tabel of kolom is er niet meer.", "A table or column is no longer there."),
    "refused": ("De bron weigert dit account.", "The source refuses this account."),
    "failed": ("De bron kan de vraag niet beantwoorden.", "The source cannot answer the question."),
}
