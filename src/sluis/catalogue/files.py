"""What a node directory says of its catalogue: `catalogue.toml`, and `descriptions/*.toml`, one thing that is offered to a file.
Read as the other files are, and held against them: what stands elsewhere is not said again.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from sluis.catalogue.model import FOLDERS, Description, Kind, Whole
from sluis.catalogue.openapi import MOST_BYTES, read_openapi
from sluis.catalogue.rules import tells_days
from sluis.grounds import Dataset, Document, Fault, Grounds, faults, meant, read_document
from sluis.kernel import Invalid, Place, Text, convert, encode

CATALOGUE_FILE = "catalogue.toml"
DESCRIPTIONS = "descriptions"
"""The folder that they are in."""


class WrittenDescription(msgspec.Struct, frozen=True):
    """A description and the file it stands in."""

    description: Description
    document: Document


class CatalogueReading(msgspec.Struct, frozen=True):
    """What was read, and every problem with the files one by one. `whole` is None when there is no catalogue."""

    whole: Whole | None
    written: tuple[WrittenDescription, ...]
    problems: tuple[Invalid, ...]
    documents: dict[str, bytes] = {}
    """OpenAPI documents of services, by name, as JSON."""

    @property
    def descriptions(self) -> tuple[Description, ...]:
        """Those that could be read."""
        return tuple(one.description for one in self.written)


def read_catalogue(directory: Path) -> CatalogueReading:
    """The catalogue of a node directory. Does not raise for what is wrong inside: see `problems`."""
    problems, written = list[Invalid](), list[WrittenDescription]()
    whole: Whole | None = None
    if (directory / CATALOGUE_FILE).exists():
        found, told = _read(directory / CATALOGUE_FILE, Whole)
        problems += told
        whole = found[0] if found else None
    try:
        paths = sorted((directory / DESCRIPTIONS).glob("[!.]*.toml"))
    except OSError:
        paths = []
    for path in paths:
        one, told = _read(path, Description)
        problems += told
        if one:
            written.append(WrittenDescription(*one))
    documents: dict[str, bytes] = {}
    for each in written:
        said = each.description
        if said.document is not None and said.kind == "service":
            try:
                documents[said.name] = _openapi(directory / DESCRIPTIONS / said.document)
            except Invalid as problem:
                problems.append(_with_place(problem, each))
    return CatalogueReading(whole, tuple(written), tuple(problems), documents)


def _openapi(path: Path) -> bytes:
    """An OpenAPI document as JSON. Raises `Invalid`."""
    import yaml  # only for who has one

    try:
        raw = path.read_bytes()[: MOST_BYTES + 1]
        if path.suffix != ".json":
            raw = encode(yaml.safe_load(raw.decode()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, RecursionError) as failure:
        raise _no_openapi(path, failure) from None
    read_openapi(raw)
    return raw


def _with_place(problem: Invalid, one: WrittenDescription) -> Invalid:
    return Invalid(
        problem.code, problem.what, problem.why, problem.next, place=one.document.place(("document",))
    )


def _no_openapi(path: Path, failure: Exception) -> Invalid:
    cause = failure.strerror or "?" if isinstance(failure, OSError) else type(failure).__name__
    return Invalid(
        "unreadable-openapi",
        Text(f"`{path.name}` is niet te lezen.", f"`{path.name}` cannot be read."),
        Text(f"Het moet een OpenAPI-document zijn, als JSON of YAML: {cause}.",
             f"It must be an OpenAPI document, as JSON or YAML: {cause}."),
        Text("Zet het bestand in de map van de beschrijvingen, of haal de regel weg.",
             "Put the file into the folder of the descriptions, or remove the line."),
    )  # fmt: skip


def examine_catalogue(
    reading: CatalogueReading, grounds: Grounds, unread: Collection[str] = ()
) -> tuple[Invalid, ...]:
    """Every problem: of the files one by one, and with what they name; what is in a folder of `unread` is not known."""
    told = list(reading.problems)
    seen: dict[tuple[Kind, str], str] = {}
    silent = {f"unknown-{kind}" for kind, folder in FOLDERS.items() if folder in unread}
    for one in reading.written:
        for fault in (
            *_twice(one, seen),
            *_unknown(one.description, grounds),
            *_said(one.description, grounds),
        ):
            if fault.code not in silent:
                told.append(fault.problem(one.document))
    return tuple(told)


def advice(reading: CatalogueReading, grounds: Grounds, directory: Path) -> Iterator[Invalid]:
    """What would make a catalogue better, and is no problem; nothing where there is no catalogue."""
    if reading.whole is None:
        return
    described = {(one.kind, one.name): one for one in reading.descriptions}
    offered: list[tuple[Kind, str]] = [("dataset", one.name) for one in grounds.datasets]
    offered += [("event-type", one.type) for one in grounds.events]
    for kind, name in offered:
        if (kind, name) not in described:
            yield _undescribed(kind, name, directory)
    for one in reading.written:
        lacking = _lacking(one.description, grounds, reading.whole)
        if lacking:
            yield _incomplete(one, lacking)
        said, dataset = one.description, grounds.dataset(one.description.name)
        if said.kind == "dataset" and said.access_rights == "public" and dataset is not None:
            of_people = [column.name for column in dataset.columns if column.sensitivity != "open"]
            if of_people:
                yield _called_public(one, of_people)
    chosen = [one for one in offered if (found := described.get(one)) and found.published]
    if reading.whole.publish == "chosen" and offered and not chosen:
        yield _nothing(directory)


def _read(path: Path, kind: type[Any]) -> tuple[tuple[Any, Document] | None, list[Invalid]]:
    try:
        document = read_document(path)
    except Invalid as problem:
        return None, [problem]
    problems = [fault.problem(document) for fault in faults(document.tables, kind)]
    return (None if problems else (convert(document.tables, kind), document)), problems


def _twice(one: WrittenDescription, seen: dict[tuple[Kind, str], str]) -> Iterator[Fault]:
    said = one.description
    other = seen.setdefault((said.kind, said.name), one.document.file)
    if other != one.document.file:
        yield Fault(
            ("name",),
            "description-twice",
            Text(f"`{said.name}` is al beschreven.", f"`{said.name}` is described already."),
            Text(f"Dat staat in {other}.", f"That stands in {other}."),
            Text("Houd één van beide.", "Keep one of the two."),
        )


def _unknown(said: Description, grounds: Grounds) -> Iterator[Fault]:
    """A dataset, event type or column that is not there; which services there are, only the node itself can tell."""
    if said.kind == "dataset":
        dataset = grounds.dataset(said.name)
        if dataset is None:
            yield _absent("dataset", said.name, [one.name for one in grounds.datasets])
        else:
            yield from _undated(said, dataset)
    elif said.kind == "event-type" and grounds.event(said.name) is None:
        yield _absent("event-type", said.name, [one.type for one in grounds.events])
    if said.kind != "dataset" and said.changed is not None:
        yield _misplaced("changed", Text("Alleen een dataset heeft kolommen.", "Only a dataset has columns."))


def _undated(said: Description, dataset: Dataset) -> Iterator[Fault]:
    if said.changed is None:
        return
    dated = [one.name for one in dataset.columns if tells_days(one)]
    if said.changed not in dated:
        yield Fault(
            ("changed",),
            "no-such-date",
            Text(f"`{said.changed}` zegt niet wanneer een rij wijzigde.", f"`{said.changed}` does not say when a row changed."),
            Text("Dat doet alleen een datum of tijdstip dat niet herleidbaar of bijzonder is.",
                 "Only a date or moment does that is not identifying or special."),
            meant(said.changed, dated),
        )  # fmt: skip


def _said(said: Description, grounds: Grounds) -> Iterator[Fault]:
    """What stands in another file already."""
    dataset = grounds.dataset(said.name) if said.kind == "dataset" else None
    titled = said.kind != "service"
    told = said.kind == "event-type" or (dataset is not None and dataset.description is not None)
    for key, there in (("title", titled and said.title), ("description", told and said.description)):
        if there:
            yield _misplaced(
                key, Text("Dat staat al in het bestand ervan.", "That stands in its own file already.")
            )
    if said.openapi is not None and said.kind != "service":
        yield _misplaced("openapi", Text("Alleen een dienst heeft dat.", "Only a service has one."))
    if said.document is not None and said.kind != "service":
        yield _misplaced("document", Text("Alleen een dienst heeft dat.", "Only a service has one."))
    for key in ("frequency", "period") if said.kind == "service" else ():
        if getattr(said, key) is not None:
            yield _misplaced(key, Text("Een dienst heeft dat niet.", "A service has none."))


def _misplaced(key: str, why: Text) -> Fault:
    return Fault(
        (key,),
        "not-here",
        Text(f"`{key}` hoort hier niet.", f"`{key}` does not belong here."),
        why,
        Text("Haal deze regel weg.", "Remove this line."),
    )


def _absent(kind: Kind, name: str, known: Collection[str]) -> Fault:
    what = {"dataset": Text("dataset", "dataset"), "event-type": Text("gebeurtenistype", "event type")}[kind]
    return Fault(
        ("name",),
        f"unknown-{kind}",
        Text(f"Onbekend {what.nl}: `{name}`." if kind == "event-type" else f"Onbekende {what.nl}: `{name}`.",
             f"Unknown {what.en}: `{name}`."),
        Text("Een beschrijving gaat over iets wat in dit knooppunt bestaat.",
             "A description is about something that exists in this node."),
        meant(name, known),
    )  # fmt: skip


WORTH: dict[str, Text] = {
    "description": Text("uitleg", "description"),
    "keywords": Text("trefwoorden", "keywords"),
    "cost": Text("kosten", "cost"),
    "frequency": Text("hoe vaak bijgewerkt", "how often updated"),
    "documentation": Text("documentatie", "documentation"),
}
"""What a description is better with."""


_NAMED = 5  # columns that one piece of advice names


def _lacking(said: Description, grounds: Grounds, whole: Whole) -> list[Text]:
    dataset = grounds.dataset(said.name) if said.kind == "dataset" else None
    told = said.kind == "event-type" or (dataset is not None and dataset.description is not None)
    needless = {"description"} if told else set()
    if said.kind != "dataset":
        needless.add("frequency")
    if whole.documentation is not None:
        needless.add("documentation")
    empty = Description(said.kind, said.name)
    return [
        words
        for key, words in WORTH.items()
        if key not in needless and getattr(said, key) == getattr(empty, key)
    ]


def _undescribed(kind: Kind, name: str, directory: Path) -> Invalid:
    return Invalid(
        "not-described",
        Text(f"`{name}` is niet beschreven.", f"`{name}` is not described."),
        Text("In de catalogus staat er alleen wat andere bestanden zeggen.",
             "The catalogue has only what other files say of it."),
        Text(f"Schrijf een bestand met `kind = \"{kind}\"` en `name = \"{name}\"`.",
             f"Write a file with `kind = \"{kind}\"` and `name = \"{name}\"`."),
        place=Place(str(directory / DESCRIPTIONS)),
    )  # fmt: skip


def _incomplete(one: WrittenDescription, lacking: list[Text]) -> Invalid:
    nl, en = ", ".join(each.nl for each in lacking), ", ".join(each.en for each in lacking)
    return Invalid(
        "description-incomplete",
        Text("Deze beschrijving kan vollediger.", "This description could say more."),
        Text(f"Er staat nog niet: {nl}.", f"Not there yet: {en}."),
        Text("Vul aan wat u weet.", "Add what you know."),
        place=one.document.place(("name",)),
    )


def _called_public(one: WrittenDescription, columns: list[str]) -> Invalid:
    more = len(columns) - _NAMED
    names = ", ".join(f"`{each}`" for each in columns[:_NAMED])
    name = one.description.name
    return Invalid(
        "public-with-personal-data",
        Text(f"`{name}` heet openbaar, maar er staan persoonsgegevens in.",
             f"`{name}` is called public, but it holds personal data."),
        Text(f"Over mensen gaan: {names}{f' en nog {more}' if more > 0 else ''}.",
             f"About people are: {names}{f' and {more} more' if more > 0 else ''}."),
        Text("Schrijf `access_rights = \"non-public\"`. Gaat een kolom niet over mensen? Schrijf daarbij `sensitivity = \"open\"`.",
             "Write `access_rights = \"non-public\"`. Is a column not about people? Write `sensitivity = \"open\"` there."),
        place=one.document.place(("access_rights",)),
    )  # fmt: skip


def _nothing(directory: Path) -> Invalid:
    return Invalid(
        "nothing-published",
        Text("De catalogus toont anderen geen gegevens.", "The catalogue shows others no data."),
        Text("Geen dataset of gebeurtenistype zegt `published = true`.",
             "No dataset or event type says `published = true`."),
        Text("Schrijf dat in een beschrijving, of `publish = \"all\"` in de catalogus.",
             "Write so in a description, or `publish = \"all\"` in the catalogue."),
        place=Place(str(directory / CATALOGUE_FILE)),
    )  # fmt: skip
