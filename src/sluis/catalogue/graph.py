"""Entries as DCAT-AP-NL 3.0.1, in JSON-LD 1.1 or Turtle; measurements as the Data Quality Vocabulary (W3C, DQV).

Everything that is spoken of has an address or is a value: so the same entries give the same bytes. What a value list or a class
demands (DCAT-AP 3.0.1, SHACL) stands in the graph itself, since a harvester looks nothing up. DCAT has no words for columns,
price and sensitivity: these are said in CSVW, schema.org and the Data Privacy Vocabulary. Loading rdflib takes a second: only
`service` loads this, when somebody first asks.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from rdflib import DCAT, DCTERMS, FOAF, PROV, RDF, RDFS, SKOS, XSD, BNode, Graph, Namespace, URIRef
from rdflib import Literal as Value

from sluis.catalogue.codes import (
    ACCESS_RIGHTS,
    AUTHORITY,
    FREQUENCIES,
    ITSELF,
    LANGUAGES,
    LICENCES,
    PRICE,
    TERMS_REQUIRED,
    THEMES,
    Language,
)
from sluis.catalogue.model import (
    Body,
    Contact,
    Cost,
    Entry,
    EntryColumn,
    Form,
    Keywords,
    Measurement,
    Of,
    Whole,
)
from sluis.catalogue.rules import ADDRESS_SAFE, UNFIT, terms_digest
from sluis.grounds import Price
from sluis.kernel import Period, Text

CSVW = Namespace("http://www.w3.org/ns/csvw#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DPV = Namespace("https://w3id.org/dpv#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
ELI = Namespace("http://data.europa.eu/eli/ontology#")
LDQD = Namespace("http://www.w3.org/2016/05/ldqd#")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
SCHEMA = Namespace("https://schema.org/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")

PREFIXES: Final = {
    "csvw": str(CSVW), "dcat": str(DCAT), "dcatap": str(DCATAP), "dct": str(DCTERMS), "dpv": str(DPV), "dqv": str(DQV),
    "eli": str(ELI), "foaf": str(FOAF), "ldqd": str(LDQD), "odrl": str(ODRL), "prov": str(PROV), "rdf": str(RDF),
    "rdfs": str(RDFS), "schema": str(SCHEMA), "skos": str(SKOS), "vcard": str(VCARD), "xsd": str(XSD),
}  # fmt: skip

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")
_SENSITIVE = {
    "open": DPV.NonPersonalData,
    "personal": DPV.PersonalData,
    "identifying": DPV.IdentifyingPersonalData,
    "special": DPV.SpecialCategoryPersonalData,
}

_DATATYPES = {
    "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "double", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "datetime", "number": "integer", "boolean": "boolean", "date": "date",
}  # fmt: skip
"""DuckDB types, and those of facts, in the words of CSVW; the rest is `decimal` or `string`."""

_METRICS: Final[dict[str, tuple[Text, URIRef, URIRef]]] = {
    "rows": (Text("aantal rijen", "number of rows"), LDQD.completeness, XSD.nonNegativeInteger),
    "filled": (Text("hoeveel procent gevuld is", "percentage that is filled"), LDQD.completeness, XSD.integer),
    "newest": (Text("laatste dag waarop een rij wijzigde", "last day on which a row changed"), LDQD.timeliness, XSD.date),
    "milliseconds": (Text("hoelang het meten duurde, in milliseconden", "how long measuring took, in milliseconds"),
                     LDQD.performance, XSD.nonNegativeInteger),
}  # fmt: skip


def catalogue_graph(whole: Whole, entries: Sequence[Entry], of: Of) -> Graph:
    """The catalogue with all of these entries in it."""
    made = _Graph(whole, of, entries)
    if all(one.kind == "service" for one in entries):
        # DCAT-AP-NL wants a dataset in every catalogue. There is one when nothing else is published: the catalogue itself.
        entries = (*entries, _itself(whole, of))
    made.catalogue(entries)
    for entry in entries:
        made.entry(entry)
    return made.graph


def _itself(whole: Whole, of: Of) -> Entry:
    return Entry(
        kind="dataset", name="", iri=f"{of.base}#about", published=True, described=True, title=whole.title,
        description=whole.description, contact=whole.contact, creator=Body(of.name, whole.publisher), themes=whole.themes,
        access_rights="public", licence="cc0", languages=tuple(LANGUAGES), keywords=Keywords(),
    )  # fmt: skip


def entry_graph(whole: Whole, entry: Entry, entries: Sequence[Entry], of: Of) -> Graph:
    """One entry alone, and the service by which it is reached, if that is among `entries`."""
    made = _Graph(whole, of, entries)
    made.entry(entry)
    if entry.kind != "service" and entry.service in made.services:
        made.entry(made.services[entry.service])
    return made.graph


def written(graph: Graph, form: Form) -> bytes:
    """A graph as bytes. JSON-LD has its context within: nobody needs to fetch one."""
    if form == "turtle":
        return graph.serialize(format="turtle").encode()
    text = graph.serialize(format="json-ld", context=PREFIXES, auto_compact=False, sort_keys=True)
    found = json.loads(text)
    nodes = found.get("@graph", [{key: value for key, value in found.items() if key != "@context"}])
    nodes = sorted(map(_sorted, nodes), key=lambda node: str(node.get("@id", "")))
    return json.dumps({"@context": PREFIXES, "@graph": nodes}, ensure_ascii=False, indent=1).encode()


def _sorted(node: dict[str, Any]) -> dict[str, Any]:
    """A node with several values of one property in an order that does not depend on the process."""
    return {
        key: sorted(value, key=lambda one: json.dumps(one, sort_keys=True))
        if isinstance(value, list)
        else value
        for key, value in node.items()
    }


class _Graph:
    def __init__(self, whole: Whole, of: Of, entries: Sequence[Entry]) -> None:
        self.graph, self.whole, self.of = Graph(bind_namespaces="none"), whole, of
        for prefix, space in PREFIXES.items():
            self.graph.bind(prefix, space)
        self.services = {one.name: one for one in entries if one.kind == "service"}
        self.served = [one for one in entries if one.kind != "service"]

    def add(self, subject: URIRef | BNode, predicate: URIRef, *values: Any) -> None:
        for value in values:
            if value is not None:
                self.graph.add((subject, predicate, value))

    def say(self, subject: URIRef, predicate: URIRef, text: Text | None) -> None:
        if text is not None:
            self.add(subject, predicate, literal(text.nl, "nl"), literal(text.en, "en"))

    def thing(self, address: str, kind: URIRef, label: Text | None = None) -> URIRef:
        node = iri(address)
        self.add(node, RDF.type, kind)
        self.say(node, SKOS.prefLabel if kind == SKOS.Concept else RDFS.label, label)
        return node

    def catalogue(self, entries: Sequence[Entry]) -> None:
        whole, node = self.whole, self.thing(self.of.base, DCAT.Catalog)
        self.say(node, DCTERMS.title, whole.title)
        self.say(node, DCTERMS.description, whole.description)
        self.add(node, DCTERMS.publisher, self.agent(whole.publisher, self.of.name))
        self.add(node, DCTERMS.creator, self.agent(whole.publisher, self.of.name))
        self.add(node, DCAT.contactPoint, self.contact(self.of.base, whole.contact))
        self.add(node, DCTERMS.license, self.licence("cc0"))
        self.add(node, DCTERMS.language, *self.languages(LANGUAGES))
        self.add(node, DCAT.themeTaxonomy, self.taxonomy())
        if whole.homepage:
            self.add(node, FOAF.homepage, self.thing(whole.homepage, FOAF.Document))
        for entry in entries:
            self.add(node, DCAT.service if entry.kind == "service" else DCAT.dataset, iri(entry.iri))

    def entry(self, entry: Entry) -> None:
        node = self.thing(entry.iri, DCAT.DataService if entry.kind == "service" else DCAT.Dataset)
        self.common(node, entry)
        if entry.kind == "service":
            self.service(node, entry)
        else:
            self.dataset(node, entry)

    def common(self, node: URIRef, entry: Entry) -> None:
        self.say(node, DCTERMS.title, entry.title)
        self.say(node, DCTERMS.description, entry.description)
        self.add(node, DCTERMS.identifier, Value(entry.iri))
        self.add(node, DCTERMS.publisher, self.agent(self.whole.publisher, self.of.name))
        self.add(node, DCTERMS.creator, self.agent(entry.creator.uri, entry.creator.name))
        self.add(node, DCAT.contactPoint, self.contact(entry.iri, entry.contact))
        self.add(node, DCAT.theme, *(self.theme(one) for one in entry.themes))
        self.add(node, DCAT.keyword, *keywords(entry.keywords))
        code, label = ACCESS_RIGHTS[entry.access_rights]
        self.add(
            node,
            DCTERMS.accessRights,
            self.thing(f"{AUTHORITY}access-right/{code}", DCTERMS.RightsStatement, label),
        )
        self.add(node, DCTERMS.language, *self.languages(entry.languages))
        self.add(node, DCTERMS.conformsTo, *(self.thing(one, DCTERMS.Standard) for one in entry.conforms_to))
        self.add(node, DCATAP.applicableLegislation, *self.laws(entry))
        for address, predicate in ((entry.page, DCAT.landingPage), (entry.documentation, FOAF.page)):
            if address:
                self.add(node, predicate, self.thing(address, FOAF.Document))
        self.cost(node, entry)

    def service(self, node: URIRef, entry: Entry) -> None:
        self.add(node, DCAT.endpointURL, iri(self.of.endpoint))
        self.add(node, DCAT.endpointDescription, iri(entry.openapi or entry.iri))
        self.add(node, DCTERMS.license, self.licence(entry.licence))
        self.terms(node, entry)
        self.add(
            node, DCAT.servesDataset, *(iri(one.iri) for one in self.served if one.service == entry.name)
        )
        for one in self.served:  # each is a dataset, wherever a reader finds it named
            if one.service == entry.name:
                self.thing(one.iri, DCAT.Dataset)

    def dataset(self, node: URIRef, entry: Entry) -> None:
        if not entry.name:
            label = Text("catalogus", "catalogue")
            self.add(node, DCTERMS.type, self.thing(ITSELF, SKOS.Concept, label))
        if entry.kind == "event-type":
            self.add(
                node,
                DCTERMS.type,
                self.thing("urn:sluis:event-type", SKOS.Concept, Text("gebeurtenistype", "event type")),
            )
        if entry.frequency:
            code, label = FREQUENCIES[entry.frequency]
            self.add(
                node,
                DCTERMS.accrualPeriodicity,
                self.thing(f"{AUTHORITY}frequency/{code}", DCTERMS.Frequency, label),
            )
        if entry.period:
            self.add(node, DCTERMS.temporal, self.period(entry.iri, entry.period))
        self.add(node, DCTERMS.spatial, *(self.thing(one, DCTERMS.Location) for one in entry.places))
        schema = self.columns(entry) if entry.columns else None
        self.add(node, DCTERMS.conformsTo, schema)
        self.add(node, DCAT.distribution, self.distribution(entry, schema))
        if entry.measured:
            self.measured(node, entry, entry.measured)

    def distribution(self, entry: Entry, schema: URIRef | None) -> URIRef:
        node = self.thing(f"{entry.iri}#distribution", DCAT.Distribution)
        self.say(node, DCTERMS.title, entry.title)
        self.add(node, DCAT.accessURL, iri(self.of.endpoint if entry.name else self.of.base))
        if entry.service in self.services:
            self.add(node, DCAT.accessService, iri(self.services[entry.service].iri))
        self.add(node, DCTERMS.license, self.licence(entry.licence))
        self.add(node, DCTERMS.language, *self.languages(entry.languages))
        kind = (
            "application/cloudevents+json"
            if entry.kind == "event-type"
            else "application/vnd.apache.arrow.stream"
        )
        if not entry.name:
            kind = "application/ld+json"
        self.add(
            node,
            DCAT.mediaType,
            self.thing(f"https://www.iana.org/assignments/media-types/{kind}", DCTERMS.MediaType),
        )
        self.add(node, DCTERMS.conformsTo, schema)
        self.terms(node, entry)
        return node

    def columns(self, entry: Entry) -> URIRef:
        """The columns, in their order, as the schema that the data holds to."""
        node = self.thing(f"{entry.iri}#schema", DCTERMS.Standard, entry.title)
        self.add(node, RDF.type, CSVW.Schema)
        every = [self.column(entry.iri, one) for one in entry.columns]
        # Named by their place, for a name that is made up anew would make other bytes each time.
        cells = [BNode(f"{entry.kind}-{entry.name}-{at}".replace(".", "-")) for at in range(len(every))]
        for at, (cell, column) in enumerate(zip(cells, every, strict=True)):
            self.add(cell, RDF.first, column)
            self.add(cell, RDF.rest, cells[at + 1] if at + 1 < len(cells) else RDF.nil)
        self.add(node, CSVW.column, cells[0])
        self.add(node, CSVW.primaryKey, *map(Value, entry.key))
        return node

    def column(self, base: str, one: EntryColumn) -> URIRef:
        node = iri(f"{base}#column-{one.name}")
        self.add(node, RDF.type, CSVW.Column)
        self.add(node, CSVW.name, Value(one.name))
        self.say(node, CSVW.title, one.title)
        kind = "decimal" if one.type.startswith("DECIMAL") else _DATATYPES.get(one.type, "string")
        self.add(node, CSVW.datatype, Value(kind))
        self.add(node, DPV.hasData, _SENSITIVE[one.sensitivity])
        self.add(node, SCHEMA.unitText, literal(one.unit) if one.unit else None)
        if one.concept:
            named = _IRI.fullmatch(one.concept)
            self.add(
                node,
                DCTERMS.subject if named else DCTERMS.description,
                iri(one.concept) if named else literal(one.concept),
            )
        return node

    def measured(self, node: URIRef, entry: Entry, found: Measurement) -> None:
        day = found.newest
        if day is not None:
            self.add(node, DCTERMS.modified, Value(day))
        self.measurement(node, entry, "rows", found.rows, found)
        self.measurement(node, entry, "milliseconds", found.milliseconds, found)
        if day is not None:
            self.measurement(node, entry, "newest", day, found)
        for share in found.filled:
            self.measurement(node, entry, "filled", share.percent, found, share.column)

    def measurement(
        self, node: URIRef, entry: Entry, metric: str, value: int | date, found: Measurement, column: str = ""
    ) -> None:
        label, dimension, kind = _METRICS[metric]
        of = self.thing(f"urn:sluis:metric:{metric}", DQV.Metric, label)
        self.add(of, DQV.inDimension, dimension)
        self.add(of, DQV.expectedDataType, kind)
        one = self.thing(
            f"{entry.iri}#measured-{metric}{'-' if column else ''}{column}", DQV.QualityMeasurement
        )
        self.add(node, DQV.hasQualityMeasurement, one)
        self.add(one, DQV.isMeasurementOf, of)
        self.add(one, DQV.computedOn, iri(f"{entry.iri}#column-{column}") if column else node)
        self.add(one, DQV.value, Value(str(value), datatype=kind))
        self.add(one, PROV.generatedAtTime, Value(found.at))

    def cost(self, node: URIRef, entry: Entry) -> None:
        """What it costs; DCAT-AP has no property for it."""
        if entry.cost is None:
            return
        for at, (cents, per) in enumerate(_offers(entry.cost, entry.prices)):
            offer = self.thing(f"{entry.iri}#offer-{at}", SCHEMA.Offer)
            self.add(node, SCHEMA.offers, offer)
            self.add(offer, SCHEMA.price, Value(f"{cents // 100}.{cents % 100:02}", datatype=XSD.decimal))
            self.add(offer, SCHEMA.priceCurrency, Value("EUR"))
            self.say(offer, SCHEMA.unitText, per)
            self.say(offer, SCHEMA.description, entry.cost.note)
            if entry.cost.kind != "agreed":
                vat = "" if entry.cost.vat is None else entry.cost.vat
                kind = f"{PRICE}{entry.cost.kind}:{entry.cost.months}:{vat}"
                self.add(offer, DCTERMS.type, self.thing(kind, SKOS.Concept, per))

    def terms(self, node: URIRef, entry: Entry) -> None:
        """How to get it, on which terms, and how good it is."""
        if entry.access:
            self.add(
                node, DCTERMS.rights, self.thing(f"{entry.iri}#access", DCTERMS.RightsStatement, entry.access)
            )
        if entry.terms:
            terms = self.thing(f"{entry.iri}#terms", DCTERMS.RightsStatement, entry.terms.text)
            self.add(node, DCTERMS.rights, terms)
            self.add(terms, SCHEMA.version, literal(entry.terms.version))
            self.add(
                terms,
                SCHEMA.sha256,
                Value(terms_digest(entry.terms.version, entry.terms.text, entry.terms.page)),
            )
            if entry.terms.required:
                label = Text("Zonder aanvaarding geen antwoord", "No answer without acceptance")
                self.add(terms, DCTERMS.type, self.thing(TERMS_REQUIRED, SKOS.Concept, label))
            self.add(terms, RDFS.seeAlso, iri(entry.terms.page) if entry.terms.page else None)
        if entry.level:
            policy = self.thing(f"{entry.iri}#level", ODRL.Policy, entry.level.text)
            self.add(policy, RDF.type, DQV.QualityPolicy)
            self.add(policy, RDFS.seeAlso, iri(entry.level.page) if entry.level.page else None)
            if entry.level.available is not None:
                self.add(policy, SCHEMA.value, Value(str(entry.level.available), datatype=XSD.decimal))
            self.add(node, ODRL.hasPolicy, policy)

    def agent(self, address: str, name: str) -> URIRef:
        node = self.thing(address, FOAF.Agent)
        self.add(node, FOAF.name, literal(name))
        return node

    def contact(self, base: str, one: Contact) -> URIRef:
        node = self.thing(f"{base}#contact", VCARD.Kind)
        self.add(node, VCARD.fn, literal(one.name))
        self.add(node, VCARD.hasEmail, iri(f"mailto:{one.email}") if one.email else None)
        self.add(node, VCARD.hasURL, iri(one.page) if one.page else None)
        self.add(node, VCARD.hasTelephone, iri(f"tel:{one.phone}") if one.phone else None)
        return node

    def theme(self, code: Any) -> URIRef:
        node = self.thing(f"{AUTHORITY}data-theme/{code}", SKOS.Concept, THEMES[code])
        self.add(node, SKOS.inScheme, self.taxonomy())
        return node

    def taxonomy(self) -> URIRef:
        node = self.thing(f"{AUTHORITY}data-theme", SKOS.ConceptScheme)
        self.say(node, DCTERMS.title, Text("Thema's van datasets", "Data Theme"))
        return node

    def licence(self, code: Any) -> URIRef:
        address, label = LICENCES[code]
        return self.thing(address, DCTERMS.LicenseDocument, label)

    def languages(self, codes: Iterable[Language]) -> list[URIRef]:
        return [
            self.thing(f"{AUTHORITY}language/{LANGUAGES[one]}", DCTERMS.LinguisticSystem) for one in codes
        ]

    def laws(self, entry: Entry) -> list[URIRef]:
        found = []
        for at, one in enumerate(entry.articles):
            node = self.thing(one.page or f"{entry.iri}#law-{at}", ELI.LegalResource)
            self.add(node, RDFS.label, literal(str(one), "nl"))
            found.append(node)
        return found

    def period(self, base: str, one: Period) -> URIRef:
        node = self.thing(f"{base}#period", DCTERMS.PeriodOfTime)
        self.add(node, DCAT.startDate, Value(one.since))
        self.add(node, DCAT.endDate, Value(one.until) if one.until else None)
        return node


def iri(address: str) -> URIRef:
    """An address as an IRI: what may not stand in one is written with percent signs."""
    return URIRef(quote(address, safe=ADDRESS_SAFE) if not address.isascii() or _odd(address) else address)


def _odd(address: str) -> bool:
    return re.search(r"[\x00-\x20<>\"{}|\\^`\x7f]", address) is not None


def literal(text: str, language: str | None = None) -> Value:
    """A text for people; what it is not for is left out."""
    return Value(UNFIT.sub("", text), lang=language)


def keywords(words: Keywords) -> list[Value]:
    """Keywords in both languages."""
    return [*(literal(one, "nl") for one in words.nl), *(literal(one, "en") for one in words.en)]


def _offers(cost: Cost, prices: Sequence[Price]) -> list[tuple[int, Text]]:
    """Each price in cents, and what it is for."""
    free, question, person = (
        Text("gratis", "free"),
        Text("per vraag", "per question"),
        Text("per persoon", "per person"),
    )
    match cost.kind:
        case "free":
            return [(0, free)]
        case "call":
            return [(cost.cents, question)]
        case "run":
            return [(cost.cents, Text("per keer draaien", "per run"))]
        case "subscription":
            return [(cost.cents, Text(f"per {cost.months} maanden", f"per {cost.months} months"))]
        case "agreed":
            found = {(one.per_question, question) for one in prices if one.per_question}
            found |= {(one.per_subject, person) for one in prices if one.per_subject}
            found |= {(0, free) for one in prices if one == Price()}
            return sorted(found, key=lambda one: (one[1].en, one[0]))
