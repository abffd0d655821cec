"""The catalogue of another organisation, read for what somebody may look for. Pure, and wary: it was written elsewhere.

JSON-LD as every node writes it, and no more of it than that: a flat graph (JSON-LD 1.1 §4.7 and §5.2), whose context is a table of
prefixes. So no address is fetched to understand it, nothing is nested, and reading takes as long as it is large. What is too long
is cut, what is no entry is left out; whose it is, the link says, not the document.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

import msgspec

from sluis.catalogue.codes import ACCESS_RIGHTS, AUTHORITY, ITSELF, PRICE, TERMS_REQUIRED, THEMES
from sluis.catalogue.model import Faults, Found, Kind, Offered, Priced, Wording
from sluis.catalogue.rules import terms_digest
from sluis.kernel import Invalid, Text, decode, euros

MOST_ENTRIES: Final = 10_000
LONGEST_ADDRESS, LONGEST_TITLE, LONGEST_TEXT, LONGEST_WORD, MOST_WORDS = 2000, 400, 4000, 200, 200
"""Characters, and words of each entry."""
MOST_PREFIXES, MOST_SAID, MOST_NAMED, MOST_LOOKS = 200, 200, 50, 3_000_000
"""Prefixes of a document; things that a node says under one term, and nodes that it names there, as far as they are looked at; and
things that are looked at in all. Many entries may lead to the same nodes, so without bounds a small document takes hours to read."""

_DCT, _DCAT = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#"
_CSVW, _FIRST, _REST = "http://www.w3.org/ns/csvw#", "first", "rest"
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]+")
_SPACE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_EVENT_TYPE = "urn:sluis:event-type"
_SCHEMA, _ODRL, _RDFS = (
    "https://schema.org/",
    "http://www.w3.org/ns/odrl/2/",
    "http://www.w3.org/2000/01/rdf-schema#",
)
_PRICE = re.compile(r"\d{1,9}(\.\d{1,4})?")
_KIND = re.compile(PRICE + r"(free|call|run|subscription):(\d{1,3}):(\d{0,2})")
_FEW, _NAMED = (
    8,
    2,
)  # things of one kind that are looked at; members of a node that says no more than what it is

Node = Mapping[str, Any]


class Reading(msgspec.Struct, frozen=True):
    """The entries of a catalogue, in the order of their addresses, and what of it was passed over."""

    entries: tuple[Found, ...]
    faults: Faults


def read_catalogue_of(raw: bytes) -> Reading:
    """What a catalogue offers.

    Args:
        raw: JSON-LD, of bounded size.

    Raises `Invalid` when it is no catalogue, or has more than `MOST_ENTRIES`.
    """
    try:
        document = decode(raw, Any)
    except msgspec.DecodeError:
        raise _unreadable(Text("Het is geen JSON.", "It is not JSON.")) from None
    prefixes, graph = _parts(document)
    nodes = {id: node for node in graph if isinstance(node, dict) and isinstance(id := node.get("@id"), str)}
    reader = _Reader(prefixes, nodes)
    if not any(f"{_DCAT}Catalog" in reader.kinds(node) for node in nodes.values()):
        raise _unreadable(Text("Er staat geen catalogus in.", "There is no catalogue in it."))
    found = [entry for id, node in sorted(nodes.items()) if (entry := reader.entry(id, node)) is not None]
    if len(found) > MOST_ENTRIES:
        raise _unreadable(
            Text(f"Er staan er meer dan {MOST_ENTRIES} in.", f"There are more than {MOST_ENTRIES} in it.")
        )
    return Reading(tuple(found), Faults(reader.things, reader.links))


def _parts(document: Any) -> tuple[dict[str, str], list[Any]]:
    """The prefixes and the graph of a document that has both, and nothing by which another address would come into it."""
    context = document.get("@context") if isinstance(document, dict) else None
    graph = document.get("@graph") if isinstance(document, dict) else None
    if not isinstance(graph, list) or not isinstance(context, dict):
        raise _unreadable(Text("Het is geen platte JSON-LD.", "It is not flat JSON-LD."))
    if len(context) > MOST_PREFIXES:
        raise _unreadable(
            Text(
                f"De context heeft meer dan {MOST_PREFIXES} voorvoegsels.",
                f"The context has more than {MOST_PREFIXES} prefixes.",
            )
        )
    for prefix, space in context.items():
        if prefix.startswith("@") or not isinstance(space, str) or not _SPACE.fullmatch(space):
            raise _unreadable(
                Text(
                    "De context is meer dan een tabel van voorvoegsels.",
                    "The context is more than a table of prefixes.",
                )
            )
    return context, graph


class _Reader:
    def __init__(self, prefixes: Mapping[str, str], nodes: Mapping[str, Node]) -> None:
        self._prefixes, self._nodes = prefixes, nodes
        self._names: dict[str, tuple[str, ...]] = {}
        self.things = self.links = self._looks = 0

    def whole(self, name: Any) -> str:
        """A name without its prefix; empty for what is too long to be one."""
        if not isinstance(name, str) or len(name) > LONGEST_ADDRESS:
            return ""
        prefix, colon, rest = name.partition(":")
        return self._prefixes[prefix] + rest if colon and prefix in self._prefixes else name

    def values(self, node: Node, term: str) -> list[Any]:
        """What a node says under a term, `MOST_SAID` at most."""
        names = self._names.get(term)
        if names is None:
            short = (
                f"{prefix}:{term[len(space) :]}"
                for prefix, space in self._prefixes.items()
                if term.startswith(space)
            )
            names = self._names[term] = (term, *short)
        found = next((node[name] for name in names if name in node), None)
        self._looks += 1 + (len(found) if isinstance(found, list) and len(found) < MOST_SAID else 1)
        if self._looks > MOST_LOOKS:
            raise _unreadable(
                Text(
                    "Er wordt steeds weer naar hetzelfde verwezen.",
                    "It leads to the same things again and again.",
                )
            )
        return found[:MOST_SAID] if isinstance(found, list) else [] if found is None else [found]

    def kinds(self, node: Node) -> set[str]:
        given = node.get("@type")
        return {self.whole(one) for one in (given[:MOST_NAMED] if isinstance(given, list) else [given])}

    def addresses(self, node: Node, term: str) -> list[str]:
        named = self.values(node, term)[:MOST_NAMED]
        return [self.whole(one.get("@id")) for one in named if isinstance(one, dict)]

    def _words(self, node: Node) -> Wording:
        """Keywords, by what language they say they are in."""
        said: dict[str, list[Any]] = {}
        for one in self.values(node, f"{_DCAT}keyword"):
            tagged = isinstance(one, dict)
            language = _language(one) if tagged else ""
            said.setdefault(language if language in ("nl", "en") else "", []).append(
                one.get("@value") if tagged else one
            )
        return Wording(_few(said.get("nl", [])), _few(said.get("en", [])), _few(said.get("", [])))

    def text(self, node: Node, term: str, longest: int) -> Text | None:
        """A text in both languages; where one lacks, the other stands for it."""
        said = dict[str, str]()
        for one in self.values(node, term)[:MOST_NAMED]:
            value = one.get("@value") if isinstance(one, dict) else one
            language = _language(one) if isinstance(one, dict) else ""
            if isinstance(value, str) and (cut := value[:longest]).strip():
                said.setdefault(language, cut)
        if not said:
            return None
        other = next(iter(said.values()))
        return Text(said.get("nl", other), said.get("en", other))

    def entry(self, id: str, node: Node) -> Found | None:
        """A dataset, service or event type that has an address and a title; None for anything else."""
        kind = self._kind(node)
        if (
            kind is None or len(node) <= _NAMED
        ):  # no entry, or one that is told of elsewhere and only named here
            return None
        title, address = self.text(node, f"{_DCT}title", LONGEST_TITLE), self.whole(id)
        if title is None or len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            self.things += 1
            return None
        if ITSELF in self.addresses(node, f"{_DCT}type"):
            return None
        given = [node] if kind == "service" else self._followed(node, f"{_DCAT}distribution") or [node]
        return Found(
            kind=kind,
            iri=address,
            title=title,
            description=self.text(node, f"{_DCT}description", LONGEST_TEXT) or title,
            words=self._words(node),
            themes=tuple(sorted({code for code in THEMES if f"{AUTHORITY}data-theme/{code}" in self.addresses(node, f"{_DCAT}theme")})),
            access_rights=next(
                (name for name, (code, _) in ACCESS_RIGHTS.items()
                 if f"{AUTHORITY}access-right/{code}" in self.addresses(node, f"{_DCT}accessRights")), None,
            ),
            columns=_few([*islice(self._columns(node), MOST_SAID)]),
            modified=self._day(node),
            costs=tuple(self._costs(node)),
            priced=next((found for one in self._from([node], f"{_SCHEMA}offers") if (found := self._priced(one))), None),
            access=self._access(given),
            level=next((said for one in self._from(given, f"{_ODRL}hasPolicy") if (said := self._label(one))), None),
            terms=next((terms for one in self._from(given, f"{_DCT}rights") if (terms := self._terms(one))), None),
            openapi=next(filter(None, map(self._link, self.addresses(node, f"{_DCAT}endpointDescription"))), None),
        )  # fmt: skip

    def _from(self, nodes: list[Node], term: str) -> list[Node]:
        """The nodes that are named under a term; a few of them."""
        return [found for node in nodes[:_FEW] for found in self._followed(node, term)]

    def _label(self, node: Node) -> Text | None:
        return self.text(node, f"{_RDFS}label", LONGEST_TEXT)

    def _said(self, node: Node, term: str) -> str:
        """A value that is no text in a language."""
        one = next(iter(self.values(node, term)), None)
        value = one.get("@value") if isinstance(one, dict) else one
        return str(value)[:LONGEST_WORD] if isinstance(value, str | int | float) else ""

    def _link(self, address: str) -> str | None:
        """An address that a browser may follow; what is none is counted."""
        if len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address):
            return address
        self.links += 1
        return None

    def _access(self, given: list[Node]) -> Text | None:
        rights = (
            one for one in self._from(given, f"{_DCT}rights") if not self.values(one, f"{_SCHEMA}version")
        )
        return next((said for one in rights if (said := self._label(one))), None)

    def _terms(self, node: Node) -> Offered | None:
        version = self._said(node, f"{_SCHEMA}version")
        if not version:
            return None
        page = next(filter(None, map(self._link, self.addresses(node, f"{_RDFS}seeAlso"))), None)
        digest = self._said(node, f"{_SCHEMA}sha256")
        required = TERMS_REQUIRED in self.addresses(node, f"{_DCT}type")
        said = self._label(node)
        # What somebody accepts is what they read here: a digest of another text is none.
        return Offered(
            version, digest if digest == terms_digest(version, said, page) else "", said, page, required
        )

    def _priced(self, offer: Node) -> Priced | None:
        price = self._said(offer, f"{_SCHEMA}price")
        kinds = (_KIND.fullmatch(one) for one in self.addresses(offer, f"{_DCT}type")[:_FEW])
        kind = next(filter(None, kinds), None)
        if kind is None or not _PRICE.fullmatch(price):
            return None
        name: Any = kind[1]
        return Priced(name, _cents(price), max(1, int(kind[2])), int(kind[3]) if kind[3] else None)

    def _costs(self, node: Node) -> Iterator[Text]:
        for offer in self._from([node], f"{_SCHEMA}offers"):
            price, per = (
                self._said(offer, f"{_SCHEMA}price"),
                self.text(offer, f"{_SCHEMA}unitText", LONGEST_WORD),
            )
            if not _PRICE.fullmatch(price):
                continue
            amount, free = euros(_cents(price)), _cents(price) == 0
            unit = per or Text("", "")
            yield (
                Text("Gratis", "Free")
                if free
                else Text(f"{amount.nl} {unit.nl}".strip(), f"{amount.en} {unit.en}".strip())
            )

    def _kind(self, node: Node) -> Kind | None:
        kinds = self.kinds(node)
        if f"{_DCAT}DataService" in kinds:
            return "service"
        if f"{_DCAT}Dataset" not in kinds:
            return None
        return "event-type" if _EVENT_TYPE in self.addresses(node, f"{_DCT}type") else "dataset"

    def _columns(self, node: Node) -> Iterator[Any]:
        """What the columns of a dataset are called: those of the schema that its distribution holds to."""
        for held in self._followed(node, f"{_DCAT}distribution", f"{_DCT}conformsTo"):
            for one in self.values(held, f"{_CSVW}column"):
                listed = one.get("@list") if isinstance(one, dict) else None
                for column in self._named(listed[:MOST_SAID]) if isinstance(listed, list) else ():
                    yield from self.values(column, f"{_CSVW}name")[:_FEW]

    def _followed(self, node: Node, *terms: str) -> list[Node]:
        """The nodes that are named under a term, and under the next of those; each once, and a few of them."""
        found = [node]
        for term in terms:
            named = self._named([one for each in found for one in self.values(each, term)[:MOST_NAMED]])
            found = [*islice(named, _FEW)]
        return found

    def _named(self, values: list[Any]) -> Iterator[Node]:
        """The nodes that these values name, each once."""
        ids = (one.get("@id") for one in values if isinstance(one, dict))
        return (
            self._nodes[one]
            for one in dict.fromkeys(id for id in ids if isinstance(id, str))
            if one in self._nodes
        )

    def _day(self, node: Node) -> date | None:
        for one in self.values(node, f"{_DCT}modified"):
            value = one.get("@value") if isinstance(one, dict) else one
            try:
                return date.fromisoformat(value[:10] if isinstance(value, str) else "")
            except ValueError:
                continue
        return None


def _language(value: Node) -> str:
    """Two letters of the language that a text says it is in; empty where it says none."""
    said = value.get("@language")
    return said[:2].lower() if isinstance(said, str) else ""


def _cents(price: str) -> int:
    whole, _, cents = price.partition(".")
    return int(whole) * 100 + int((cents + "00")[:2])


def _few(words: list[Any]) -> tuple[str, ...]:
    cut = (one[:LONGEST_WORD] for one in words if isinstance(one, str))
    kept = dict.fromkeys(one for one in cut if one.strip())
    return tuple(list(kept)[:MOST_WORDS])


def _unreadable(why: Text) -> Invalid:
    return Invalid(
        "unreadable-catalogue",
        Text("Deze catalogus is niet te lezen.", "This catalogue cannot be read."),
        why,
        Text("Meld het aan de organisatie van wie zij is.", "Tell the organisation whose it is."),
    )
