"""Which versions of laws there are, from files: the list of this node (`laws.toml`), and what the national register of laws
gives (BWB: the manifest of a law, and a text of it).

A manifest (`https://repository.officiele-overheidspublicaties.nl/bwb/BWBR…/manifest.xml`) names every version of a law with the
day on which it came into force, also as it was thought to be before: once it is known that a law changes at another day, the
earlier version ends its time of being seen (`zichtdatum_eind`), and what was withdrawn is `_deleted`. Those never were law, or are
there once more as they are known now. A text (`toestand`) says of each article since when it reads so; articles of an annex have
numbers of their own, and are passed over. Nothing is fetched here: an operator places the files. What is not understood is passed
over, and a file in which nothing is understood is refused.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from sluis.grounds import render_tables
from sluis.kernel import Invalid, Place, Text
from sluis.oversight.model import Version

LAWS_FILE = "laws.toml"
MOST_BYTES = 32 * 1024 * 1024
"""The longest file of the register that is read; the text of a large code is some ten million."""
MOST = 100_000
"""Versions in one list."""

_BWB = re.compile(r"BWB[RV][0-9]{7}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FOR_GOOD = "9999-12-31"


def read_laws(file: Path, there: bool = False) -> tuple[Version, ...]:
    """The versions in a file; none when there is no such file, unless it should be `there`. Raises `Invalid`."""
    if not there and not file.exists():
        return ()
    return versions_in(_bytes(file), str(file))


def versions_in(raw: bytes, name: str) -> tuple[Version, ...]:
    """The versions in a file: TOML or JSON of a list, a manifest, or a text of a law.

    Args:
        raw: its bytes.
        name: what messages call it.

    Raises:
        Invalid: it cannot be read, or says nothing of versions.
    """
    start = raw.lstrip()[:1]
    try:
        if start == b"<":
            found = list(_of_xml(ElementTree.fromstring(raw, forbid_dtd=True)))
        else:
            found = list(_of_tables(_tables(raw)))
    except (
        ElementTree.ParseError,
        DefusedXmlException,
        msgspec.DecodeError,
        ValueError,
        RecursionError,
    ) as failure:
        raise _unreadable(name, type(failure).__name__) from None
    if not found or len(found) > MOST:
        raise _unreadable(name, "0" if not found else f"> {MOST}")
    return tuple(dict.fromkeys(found))


def joined(known: Iterable[Version], more: Iterable[Version]) -> tuple[Version, ...]:
    """Two lists as one, in order."""
    return tuple(sorted({*known, *more}, key=lambda one: (one.bwb, one.article or "", one.since)))


def written(versions: Sequence[Version]) -> str:
    """The text of a list, as `read_laws` reads it."""
    tables: list[dict[str, Any]] = [
        {"bwb": one.bwb, **({"article": one.article} if one.article else {}), "since": one.since}
        for one in versions
    ]
    return render_tables({"version": tables}) if tables else ""


def _tables(raw: bytes) -> Any:
    """JSON, or TOML: a list of tables begins as a list in JSON does."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(raw)
    return tomllib.loads(raw.decode("utf-8-sig"))


def _of_tables(tables: Any) -> Iterator[Version]:
    listed = tables.get("version", []) if isinstance(tables, dict) else tables
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or set(one) - {"bwb", "article", "since"}:
            raise ValueError
        bwb, article, since = one.get("bwb"), one.get("article"), one.get("since")
        if not isinstance(bwb, str) or not _BWB.fullmatch(bwb):
            raise ValueError
        if article is not None and (not isinstance(article, str | int) or not 1 <= len(str(article)) <= 100):
            raise ValueError
        yield Version(bwb, _day(since), None if article is None else str(article))


def _of_xml(root: Element) -> Iterator[Version]:
    named = {_local(name): value for name, value in root.attrib.items()}
    bwb = next(
        (one for one in (named.get("bwb-id", ""), named.get("label", "")) if _BWB.fullmatch(one)), None
    )
    if bwb is None:
        return
    if _local(root.tag) == "toestand":
        yield from _of_text(root, bwb, named)
    else:
        for one in root.iter():
            if _local(one.tag) == "expression" and _is_law(one):
                days = [
                    each.text or "" for each in one.iter() if _local(each.tag) == "datum_inwerkingtreding"
                ]
                label = {_local(name): value for name, value in one.attrib.items()}.get("label", "")[:10]
                day = next((each.strip() for each in (*days, label) if _DAY.fullmatch(each.strip())), None)
                if day is not None:
                    yield Version(bwb, _day(day))


def _is_law(expression: Element) -> bool:
    """Whether a version is as the register knows it now, and was not withdrawn."""
    seen = [(each.text or "").strip() for each in expression.iter() if _local(each.tag) == "zichtdatum_eind"]
    items = [each.get("_deleted") for each in expression.iter() if _local(each.tag) == "item"]
    return all(one in ("", _FOR_GOOD) for one in seen) and not (items and all(one == "true" for one in items))


def _articles(under: Element) -> Iterator[Element]:
    """The articles of a law itself, in order."""
    for one in under:
        if _local(one.tag) == "artikel":
            yield one
        elif _local(one.tag) != "bijlage":
            yield from _articles(one)


def _of_text(root: Element, bwb: str, named: dict[str, str]) -> Iterator[Version]:
    if _DAY.fullmatch(named.get("inwerkingtreding", "")):
        yield Version(bwb, _day(named["inwerkingtreding"]))
    for one in _articles(root):
        told = {_local(name): value for name, value in one.attrib.items()}
        since = told.get("inwerking", "")
        number = next(
            (
                each.text or ""
                for head in one
                if _local(head.tag) == "kop"
                for each in head
                if _local(each.tag) == "nr"
            ),
            told.get("label", "").removeprefix("Artikel"),
        ).strip()
        if number and len(number) <= 100 and _DAY.fullmatch(since):
            yield Version(bwb, _day(since), number)


def _day(value: Any) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError
    return date.fromisoformat(value)


def _local(name: str) -> str:
    return str(name).rpartition("}")[2]


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as failure:
        raise _unreadable(str(file), failure.strerror or "?") from None
    if len(raw) > MOST_BYTES:
        raise _unreadable(str(file), f"> {MOST_BYTES}")
    return raw


def _unreadable(name: str, cause: str) -> Invalid:
    return Invalid(
        "unreadable-laws",
        Text("In dit bestand staan geen versies van wetten.", "This file holds no versions of laws."),
        Text(f"Het is niet te lezen als lijst, manifest of wettekst ({cause}).",
             f"It cannot be read as a list, a manifest or a text of a law ({cause})."),
        Text("Neem het manifest of de XML van de wet van wetten.overheid.nl, of schrijf zelf `laws.toml`.",
             "Take the manifest or the XML of the law from wetten.overheid.nl, or write `laws.toml` yourself."),
        place=Place(name),
    )  # fmt: skip
