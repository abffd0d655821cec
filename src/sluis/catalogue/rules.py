"""From what files say and probes found to the entries of a catalogue. Pure.

What is not said of one thing, the catalogue says for all; what nobody said follows from what is there. Disclosures stay
what they are between two organisations: of them only the prices are told, where the owner writes that they may be.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from sluis.catalogue.codes import AccessRights
from sluis.catalogue.model import (
    FOLDERS,
    Body,
    Description,
    Entry,
    EntryColumn,
    Keywords,
    Kind,
    Measurement,
    Of,
    Offered,
    Terms,
    Whole,
)
from sluis.grounds import Column, Dataset, EventType, Grounds, Price
from sluis.kernel import Text, encode

CLOUDEVENTS = "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md"
FSC = "https://gitdocumentatie.logius.nl/publicatie/fsc/core/2.0.0/"
"""What the node itself holds to, in whatever it offers."""

UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that have no place in a text for people, and that some readers of RDF refuse."""

ADDRESS_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""What may stand in an IRI as it is, beside letters and digits (RFC 3986 §2.2)."""

_NO_WORDS = Keywords()
_OWN_WORDS = Keywords(("FSC", "SQL", "CloudEvents"), ("FSC", "SQL", "CloudEvents"))
"""By which the node itself is found."""


def project(
    whole: Whole,
    descriptions: Sequence[Description],
    grounds: Grounds,
    services: Collection[str],
    own: str,
    of: Of,
    measured: Mapping[str, Measurement],
) -> tuple[Entry, ...]:
    """Everything that a node offers, published or not, datasets first.

    Args:
        whole: the catalogue itself.
        descriptions: what people wrote about what is offered.
        grounds: datasets and event types, and the disclosures that have prices.
        services: names of those behind the inway.
        own: of these, the one that is the node itself: by it datasets and event types are reached.
        of: whose catalogue it is.
        measured: of each dataset the last probe, where there is one.
    """
    said = {(one.kind, one.name): one for one in descriptions}
    made = _Making(whole, said, of)
    entries = [
        made.dataset(one, grounds, own, measured.get(one.name))
        for one in sorted(grounds.datasets, key=lambda one: one.name)
    ]
    entries += [made.event(one, own) for one in sorted(grounds.events, key=lambda one: one.type)]
    reached = any(one.published for one in entries)
    names = sorted({own, *services})
    return (*entries, *(made.service(name, name == own, reached) for name in names))


def published(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Those that anybody may know of."""
    return tuple(one for one in entries if one.published)


def terms_digest(version: str, said: Text | None, page: str | None) -> str:
    """SHA-256 (hex) of terms as somebody reads them: version, text and address. Both sides reckon it from what they show."""
    read = (_plain(said.nl), _plain(said.en)) if said else None
    address = quote(page, safe=ADDRESS_SAFE) if page else None
    return sha256(encode((_plain(version), read, address))).hexdigest()


def _plain(text: str) -> str:
    return UNFIT.sub("", text)


def offered_terms(terms: Terms | None) -> Offered | None:
    """Terms as a catalogue gives them."""
    if terms is None:
        return None
    digest = terms_digest(terms.version, terms.text, terms.page)
    return Offered(terms.version, digest, terms.text, terms.page, terms.required)


def tells_days(column: Column) -> bool:
    """Whether the last day in a column may be told: a date that is of a row, and not of somebody in it."""
    return column.type in ("DATE", "TIMESTAMP") and column.sensitivity in ("open", "personal")


class _Making:
    def __init__(self, whole: Whole, said: Mapping[tuple[Kind, str], Description], of: Of) -> None:
        self.whole, self.said, self.of = whole, said, of

    def dataset(self, one: Dataset, grounds: Grounds, own: str, found: Measurement | None) -> Entry:
        said = self.said.get(("dataset", one.name))
        columns = tuple(
            EntryColumn(each.name, each.type, each.sensitivity, each.title, each.unit, each.concept)
            for each in one.columns
        )
        prices: tuple[Price, ...] = ()
        if said is not None and said.cost is not None and said.cost.kind == "agreed":
            prices = tuple(
                sorted(_prices(one.name, grounds), key=lambda each: (each.per_question, each.per_subject))
            )
        return self._entry(
            "dataset",
            one.name,
            title=one.title,
            description=one.description,
            rights="restricted" if all(each.sensitivity == "open" for each in columns) else "non-public",
            columns=columns,
            key=one.key,
            subject=one.subject.type if one.subject else None,
            prices=prices,
            service=own,
            measured=found,
        )

    def event(self, one: EventType, own: str) -> Entry:
        columns = tuple(
            EntryColumn(name, each.type, "personal" if one.subject else "open", each.meaning)
            for name, each in one.data.items()
        )
        return self._entry(
            "event-type",
            one.type,
            title=one.title,
            description=one.description,
            rights="non-public" if one.subject else "restricted",
            columns=columns,
            subject=one.subject,
            service=own,
            follows=(CLOUDEVENTS,),
        )

    def service(self, name: str, own: bool, reached: bool) -> Entry:
        organisation = self.of.name
        if own:
            title = Text(f"Sluis-knooppunt van {organisation}", f"Sluis node of {organisation}")
            about = Text(
                "Hierlangs zijn de datasets te bevragen en de gebeurtenissen te ontvangen, met een contract en een grond in de wet.",
                "By this the datasets are asked and the events are received, with a contract and a ground in the law.",
            )
            return self._entry(
                "service",
                name,
                title=title,
                description=about,
                shown=reached,
                openapi=self.of.openapi,
                keywords=_OWN_WORDS,
                follows=(FSC,),
            )
        return self._entry("service", name, title=Text(name, name), follows=(FSC,))

    def _entry(
        self,
        kind: Kind,
        name: str,
        *,
        title: Text,
        description: Text | None = None,
        rights: AccessRights = "restricted",
        shown: bool = False,
        openapi: str | None = None,
        follows: tuple[str, ...] = (),
        keywords: Keywords = _NO_WORDS,
        **more: Any,
    ) -> Entry:
        whole, found = self.whole, self.said.get((kind, name))
        said = found or Description(kind, name)
        iri = f"{self.of.base}/{FOLDERS[kind]}/{_segment(name)}"
        if said.document is not None:
            openapi = f"{iri}/openapi"
        return Entry(
            kind=kind,
            name=name,
            iri=iri,
            published=(whole.publish == "all" or shown) if said.published is None else said.published,
            described=found is not None,
            title=said.title or title,
            description=said.description or description or said.title or title,
            contact=said.contact or whole.contact,
            creator=said.creator or Body(self.of.name, whole.publisher),
            themes=said.themes or whole.themes,
            access_rights=said.access_rights or rights,
            licence=said.licence or whole.licence,
            languages=whole.languages,
            keywords=keywords if said.keywords == _NO_WORDS else said.keywords,
            conforms_to=(*said.conforms_to, *follows),
            articles=said.articles,
            cost=said.cost,
            terms=said.terms or whole.terms,
            level=said.level,
            access=said.access or whole.access,
            page=said.page,
            documentation=said.documentation or whole.documentation,
            openapi=said.openapi or openapi,
            documented=said.document is not None,
            frequency=said.frequency,
            period=said.period,
            places=said.places,
            **more,
        )


def _prices(dataset: str, grounds: Grounds) -> Iterator[Price]:
    yield from {one.price or Price() for one in grounds.disclosures if one.dataset == dataset}


def _segment(name: str) -> str:
    """A name as a part of an address. Names of services may have what an address may not (RFC 3986 §3.3)."""
    return quote(name, safe="")
